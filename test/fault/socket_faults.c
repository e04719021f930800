// Preloaded into a process (glibc on Linux): what its sockets do is what SOCKET_FAULTS says.
//
//   short              a write takes 1 to 1,499 bytes, in turns, and every second one says EAGAIN
//   cut ROLE PERIOD    of the n-th connection a write ends at byte 31 n modulo PERIOD, and the next one says EAGAIN
//   broken ROLE PERIOD the same, but from that byte on every write says EPIPE
//   bytes              a read gives one byte
//
// ROLE: accepted or connected, the connections that are counted; others work as ever. How often it did so is appended
// to the file that SOCKET_FAULTS_LOG names, when the process ends.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kMost = 1499 };  // prime, so that it meets every size
enum { kSlots = 1 << 16 };

enum Fault { None, Short, Cut, Broken, Bytes };
enum Role { Accepted, Connected };

static enum Fault fault;
static enum Role role;
static unsigned period = 1;
static atomic_uint times;

// A connection that is counted; its writes come from one thread. Descriptors may be copied, so it is found by the
// kernel's number of the socket.
struct Connection {
  uint64_t cookie;
  uint64_t left;  // bytes until the fault
  int isOver;     // EAGAIN was said
};
static struct Connection connections[kSlots];

__attribute__((constructor)) static void begin(void) {
  const char* const text = getenv("SOCKET_FAULTS");
  char name[16] = "", which[16] = "";
  if (text == NULL || sscanf(text, "%15s %15s %u", name, which, &period) < 1) return;
  fault = strcmp(name, "short") == 0    ? Short
          : strcmp(name, "cut") == 0    ? Cut
          : strcmp(name, "broken") == 0 ? Broken
          : strcmp(name, "bytes") == 0  ? Bytes
                                        : None;
  role = strcmp(which, "connected") == 0 ? Connected : Accepted;
}

__attribute__((destructor)) static void tell(void) {
  const char* const name = getenv("SOCKET_FAULTS_LOG");
  FILE* const file = name == NULL ? NULL : fopen(name, "a");
  if (file == NULL) return;
  fprintf(file, "%u\n", atomic_load(&times));
  fclose(file);
}

static int isSocket(int descriptor) {
  struct stat status;
  return descriptor > 2 && fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

// The slot of a connection, or the free one for it.
static struct Connection* find(int descriptor, uint64_t* cookie) {
  socklen_t size = sizeof *cookie;
  if (getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, cookie, &size) != 0) return NULL;
  struct Connection* slot = &connections[*cookie % kSlots];
  while (slot->cookie != 0 && slot->cookie != *cookie) {
    if (++slot == connections + kSlots) slot = connections;
  }
  return slot;
}

static void counted(int descriptor) {
  static unsigned number;
  if (fault != Cut && fault != Broken) return;
  uint64_t cookie;
  const int keptError = errno;
  struct Connection* const slot = find(descriptor, &cookie);
  if (slot != NULL) *slot = (struct Connection){cookie, number++ * 31 % period, 0};
  errno = keptError;
}

// The bytes that this write may take; 0: none, errno says why.
static size_t allowance(int descriptor) {
  if (fault == Short) {
    const unsigned call = atomic_fetch_add(&times, 1);
    errno = EAGAIN;
    return call % 2 == 0 ? 0 : (call / 2) % kMost + 1;
  }
  uint64_t cookie;
  struct Connection* const connection = find(descriptor, &cookie);
  if (connection == NULL || connection->cookie == 0 || connection->isOver) return SIZE_MAX;
  if (connection->left > 0) return connection->left;
  atomic_fetch_add(&times, 1);
  connection->isOver = fault == Cut;
  errno = fault == Cut ? EAGAIN : EPIPE;
  return 0;
}

static ssize_t wrote(int descriptor, ssize_t size) {
  uint64_t cookie;
  struct Connection* const connection = fault == Short || size <= 0 ? NULL : find(descriptor, &cookie);
  if (connection != NULL && connection->cookie != 0 && !connection->isOver) connection->left -= (uint64_t)size;
  return size;
}

static int isFaulty(int descriptor) { return fault != None && fault != Bytes && isSocket(descriptor); }

ssize_t write(int descriptor, const void* data, size_t size) {
  static ssize_t (*next)(int, const void*, size_t);
  if (next == NULL) next = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  if (!isFaulty(descriptor)) return next(descriptor, data, size);
  const size_t most = allowance(descriptor);
  return most == 0 ? -1 : wrote(descriptor, next(descriptor, data, size < most ? size : most));
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  static ssize_t (*next)(int, const struct iovec*, int);
  if (next == NULL) next = (ssize_t(*)(int, const struct iovec*, int))dlsym(RTLD_NEXT, "writev");
  if (!isFaulty(descriptor)) return next(descriptor, parts, count);
  size_t left = allowance(descriptor);
  if (left == 0) return -1;
  struct iovec some[64];
  int used = 0;
  for (; used < count && used < 64 && left > 0; used++) {
    some[used] = parts[used];
    if (some[used].iov_len > left) some[used].iov_len = left;
    left -= some[used].iov_len;
  }
  return wrote(descriptor, next(descriptor, some, used));
}

ssize_t read(int descriptor, void* data, size_t size) {
  static ssize_t (*next)(int, void*, size_t);
  if (next == NULL) next = (ssize_t(*)(int, void*, size_t))dlsym(RTLD_NEXT, "read");
  if (fault != Bytes || !isSocket(descriptor)) return next(descriptor, data, size);
  atomic_fetch_add(&times, 1);
  return next(descriptor, data, size < 1 ? size : 1);
}

int accept4(int listener, struct sockaddr* address, socklen_t* size, int flags) {
  static int (*next)(int, struct sockaddr*, socklen_t*, int);
  if (next == NULL) next = (int (*)(int, struct sockaddr*, socklen_t*, int))dlsym(RTLD_NEXT, "accept4");
  const int descriptor = next(listener, address, size, flags);
  if (descriptor >= 0 && role == Accepted) counted(descriptor);
  return descriptor;
}

int connect(int descriptor, const struct sockaddr* address, socklen_t size) {
  static int (*next)(int, const struct sockaddr*, socklen_t);
  if (next == NULL) next = (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
  if (role == Connected) counted(descriptor);
  return next(descriptor, address, size);
}

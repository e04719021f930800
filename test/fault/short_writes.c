// Preloaded into a process: its sockets take few bytes at a time, in turns from 1 byte to kMost, and say EAGAIN every
// second time. So every offset of everything that is sent is an end of a write at some time.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kMost = 1499 };  // prime, so that it meets every size

static atomic_uint calls;

// How many there were goes to the file that SHORT_WRITES names.
__attribute__((destructor)) static void tell(void) {
  const char* name = getenv("SHORT_WRITES");
  FILE* file = name == NULL ? NULL : fopen(name, "a");
  if (file == NULL) return;
  fprintf(file, "%u\n", atomic_load(&calls));
  fclose(file);
}

static int isSocket(int descriptor) {
  struct stat status;
  return descriptor > 2 && fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

// The bytes that this call may send; 0: EAGAIN.
static size_t allowance(void) {
  const unsigned call = atomic_fetch_add(&calls, 1);
  return call % 2 == 0 ? 0 : (call / 2) % kMost + 1;
}

ssize_t write(int descriptor, const void* data, size_t size) {
  static ssize_t (*next)(int, const void*, size_t);
  if (next == NULL) next = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  if (!isSocket(descriptor)) return next(descriptor, data, size);
  const size_t most = allowance();
  if (most == 0) return errno = EAGAIN, -1;
  return next(descriptor, data, size < most ? size : most);
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  static ssize_t (*next)(int, const struct iovec*, int);
  if (next == NULL) next = (ssize_t(*)(int, const struct iovec*, int))dlsym(RTLD_NEXT, "writev");
  if (!isSocket(descriptor)) return next(descriptor, parts, count);
  size_t left = allowance();
  if (left == 0) return errno = EAGAIN, -1;
  struct iovec some[64];
  int used = 0;
  for (; used < count && used < 64 && left > 0; used++) {
    some[used] = parts[used];
    if (some[used].iov_len > left) some[used].iov_len = left;
    left -= some[used].iov_len;
  }
  return next(descriptor, some, used);
}

// LD_PRELOAD library for glibc: counts the bytes that malloc() and its relatives have given out, and what the addon has
// mapped. The file that HEAP_PEAK names holds two numbers of 64 bits: the bytes now, and the most that were at one
// time. Whoever watches the process writes the second to begin anew.
//
// A block that realloc() copies counts twice for that moment, unless the kernel moves its pages (mremap). V8's heap
// does not count: others than the addon may map what they want.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc's own names, so that no symbol has to be looked up, which would allocate.
extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void* block);

struct Counts {
  _Atomic int64_t current;
  _Atomic int64_t peak;
};

static struct Counts early;  // before the file is open
static struct Counts* counts = &early;

__attribute__((constructor)) static void openFile(void) {
  const char* const path = getenv("HEAP_PEAK");
  const int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  void* const memory =
      (void*)syscall(SYS_mmap, NULL, sizeof(struct Counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory != MAP_FAILED) {
    struct Counts* const shared = memory;
    atomic_store(&shared->current, atomic_load(&early.current));
    counts = shared;
  }
}

static void notePeak(int64_t bytes) {
  int64_t peak = atomic_load(&counts->peak);
  while (bytes > peak && !atomic_compare_exchange_weak(&counts->peak, &peak, bytes)) {
  }
}

static void count(int64_t bytes) { notePeak(atomic_fetch_add(&counts->current, bytes) + bytes); }

static int64_t sizeOf(void* block) { return block == NULL ? 0 : (int64_t)malloc_usable_size(block); }

static void* counted(void* block) {
  count(sizeOf(block));
  return block;
}

void* malloc(size_t size) { return counted(__libc_malloc(size)); }
void* calloc(size_t number, size_t size) { return counted(__libc_calloc(number, size)); }
void* memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  void* const memory = counted(__libc_memalign(alignment, size));
  if (memory == NULL) {
    return ENOMEM;
  }
  *block = memory;
  return 0;
}

void free(void* block) {
  count(-sizeOf(block));
  __libc_free(block);
}

// The size word before a block says whether it has a mapping of its own.
static int isMapped(const void* block) { return (((const size_t*)block)[-1] & 2) != 0; }

void* realloc(void* block, size_t size) {
  const uintptr_t before = (uintptr_t)block;
  const int64_t sizeBefore = sizeOf(block);
  void* const moved = __libc_realloc(block, size);
  if (moved == NULL && size != 0) {
    return NULL;  // nothing was freed
  }
  if (moved != NULL && before != 0 && (uintptr_t)moved != before && !isMapped(moved)) {
    notePeak(atomic_load(&counts->current) + sizeOf(moved));
  }
  count(sizeOf(moved) - sizeBefore);
  return moved;
}

static int isAddon(const void* caller) {
  Dl_info info;
  return dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, "websocket_component") != NULL;
}

void* mmap(void* address, size_t length, int protection, int flags, int file, off_t offset) {
  void* const memory = (void*)syscall(SYS_mmap, address, length, protection, flags, file, offset);
  if (memory != MAP_FAILED && isAddon(__builtin_return_address(0))) {
    count((int64_t)length);
  }
  return memory;
}

void* mremap(void* address, size_t before, size_t length, int flags, ...) {
  void* const memory = (void*)syscall(SYS_mremap, address, before, length, flags, NULL);
  if (memory != MAP_FAILED && isAddon(__builtin_return_address(0))) {
    count((int64_t)length - (int64_t)before);
  }
  return memory;
}

int munmap(void* address, size_t length) {
  const int result = (int)syscall(SYS_munmap, address, length);
  if (result == 0 && isAddon(__builtin_return_address(0))) {
    count(-(int64_t)length);
  }
  return result;
}

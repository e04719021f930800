/* What OpenSSL and the C++ runtime take from a glibc newer than 2.28, defined by what older ones have. Only the addon
   itself sees these. */
#include <features.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>

#if __GLIBC_PREREQ(2, 32)
/* Whether the process has one thread only (2.32). Node has several. */
extern char __libc_single_threaded;
char __libc_single_threaded = 0;
#endif

#if __GLIBC_PREREQ(2, 33)
/* Before 2.33 the header made these out of calls that name the layout of `struct stat`. */
int __xstat(int layout, const char* path, struct stat* result);
int __fxstat(int layout, int descriptor, struct stat* result);
__asm__(".symver __xstat,__xstat@" OLDEST_GLIBC);
__asm__(".symver __fxstat,__fxstat@" OLDEST_GLIBC);

#if defined(__x86_64__)
enum { kStatLayout = 1 };
#else
enum { kStatLayout = 0 };
#endif

int stat(const char* path, struct stat* result) { return __xstat(kStatLayout, path, result); }

int fstat(int descriptor, struct stat* result) { return __fxstat(kStatLayout, descriptor, result); }
#endif

#if __GLIBC_PREREQ(2, 36)
/* For std::random_device, which nothing here uses. */
uint32_t arc4random(void) {
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) abort();
  return value;
}
#endif

/* Stand-ins for libpthread.so.0 and libdl.so.2 of a glibc before 2.34, for the linker; they are never loaded. In 2.34
   the functions moved to libc.so.6 and got a new version, which a linker takes by itself; under the old one, and in the
   old place, every glibc has them with the same meaning. */
#define FUNCTION(name) \
  void name(void);     \
  void name(void) {}

#ifdef LIBPTHREAD
FUNCTION(pthread_getspecific)
FUNCTION(pthread_key_create)
FUNCTION(__pthread_key_create)
FUNCTION(pthread_key_delete)
FUNCTION(pthread_once)
FUNCTION(pthread_rwlock_destroy)
FUNCTION(pthread_rwlock_init)
FUNCTION(pthread_rwlock_rdlock)
FUNCTION(pthread_rwlock_unlock)
FUNCTION(pthread_rwlock_wrlock)
FUNCTION(pthread_setspecific)
#else
FUNCTION(dladdr)
FUNCTION(dlclose)
FUNCTION(dlerror)
FUNCTION(dlopen)
FUNCTION(dlsym)
#endif

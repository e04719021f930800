# OpenSSL's libcrypto and zlib as static libraries: OpenSSL::Crypto and zlib_static.
#
# Static and hidden, because linked dynamically they silently bind to the copies inside Node (or Electron's BoringSSL).
set(OPENSSL_USE_STATIC_LIBS ON)
find_package(OpenSSL COMPONENTS Crypto)
if(NOT OPENSSL_INCLUDE_DIR OR NOT EXISTS ${OPENSSL_INCLUDE_DIR}/openssl/evp.h)
  missing("OpenSSL's header openssl/evp.h")
endif()
if(NOT TARGET OpenSSL::Crypto)
  missing("OpenSSL's static library (libcrypto.a)")
endif()

find_path(ZLIB_STATIC_INCLUDE_DIR zlib.h HINTS ${ZLIB_ROOT} /opt/homebrew/opt/zlib /usr/local/opt/zlib
                                         PATH_SUFFIXES include)
find_library(ZLIB_STATIC_LIBRARY NAMES libz.a zlibstatic zs zlib HINTS ${ZLIB_ROOT} /opt/homebrew/opt/zlib
                                       /usr/local/opt/zlib PATH_SUFFIXES lib)
if(NOT ZLIB_STATIC_INCLUDE_DIR)
  missing("zlib's header zlib.h")
endif()
if(NOT ZLIB_STATIC_LIBRARY)
  missing("zlib's static library (libz.a)")
endif()
add_library(zlib_static STATIC IMPORTED)
set_target_properties(zlib_static PROPERTIES IMPORTED_LOCATION ${ZLIB_STATIC_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES
                                                                                     ${ZLIB_STATIC_INCLUDE_DIR})

#include "versions.h"

#include <openssl/crypto.h>
#include <zlib.h>

namespace websocket {

const char* opensslVersion() { return OpenSSL_version(OPENSSL_VERSION); }

const char* zlibVersion() { return ::zlibVersion(); }

}  // namespace websocket

// The versions of the libraries that are linked into the binary. They are linked statically, so this is the only way to
// tell from outside whether a published fix is in.
#pragma once

namespace websocket {

// Text of the linked libcrypto, as "OpenSSL 3.0.19 27 Jan 2026". Static.
const char* opensslVersion();

// Text of the linked zlib, as "1.2.13". Static.
const char* zlibVersion();

}  // namespace websocket

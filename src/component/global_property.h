// The properties that belong to no handle (contract 6.3, 13.1).
#pragma once

#include <cstdint>

#include "protocol.h"
#include "websocket.h"

namespace websocket {

// WebSocketGetGlobalProperty. size: bytes of value in; bytes written, or needed, out. Any thread.
Result readGlobalProperty(WEB_SOCKET_PROPERTY_TYPE type, void* value, ULONG& size);

}  // namespace websocket

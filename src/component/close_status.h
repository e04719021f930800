// Which status codes a Close frame may carry (RFC 6455, 7.4; contract 9.2 and 10.4). The documented API lets through
// what it was seen to let through; the strict rule is the RFC's own and that of the `ws` library.
#pragma once

#include <cstdint>

namespace websocket {

// The strict rule of both directions: codes with a registered meaning on the wire, and those that libraries and
// applications may define.
constexpr bool isWireCloseStatus(std::uint16_t status) {
  return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) || (status >= 3000 && status <= 4999);
}

// Whether a Close frame that carries status may be sent. 0 and 1005 mean "no status": they make an empty Close frame,
// are never written, and so are false here; the caller treats them first.
constexpr bool isSendableCloseStatus(std::uint16_t status, bool strict) {
  if (strict) return isWireCloseStatus(status);
  return status >= 1000 && status != 1004 && status != 1005 && status != 1006 && status != 1015;
}

// Whether a received Close frame may carry status.
constexpr bool isReceivableCloseStatus(std::uint16_t status, bool strict) {
  return isWireCloseStatus(status) || (!strict && status >= 5000);
}

}  // namespace websocket

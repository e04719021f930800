// Reads WEB_SOCKET_PROPERTY arrays into SessionOptions (contract, section 6).
#pragma once

#include <cstdint>
#include <span>

#include "protocol.h"
#include "session_options.h"
#include "websocket.h"

namespace websocket {

// Fills options, whose role defaults are set first. InvalidArgument: an unknown or global property, a value that is
// null, of the wrong size or out of range, or an allocated buffer that is misaligned or too small.
Result readProperties(Role role, std::span<const WEB_SOCKET_PROPERTY> properties, SessionOptions& options);

}  // namespace websocket

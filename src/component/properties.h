// Reads WEB_SOCKET_PROPERTY arrays into SessionOptions: the documented ones (contract, section 6) and the additions.
#pragma once

#include <cstdint>
#include <span>

#include "protocol.h"
#include "session_options.h"
#include "shared_receive_pool.h"
#include "websocket.h"

namespace websocket {

// Fills options, whose role defaults are set first. InvalidArgument: an unknown or global property, a value that is
// null, of the wrong size or out of range, or an allocated buffer that is misaligned or too small.
// pool: that of the RECEIVE_POOL property, else null. Throws std::bad_alloc.
Result readProperties(Role role, std::span<const WEB_SOCKET_PROPERTY> properties, SessionOptions& options,
                      SharedReceivePool*& pool);

}  // namespace websocket

// What the connections of a server have carried, counted together; nothing is taken back when one ends.
#pragma once

#include <cstdint>

namespace websocket::driver {

struct Traffic {
  std::uint64_t messagesReceived = 0;  // whole messages that were delivered
  std::uint64_t messagesSent = 0;      // whole messages that were accepted by Connection::send()
  std::uint64_t bytesReceived = 0;     // read from the transport behind the opening handshake
  std::uint64_t bytesSent = 0;         // handed to the transport behind the opening handshake
};

}  // namespace websocket::driver

// The opening handshake (RFC 6455, 4) from both ends.
#pragma once

#include <string>
#include <string_view>

#include "socket.h"

namespace websocket::bench {

/// The bytes of an upgrade request. The key is always the same.
std::string_view upgradeRequest();

/// Whether the head of a response is complete in what was received; if so, checks it.
/// @returns the length of the head, 0 when more is needed
/// @throws std::runtime_error when the upgrade was refused or answered wrongly
std::size_t checkUpgradeResponse(std::string_view received);

/// Does the client's part on a connected blocking socket.
/// @param extensions the value of Sec-WebSocket-Extensions; empty: no such field
/// @returns what the server answered in that field
/// @throws std::runtime_error as above, also when bytes follow the response
std::string upgradeAsClient(const Descriptor& socket, std::string_view extensions = {});

/// Does the server's part on an accepted blocking socket.
void upgradeAsServer(const Descriptor& socket);

}  // namespace websocket::bench

// Bytes from the network into one handle: any bytes, in any split, with any settings. The handle must make of them what
// the reference reader does.
//
// An input is the stream, then the choices (settings, splits), then one byte that says how many bytes the choices are.
#pragma once

#include <cstdint>
#include <span>

namespace websocket::fuzz {

void receiveBytes(std::span<const std::uint8_t> input, bool server);

}  // namespace websocket::fuzz

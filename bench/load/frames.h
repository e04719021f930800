// The frames that a connection sends and those that must come back, made once before the measurement (RFC 6455, 5.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace websocket::bench {

/// Frames of equal length, one behind the other; the traffic of a connection is this sequence over and over.
struct FrameCycle {
  std::vector<std::uint8_t> bytes;
  std::size_t frameLength = 0;
  std::size_t headerLength = 0;  // with the mask key, where there is one
  bool masked = false;
};

/// What one end sends, and the same messages as the other end sends them.
struct Traffic {
  FrameCycle fromClient;  // masked
  FrameCycle fromServer;  // not masked
};

/// @param count messages in the cycle, each with its own content and mask key
/// @param size payload bytes of each
/// @param text ASCII letters in text frames, else random bytes in binary frames
/// @param seed the same seed gives the same traffic
Traffic makeTraffic(std::size_t count, std::size_t size, bool text, std::uint64_t seed);

/// The bytes of a client's frame with this first byte; the payload is masked with a key from `seed`.
std::vector<std::uint8_t> makeClientFrame(std::uint8_t first, std::span<const std::uint8_t> payload,
                                          std::uint64_t seed);

/// The bytes of a Close frame of a client, status 1000.
std::vector<std::uint8_t> makeClientClose();

}  // namespace websocket::bench

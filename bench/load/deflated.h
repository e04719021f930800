// JSON messages compressed as in RFC 7692, made once before the measurement, and the check of the compressed echoes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "socket.h"

struct z_stream_s;

namespace websocket::bench {

/// What a connection sends: frames of a client, each with RSV1.
///
/// With context takeover a message refers to those before it. There are more of them than zlib's window holds, and they
/// are compressed twice in a row: the frames of the second time can follow each other over and over, because what they
/// refer to is the same every time.
class DeflatedTraffic {
 public:
  /// @param size bytes of each message before compression
  /// @param takeover messages refer to those before them
  /// @param repeats messages differ only in a counter, and not in their values
  /// @param seed the same seed gives the same traffic
  DeflatedTraffic(std::size_t size, bool takeover, bool repeats, std::uint64_t seed);

  /// The frame that is the `number`-th of the connection.
  [[nodiscard]] std::span<const std::uint8_t> frame(std::size_t number) const;
  /// What it says.
  [[nodiscard]] std::string_view message(std::size_t number) const { return messages_[number % messages_.size()]; }

 private:
  std::vector<std::string> messages_;
  std::vector<std::vector<std::uint8_t>> frames_;  // twice as many
};

/// Inflates what comes back and compares it with what was sent.
class DeflatedReplies {
 public:
  /// @param expected outlives it
  /// @param takeover replies may refer to those before them
  DeflatedReplies(const DeflatedTraffic& expected, bool takeover);
  DeflatedReplies(const DeflatedReplies&) = delete;
  DeflatedReplies& operator=(const DeflatedReplies&) = delete;
  ~DeflatedReplies();

  /// @returns the number of messages that were completed by these bytes
  /// @throws std::runtime_error when a reply is not compressed, not one frame, or not what was sent
  std::size_t accept(std::span<const std::uint8_t> bytes);

 private:
  void check(std::span<const std::uint8_t> compressed);

  const DeflatedTraffic* expected_;
  bool takeover_;
  std::size_t number_ = 0;  // of the next reply
  std::vector<std::uint8_t> received_;
  std::string inflated_;
  std::unique_ptr<z_stream_s> stream_;
};

/// Upgrades a connected blocking socket with permessage-deflate, windows of 15 bits.
/// @throws std::runtime_error when the server does not agree to exactly that
void upgradeDeflated(const Descriptor& socket, bool takeover);

}  // namespace websocket::bench

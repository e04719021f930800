// Compares what comes back with what must come back, byte by byte as it arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "frames.h"

namespace websocket::bench {

/// Follows one connection's incoming bytes through the expected cycle. Frame headers and the first 4 KiB of each
/// payload are compared in full, of what follows the first 64 bytes of each 4 KiB, and the end of the payload.
class ReplyChecker {
 public:
  /// @param expected outlives the checker. Where it is masked, the peer chooses its own mask keys.
  /// @param sameKeys the peer sends the masked frames back as they are, so that the keys are compared too
  ReplyChecker(const FrameCycle& expected, bool sameKeys)
      : expected_(&expected), unmasks_(expected.masked && !sameKeys) {}

  /// @returns the number of frames that were completed by these bytes
  /// @throws std::runtime_error at the first difference
  std::size_t accept(std::span<const std::uint8_t> bytes);

 private:
  std::size_t acceptPlain(std::span<const std::uint8_t> bytes);
  std::size_t acceptEach(std::span<const std::uint8_t> bytes);
  void compare(std::span<const std::uint8_t> bytes);
  void compareHeader(std::span<const std::uint8_t> bytes);
  void comparePayload(std::span<const std::uint8_t> bytes);

  const FrameCycle* expected_;
  bool unmasks_;
  std::size_t position_ = 0;  // in the cycle
  std::size_t inFrame_ = 0;   // position in the frame
  std::uint8_t key_[4] = {};  // of the frame, where unmasks_
};

}  // namespace websocket::bench

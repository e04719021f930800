// The frame header of RFC 6455, 5.2: its fields, its sizes and how it is written. Reading is in frame_reader.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "masking.h"
#include "protocol.h"

namespace websocket {

inline constexpr std::uint8_t kFinBit = 0x80;
inline constexpr std::uint8_t kRsv1Bit = 0x40;
inline constexpr std::uint8_t kRsvBits = 0x70;
inline constexpr std::uint8_t kOpcodeBits = 0x0F;
inline constexpr std::uint8_t kMaskBit = 0x80;

inline constexpr std::size_t kMaskKeySize = 4;
inline constexpr std::size_t kMaxFrameHeaderSize = 2 + 8 + kMaskKeySize;
inline constexpr std::uint64_t kMaxControlPayload = 125;
inline constexpr std::size_t kCloseStatusSize = 2;
using ControlPayload = std::array<std::uint8_t, kMaxControlPayload>;
inline constexpr std::size_t kMaxCloseReason = kMaxControlPayload - kCloseStatusSize;

// The second byte's length values that announce a longer length (RFC 6455, 5.2).
inline constexpr std::uint8_t kLength16 = 126;
inline constexpr std::uint8_t kLength64 = 127;

constexpr std::uint8_t firstByteOf(Opcode opcode, bool fin) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(opcode) | (fin ? kFinBit : 0U));
}

struct FrameHeader {
  std::uint8_t firstByte = 0;  // FIN, RSV1 to 3, opcode
  bool masked = false;
  MaskKey key{};
  std::uint64_t length = 0;  // payload bytes

  bool fin() const { return (firstByte & kFinBit) != 0; }
  Opcode opcode() const { return static_cast<Opcode>(firstByte & kOpcodeBits); }
};

constexpr std::size_t frameHeaderSize(std::uint64_t length, bool masked) {
  const std::size_t lengthSize = length < kLength16 ? 0 : length <= 0xFFFF ? 2 : 8;
  return 2 + lengthSize + (masked ? kMaskKeySize : 0);
}

// Writes a header (at most kMaxFrameHeaderSize bytes) with the length in its shortest form; key: null for an unmasked
// frame. Returns the bytes written.
inline std::size_t writeFrameHeader(std::uint8_t* out, std::uint8_t firstByte, std::uint64_t length,
                                    const MaskKey* key) {
  const std::uint8_t maskBit = key != nullptr ? kMaskBit : std::uint8_t{0};
  out[0] = firstByte;
  std::size_t size = 2;
  if (length < kLength16) {
    out[1] = static_cast<std::uint8_t>(maskBit | length);
  } else {
    const bool is16 = length <= 0xFFFF;
    const int bytes = is16 ? 2 : 8;
    out[1] = static_cast<std::uint8_t>(maskBit | (is16 ? kLength16 : kLength64));
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      out[size++] = static_cast<std::uint8_t>(length >> shift);
    }
  }
  if (key != nullptr) {
    std::memcpy(out + size, key->data(), kMaskKeySize);
    size += kMaskKeySize;
  }
  return size;
}

}  // namespace websocket

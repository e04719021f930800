// Masking of payloads (RFC 6455, 5.3): every payload byte is combined by XOR with one byte of the frame's key.
// Masking twice with the same key gives the original back. No state, any thread, any alignment.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace websocket {

using MaskKey = std::array<std::uint8_t, 4>;

namespace masking {

// Payloads below this many bytes are masked inline: a call through a pointer would cost more than it saves.
constexpr std::size_t kInlineLimit = 64;

// The key turned so that its first byte is the one for the payload byte at offset phase, and repeated: eight key bytes
// in the order of memory.
inline std::uint64_t repeatKey(MaskKey key, std::size_t phase) {
  std::uint32_t word;
  std::memcpy(&word, key.data(), sizeof word);
  const int turn = static_cast<int>(8 * (phase & 3));
  word = std::endian::native == std::endian::little ? std::rotr(word, turn) : std::rotl(word, turn);
  return static_cast<std::uint64_t>(word) << 32 | word;
}

// Writes from[i] ^ key to to[i], for size bytes; `to` is `from` or does not overlap it.
inline void copyWords(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key) {
  for (; size >= 8; size -= 8, from += 8, to += 8) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    word ^= key;
    std::memcpy(to, &word, sizeof word);
  }
  if (size >= 4) {
    std::uint32_t word;
    std::memcpy(&word, from, sizeof word);
    word ^= static_cast<std::uint32_t>(key);
    std::memcpy(to, &word, sizeof word);
    size -= 4, from += 4, to += 4;
  }
  MaskKey bytes;
  std::memcpy(bytes.data(), &key, bytes.size());
  for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<std::uint8_t>(from[i] ^ bytes[i]);
}

// The same by the fastest kernel of this processor; for kInlineLimit bytes and more.
void copyLong(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key);

}  // namespace masking

// Writes the masked (or unmasked) bytes of `from` to `to`, which holds as many bytes and is the same memory or does not
// overlap. phase: how many bytes of the frame's payload come before `from`.
inline void copyMasked(std::uint8_t* to, std::span<const std::uint8_t> from, MaskKey key, std::size_t phase) {
  const std::uint64_t repeated = masking::repeatKey(key, phase);
  if (from.size() < masking::kInlineLimit) {
    masking::copyWords(to, from.data(), from.size(), repeated);
  } else {
    masking::copyLong(to, from.data(), from.size(), repeated);
  }
}

// Masks (or unmasks) bytes in place; phase as in copyMasked.
inline void applyMask(std::span<std::uint8_t> bytes, MaskKey key, std::size_t phase) {
  copyMasked(bytes.data(), bytes, key, phase);
}

}  // namespace websocket

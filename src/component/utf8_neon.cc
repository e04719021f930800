// UTF-8 validation with NEON, which every 64-bit ARM processor has.
#include "cpu_features.h"
#include "utf8_kernels.h"

#if WEBSOCKET_ARM64

#include <arm_neon.h>

#include <array>

namespace websocket::utf8 {
namespace {

struct Vector {
  static constexpr std::size_t kSize = 16;

  static Vector load(const std::uint8_t* from) { return {vld1q_u8(from)}; }
  static Vector filled(std::uint8_t value) { return {vdupq_n_u8(value)}; }

  Vector operator&(Vector other) const { return {vandq_u8(value, other.value)}; }
  Vector operator|(Vector other) const { return {vorrq_u8(value, other.value)}; }
  Vector operator^(Vector other) const { return {veorq_u8(value, other.value)}; }
  Vector minusSaturated(std::uint8_t amount) const { return {vqsubq_u8(value, vdupq_n_u8(amount))}; }
  Vector lowerHalves() const { return *this & filled(0x0F); }
  Vector upperHalves() const { return {vshrq_n_u8(value, 4)}; }

  // table[b] for each byte b, which is below 16.
  Vector lookup(const std::array<std::uint8_t, 16>& table) const { return {vqtbl1q_u8(vld1q_u8(table.data()), value)}; }

  // The last kCount bytes of before, then the first ones of this.
  template <int kCount>
  Vector shiftedIn(Vector before) const {
    return {vextq_u8(before.value, value, 16 - kCount)};
  }

  bool isAscii() const { return vmaxvq_u8(value) < 0x80; }
  bool isZero() const { return vmaxvq_u8(value) == 0; }

  uint8x16_t value;
};

}  // namespace
}  // namespace websocket::utf8

#include "utf8_lookup.h"

namespace websocket::utf8 {

bool validateBlocksNeon(const std::uint8_t* text, std::size_t blocks) { return validateBlocks(text, blocks); }

}  // namespace websocket::utf8

#endif

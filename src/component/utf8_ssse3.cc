// UTF-8 validation with SSSE3, for processors without AVX2.
#include "cpu_features.h"
#include "utf8_kernels.h"

#if WEBSOCKET_X86_64

#include <immintrin.h>

#include <array>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("ssse3"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("ssse3")
#endif

namespace websocket::utf8 {
namespace {

struct Vector {
  static constexpr std::size_t kSize = 16;

  static Vector load(const std::uint8_t* from) { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))}; }
  static Vector filled(std::uint8_t value) { return {_mm_set1_epi8(static_cast<char>(value))}; }

  Vector operator&(Vector other) const { return {_mm_and_si128(value, other.value)}; }
  Vector operator|(Vector other) const { return {_mm_or_si128(value, other.value)}; }
  Vector operator^(Vector other) const { return {_mm_xor_si128(value, other.value)}; }
  Vector minusSaturated(std::uint8_t amount) const { return {_mm_subs_epu8(value, filled(amount).value)}; }
  Vector lowerHalves() const { return *this & filled(0x0F); }
  Vector upperHalves() const { return Vector{_mm_srli_epi16(value, 4)}.lowerHalves(); }

  // table[b] for each byte b, which is below 16.
  Vector lookup(const std::array<std::uint8_t, 16>& table) const {
    return {_mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data())), value)};
  }

  // The last kCount bytes of before, then the first ones of this.
  template <int kCount>
  Vector shiftedIn(Vector before) const {
    return {_mm_alignr_epi8(value, before.value, 16 - kCount)};
  }

  bool isAscii() const { return _mm_movemask_epi8(value) == 0; }
  bool isZero() const { return _mm_movemask_epi8(_mm_cmpeq_epi8(value, _mm_setzero_si128())) == 0xFFFF; }

  __m128i value;
};

}  // namespace
}  // namespace websocket::utf8

#include "utf8_lookup.h"

namespace websocket::utf8 {

bool validateBlocksSsse3(const std::uint8_t* text, std::size_t blocks) { return validateBlocks(text, blocks); }

}  // namespace websocket::utf8

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif

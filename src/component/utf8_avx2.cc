// UTF-8 validation with AVX2.
#include "cpu_features.h"
#include "utf8_kernels.h"

#if WEBSOCKET_X86_64

#include <immintrin.h>

#include <array>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

namespace websocket::utf8 {
namespace {

struct Vector {
  static constexpr std::size_t kSize = 32;

  static Vector load(const std::uint8_t* from) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))}; }
  static Vector filled(std::uint8_t value) { return {_mm256_set1_epi8(static_cast<char>(value))}; }

  Vector operator&(Vector other) const { return {_mm256_and_si256(value, other.value)}; }
  Vector operator|(Vector other) const { return {_mm256_or_si256(value, other.value)}; }
  Vector operator^(Vector other) const { return {_mm256_xor_si256(value, other.value)}; }
  Vector minusSaturated(std::uint8_t amount) const { return {_mm256_subs_epu8(value, filled(amount).value)}; }
  Vector lowerHalves() const { return *this & filled(0x0F); }
  Vector upperHalves() const { return Vector{_mm256_srli_epi16(value, 4)}.lowerHalves(); }

  // table[b] for each byte b, which is below 16.
  Vector lookup(const std::array<std::uint8_t, 16>& table) const {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data()));
    return {_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), value)};
  }

  // The last kCount bytes of before, then the first ones of this.
  template <int kCount>
  Vector shiftedIn(Vector before) const {
    const __m256i middle = _mm256_permute2x128_si256(before.value, value, 0x21);
    return {_mm256_alignr_epi8(value, middle, 16 - kCount)};
  }

  bool isAscii() const { return _mm256_movemask_epi8(value) == 0; }
  bool isZero() const { return _mm256_testz_si256(value, value) != 0; }

  __m256i value;
};

}  // namespace
}  // namespace websocket::utf8

#include "utf8_lookup.h"

namespace websocket::utf8 {

bool validateBlocksAvx2(const std::uint8_t* text, std::size_t blocks) { return validateBlocks(text, blocks); }

}  // namespace websocket::utf8

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#endif

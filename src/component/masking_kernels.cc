#include "masking_kernels.h"

#include "cpu_features.h"
#include "masking.h"

#if WEBSOCKET_X86_64
#include <immintrin.h>
#elif WEBSOCKET_ARM64
#include <arm_neon.h>
#endif

namespace websocket::masking {

// Each kernel takes four vectors a turn, to keep loads, XORs and stores of several in flight, and leaves the rest to
// the plain loop. Vectors are a multiple of eight bytes, so the key needs no turning.

#if WEBSOCKET_X86_64
namespace {

void copySse2(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key) {
  const __m128i keys = _mm_set1_epi64x(static_cast<long long>(key));
  for (; size >= 64; size -= 64, from += 64, to += 64) {
    const auto* source = reinterpret_cast<const __m128i*>(from);
    auto* target = reinterpret_cast<__m128i*>(to);
    const __m128i a = _mm_loadu_si128(source);
    const __m128i b = _mm_loadu_si128(source + 1);
    const __m128i c = _mm_loadu_si128(source + 2);
    const __m128i d = _mm_loadu_si128(source + 3);
    _mm_storeu_si128(target, _mm_xor_si128(a, keys));
    _mm_storeu_si128(target + 1, _mm_xor_si128(b, keys));
    _mm_storeu_si128(target + 2, _mm_xor_si128(c, keys));
    _mm_storeu_si128(target + 3, _mm_xor_si128(d, keys));
  }
  copyWords(to, from, size, key);
}

#ifdef __GNUC__
__attribute__((target("avx2")))
#endif
void copyAvx2(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key) {
  const __m256i keys = _mm256_set1_epi64x(static_cast<long long>(key));
  for (; size >= 128; size -= 128, from += 128, to += 128) {
    const auto* source = reinterpret_cast<const __m256i*>(from);
    auto* target = reinterpret_cast<__m256i*>(to);
    const __m256i a = _mm256_loadu_si256(source);
    const __m256i b = _mm256_loadu_si256(source + 1);
    const __m256i c = _mm256_loadu_si256(source + 2);
    const __m256i d = _mm256_loadu_si256(source + 3);
    _mm256_storeu_si256(target, _mm256_xor_si256(a, keys));
    _mm256_storeu_si256(target + 1, _mm256_xor_si256(b, keys));
    _mm256_storeu_si256(target + 2, _mm256_xor_si256(c, keys));
    _mm256_storeu_si256(target + 3, _mm256_xor_si256(d, keys));
  }
  for (; size >= 32; size -= 32, from += 32, to += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(bytes, keys));
  }
  copyWords(to, from, size, key);
}

}  // namespace

std::span<const Kernel> kernels() {
  static constexpr Kernel kKernels[] = {{"SSE2", copySse2}, {"AVX2", copyAvx2}};
  static const std::size_t count = hasAvx2() ? 2 : 1;
  return std::span(kKernels).first(count);
}

#elif WEBSOCKET_ARM64
namespace {

void copyNeon(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key) {
  const uint8x16_t keys = vreinterpretq_u8_u64(vdupq_n_u64(key));
  for (; size >= 64; size -= 64, from += 64, to += 64) {
    const uint8x16_t a = vld1q_u8(from);
    const uint8x16_t b = vld1q_u8(from + 16);
    const uint8x16_t c = vld1q_u8(from + 32);
    const uint8x16_t d = vld1q_u8(from + 48);
    vst1q_u8(to, veorq_u8(a, keys));
    vst1q_u8(to + 16, veorq_u8(b, keys));
    vst1q_u8(to + 32, veorq_u8(c, keys));
    vst1q_u8(to + 48, veorq_u8(d, keys));
  }
  copyWords(to, from, size, key);
}

}  // namespace

std::span<const Kernel> kernels() {
  static constexpr Kernel kKernels[] = {{"NEON", copyNeon}};
  return kKernels;
}

#else

std::span<const Kernel> kernels() { return {}; }

#endif

}  // namespace websocket::masking

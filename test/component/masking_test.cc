#include "masking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "masking_kernels.h"

namespace websocket {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr MaskKey kKey = {0x37, 0xFA, 0x21, 0x3D};

Bytes randomBytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// RFC 6455, 5.3, word for word: octet i is the XOR of octet i of the original with octet i modulo 4 of the key.
Bytes maskedByTheRfc(const Bytes& bytes, MaskKey key, std::size_t phase) {
  Bytes masked(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) masked[i] = bytes[i] ^ key[(phase + i) % 4];
  return masked;
}

TEST(Masking, T60_MasksTheWorkedExampleOfTheContract) {
  Bytes bytes = {'H', 'e', 'l', 'l', 'o', ' ', 'W', 'o', 'r', 'l', 'd'};
  applyMask(bytes, kKey, 0);
  EXPECT_EQ(bytes, (Bytes{0x7F, 0x9F, 0x4D, 0x51, 0x58, 0xDA, 0x76, 0x52, 0x45, 0x96, 0x45}));
}

TEST(Masking, EverySizeAlignmentAndPhaseMatchesTheRfcsFormula) {
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes original = randomBytes(size, static_cast<std::uint32_t>(size));
    for (std::size_t offset = 0; offset < 33; offset += size % 3 + 1) {
      for (std::size_t phase = 0; phase < 5; ++phase) {
        const Bytes expected = maskedByTheRfc(original, kKey, phase);
        constexpr std::size_t kGuard = 40;
        Bytes memory(offset + size + kGuard, 0xEE);
        const auto first = memory.begin() + static_cast<std::ptrdiff_t>(offset);
        const auto last = first + static_cast<std::ptrdiff_t>(size);

        std::copy(original.begin(), original.end(), first);
        applyMask(std::span(memory).subspan(offset, size), kKey, phase);
        ASSERT_EQ(Bytes(first, last), expected) << size << ' ' << offset << ' ' << phase;

        std::fill(first, last, std::uint8_t{0});
        copyMasked(memory.data() + offset, original, kKey, phase);
        ASSERT_EQ(Bytes(first, last), expected) << size << ' ' << offset << ' ' << phase;

        for (auto guard = memory.begin(); guard != first; ++guard) ASSERT_EQ(*guard, 0xEE);
        for (auto guard = last; guard != memory.end(); ++guard) ASSERT_EQ(*guard, 0xEE);
      }
    }
  }
}

TEST(Masking, APayloadMaskedInPiecesEqualsThePayloadMaskedAtOnce) {
  const Bytes original = randomBytes(5000, 1);
  const Bytes expected = maskedByTheRfc(original, kKey, 0);
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    Bytes bytes = original;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(bytes.size() - at, random() % 500);
      applyMask(std::span(bytes).subspan(at, size), kKey, at);
      at += size;
    }
    ASSERT_EQ(bytes, expected);
  }
}

TEST(Masking, TwiceGivesTheOriginalAndAZeroKeyChangesNothing) {
  const Bytes original = randomBytes(100003, 3);
  Bytes bytes = original;
  applyMask(bytes, kKey, 3);
  EXPECT_NE(bytes, original);
  applyMask(bytes, kKey, 3);
  EXPECT_EQ(bytes, original);
  applyMask(bytes, MaskKey{}, 1);
  EXPECT_EQ(bytes, original);
}

TEST(Masking, EveryKernelOfThisProcessorAgreesWithThePlainLoop) {
  std::mt19937 random(4);
  for (const masking::Kernel& kernel : masking::kernels()) {
    SCOPED_TRACE(kernel.name);
    for (int round = 0; round < 3000; ++round) {
      const std::size_t size = random() % 700;
      const std::size_t offset = random() % 64;
      const std::uint64_t key = masking::repeatKey(
          {static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random()), 0x21, 0x3D}, random() % 4);
      const Bytes memory = randomBytes(offset + size + 64, static_cast<std::uint32_t>(round));
      Bytes expected = memory;
      masking::copyWords(expected.data() + offset, memory.data() + offset, size, key);
      Bytes inPlace = memory;
      kernel.copy(inPlace.data() + offset, inPlace.data() + offset, size, key);
      ASSERT_EQ(inPlace, expected) << size << ' ' << offset;
      Bytes copied = memory;
      kernel.copy(copied.data() + offset, memory.data() + offset, size, key);
      ASSERT_EQ(copied, expected) << size << ' ' << offset;
    }
  }
}

#if defined(__x86_64__) || defined(_M_X64) || defined(__aarch64__) || defined(_M_ARM64)
TEST(Masking, EveryProcessorOfTheseArchitecturesHasAKernel) { EXPECT_FALSE(masking::kernels().empty()); }
#endif

TEST(Masking, APhaseBeyond32BitsCounts) {
  Bytes bytes(100, 0);
  applyMask(bytes, kKey, static_cast<std::size_t>(0x100000001));
  EXPECT_EQ(bytes, maskedByTheRfc(Bytes(100, 0), kKey, 1));
}

}  // namespace
}  // namespace websocket

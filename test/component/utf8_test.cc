#include "utf8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "utf8_kernels.h"

namespace websocket {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Encodes any number below 2^21, allowed or not, in exactly `size` bytes.
Bytes encode(std::uint32_t value, std::size_t size) {
  if (size == 1) return {static_cast<std::uint8_t>(value)};
  Bytes bytes(size);
  for (std::size_t i = size - 1; i > 0; --i, value >>= 6) bytes[i] = static_cast<std::uint8_t>(0x80 | (value & 0x3F));
  constexpr std::array<std::uint8_t, 5> kLead = {0, 0, 0xC0, 0xE0, 0xF0};
  bytes[0] = static_cast<std::uint8_t>(kLead[size] | value);
  return bytes;
}

std::size_t encodedSize(std::uint32_t value) { return value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4; }

bool isScalarValue(std::uint32_t value) { return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF); }

// An independent judge, written from the other side: the bytes of the next code point are decoded, then encoded again.
// Gives the number of bytes before the first one that no continuation could make valid, or the size of text.
std::size_t validPrefix(const Bytes& text) {
  // Whether some code point's encoding starts with these bytes.
  const auto possible = [](const std::uint8_t* bytes, std::size_t count, std::size_t& whole) {
    for (std::size_t size = std::max<std::size_t>(count, 1); size <= 4; ++size) {
      std::uint32_t low = 0;
      const std::uint8_t lead = bytes[0];
      if (size == 1 && lead < 0x80)
        low = lead;
      else if (size == 2 && (lead & 0xE0) == 0xC0)
        low = lead & 0x1FU;
      else if (size == 3 && (lead & 0xF0) == 0xE0)
        low = lead & 0x0FU;
      else if (size == 4 && (lead & 0xF8) == 0xF0)
        low = lead & 0x07U;
      else
        continue;
      bool continuations = true;
      for (std::size_t i = 1; i < count; ++i) {
        continuations = continuations && (bytes[i] & 0xC0) == 0x80;
        low = low << 6 | (bytes[i] & 0x3FU);
      }
      const std::uint32_t open = 6 * static_cast<std::uint32_t>(size - count);
      const std::uint32_t first = low << open;
      const std::uint32_t last = first | ((1U << open) - 1);
      whole = size;
      for (std::uint32_t value = first; continuations && value <= last; ++value) {
        if (isScalarValue(value) && encodedSize(value) == size) return true;
      }
    }
    return false;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t whole = 0;
    for (std::size_t count = 1;; ++count) {
      if (!possible(text.data() + at, count, whole)) return at + count - 1;
      if (count == whole) break;
      if (at + count == text.size()) return text.size();
    }
    at += whole;
  }
  return at;
}

// Bytes accepted one by one before the first refusal.
std::size_t acceptedByteByByte(const Bytes& text, bool& complete) {
  Utf8Validator validator;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!validator.feed({&text[i], 1})) {
      complete = validator.complete();
      return i;
    }
  }
  complete = validator.complete();
  return text.size();
}

bool accepts(const Bytes& text) {
  Utf8Validator validator;
  return validator.feed(text);
}

TEST(Utf8Validator, EmptyTextIsCompleteAndValid) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.complete());
  EXPECT_TRUE(validator.feed({}));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8Validator, EveryScalarValueIsValidAndNothingElseIs) {
  for (std::uint32_t value = 0; value < (1U << 21); ++value) {
    for (std::size_t size = encodedSize(value); size <= 4; ++size) {
      const bool expected = isScalarValue(value) && size == encodedSize(value);
      Utf8Validator validator;
      const bool valid = validator.feed(encode(value, size)) && validator.complete();
      ASSERT_EQ(valid, expected) << "U+" << std::hex << value << " in " << size << " bytes";
    }
  }
}

TEST(Utf8Validator, FailsAtTheFirstImpossibleByte) {
  struct Case {
    Bytes text;
    std::size_t accepted;  // bytes before the impossible one
  };
  const Case cases[] = {
      {{0x80}, 0},  // continuation without a lead
      {{0xBF}, 0},
      {{0xC0}, 0},  // leads of overlong forms only
      {{0xC1}, 0},
      {{0xF5}, 0},  // above U+10FFFF whatever follows
      {{0xF8}, 0},
      {{0xFE}, 0},
      {{0xFF}, 0},
      {{0xC3, 0x28}, 1},  // T106
      {{0xE0, 0x80}, 1},  // overlong
      {{0xE0, 0x9F}, 1},
      {{0xED, 0xA0}, 1},  // surrogate
      {{0xED, 0xBF}, 1},
      {{0xF0, 0x80}, 1},  // overlong
      {{0xF0, 0x8F}, 1},
      {{0xF4, 0x90}, 1},                    // above U+10FFFF
      {{0xE2, 0x82, 0x41}, 2},              // cut short by ASCII
      {{0xF0, 0x9F, 0x98, 0xC3}, 3},        // cut short by a lead
      {{0x41, 0xE2, 0x82, 0xAC, 0x80}, 4},  // one continuation too many
      {{0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5, 0xF4, 0x90, 0x80, 0x80}, 12},
  };
  for (const Case& item : cases) {
    ASSERT_EQ(validPrefix(item.text), item.accepted) << "the judge itself";
    bool complete = true;
    EXPECT_EQ(acceptedByteByByte(item.text, complete), item.accepted);
    EXPECT_FALSE(complete);
    EXPECT_FALSE(accepts(item.text));
  }
}

TEST(Utf8Validator, TextThatEndsInsideACodePointIsValidButNotComplete) {
  for (const Bytes& text : {Bytes{0xC3}, Bytes{0xE2, 0x82}, Bytes{0xF0}, Bytes{0xF0, 0x9F}, Bytes{0xF0, 0x9F, 0x98}}) {
    Utf8Validator validator;
    EXPECT_TRUE(validator.feed(text));
    EXPECT_FALSE(validator.complete());
  }
}

TEST(Utf8Validator, AFailureLastsUntilReset) {
  const Bytes bad = {0xFF};
  const Bytes good = {'a'};
  Utf8Validator validator;
  EXPECT_FALSE(validator.feed(bad));
  EXPECT_FALSE(validator.feed(good));
  EXPECT_FALSE(validator.feed({}));
  EXPECT_FALSE(validator.complete());
  validator.reset();
  EXPECT_TRUE(validator.complete());
  EXPECT_TRUE(validator.feed(good));
}

TEST(Utf8Validator, ResetForgetsAnUnfinishedCodePoint) {
  const Bytes open = {0xF0, 0x9F};
  const Bytes good = {'a'};
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed(open));
  validator.reset();
  EXPECT_TRUE(validator.feed(good));
  EXPECT_TRUE(validator.complete());
}

// Text that visits all lengths of code points, all leads at block borders, and runs of ASCII.
class Texts {
 public:
  explicit Texts(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
  }

  Bytes valid(std::size_t size) {
    Bytes text;
    const std::uint32_t asciiShare = below(101);
    while (text.size() < size) {
      if (below(100) < asciiShare) {
        text.insert(text.end(), 1 + below(40), static_cast<std::uint8_t>(' ' + below(90)));
      } else {
        constexpr std::uint32_t kLimits[] = {0x80, 0x800, 0x10000, 0x110000};
        std::uint32_t value = 0;
        do value = below(kLimits[below(4)]);
        while (!isScalarValue(value));
        const Bytes encoded = encode(value, encodedSize(value));
        text.insert(text.end(), encoded.begin(), encoded.end());
      }
    }
    return text;
  }

  Bytes mutated(std::size_t size) {
    Bytes text = valid(size);
    constexpr std::uint8_t kNasty[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                       0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFF};
    for (std::uint32_t changes = 1 + below(2); changes > 0; --changes) {
      const std::uint32_t at = below(static_cast<std::uint32_t>(text.size()));
      switch (below(3)) {
        case 0:
          text[at] = kNasty[below(std::size(kNasty))];
          break;
        case 1:
          text.erase(text.begin() + at);
          break;
        default:
          text.insert(text.begin() + at, kNasty[below(std::size(kNasty))]);
      }
      if (text.empty()) text.push_back('a');
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

// Feeds text in pieces and expects the judge's verdict from every piece.
void expectVerdicts(const Bytes& text, std::size_t prefix, const std::vector<std::size_t>& cuts) {
  Utf8Validator validator;
  std::size_t from = 0;
  for (const std::size_t to : cuts) {
    ASSERT_EQ(validator.feed(std::span(text).subspan(from, to - from)), to <= prefix)
        << "bytes " << from << " to " << to << " of " << text.size() << ", the first impossible one is " << prefix;
    from = to;
  }
}

TEST(Utf8Validator, EverySplitOfRandomTextsGivesTheSameVerdict) {
  Texts texts(20260101);
  for (int round = 0; round < 150; ++round) {
    const Bytes text = round % 3 == 0 ? texts.valid(1 + texts.below(300)) : texts.mutated(1 + texts.below(300));
    const std::size_t prefix = validPrefix(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) expectVerdicts(text, prefix, {cut, text.size()});
    if (HasFatalFailure()) return;
  }
}

TEST(Utf8Validator, RandomTextsInRandomPiecesGetTheJudgesVerdict) {
  Texts texts(20260202);
  for (int round = 0; round < 6000; ++round) {
    const Bytes text = round % 3 == 0 ? texts.valid(1 + texts.below(700)) : texts.mutated(1 + texts.below(700));
    const std::size_t prefix = validPrefix(text);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < text.size(); cuts.push_back(at)) {
      at = std::min<std::size_t>(text.size(), at + 1 + texts.below(texts.below(2) == 0 ? 8 : 400));
    }
    expectVerdicts(text, prefix, cuts);
    if (HasFatalFailure()) return;
    Utf8Validator whole;
    ASSERT_EQ(whole.feed(text), prefix == text.size());
  }
}

TEST(Utf8Kernels, EveryKernelOfThisProcessorGivesTheJudgesVerdictOnWholeBlocks) {
  for (const utf8::Kernel& kernel : utf8::kernels()) {
    SCOPED_TRACE(kernel.name);
    Texts texts(20260303);
    for (int round = 0; round < 3000; ++round) {
      Bytes text = round % 2 == 0 ? texts.valid(1 + texts.below(500)) : texts.mutated(1 + texts.below(500));
      // ASCII up to the end of a block, so that nothing is left open there.
      text.resize(text.size() + 1);
      text.resize((text.size() + utf8::kBlockSize - 1) / utf8::kBlockSize * utf8::kBlockSize);
      const bool expected = validPrefix(text) == text.size();
      ASSERT_EQ(kernel.validate(text.data(), text.size() / utf8::kBlockSize), expected) << round;
    }
  }
}

TEST(Utf8Kernels, EveryPairOfBytesIsJudgedAtEveryPlaceAroundTheBorderOfVectorsAndBlocks) {
  for (unsigned pair = 0; pair < 65536; ++pair) {
    const auto first = static_cast<std::uint8_t>(pair >> 8);
    const auto second = static_cast<std::uint8_t>(pair & 0xFF);
    const bool expected = validPrefix({first, second, 'a'}) == 3;
    for (const std::size_t at : {15U, 31U, 47U, 63U, 64U}) {
      std::array<std::uint8_t, 128> text{};
      text[at] = first;
      text[at + 1] = second;
      for (const utf8::Kernel& kernel : utf8::kernels()) {
        ASSERT_EQ(kernel.validate(text.data(), 2), expected) << kernel.name << std::hex << ' ' << pair << " at " << at;
      }
    }
  }
}

TEST(Utf8Kernels, ACodePointMayBeOpenAtTheEndOfTheBlocks) {
  for (const utf8::Kernel& kernel : utf8::kernels()) {
    for (const Bytes& open : {Bytes{0xC3}, Bytes{0xE2, 0x82}, Bytes{0xF0}, Bytes{0xF0, 0x9F, 0x98}}) {
      std::array<std::uint8_t, 64> text{};
      std::copy(open.rbegin(), open.rend(), text.rbegin());
      EXPECT_TRUE(kernel.validate(text.data(), 1)) << kernel.name;
    }
  }
}

TEST(Utf8Validator, ABadByteIsFoundAtEveryOffsetOfALongText) {
  for (const Bytes& unit : {Bytes{'a'}, Bytes{0xC3, 0xA9}, Bytes{0xE2, 0x82, 0xAC}, Bytes{0xF0, 0x9F, 0x98, 0x80}}) {
    Bytes text;
    while (text.size() < 260) text.insert(text.end(), unit.begin(), unit.end());
    ASSERT_TRUE(accepts(text));
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const std::uint8_t bad : Bytes{0xC0, 0xF5, 0xFF}) {
        Bytes broken = text;
        broken[at] = bad;
        ASSERT_FALSE(accepts(broken)) << at;
        broken.resize(at + 1);
        ASSERT_FALSE(accepts(broken)) << "as the last byte, " << at;
      }
    }
  }
}

TEST(Utf8Validator, ReadsNothingOutsideTheGivenBytes) {
  // Invalid bytes on both sides must not matter, at any alignment and any length.
  const Bytes piece = {'a', 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80};
  Bytes text;
  while (text.size() < 200) text.insert(text.end(), piece.begin(), piece.end());
  for (std::size_t offset = 0; offset < 64; ++offset) {
    for (std::size_t size = 0; size <= text.size(); ++size) {
      Bytes memory(offset + size + 64, 0xFF);
      std::copy_n(text.begin(), size, memory.begin() + static_cast<std::ptrdiff_t>(offset));
      Utf8Validator validator;
      ASSERT_TRUE(validator.feed(std::span(memory).subspan(offset, size))) << offset << ' ' << size;
    }
  }
}

}  // namespace
}  // namespace websocket

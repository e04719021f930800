// The compression contexts by themselves, compared with zlib used directly, and the pool that lends them.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "extension/deflate_pool.h"
#include "extension/message_deflater.h"
#include "extension/message_inflater.h"

namespace websocket {
namespace {

using std::string_literals::operator""s;

std::span<const std::uint8_t> view(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string textOf(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

// Text that compresses, with repetitions at all distances.
std::string sample(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    if (!text.empty() && random() % 3 != 0) {
      const std::size_t from = random() % text.size();
      text += text.substr(from, random() % 200);
    } else {
      for (auto i = random() % 40; i != 0; --i) {
        text += static_cast<char>('a' + random() % 26);
      }
    }
  }
  text.resize(size);
  return text;
}

std::string deflated(Deflater& deflater, const std::string& text, bool last = true) {
  ByteBuffer output;
  deflater.deflate(view(text), last, output);
  return textOf(output.view());
}

// Inflates a message in steps of so many bytes of input and output; "(corrupt)" when that is what the answer is.
std::string inflated(Inflater& inflater, const std::string& compressed, std::size_t inputStep = 1 << 30,
                     std::size_t outputStep = 4096) {
  std::string text;
  std::vector<std::uint8_t> memory(outputStep);
  const auto take = [&](auto&& step) {
    while (true) {
      std::span<std::uint8_t> output(memory);
      const InflateStatus status = step(output);
      text.append(memory.begin(), memory.end() - static_cast<std::ptrdiff_t>(output.size()));
      if (status != InflateStatus::OutputFull) {
        return status == InflateStatus::Done;
      }
      EXPECT_TRUE(output.empty());
    }
  };
  for (std::size_t at = 0; at < compressed.size(); at += inputStep) {
    std::span<const std::uint8_t> input = view(compressed).subspan(at, std::min(inputStep, compressed.size() - at));
    if (!take([&](std::span<std::uint8_t>& output) { return inflater.inflate(input, output); })) {
      return "(corrupt)";
    }
    EXPECT_TRUE(input.empty());
  }
  return take([&](std::span<std::uint8_t>& output) { return inflater.finish(output); }) ? text : "(corrupt)";
}

class DeflateContext : public testing::Test {
 protected:
  ZlibMemory memory;
};

TEST_F(DeflateContext, EveryWindowIsReadWithTheSameWindow) {
  for (std::uint8_t bits = 8; bits <= 15; ++bits) {
    for (const std::int8_t level : {std::int8_t{0}, std::int8_t{1}, std::int8_t{6}, std::int8_t{9}}) {
      Deflater deflater({.windowBits = bits, .level = level}, memory);
      Inflater inflater(bits, memory);
      for (unsigned i = 0; i < 12; ++i) {
        const std::string text = sample(i * i * 300, i + bits);
        EXPECT_EQ(inflated(inflater, deflated(deflater, text)), text) << int{bits} << " " << int{level} << " " << i;
      }
    }
  }
}

// What is said in deflater.cc about a window of 8: zlib's own inflater, told that the window has 256 bytes, accepts
// what a deflater with 512 makes of text that repeats at every distance.
TEST_F(DeflateContext, AWindowOf9BitsMakesOutputForAReceiverWithOneOf8) {
  std::string text;
  for (std::size_t distance = 3; distance <= 520; ++distance) {
    text += sample(distance, static_cast<unsigned>(distance));
    text += text.substr(text.size() - distance, std::min<std::size_t>(distance, 40));
  }
  for (int strategy = Z_DEFAULT_STRATEGY; strategy <= Z_FIXED; ++strategy) {
    for (std::int8_t level = 1; level <= 9; ++level) {
      Deflater deflater({.windowBits = 8, .level = level, .strategy = static_cast<std::uint8_t>(strategy)}, memory);
      std::string compressed = deflated(deflater, text) + "\x00\x00\xFF\xFF"s;
      std::string output(text.size() + 1, '\0');
      z_stream stream{};
      ASSERT_EQ(inflateInit2(&stream, -8), Z_OK);
      stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
      stream.avail_in = static_cast<uInt>(compressed.size());
      std::size_t produced = 0;
      while (stream.avail_in != 0) {  // small output, so that references go through zlib's window
        stream.next_out = reinterpret_cast<Bytef*>(output.data()) + produced;
        stream.avail_out = 7;
        ASSERT_EQ(inflate(&stream, Z_SYNC_FLUSH), Z_OK) << stream.msg;
        produced += 7 - stream.avail_out;
        ASSERT_LE(produced + 7, output.size() + 7);
        output.resize(std::max(output.size(), produced + 8));
      }
      inflateEnd(&stream);
      ASSERT_GE(produced, text.size() - 7);
      EXPECT_EQ(output.substr(0, produced), text.substr(0, produced));
    }
  }
}

TEST_F(DeflateContext, AReferenceBeyondTheWindowIsCorrupt) {
  Deflater deflater({.windowBits = 15}, memory);
  const std::string once = sample(400, 1);
  const std::string compressed = deflated(deflater, once + sample(2000, 2) + once);
  Inflater wide(15, memory);
  EXPECT_EQ(inflated(wide, compressed, 1, 64).size(), 2800U);
  Inflater narrow(9, memory);
  EXPECT_EQ(inflated(narrow, compressed, 1, 64), "(corrupt)");
}

TEST_F(DeflateContext, InputAndOutputMayComeInStepsOfAnySize) {
  Deflater deflater({}, memory);
  Inflater inflater(15, memory);
  for (const std::size_t inputStep : std::initializer_list<std::size_t>{1, 2, 3, 7, 64, 1000}) {
    for (const std::size_t outputStep : std::initializer_list<std::size_t>{1, 2, 5, 63, 4096}) {
      const std::string text = sample(3000, static_cast<unsigned>(inputStep));
      EXPECT_EQ(inflated(inflater, deflated(deflater, text), inputStep, outputStep), text);
    }
  }
}

TEST_F(DeflateContext, TheContextIsTakenOver) {
  Deflater deflater({}, memory);
  Inflater inflater(15, memory);
  const std::string text = sample(1000, 5);
  const std::string first = deflated(deflater, text);
  const std::string second = deflated(deflater, text);
  EXPECT_LT(second.size() * 5, first.size());
  EXPECT_EQ(inflated(inflater, first), text);
  EXPECT_EQ(inflated(inflater, second), text);
  Inflater stranger(15, memory);
  EXPECT_EQ(inflated(stranger, second), "(corrupt)");
  deflater.reset();
  EXPECT_EQ(deflated(deflater, text), first);
  inflater.reset();
  EXPECT_EQ(inflated(inflater, first), text);
}

TEST_F(DeflateContext, EmptyMessagesAreOneOctet) {
  Deflater deflater({}, memory);
  Inflater inflater(15, memory);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(deflated(deflater, ""), "\x00"s);
    EXPECT_EQ(inflated(inflater, "\x00"s), "");
    EXPECT_EQ(inflated(inflater, ""), "") << "as some senders have it";
    EXPECT_EQ(inflated(inflater, deflated(deflater, "text")), "text");
  }
}

TEST_F(DeflateContext, PartsOfAMessageAreReadableAsTheyCome) {
  Deflater deflater({}, memory);
  Inflater inflater(15, memory);
  std::string whole;
  for (const char* part : {"Hel", "", "lo ", "wor"}) {
    whole += deflated(deflater, part, false);
  }
  whole += deflated(deflater, "", true);
  EXPECT_EQ(inflated(inflater, whole), "Hello wor");
  EXPECT_EQ(inflated(inflater, whole, 1, 1), "Hello wor");
}

// RFC 7692, 7.2.3: the examples of the document.
TEST_F(DeflateContext, TheExamplesOfTheRfcAreRead) {
  Inflater inflater(15, memory);
  const std::string hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;
  EXPECT_EQ(inflated(inflater, hello), "Hello");                    // 7.2.3.1
  EXPECT_EQ(inflated(inflater, "\xf2\x00\x11\x00\x00"s), "Hello");  // 7.2.3.2: the window shared
  inflater.reset();
  EXPECT_EQ(inflated(inflater, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), "Hello");  // 7.2.3.3: no compression
  EXPECT_EQ(inflated(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), "Hello");              // 7.2.3.4: BFINAL
  EXPECT_EQ(inflated(inflater, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s),
            "Hello");  // 7.2.3.5: two blocks
}

TEST_F(DeflateContext, WhatFollowsAFinalBlockIsReadToo) {
  Inflater inflater(15, memory);
  const std::string finalHello = "\xf3\x48\xcd\xc9\xc9\x07\x00"s;  // BFINAL, ends with its byte
  EXPECT_EQ(inflated(inflater, finalHello), "Hello") << "nothing behind the final block";
  EXPECT_EQ(inflated(inflater, finalHello + "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "HelloHello");
  EXPECT_EQ(inflated(inflater, finalHello + finalHello + finalHello + "\x00"s, 1, 1), "HelloHelloHello");
  EXPECT_EQ(inflated(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello") << "the next message";
  EXPECT_EQ(inflated(inflater, finalHello + "\xff\xff"s), "(corrupt)");
}

TEST_F(DeflateContext, ATailThatItsSenderLeftInIsRead) {
  Inflater inflater(15, memory);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(inflated(inflater, "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"s), "Hello");
  }
}

TEST_F(DeflateContext, CorruptDataIsFoundOut) {
  for (const std::string& data : {
           "\x07"s,                           // block type 3
           "\xff\xff\xff"s,                   // the same
           "\x00\x05\x00\x00\x00hello\x00"s,  // the complement of the length is wrong
           "\xf2\x48\xcd"s,                   // ends in the middle of a block
           "\xf2\x00\x11\x00\x00"s,           // refers to before the beginning
           "\x02"s,                           // the header of a block, and no end of it
       }) {
    Inflater inflater(15, memory);
    EXPECT_EQ(inflated(inflater, data), "(corrupt)");
  }
}

TEST_F(DeflateContext, IncompressibleAndLargeInputComesBack) {
  std::mt19937 random(7);
  std::string text(3'000'000, '\0');
  std::ranges::generate(text, [&] { return static_cast<char>(random()); });
  Deflater deflater({}, memory);
  Inflater inflater(15, memory);
  EXPECT_EQ(inflated(inflater, deflated(deflater, text), 100'000, 70'000), text);
  const std::string zeros(5'000'000, '\0');
  const std::string compressed = deflated(deflater, zeros);
  EXPECT_LT(compressed.size(), 6000U);
  EXPECT_EQ(inflated(inflater, compressed, 100'000, 70'000), zeros);
}

// Byte for byte, with text that repeats at all distances and at every level: neither a block ends sooner nor is a
// repetition missed. From 8,192 bytes on nothing is saved.
TEST_F(DeflateContext, ASmallMessageIsCompressedAsWellWithASmallerHashTable) {
  for (std::int8_t level = 1; level <= 9; ++level) {
    const DeflaterSettings whole{.level = level};
    EXPECT_EQ(whole.forMessage(8192), whole);
    const DeflaterSettings fitted = whole.forMessage(8191);
    EXPECT_EQ(fitted.memLevel, 7);
    Deflater expected(whole, memory);
    Deflater small(fitted, memory);
    for (const std::size_t size : std::initializer_list<std::size_t>{1, 20, 500, 1024, 3000, 8191}) {
      const std::string text = sample(size, static_cast<unsigned>(size));
      EXPECT_EQ(deflated(small, text), deflated(expected, text)) << size << " at level " << int{level};
      small.reset();
      expected.reset();
    }
  }
  const DeflaterSettings chosen{.windowBits = 9, .level = 2, .memLevel = 4, .strategy = 1};
  EXPECT_EQ(chosen.forMessage(100), chosen) << "not more than what the application chose";
}

TEST_F(DeflateContext, MemoryIsCounted) {
  EXPECT_EQ(memory.inUse(), 0U);
  {
    const Deflater deflater({}, memory);
    const std::uint64_t used = memory.inUse();
    EXPECT_GT(used, 200'000U);
    EXPECT_LT(used, 300'000U);
    const Deflater small({.windowBits = 9, .memLevel = 1}, memory);
    EXPECT_LT(memory.inUse() - used, 16'000U);
  }
  EXPECT_EQ(memory.inUse(), 0U);
}

// ---------------------------------------------------------------------------------------------------------------------

TEST(DeflatePool, LendsTheSameContextAgain) {
  DeflatePool pool;
  const DeflaterSettings settings{.windowBits = 12};
  std::unique_ptr<Deflater> first = pool.takeDeflater(settings);
  const std::string fresh = deflated(*first, sample(500, 1));
  const Deflater* const address = first.get();
  pool.give(std::move(first));
  std::unique_ptr<Deflater> other = pool.takeDeflater({.windowBits = 11});
  EXPECT_NE(other.get(), address) << "of other settings";
  std::unique_ptr<Deflater> again = pool.takeDeflater(settings);
  EXPECT_EQ(again.get(), address);
  EXPECT_EQ(deflated(*again, sample(500, 1)), fresh) << "as good as new";
}

TEST(DeflatePool, KeepsAFewContextsAndFreesTheRest) {
  DeflatePool pool;
  std::vector<std::unique_ptr<Inflater>> inflaters;
  for (int i = 0; i < 20; ++i) {
    inflaters.push_back(pool.takeInflater(15));
  }
  const std::uint64_t all = pool.bytesInUse();
  for (std::unique_ptr<Inflater>& inflater : inflaters) {
    pool.give(std::move(inflater));
  }
  EXPECT_EQ(pool.bytesInUse(), all / 5);
  pool.give(std::unique_ptr<Deflater>());
  pool.trim();
  EXPECT_EQ(pool.bytesInUse(), 0U);
}

TEST(DeflatePool, SettingsThatNobodyUsesMakeRoom) {
  DeflatePool pool;
  for (std::uint8_t bits = 8; bits < 13; ++bits) {
    pool.give(pool.takeInflater(bits));
  }
  const std::unique_ptr<Inflater> last = pool.takeInflater(12);
  const std::uint64_t used = pool.bytesInUse();
  const std::unique_ptr<Inflater> another = pool.takeInflater(8);
  EXPECT_GT(pool.bytesInUse(), used) << "the oldest one was freed";
}

TEST(MessageDeflater, WithoutTakeoverAContextIsHeldDuringAMessageOnly) {
  const auto pool = std::make_shared<DeflatePool>();
  MessageDeflater one(pool, {}, false);
  MessageDeflater other(pool, {}, false);
  ByteBuffer output;
  const std::string message = sample(10'000, 1);
  one.deflate(view(message), true, output);
  const std::uint64_t single = pool->bytesInUse();
  other.deflate(view(message), true, output);
  EXPECT_EQ(pool->bytesInUse(), single);
  one.deflate(view("hello"), true, output);
  EXPECT_LT(pool->bytesInUse() - single, single * 4 / 5) << "a small message takes a smaller context";
  pool->trim();
  one.deflate(view("hel"), false, output);
  other.deflate(view("hel"), false, output);
  EXPECT_EQ(pool->bytesInUse(), 2 * single);
}

TEST(MessageInflater, KeepsOnlyTheWindowWhileShrunk) {
  const auto pool = std::make_shared<DeflatePool>();
  ZlibMemory memory;
  Deflater deflater({}, memory);
  MessageInflater inflater(pool, 15, true);
  const auto read = [&](const std::string& compressed) {
    EXPECT_TRUE(inflater.begin());
    std::vector<std::uint8_t> bytes(100'000);
    std::span<std::uint8_t> output(bytes);
    std::span<const std::uint8_t> input = view(compressed);
    EXPECT_EQ(inflater.inflate(input, output), InflateStatus::Done);
    EXPECT_EQ(inflater.finish(output), InflateStatus::Done);
    return std::string(bytes.begin(), bytes.end() - static_cast<std::ptrdiff_t>(output.size()));
  };
  for (unsigned i = 0; i < 30; ++i) {
    const std::string text = sample(i * 500, i / 5);
    EXPECT_EQ(read(deflated(deflater, text)), text) << i;
    EXPECT_TRUE(inflater.shrink());
    EXPECT_TRUE(inflater.shrink()) << "twice does nothing";
    pool->trim();
    EXPECT_EQ(pool->bytesInUse(), 0U);
  }
}

}  // namespace
}  // namespace websocket

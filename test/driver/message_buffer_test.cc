#include "message_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace websocket::driver {
namespace {

std::string contentOf(const MessageBuffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
}

void append(MessageBuffer& buffer, const std::string& text) {
  EXPECT_TRUE(buffer.append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

TEST(MessageBuffer, KeepsWhatIsAppendedInOrder) {
  MessageBuffer buffer;
  append(buffer, "one");
  append(buffer, "");
  append(buffer, "two");
  EXPECT_EQ(contentOf(buffer), "onetwo");
}

TEST(MessageBuffer, CountsBytesThatWereReadIntoItsTail) {
  MessageBuffer buffer;
  append(buffer, "head");
  const std::span<std::uint8_t> tail = buffer.tail(100);
  ASSERT_GE(tail.size(), 4U);
  std::memcpy(tail.data(), "tail", 4);
  ASSERT_TRUE(buffer.append(tail.first(4)));
  EXPECT_EQ(contentOf(buffer), "headtail");
}

TEST(MessageBuffer, TailIsNeverLargerThanWhatIsExpected) {
  MessageBuffer buffer;
  append(buffer, std::string(100000, 'x'));
  EXPECT_EQ(buffer.tail(7).size(), 7U);
  EXPECT_EQ(buffer.tail(0).size(), 0U);
}

TEST(MessageBuffer, ReservesAtMostAQuarterMoreThanWasReceived) {
  MessageBuffer buffer;
  append(buffer, std::string(64 * 1024, 'x'));
  while (buffer.size() < 16U << 20) {
    const std::span<std::uint8_t> tail = buffer.tail(std::uint64_t{1} << 40);
    ASSERT_FALSE(tail.empty());
    EXPECT_LE(buffer.capacity(), buffer.size() + buffer.size() / 4);
    ASSERT_TRUE(buffer.append(tail.first(std::min<std::size_t>(tail.size(), 100'000))));
  }
}

TEST(MessageBuffer, ThatIsRemappedKeepsItsContentAndIsCounted) {
  ReceiveMemory memory;
  std::string expected(64 * 1024, 'x');
  {
    MessageBuffer buffer(&memory);
    append(buffer, expected);
    for (int step = 0; buffer.size() < 4U << 20; ++step) {
      const std::span<std::uint8_t> tail = buffer.tail((std::size_t{6} << 20) - buffer.size(), Growth::Remapping);
      EXPECT_TRUE(buffer.mapped() == 0 || buffer.capacity() > std::size_t{2} << 20) << "not before it is needed";
      ASSERT_FALSE(tail.empty());
      EXPECT_EQ(memory.reserved, buffer.capacity());
      std::ranges::fill(tail, static_cast<std::uint8_t>('a' + step % 26));
      expected.append(tail.size(), static_cast<char>('a' + step % 26));
      ASSERT_TRUE(buffer.append(tail));
    }
    append(buffer, "the end");
    expected += "the end";
    MessageBuffer moved(std::move(buffer));
    EXPECT_TRUE(contentOf(moved) == expected);
#ifdef __linux__
    EXPECT_EQ(moved.mapped(), moved.capacity());
#endif
    const std::size_t mapped = moved.mapped();
    std::uint8_t* const released = moved.release();
    EXPECT_EQ(memory.reserved, 0U);
    EXPECT_EQ(moved.mapped(), 0U);
    EXPECT_EQ(released[expected.size() - 1], 'd');
    MessageBuffer::free(released, mapped);
    append(moved, "anew");
    EXPECT_EQ(contentOf(moved), "anew");
    MessageBuffer another(&memory);
    append(another, expected);
    another.tail(1 << 20, Growth::Remapping);
    EXPECT_GT(memory.reserved, expected.size());
  }
  EXPECT_EQ(memory.reserved, 0U);
}

TEST(MessageBuffer, RefusesToLeadAllBuffersAboveTheLimitUnlessItIsTheOnlyOne) {
  ReceiveMemory memory;
  memory.most = 100'000;
  MessageBuffer only(&memory);
  append(only, std::string(150'000, 'x'));
  MessageBuffer second(&memory);
  const std::string text(10, 'y');
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  EXPECT_FALSE(second.append(bytes));
  EXPECT_EQ(second.size(), 0U);
  EXPECT_TRUE(second.tail(10).empty());
  only.clear();
  EXPECT_TRUE(second.append(bytes));
  EXPECT_EQ(contentOf(second), text);
}

TEST(MessageBuffer, ReservesOnlyAFewKibibytesForASmallBeginning) {
  MessageBuffer buffer;
  append(buffer, "x");
  buffer.tail(std::uint64_t{1} << 32);
  EXPECT_LE(buffer.capacity(), 5000U);
}

}  // namespace
}  // namespace websocket::driver

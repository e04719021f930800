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

TEST(MessageBuffer, ReservesOnlyAFewKibibytesForASmallBeginning) {
  MessageBuffer buffer;
  append(buffer, "x");
  buffer.tail(std::uint64_t{1} << 32);
  EXPECT_LE(buffer.capacity(), 5000U);
}

}  // namespace
}  // namespace websocket::driver

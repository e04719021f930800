// Large payloads, which are written from the caller's memory or shared, and the limits of what may wait.
#include <memory>
#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

constexpr std::size_t kLarge = std::size_t{16} * 1024;

SharedBytes share(std::string_view text) {
  std::shared_ptr<std::uint8_t[]> memory = std::make_unique_for_overwrite<std::uint8_t[]>(text.size());
  std::ranges::copy(bytesOf(text), memory.get());
  return memory;
}

TEST_F(DriverTest, ALargeMessageLeavesAtOnceBehindWhatWasQueued) {
  Native native = connectNative(Role::Server);
  const std::string payload(kLarge, 'x');
  EXPECT_EQ(sendText(native.id, "first"), Result::Ok);
  EXPECT_EQ(sendText(native.id, payload, 7), Result::Ok);
  native.peer.read();
  EXPECT_TRUE(native.peer.received == serverFrame(kText, "first") + serverFrame(kText, payload));
  EXPECT_EQ(connection(native.id).bufferedWireBytes(), 0U);
  runUntil([&] { return saw(EventKind::Sent); });
  EXPECT_EQ(delegate_.events[0].value, 7U);
  EXPECT_EQ(delegate_.events.size(), 1U);
}

TEST_F(DriverTest, ASmallerMessageWaitsForThePhase) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, std::string(kLarge - 1, 'x')), Result::Ok);
  EXPECT_GT(connection(native.id).bufferedWireBytes(), kLarge);
  runUntilReceived(native.peer, kLarge + 3);
}

TEST_F(DriverTest, TheCallerMayReuseItsMemoryAfterSend) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  std::string expected;
  for (int index = 0; index < 40; ++index) {
    std::string payload(kLarge * static_cast<std::size_t>(1 + index % 20 * 4), static_cast<char>('a' + index % 26));
    EXPECT_EQ(sendText(native.id, "small"), Result::Ok);
    EXPECT_EQ(sendText(native.id, payload), Result::Ok);
    expected += serverFrame(kText, "small") + serverFrame(kText, payload);
    payload.assign(payload.size(), '-');
    if (index == 10) {
      native.peer.read();
    }
  }
  EXPECT_GT(connection(native.id).bufferedAmount(), 0U) << "the socket took everything: the test shows nothing";
  runUntilReceived(native.peer, expected.size());
  EXPECT_TRUE(native.peer.received == expected);
}

// More segments are queued than one write takes, so that the payload comes only with a later one.
TEST_F(DriverTest, ALargeMessageBehindManySegments) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  std::string expected;
  for (int index = 0; index < 300; ++index) {
    const std::string payload(kLarge - 100, static_cast<char>('a' + index % 26));
    EXPECT_EQ(sendText(native.id, payload), Result::Ok);
    expected += serverFrame(kText, payload);
  }
  std::string payload(kLarge * 300, 'x');
  expected += serverFrame(kText, payload);
  EXPECT_EQ(sendText(native.id, payload), Result::Ok);
  payload.assign(payload.size(), '-');
  runUntilReceived(native.peer, expected.size());
  EXPECT_TRUE(native.peer.received == expected);
}

TEST_F(DriverTest, ALargeMessageToAPeerThatIsGone) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  native.peer.reset();
  EXPECT_EQ(sendText(native.id, std::string(kLarge, 'x'), 1), Result::Ok);
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_EQ(eventsOf(EventKind::Sent).size(), 1U);
}

TEST_F(DriverTest, LargeMessagesOfAStreamAndOfAClientWait) {
  const ConnectionId stream = connectStream(Role::Server);
  const Native client = connectNative(Role::Client);
  const std::string payload(kLarge, 'x');
  for (const ConnectionId id : {stream, client.id}) {
    EXPECT_EQ(sendText(id, payload), Result::Ok);
    EXPECT_GT(connection(id).bufferedWireBytes(), kLarge);
  }
  EXPECT_EQ(delegate_.writes, 0);
}

TEST_F(DriverTest, ASharedPayloadIsReleasedWhenItWasWritten) {
  Native native = connectNative(Role::Server);
  const std::string payload(1000, 'x');
  const SharedBytes shared = share(payload);
  EXPECT_EQ(connection(native.id).send(BufferType::BinaryMessage, {shared.get(), payload.size()}, 0, shared),
            Result::Ok);
  EXPECT_EQ(shared.use_count(), 2);
  runUntilReceived(native.peer, payload.size() + 4);
  EXPECT_TRUE(native.peer.received == serverFrame(kBinary, payload));
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_TRUE(delegate_.events.empty());
}

TEST_F(DriverTest, ASharedPayloadIsReleasedWhenTheConnectionEnds) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  const std::string payload(8 << 20, 'x');
  const SharedBytes shared = share(payload);
  for (std::uint32_t callback = 0; callback < 3; ++callback) {
    EXPECT_EQ(connection(native.id).send(BufferType::BinaryMessage, {shared.get(), payload.size()}, callback, shared),
              Result::Ok);
  }
  runBriefly();
  EXPECT_GE(shared.use_count(), 3);
  connection(native.id).close(0, true);
  runUntil([&] { return saw(EventKind::Closed); });
  runBriefly();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_EQ(eventsOf(EventKind::Sent).size(), 2U);
}

TEST_F(DriverTest, BroadcastsShareThePayload) {
  Native first = connectNative(Role::Server);
  Native second = connectNative(Role::Server);
  const ConnectionId stream = connectStream(Role::Server);
  const std::string payload(kLarge, 'x');
  SharedBytes shared = share(payload);
  std::vector<ConnectionId> ids = {first.id, 0, stream, second.id, 0xFFFFFFFF};
  {
    const auto message = std::make_shared<SharedMessage>(std::span(shared.get(), payload.size()), shared);
    EXPECT_EQ(driver_->broadcast(ids, BufferType::Utf8Message, message), 3U);
  }
  EXPECT_EQ(ids, (std::vector<ConnectionId>{0, 0, 0, 0, 0xFFFFFFFF}));
  EXPECT_EQ(shared.use_count(), 4);
  runUntilReceived(first.peer, payload.size() + 4);
  runUntilReceived(second.peer, payload.size() + 4);
  EXPECT_TRUE(first.peer.received == serverFrame(kText, payload));
  EXPECT_TRUE(second.peer.received == serverFrame(kText, payload));
  EXPECT_TRUE(delegate_.streamOutput[stream] == serverFrame(kText, payload));
}

TEST_F(DriverTest, RefusesWhatWouldLeadAboveTheLimit) {
  limits_.send.maxBackpressure = 1000;
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, std::string(5000, 'x')), Result::Ok) << "nothing waits";
  EXPECT_EQ(sendText(id, ""), Result::InsufficientBuffer);
  const ConnectionId other = connectStream(Role::Server);
  EXPECT_EQ(sendText(other, std::string(498, 'x')), Result::Ok);  // 502 bytes
  EXPECT_EQ(sendText(other, std::string(495, 'x')), Result::InsufficientBuffer);
  EXPECT_EQ(sendText(other, std::string(494, 'x')), Result::Ok);  // 498
  EXPECT_EQ(connection(other).bufferedWireBytes(), 1000U);
  EXPECT_EQ(sendText(other, ""), Result::InsufficientBuffer);
  EXPECT_EQ(connection(other).sendControl(BufferType::PingPong, bytesOf("x"), 0), Result::Ok);
  EXPECT_EQ(connection(other).sendClose(1013, {}), Result::Ok);
}

TEST_F(DriverTest, WhatTheKernelTakesNowDoesNotCountAgainstTheLimit) {
  limits_.send.maxBackpressure = 1000;
  Native native = connectNative(Role::Server);
  for (int index = 0; index < 20; ++index) {
    EXPECT_EQ(sendText(native.id, std::string(600, 'x')), Result::Ok);
  }
  EXPECT_LE(connection(native.id).bufferedWireBytes(), 1000U);
  runUntilReceived(native.peer, std::size_t{20} * 604);
}

TEST_F(DriverTest, TellsOnceThatNothingWaitsAfterTheHighWaterMark) {
  limits_.send.highWaterMark = 100;
  const Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, std::string(98, 'x')), Result::Ok);
  runBriefly();
  EXPECT_FALSE(saw(EventKind::Sent));
  EXPECT_EQ(sendText(native.id, std::string(99, 'x')), Result::Ok);
  EXPECT_EQ(sendText(native.id, std::string(99, 'x')), Result::Ok);
  runBriefly();
  ASSERT_EQ(delegate_.events.size(), 1U);
  EXPECT_EQ(delegate_.events[0].value, kDrained);
}

TEST_F(DriverTest, TellsThatNothingWaitsAfterARefusal) {
  limits_.send.maxBackpressure = 10;
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "12345678"), Result::Ok);
  EXPECT_EQ(sendText(id, "9"), Result::InsufficientBuffer);
  runUntil([&] { return delegate_.writes == 1; });
  EXPECT_FALSE(saw(EventKind::Sent));
  connection(id).written(0);
  runBriefly();
  ASSERT_EQ(delegate_.events.size(), 1U);
  EXPECT_EQ(delegate_.events[0].value, kDrained);
}

}  // namespace
}  // namespace websocket::driver

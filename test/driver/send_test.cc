// Sending on the native transport: order, batching, completion, and peers that read slowly or not at all.
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

TEST_F(DriverTest, SendsMessagesInOrder) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, "one"), Result::Ok);
  EXPECT_EQ(connection(native.id).send(BufferType::BinaryMessage, bytesOf("two"), 0), Result::Ok);
  runUntilReceived(native.peer, 10);
  EXPECT_EQ(native.peer.received, serverFrame(kText, "one") + serverFrame(kBinary, "two"));
}

TEST_F(DriverTest, ClientsMask) {
  Native native = connectNative(Role::Client);
  EXPECT_EQ(sendText(native.id, "masked"), Result::Ok);
  runUntilReceived(native.peer, 12);
  const std::vector<ParsedFrame> frames = parseFrames(native.peer.received);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0].masked);
  EXPECT_EQ(frames[0].payload, "masked");
}

TEST_F(DriverTest, AClientMasksWithAKeyOfTheCallers) {
  Native native = connectNative(Role::Client);
  const MaskKey key{};
  EXPECT_EQ(connection(native.id).send(BufferType::Utf8Message, bytesOf("text"), 0, nullptr, &key), Result::Ok);
  EXPECT_EQ(connection(native.id).sendControl(BufferType::PingPong, bytesOf("ping"), 0, &key), Result::Ok);
  EXPECT_EQ(connection(native.id).sendClose(1000, bytesOf("why"), &key), Result::Ok);
  const std::string keyBytes(4, '\0');
  const std::string expected = "\x89\x84" + keyBytes + "ping" + "\x81\x84" + keyBytes + "text" + "\x88\x85" + keyBytes +
                               closePayload(1000, "why");
  runUntilReceived(native.peer, expected.size());
  EXPECT_EQ(native.peer.received, expected);
}

TEST_F(DriverTest, WritesThePreambleBeforeAnythingElse) {
  Native native = connectNative(Role::Server, Socket::Unix, "HTTP/1.1 101\r\n\r\n");
  EXPECT_EQ(sendText(native.id, "x"), Result::Ok);
  runUntilReceived(native.peer, 19);
  EXPECT_EQ(native.peer.received, "HTTP/1.1 101\r\n\r\n" + serverFrame(kText, "x"));
}

TEST_F(DriverTest, WritesThePreambleWhenNothingIsSent) {
  Native native = connectNative(Role::Server, Socket::Unix, "preamble");
  runUntilReceived(native.peer, 8);
  EXPECT_EQ(native.peer.received, "preamble");
}

TEST_F(DriverTest, SendsFragments) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(connection(native.id).send(BufferType::Utf8Fragment, bytesOf("a"), 0), Result::Ok);
  EXPECT_EQ(connection(native.id).send(BufferType::Utf8Message, bytesOf("b"), 0), Result::Ok);
  runUntilReceived(native.peer, 6);
  EXPECT_EQ(native.peer.received, serverFrame(0x01, "a") + serverFrame(0x80, "b"));
}

TEST_F(DriverTest, ReportsTheCallbackNumberWhenTheBytesWereHandedOver) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, "a", 41), Result::Ok);
  EXPECT_EQ(sendText(native.id, "b"), Result::Ok);
  EXPECT_EQ(sendText(native.id, "c", 0xFFFFFFFF), Result::Ok);
  runUntil([&] { return eventsOf(EventKind::Sent).size() == 2; });
  EXPECT_EQ(delegate_.events[0].value, 41U);
  EXPECT_FALSE(delegate_.events[0].failed);
  EXPECT_EQ(delegate_.events[1].value, 0xFFFFFFFFU);
  EXPECT_EQ(connection(native.id).bufferedAmount(), 0U);
}

TEST_F(DriverTest, AnswersAPingFromInsideTheLoop) {
  Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kPing, "are you there"));
  runUntilReceived(native.peer, 15);
  EXPECT_EQ(native.peer.received, serverFrame(kPong, "are you there"));
}

TEST_F(DriverTest, WhatADeliverySendsLeavesInTheSamePhase) {
  Native native = connectNative(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) { EXPECT_EQ(sendText(event.connection, event.data), Result::Ok); };
  native.peer.write(clientFrame(kText, "echo"));
  runUntilReceived(native.peer, 6);
  EXPECT_EQ(native.peer.received, serverFrame(kText, "echo"));
}

TEST_F(DriverTest, SendingOutsideOfEventsKeepsTheLoopAliveForTheFlush) {
  Native native = connectNative(Role::Server);
  connection(native.id).setRef(false);
  EXPECT_EQ(sendText(native.id, "x"), Result::Ok);
  uv_run(&loop_, UV_RUN_DEFAULT);  // returns, because nothing else keeps it
  native.peer.read();
  EXPECT_EQ(native.peer.received, serverFrame(kText, "x"));
}

TEST_F(DriverTest, FlushWritesAtOnce) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, "now"), Result::Ok);
  driver_->flush();
  native.peer.read();
  EXPECT_EQ(native.peer.received, serverFrame(kText, "now"));
}

TEST_F(DriverTest, ASlowReaderGetsEverythingInOrder) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  std::string expected;
  for (std::uint32_t index = 1; index <= 400; ++index) {
    const std::string payload(1000 * (index % 50), static_cast<char>('a' + index % 26));
    expected += serverFrame(kText, payload);
    EXPECT_EQ(sendText(native.id, payload, index), Result::Ok);
  }
  runBriefly();
  EXPECT_GT(connection(native.id).bufferedAmount(), 0U) << "the socket took everything: the test shows nothing";
  runUntilReceived(native.peer, expected.size());
  EXPECT_TRUE(native.peer.received == expected);
  runUntil([&] { return eventsOf(EventKind::Sent).size() == 400; });
  for (std::uint32_t index = 1; index <= 400; ++index) {
    EXPECT_EQ(delegate_.events[index - 1].value, index);
    EXPECT_FALSE(delegate_.events[index - 1].failed);
  }
  EXPECT_EQ(connection(native.id).bufferedAmount(), 0U);
}

TEST_F(DriverTest, OneLargeMessageToASlowReader) {
  Native native = connectNative(Role::Client, Socket::Tcp);
  const std::string payload(8 << 20, 'x');
  EXPECT_EQ(sendText(native.id, payload, 1), Result::Ok);
  runBriefly();
  EXPECT_GT(connection(native.id).bufferedAmount(), 0U);
  runUntilReceived(native.peer, payload.size() + 14);
  const std::vector<ParsedFrame> frames = parseFrames(native.peer.received);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0].payload == payload);
}

TEST_F(DriverTest, APongOvertakesMessagesThatWaitForASlowReader) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  const std::string payload(10'000, 'x');
  constexpr int kMessages = 1000;
  for (int index = 0; index < kMessages; ++index) {
    EXPECT_EQ(sendText(native.id, payload), Result::Ok);
  }
  runBriefly();
  native.peer.write(clientFrame(kPing, "quick"));
  runUntil([&] { return saw(EventKind::Ping); });
  runUntilReceived(native.peer, kMessages * (payload.size() + 4) + 7);
  const std::vector<ParsedFrame> frames = parseFrames(native.peer.received);
  ASSERT_EQ(frames.size(), kMessages + 1U);
  std::size_t position = 0;
  while (frames[position].firstByte != kPong) {
    ++position;
  }
  EXPECT_LT(position, kMessages * 9U / 10) << "behind what waited";
}

TEST_F(DriverTest, MessagesThatWaitWhenTheTransportDiesAreReportedAsFailed) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  for (std::uint32_t index = 1; index <= 200; ++index) {
    EXPECT_EQ(sendText(native.id, std::string(100'000, 'x'), index), Result::Ok);
  }
  runBriefly();
  native.peer.reset();
  runUntil([&] { return saw(EventKind::Closed); });
  const std::vector<SeenEvent> sent = eventsOf(EventKind::Sent);
  ASSERT_EQ(sent.size(), 200U);
  EXPECT_FALSE(sent.front().failed);
  EXPECT_TRUE(sent.back().failed);
  for (std::uint32_t index = 0; index < sent.size(); ++index) {
    EXPECT_EQ(sent[index].value, index + 1);
  }
  EXPECT_EQ(delegate_.events.back().kind, EventKind::Closed);
  EXPECT_TRUE(delegate_.events.back().value == ECONNRESET || delegate_.events.back().value == EPIPE);
  EXPECT_EQ(driver_->find(native.id), nullptr);
}

TEST_F(DriverTest, RefusesPayloadsThatTheProtocolForbids) {
  const Native native = connectNative(Role::Server);
  EXPECT_EQ(connection(native.id).sendControl(BufferType::PingPong, bytesOf(std::string(126, 'x')), 0),
            Result::InvalidArgument);
  EXPECT_EQ(connection(native.id).sendClose(1005, bytesOf("why")), Result::InvalidArgument);
  EXPECT_EQ(connection(native.id).sendClose(2999, {}), Result::InvalidArgument);
}

}  // namespace
}  // namespace websocket::driver

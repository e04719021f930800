// Bytes on the wire: how many a connection read and wrote, and bytes that are no frame.
#include <memory>
#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

TEST_F(DriverTest, CountsTheBytesOfANativeTransport) {
  Native native = connectNative(Role::Server, Socket::Tcp, "preamble", clientFrame(kText, "head"));
  EXPECT_EQ(connection(native.id).bytesRead(), 10U);
  EXPECT_EQ(connection(native.id).bytesWritten(), 8U) << "what waits counts";
  native.peer.write(clientFrame(kText, "more"));
  runUntil([&] { return eventsOf(EventKind::Text).size() == 2; });
  EXPECT_EQ(connection(native.id).bytesRead(), 20U);
  EXPECT_EQ(sendText(native.id, "answer"), Result::Ok);
  EXPECT_EQ(connection(native.id).bytesWritten(), 16U);
  runUntilReceived(native.peer, 16);
  EXPECT_EQ(connection(native.id).bytesWritten(), 16U);
}

TEST_F(DriverTest, CountsTheBytesOfAPartOfAMessage) {
  const Native native = connectNative(Role::Server);
  const std::string message = clientFrame(kText, std::string(100, 'x'));
  native.peer.write(message.substr(0, 50));
  runUntil([&] { return connection(native.id).bytesRead() == 50; });
  EXPECT_FALSE(saw(EventKind::Text));
}

TEST_F(DriverTest, CountsTheBytesOfAStreamAlsoWhenTheyAreDiscarded) {
  const ConnectionId id = connectStream(Role::Server);
  const std::string bytes = clientFrame(kClose, "") + clientFrame(kText, "behind the Close frame");
  connection(id).receive(bytesOf(bytes));
  EXPECT_EQ(connection(id).bytesRead(), bytes.size());
  connection(id).receive(bytesOf("more"));
  EXPECT_EQ(connection(id).bytesRead(), bytes.size() + 4);
  EXPECT_EQ(sendText(id, "x"), Result::Ok);
  EXPECT_EQ(connection(id).bytesWritten(), 3U);
  runUntil([&] { return delegate_.writes == 1; });
  connection(id).written(0);
  EXPECT_EQ(connection(id).bytesWritten(), 3U);
}

TEST_F(DriverTest, CountsALargeMessageOnceWhenThePeerIsSlow) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  const std::string payload(16 << 20, 'x');
  EXPECT_EQ(sendText(native.id, payload), Result::Ok);
  EXPECT_GT(connection(native.id).bufferedAmount(), 0U) << "the socket took everything: the test shows nothing";
  const std::size_t size = payload.size() + 10;
  EXPECT_EQ(connection(native.id).bytesWritten(), size);
  runUntilReceived(native.peer, size);
  runUntil([&] { return connection(native.id).bufferedAmount() == 0; });
  EXPECT_EQ(connection(native.id).bytesWritten(), size);
}

TEST_F(DriverTest, TheLastCountsCanBeReadUntilClosedWasDelivered) {
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kText, "one"));
  EXPECT_EQ(sendText(native.id, "answer"), Result::Ok);
  bool isTold = false;
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::Text) {
      connection(native.id).close(0, false);
    } else if (event.kind == EventKind::Closed) {
      isTold = true;
      EXPECT_EQ(driver_->find(native.id), nullptr);
      const Connection* const ended = driver_->findEnded(native.id);
      ASSERT_NE(ended, nullptr);
      EXPECT_EQ(ended->bytesRead(), 9U);
      EXPECT_EQ(ended->bytesWritten(), 8U);
    }
  };
  runUntil([&] { return isTold; });
  runBriefly();
  EXPECT_EQ(driver_->findEnded(native.id), nullptr);
}

TEST_F(DriverTest, WhatWasNeverSentCanBeReadUntilClosedWasDelivered) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  const std::string payload(16 << 20, 'x');
  EXPECT_EQ(sendText(native.id, payload), Result::Ok);
  EXPECT_EQ(sendText(native.id, "behind"), Result::Ok);
  runBriefly();
  const std::uint64_t waiting = connection(native.id).bufferedAmount();
  EXPECT_GT(waiting, 6U) << "the socket took everything: the test shows nothing";
  connection(native.id).close(0, false);
  bool isTold = false;
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::Closed) {
      isTold = true;
      EXPECT_EQ(driver_->findEnded(native.id)->bufferedAmount(), waiting);
    }
  };
  EXPECT_EQ(driver_->findEnded(native.id)->bufferedAmount(), waiting);
  runUntil([&] { return isTold; });
  runBriefly();
  EXPECT_EQ(driver_->findEnded(native.id), nullptr);
}

TEST_F(DriverTest, AConnectionThatSentEverythingLeavesNothing) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  EXPECT_EQ(sendText(native.id, "text"), Result::Ok);
  runUntilReceived(native.peer, 6);
  connection(native.id).close(0, true);
  EXPECT_EQ(driver_->findEnded(native.id)->bufferedAmount(), 0U);
}

TEST_F(DriverTest, ConnectionsMayCountTogether) {
  traffic_ = std::make_shared<Traffic>();
  Native native = connectNative(Role::Server, Socket::Tcp, "preamble");
  const ConnectionId stream = connectStream(Role::Server, clientFrame(kText, "head"));          // 10 bytes
  native.peer.write(frame(0x01, "a", true) + clientFrame(kPing, "") + frame(0x80, "b", true));  // 7 + 6 + 7
  runUntil([&] { return eventsOf(EventKind::Text).size() == 2; });
  EXPECT_EQ(traffic_->messagesReceived, 2U);
  EXPECT_EQ(traffic_->bytesReceived, 30U);
  runUntilReceived(native.peer, 10);  // the preamble, which is not counted, and a pong
  EXPECT_EQ(traffic_->bytesSent, 2U);

  EXPECT_EQ(connection(native.id).send(BufferType::Utf8Fragment, bytesOf("a"), 0), Result::Ok);
  EXPECT_EQ(traffic_->messagesSent, 0U);
  EXPECT_EQ(sendText(native.id, "b"), Result::Ok);
  EXPECT_EQ(sendText(stream, "c"), Result::Ok);
  EXPECT_EQ(connection(native.id).send(BufferType::BinaryMessage, bytesOf(std::string(20'000, 'x')), 0), Result::Ok);
  EXPECT_EQ(traffic_->messagesSent, 3U);
  runUntilReceived(native.peer, 10 + 6 + 20'004);
  runUntil([&] { return delegate_.writes == 1; });
  EXPECT_EQ(traffic_->bytesSent, 2U + 6 + 20'004) << "the stream has not taken its bytes yet";
  connection(stream).written(0);
  EXPECT_EQ(traffic_->bytesSent, 2U + 6 + 20'004 + 3);
}

TEST_F(DriverTest, ARefusedMessageIsNotCounted) {
  traffic_ = std::make_shared<Traffic>();
  limits_.send.maxBackpressure = 10;
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "12345678"), Result::Ok);
  EXPECT_EQ(sendText(id, "9"), Result::InsufficientBuffer);
  connection(id).close(0, false);
  EXPECT_EQ(traffic_->messagesSent, 1U);
  EXPECT_EQ(traffic_->bytesSent, 0U);
}

TEST_F(DriverTest, RawBytesStandBehindWhatWasSentBefore) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, "before"), Result::Ok);
  EXPECT_EQ(connection(native.id).sendRaw(bytesOf("raw"), 9), Result::Ok);
  EXPECT_EQ(connection(native.id).bytesWritten(), 11U);
  EXPECT_EQ(sendText(native.id, "after"), Result::Ok);
  const std::string expected = serverFrame(kText, "before") + "raw" + serverFrame(kText, "after");
  runUntilReceived(native.peer, expected.size());
  EXPECT_EQ(native.peer.received, expected);
  runUntil([&] { return saw(EventKind::Sent); });
  EXPECT_EQ(delegate_.events[0].value, 9U);
  EXPECT_FALSE(delegate_.events[0].failed);
}

TEST_F(DriverTest, RawBytesOfAStream) {
  const ConnectionId id = connectStream(Role::Client);
  EXPECT_EQ(connection(id).sendRaw(bytesOf("raw"), 0), Result::Ok);
  runUntil([&] { return delegate_.writes == 1; });
  EXPECT_EQ(delegate_.streamOutput[id], "raw");
}

TEST_F(DriverTest, RawBytesAreBounded) {
  limits_.send.maxBackpressure = 10;
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(connection(id).sendRaw(bytesOf("more than ten bytes"), 0), Result::Ok) << "nothing waits";
  EXPECT_EQ(connection(id).sendRaw(bytesOf("x"), 0), Result::InsufficientBuffer);
  const ConnectionId other = connectStream(Role::Server);
  EXPECT_EQ(connection(other).sendRaw(bytesOf("12345678"), 0), Result::Ok);
  EXPECT_EQ(connection(other).sendRaw(bytesOf("90"), 0), Result::Ok);
  EXPECT_EQ(connection(other).sendRaw(bytesOf("1"), 0), Result::InsufficientBuffer);
}

TEST_F(DriverTest, RawBytesThatWereNeverWritten) {
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(connection(id).sendRaw(bytesOf("raw"), 7), Result::Ok);
  connection(id).close(0, false);
  runUntil([&] { return saw(EventKind::Closed); });
  ASSERT_EQ(eventsOf(EventKind::Sent).size(), 1U);
  EXPECT_TRUE(eventsOf(EventKind::Sent)[0].failed);
}

}  // namespace
}  // namespace websocket::driver

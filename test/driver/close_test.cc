// How connections end on the native transport: the closing handshake in both roles, faults, FIN and RST.
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

TEST_F(DriverTest, AServerAnswersACloseAndEndsTheConnection) {
  Native native = connectNative(Role::Server);
  answerCloseFrames();
  native.peer.write(clientFrame(kText, "last") + clientFrame(kClose, closePayload(3001, "bye")));
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kClose, closePayload(3001, "bye")));
  native.peer.close();
  runUntil([&] { return saw(EventKind::Closed); });
  ASSERT_EQ(delegate_.events.size(), 4U);
  EXPECT_EQ(delegate_.events[0].data, "last");
  EXPECT_EQ(delegate_.events[1].kind, EventKind::Close);
  EXPECT_EQ(delegate_.events[1].value, 3001U);
  EXPECT_EQ(delegate_.events[1].data, "bye");
  EXPECT_EQ(delegate_.events[2].kind, EventKind::End);
  EXPECT_EQ(delegate_.events[3].kind, EventKind::Closed);
  EXPECT_EQ(delegate_.events[3].value, 0U);
  EXPECT_EQ(driver_->find(native.id), nullptr);
}

// A pong for a ping that it read late, for example: RST would destroy what it has not read.
TEST_F(DriverTest, AServerLetsAClientReadThatSendsSomethingBehindItsCloseFrame) {
  constexpr std::size_t kSize = 200'000;  // more than one read of the peer, and less than the socket takes
  Native native = connectNative(Role::Server, Socket::Tcp);
  EXPECT_EQ(sendText(native.id, std::string(kSize, 'x')), Result::Ok);
  answerCloseFrames();
  native.peer.write(clientFrame(kClose, closePayload(1000)));
  runUntil([&] { return saw(EventKind::Close); });
  runBriefly();
  native.peer.write(clientFrame(kPong, "late"));
  runBriefly();
  EXPECT_FALSE(saw(EventKind::Closed));
  runUntilEnded(native.peer);
  EXPECT_EQ(parseFrames(native.peer.received).size(), 2U);
  native.peer.close();
  runUntil([&] { return saw(EventKind::Closed); });
}

TEST_F(DriverTest, ACloseWithoutAStatusIsReportedAs1005) {
  Native native = connectNative(Role::Server);
  answerCloseFrames();
  native.peer.write(clientFrame(kClose, ""));
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kClose, ""));
  EXPECT_EQ(eventsOf(EventKind::Close)[0].value, 1005U);
}

TEST_F(DriverTest, AnAnswerToAMessageThatCameWithTheCloseFrameLeavesBeforeTheAnsweringClose) {
  Native native = connectNative(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::Text) {
      EXPECT_EQ(sendText(event.connection, "answer"), Result::Ok);
    } else if (event.kind == EventKind::Close) {
      EXPECT_EQ(connection(event.connection).sendClose(1000, {}), Result::Ok);
    }
  };
  native.peer.write(clientFrame(kText, "request") + clientFrame(kClose, closePayload(1000)));
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kText, "answer") + serverFrame(kClose, closePayload(1000)));
}

TEST_F(DriverTest, AServerThatClosesWaitsForTheAnswer) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(connection(native.id).sendClose(1000, bytesOf("done")), Result::Ok);
  runUntilReceived(native.peer, 8);
  EXPECT_EQ(native.peer.received, serverFrame(kClose, closePayload(1000, "done")));
  native.peer.write(clientFrame(kText, "still on its way"));
  runUntil([&] { return saw(EventKind::Text); });
  EXPECT_FALSE(saw(EventKind::Closed));
  native.peer.write(clientFrame(kClose, closePayload(1000)));
  runUntilEnded(native.peer);
  EXPECT_EQ(parseFrames(native.peer.received).size(), 1U) << "no second Close frame";
  native.peer.close();
  runUntil([&] { return saw(EventKind::Closed); });
}

TEST_F(DriverTest, AClientWaitsForTheServersFin) {
  Native native = connectNative(Role::Client);
  EXPECT_EQ(connection(native.id).sendClose(1000, {}), Result::Ok);
  native.peer.write(serverFrame(kClose, closePayload(1000)));
  runUntil([&] { return saw(EventKind::Close); });
  runBriefly();
  EXPECT_FALSE(saw(EventKind::Closed));
  EXPECT_TRUE(native.peer.read());
  native.peer.shutdownWrite();
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_EQ(delegate_.events[delegate_.events.size() - 2].kind, EventKind::End);
  EXPECT_FALSE(native.peer.read());
}

TEST_F(DriverTest, MessagesQueuedBeforeTheCloseAreSentBeforeIt) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  const std::string payload(2 << 20, 'x');
  EXPECT_EQ(sendText(native.id, payload), Result::Ok);
  EXPECT_EQ(connection(native.id).sendClose(1001, {}), Result::Ok);
  EXPECT_EQ(sendText(native.id, "too late"), Result::InvalidOperation);
  native.peer.write(clientFrame(kClose, closePayload(1001)));
  runUntilEnded(native.peer);
  const std::vector<ParsedFrame> frames = parseFrames(native.peer.received);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_TRUE(frames[0].payload == payload);
  EXPECT_EQ(frames[1].payload, closePayload(1001));
}

TEST_F(DriverTest, DiscardsWhatFollowsACloseFrame) {
  Native native = connectNative(Role::Client);
  native.peer.write(serverFrame(kClose, closePayload(1000)) + serverFrame(kText, "after the end"));
  runUntil([&] { return saw(EventKind::Close); });
  native.peer.write(serverFrame(kText, "more"));
  native.peer.shutdownWrite();
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_FALSE(saw(EventKind::Text));
}

struct FaultCase {
  const char* name;
  std::string wire;
  unsigned status;
};

class FaultTest : public DriverTest, public testing::WithParamInterface<FaultCase> {};

TEST_P(FaultTest, IsToldToThePeerAndEndsTheConnection) {
  limits_.maxPayload = 1000;
  limits_.maxFragments = 3;
  Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kText, "good") + GetParam().wire + clientFrame(kText, "ignored"));
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kClose, closePayload(GetParam().status)));
  ASSERT_EQ(delegate_.events.size(), 2U);
  EXPECT_EQ(delegate_.events[0].data, "good");
  EXPECT_EQ(delegate_.events[1].kind, EventKind::Fault);
  EXPECT_EQ(delegate_.events[1].value, GetParam().status);
  EXPECT_FALSE(delegate_.events[1].data.empty());
  EXPECT_EQ(sendText(native.id, "x"), Result::InvalidOperation);
  native.peer.close();
  runUntil([&] { return saw(EventKind::Closed); });
}

INSTANTIATE_TEST_SUITE_P(
    Faults, FaultTest,
    testing::Values(
        FaultCase{"Unmasked", serverFrame(kText, "x"), 1002}, FaultCase{"Rsv", clientFrame(0xC1, "x"), 1002},
        FaultCase{"InvalidUtf8", clientFrame(kText, "\xC3\x28"), 1007},
        FaultCase{"TooBig", clientFrame(kBinary, std::string(1001, 'x')), 1009},
        FaultCase{"TooBigInParts", clientFrame(0x02, std::string(600, 'x')) + clientFrame(0x80, std::string(600, 'x')),
                  1009},
        FaultCase{"TooManyFragments",
                  clientFrame(0x02, "1") + clientFrame(0x00, "2") + clientFrame(0x00, "3") + clientFrame(0x80, "4"),
                  1008},
        FaultCase{"CloseStatus", clientFrame(kClose, closePayload(1005)), 1002}),
    [](const auto& info) { return info.param.name; });

TEST_F(DriverTest, AMessageBeforeAFaultCanBeAnsweredBeforeTheCloseFrame) {
  Native native = connectNative(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::Text) {
      EXPECT_EQ(sendText(event.connection, "answer"), Result::Ok);
    }
  };
  native.peer.write(clientFrame(kText, "good") + serverFrame(kText, "bad"));
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kText, "answer") + serverFrame(kClose, closePayload(1002)));
  EXPECT_EQ(delegate_.batches, 1);
}

TEST_F(DriverTest, AFaultInsideALargeMessageGivesItUp) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  std::string payload(300'000, 'x');
  payload[250'000] = '\xFF';
  const std::string wire = clientFrame(kText, payload);
  for (std::size_t at = 0; at < wire.size(); at += 50'000) {
    native.peer.write(std::string_view(wire).substr(at, 50'000));
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  runUntilEnded(native.peer);
  ASSERT_EQ(delegate_.events.size(), 1U);
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Fault);
  EXPECT_EQ(delegate_.events[0].value, 1007U);
}

TEST_F(DriverTest, AFaultIsNotHiddenByAFlood) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  native.peer.write(serverFrame(kText, "not masked") + std::string(200'000, 'x'));
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kClose, closePayload(1002)));
}

TEST_F(DriverTest, AFaultEndsAPause) {
  Native native = connectNative(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::Text) {
      connection(event.connection).setPaused(true);
    }
  };
  native.peer.write(clientFrame(kText, "good") + serverFrame(kText, "bad"));
  runUntilEnded(native.peer);
  native.peer.close();
  runUntil([&] { return saw(EventKind::Closed); });
}

TEST_F(DriverTest, FinWithoutACloseFrameEndsTheConnectionAfterWhatIsQueued) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, "queued"), Result::Ok);
  native.peer.write(clientFrame(kText, "last"));
  native.peer.shutdownWrite();
  runUntilEnded(native.peer);
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_EQ(native.peer.received, serverFrame(kText, "queued"));
  ASSERT_EQ(delegate_.events.size(), 3U);
  EXPECT_EQ(delegate_.events[0].data, "last");
  EXPECT_EQ(delegate_.events[1].kind, EventKind::End);
  EXPECT_EQ(delegate_.events[2].kind, EventKind::Closed);
  EXPECT_EQ(delegate_.events[2].value, 0U);
}

TEST_F(DriverTest, AMessageSentInAnswerToEndStillLeaves) {
  Native native = connectNative(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::End) {
      EXPECT_EQ(sendText(event.connection, "farewell"), Result::Ok);
    }
  };
  native.peer.shutdownWrite();
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kText, "farewell"));
}

TEST_F(DriverTest, ResetIsReportedWithItsErrorNumber) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  native.peer.reset();
  runUntil([&] { return saw(EventKind::Closed); });
  ASSERT_EQ(delegate_.events.size(), 1U);
  EXPECT_EQ(delegate_.events[0].value, static_cast<std::uint32_t>(ECONNRESET));
}

TEST_F(DriverTest, WhatThePeerSentBeforeItWentAwayIsDeliveredThoughWritingFails) {
  Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kText, "last words") + clientFrame(kClose, closePayload(4000)));
  native.peer.close();
  EXPECT_EQ(sendText(native.id, "nobody hears this"), Result::Ok);
  driver_->flush();  // fails with EPIPE before anything was read
  runUntil([&] { return saw(EventKind::Closed); });
  ASSERT_GE(delegate_.events.size(), 3U);
  EXPECT_EQ(delegate_.events[0].data, "last words");
  EXPECT_EQ(delegate_.events[1].kind, EventKind::Close);
  EXPECT_EQ(delegate_.events[1].value, 4000U);
  EXPECT_EQ(delegate_.events.back().kind, EventKind::Closed);
}

TEST_F(DriverTest, ShutdownSendsFinAndReadsOn) {
  Native native = connectNative(Role::Server);
  EXPECT_EQ(sendText(native.id, "x"), Result::Ok);
  connection(native.id).shutdown();
  runUntilEnded(native.peer);
  EXPECT_EQ(native.peer.received, serverFrame(kText, "x"));
  native.peer.write(clientFrame(kText, "heard"));
  runUntil([&] { return saw(EventKind::Text); });
  native.peer.close();
  runUntil([&] { return saw(EventKind::Closed); });
}

TEST_F(DriverTest, DestroyEndsAtOnce) {
  Native native = connectNative(Role::Server, Socket::Tcp);
  connection(native.id).close(0, false);
  EXPECT_EQ(driver_->find(native.id), nullptr);
  runUntilEnded(native.peer);
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_EQ(delegate_.events.size(), 1U);
}

TEST_F(DriverTest, DestroyWithResetSendsRst) {
  const Native native = connectNative(Role::Server, Socket::Tcp);
  connection(native.id).close(0, true);
  char byte = 0;
  runUntil([&] { return ::recv(native.peer.fd(), &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN; });
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(DriverTest, DestroyWhileAWriteIsUnderWay) {
  const Native native = connectNative(Role::Server, Socket::Tcp);
  EXPECT_EQ(sendText(native.id, std::string(16 << 20, 'x'), 9), Result::Ok);
  runBriefly();
  connection(native.id).close(0, false);
  runUntil([&] { return saw(EventKind::Closed); });
  ASSERT_EQ(eventsOf(EventKind::Sent).size(), 1U);
  EXPECT_TRUE(eventsOf(EventKind::Sent)[0].failed);
  runBriefly();
}

}  // namespace
}  // namespace websocket::driver

// The stream transport: the application reads and writes.
#include <string>
#include <vector>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

class StreamTest : public DriverTest {
 protected:
  void SetUp() override {
    DriverTest::SetUp();
    delegate_.onWrite = [this](ConnectionId id) { connection(id).written(0); };
  }
};

TEST_F(StreamTest, EchoesInBothRoles) {
  const ConnectionId server = connectStream(Role::Server);
  const ConnectionId client = connectStream(Role::Client);
  EXPECT_EQ(sendText(client, "question"), Result::Ok);
  EXPECT_EQ(sendText(client, std::string(100'000, 'q')), Result::Ok);
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.connection == server) {
      EXPECT_EQ(sendText(server, event.data), Result::Ok);
    }
  };
  runUntil([&] {
    connection(server).receive(bytesOf(std::exchange(delegate_.streamOutput[client], {})));
    connection(client).receive(bytesOf(std::exchange(delegate_.streamOutput[server], {})));
    return delegate_.events.size() == 4;
  });
  EXPECT_EQ(delegate_.events[0].data, "question");
  EXPECT_EQ(delegate_.events[2].connection, client);
  EXPECT_EQ(delegate_.events[2].data, "question");
  EXPECT_EQ(delegate_.events[3].data, std::string(100'000, 'q'));
}

TEST_F(StreamTest, CollectsAnIterationsMessagesInOneWrite) {
  const ConnectionId id = connectStream(Role::Server);
  for (int index = 0; index < 50; ++index) {
    EXPECT_EQ(sendText(id, "x"), Result::Ok);
  }
  runBriefly();
  EXPECT_EQ(delegate_.writes, 1);
  EXPECT_EQ(parseFrames(delegate_.streamOutput[id]).size(), 50U);
}

TEST_F(StreamTest, ManyStreamsAreWrittenTogether) {
  std::vector<ConnectionId> ids;
  for (int index = 0; index < 100; ++index) {
    ids.push_back(connectStream(Role::Server));
    EXPECT_EQ(sendText(ids.back(), std::to_string(index)), Result::Ok);
  }
  driver_->flush();
  EXPECT_EQ(delegate_.writes, 100);
  EXPECT_EQ(delegate_.flushes, 1);
  EXPECT_EQ(delegate_.streamOutput[ids[42]], serverFrame(kText, "42"));
  EXPECT_EQ(connection(ids[42]).bufferedAmount(), 0U);
}

TEST_F(StreamTest, AWriteThatIsOverLeavesNothingForAnotherFlush) {
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "x"), Result::Ok);
  driver_->flush();
  EXPECT_TRUE(connection(id).markDirty());
  connection(id).flush();
  connection(id).shutdown();
  runUntil([&] { return saw(EventKind::Shutdown); });
}

TEST_F(StreamTest, HasOneWriteUnderWayAtATime) {
  delegate_.onWrite = nullptr;
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "1", 1), Result::Ok);
  runBriefly();
  EXPECT_EQ(sendText(id, "2", 2), Result::Ok);
  runBriefly();
  EXPECT_EQ(delegate_.writes, 1);
  EXPECT_FALSE(saw(EventKind::Sent));
  connection(id).written(0);
  runBriefly();
  EXPECT_EQ(delegate_.writes, 2);
  EXPECT_EQ(eventsOf(EventKind::Sent).size(), 1U);
  connection(id).written(0);
  runBriefly();
  EXPECT_EQ(eventsOf(EventKind::Sent).size(), 2U);
  connection(id).written(0);  // one too many has no effect
  runBriefly();
  EXPECT_EQ(delegate_.writes, 2);
}

TEST_F(StreamTest, WritesALargeMessageInBoundedSteps) {
  const ConnectionId id = connectStream(Role::Server);
  const std::string payload(5 << 20, 'x');
  EXPECT_EQ(sendText(id, payload), Result::Ok);
  runUntil([&] { return delegate_.streamOutput[id].size() == payload.size() + 10; });
  EXPECT_GE(delegate_.writes, 5);
  EXPECT_TRUE(delegate_.streamOutput[id] == serverFrame(kText, payload));
}

TEST_F(StreamTest, ReceivesMoreThanTheSlabHoldsInOneChunk) {
  const ConnectionId id = connectStream(Role::Server);
  std::string wire;
  for (int index = 0; index < 30; ++index) {
    wire += clientFrame(kText, std::string(50'000, static_cast<char>('a' + index % 26)));
  }
  const std::string before = wire;
  connection(id).receive(bytesOf(wire));
  EXPECT_TRUE(wire == before) << "the caller's bytes were changed";
  runUntil([&] { return delegate_.events.size() == 30; });
  for (std::size_t index = 0; index < 30; ++index) {
    EXPECT_TRUE(delegate_.events[index].data == std::string(50'000, static_cast<char>('a' + index % 26)));
  }
}

TEST_F(StreamTest, ReceivesInsideADelivery) {
  const ConnectionId first = connectStream(Role::Server);
  const ConnectionId second = connectStream(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.connection == first) {
      connection(second).receive(bytesOf(clientFrame(kText, event.data + event.data)));
      driver_->deliverIfFull();
    }
  };
  std::string wire;
  for (int index = 0; index < 20; ++index) {
    wire += clientFrame(kText, std::string(20'000, static_cast<char>('a' + index)));
  }
  connection(first).receive(bytesOf(wire));
  runUntil([&] { return delegate_.events.size() == 40; });
  for (std::size_t index = 0; index < 20; ++index) {
    EXPECT_TRUE(delegate_.events[index].data == std::string(20'000, static_cast<char>('a' + index)));
    EXPECT_TRUE(delegate_.events[index + 20].data == std::string(40'000, static_cast<char>('a' + index)));
  }
}

TEST_F(StreamTest, AServerAsksForTheEndWhenBothCloseFramesAreOut) {
  const ConnectionId id = connectStream(Role::Server);
  answerCloseFrames();
  connection(id).receive(bytesOf(clientFrame(kClose, closePayload(1000))));
  runUntil([&] { return saw(EventKind::Shutdown); });
  EXPECT_EQ(delegate_.streamOutput[id], serverFrame(kClose, closePayload(1000)));
  EXPECT_FALSE(saw(EventKind::Closed));
  connection(id).close(0, false);
  runBriefly();
  EXPECT_EQ(delegate_.events.back().kind, EventKind::Closed);
}

TEST_F(StreamTest, AClientDoesNotAskForTheEndAfterAClose) {
  const ConnectionId id = connectStream(Role::Client);
  answerCloseFrames();
  connection(id).receive(bytesOf(serverFrame(kClose, closePayload(1000))));
  runUntil([&] { return !delegate_.streamOutput[id].empty(); });
  runBriefly();
  EXPECT_FALSE(saw(EventKind::Shutdown));
}

TEST_F(StreamTest, AFaultIsToldToThePeerAndThenTheStreamEnds) {
  const ConnectionId id = connectStream(Role::Client);
  connection(id).receive(bytesOf(clientFrame(kText, "masked by a server")));
  runUntil([&] { return saw(EventKind::Shutdown); });
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Fault);
  const std::vector<ParsedFrame> frames = parseFrames(delegate_.streamOutput[id]);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].payload, closePayload(1002));
  connection(id).receive(bytesOf("ignored"));
}

TEST_F(StreamTest, ShutdownFollowsWhatIsQueued) {
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "x", 5), Result::Ok);
  connection(id).shutdown();
  runUntil([&] { return saw(EventKind::Shutdown); });
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Sent);
  EXPECT_EQ(sendText(id, "y"), Result::InvalidOperation);
}

TEST_F(StreamTest, DetachReportsUnsentMessages) {
  delegate_.onWrite = nullptr;
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "under way", 1), Result::Ok);
  runBriefly();
  EXPECT_EQ(sendText(id, "waiting", 2), Result::Ok);
  connection(id).close(0, false);
  runBriefly();
  ASSERT_EQ(delegate_.events.size(), 3U);
  EXPECT_TRUE(delegate_.events[0].failed);
  EXPECT_TRUE(delegate_.events[1].failed);
  EXPECT_EQ(delegate_.events[2].kind, EventKind::Closed);
}

TEST_F(StreamTest, AFailedWriteEndsTheConnection) {
  delegate_.onWrite = [this](ConnectionId id) { connection(id).written(UV_EPIPE); };
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "x", 1), Result::Ok);
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_TRUE(delegate_.events[0].failed);
  EXPECT_EQ(delegate_.events[1].value, static_cast<std::uint32_t>(-UV_EPIPE));
}

TEST_F(StreamTest, TheStreamMayEndInsideItsWrite) {
  delegate_.onWrite = [this](ConnectionId id) { connection(id).close(0, false); };
  const ConnectionId id = connectStream(Role::Server);
  EXPECT_EQ(sendText(id, "x", 1), Result::Ok);
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_EQ(driver_->find(id), nullptr);
}

TEST_F(StreamTest, TheHeadIsParsed) {
  connectStream(Role::Server, clientFrame(kText, "head"));
  runUntil([&] { return saw(EventKind::Text); });
  EXPECT_EQ(delegate_.events[0].data, "head");
}

}  // namespace
}  // namespace websocket::driver

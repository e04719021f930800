// Receiving on the native transport: whatever the split of the bytes, the messages are the same.
#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t index = 0; index < size; ++index) {
    text[index] = static_cast<char>('a' + index * 7 % 26);
  }
  return text;
}

TEST_F(DriverTest, DeliversATextAndABinaryMessage) {
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kText, "hello") + clientFrame(kBinary, std::string("\0\1\2", 3)));
  runUntil([&] { return delegate_.events.size() == 2; });
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Text);
  EXPECT_EQ(delegate_.events[0].data, "hello");
  EXPECT_EQ(delegate_.events[0].connection, native.id);
  EXPECT_EQ(delegate_.events[1].kind, EventKind::Binary);
  EXPECT_EQ(delegate_.events[1].data, std::string("\0\1\2", 3));
}

TEST_F(DriverTest, DeliversAnEmptyMessage) {
  const Native native = connectNative(Role::Client);
  native.peer.write(serverFrame(kText, ""));
  runUntil([&] { return saw(EventKind::Text); });
  EXPECT_EQ(delegate_.events[0].data, "");
}

TEST_F(DriverTest, AcceptsAFrameSplitAtEveryByte) {
  const std::string wire =
      clientFrame(kText, pattern(200)) + clientFrame(kPing, "p") + clientFrame(0x01, "ab") + clientFrame(0x80, "cd");
  for (std::size_t split = 1; split < wire.size(); ++split) {
    delegate_.events.clear();
    const Native native = connectNative(Role::Server);
    native.peer.write(wire.substr(0, split));
    runUntil([&] {
      uv_run(&loop_, UV_RUN_NOWAIT);
      return true;
    });
    native.peer.write(wire.substr(split));
    runUntil([&] { return delegate_.events.size() == 3; });
    ASSERT_EQ(delegate_.events[0].data, pattern(200)) << "split at " << split;
    ASSERT_EQ(delegate_.events[1].kind, EventKind::Ping);
    ASSERT_EQ(delegate_.events[1].data, "p") << "split at " << split;
    ASSERT_EQ(delegate_.events[2].data, "abcd") << "split at " << split;
    connection(native.id).close(0, false);
    runUntil([&] { return saw(EventKind::Closed); });
  }
}

TEST_F(DriverTest, AcceptsAFrameByteByByte) {
  const Native native = connectNative(Role::Server);
  for (const char byte : clientFrame(kText, "byte by byte") + clientFrame(kClose, closePayload(1000, "end"))) {
    native.peer.write({&byte, 1});
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  runUntil([&] { return saw(EventKind::Close); });
  EXPECT_EQ(delegate_.events[0].data, "byte by byte");
  EXPECT_EQ(eventsOf(EventKind::Close)[0].data, "end");
  EXPECT_EQ(eventsOf(EventKind::Close)[0].value, 1000U);
}

// The writer and the loop take turns, because the socket holds less than the message.
void writeAll(uv_loop_t* loop, const Peer& peer, std::string_view bytes) {
  constexpr std::size_t kChunk = 50'000;
  while (!bytes.empty()) {
    peer.write(bytes.substr(0, kChunk));
    bytes.remove_prefix(std::min(bytes.size(), kChunk));
    uv_run(loop, UV_RUN_NOWAIT);
  }
}

class LargeMessageTest : public DriverTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(LargeMessageTest, ArrivesWhole) {
  const std::string payload = pattern(GetParam());
  const Native native = connectNative(Role::Server, Socket::Tcp);
  writeAll(&loop_, native.peer, clientFrame(kText, payload) + clientFrame(kText, "next"));
  runUntil([&] { return delegate_.events.size() == 2; });
  EXPECT_TRUE(delegate_.events[0].data == payload);
  EXPECT_EQ(delegate_.events[1].data, "next");
}

INSTANTIATE_TEST_SUITE_P(Sizes, LargeMessageTest,
                         testing::Values(65535, 65536, 70000, 200000, 524287, 524288, 524289, 1 << 20, 16 << 20));

TEST_F(DriverTest, AssemblesLargeFragmentsWithPingsBetween) {
  const std::string part = pattern(300'000);
  const Native native = connectNative(Role::Server, Socket::Tcp);
  writeAll(&loop_, native.peer,
           clientFrame(0x02, part) + clientFrame(kPing, "1") + clientFrame(0x00, part) + clientFrame(kPing, "2") +
               clientFrame(0x80, ""));
  runUntil([&] { return saw(EventKind::Binary); });
  EXPECT_EQ(eventsOf(EventKind::Ping).size(), 2U);
  EXPECT_TRUE(eventsOf(EventKind::Binary)[0].data == part + part);
}

TEST_F(DriverTest, ParsesTheHeadBeforeWhatTheSocketDelivers) {
  const std::string wire = clientFrame(kText, "from the head");
  const Native native = connectNative(Role::Server, Socket::Unix, "", wire.substr(0, 7));
  native.peer.write(wire.substr(7) + clientFrame(kText, "later"));
  runUntil([&] { return delegate_.events.size() == 2; });
  EXPECT_EQ(delegate_.events[0].data, "from the head");
  EXPECT_EQ(delegate_.events[1].data, "later");
}

TEST_F(DriverTest, DeliversManyConnectionsInOneBatch) {
  std::vector<Native> natives;
  for (int index = 0; index < 50; ++index) {
    natives.push_back(connectNative(Role::Server));
    natives.back().peer.write(clientFrame(kText, std::to_string(index)));
  }
  runUntil([&] { return delegate_.events.size() == 50; });
  EXPECT_EQ(delegate_.batches, 1);
}

TEST_F(DriverTest, DeliversEarlyWhenTheSlabIsUsedUp) {
  std::vector<Native> natives;
  const std::string payload = pattern(100'000);
  for (int index = 0; index < 20; ++index) {
    natives.push_back(connectNative(Role::Server));
    natives.back().peer.write(clientFrame(kBinary, payload));
  }
  runUntil([&] { return delegate_.events.size() == 20; });
  EXPECT_GT(delegate_.batches, 1);
  for (const SeenEvent& event : delegate_.events) {
    EXPECT_TRUE(event.data == payload);
  }
}

TEST_F(DriverTest, ReportsPongsSolicitedOrNot) {
  const Native native = connectNative(Role::Server);
  EXPECT_EQ(connection(native.id).sendControl(BufferType::PingPong, bytesOf("mine"), 0), Result::Ok);
  native.peer.write(clientFrame(kPong, "mine") + clientFrame(kPong, "unasked"));
  runUntil([&] { return delegate_.events.size() == 2; });
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Pong);
  EXPECT_EQ(delegate_.events[0].data, "mine");
  EXPECT_EQ(delegate_.events[1].data, "unasked");
}

TEST_F(DriverTest, ReadsNothingWhilePausedAndEverythingAfterwards) {
  const Native native = connectNative(Role::Server);
  connection(native.id).setPaused(true);
  native.peer.write(clientFrame(kText, "1") + clientFrame(kText, "2"));
  runBriefly();
  EXPECT_TRUE(delegate_.events.empty());
  connection(native.id).setPaused(false);
  runUntil([&] { return delegate_.events.size() == 2; });
  EXPECT_EQ(delegate_.events[0].data, "1");
  EXPECT_EQ(delegate_.events[1].data, "2");
}

TEST_F(DriverTest, ReadsAheadWhilePausedUpToTheLimit) {
  const Native native = connectNative(Role::Server);
  connection(native.id).setPaused(true, 1000);
  native.peer.write(clientFrame(kText, std::string(600, '1')));
  runUntil([&] { return delegate_.events.size() == 1; });
  native.peer.write(clientFrame(kText, std::string(600, '2')));
  runUntil([&] { return delegate_.events.size() == 2; });
  native.peer.write(clientFrame(kText, "3"));
  runBriefly();
  EXPECT_EQ(delegate_.events.size(), 2U);
  connection(native.id).setPaused(false);
  runUntil([&] { return delegate_.events.size() == 3; });
}

TEST_F(DriverTest, AnEndWithinTheReadAheadIsSeenWhilePaused) {
  Native native = connectNative(Role::Server);
  connection(native.id).setPaused(true, 1000);
  native.peer.write(clientFrame(kText, "1"));
  native.peer.close();
  runUntil([&] { return saw(EventKind::End); });
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Text);
}

TEST_F(DriverTest, PauseInsideADeliveryStopsFurtherReading) {
  const Native native = connectNative(Role::Server);
  delegate_.onEvent = [&](const SeenEvent& event) { connection(event.connection).setPaused(true); };
  native.peer.write(clientFrame(kText, "1"));
  runUntil([&] { return delegate_.events.size() == 1; });
  native.peer.write(clientFrame(kText, "2"));
  runBriefly();
  EXPECT_EQ(delegate_.events.size(), 1U);
}

TEST_F(DriverTest, ConnectionsWithoutBytesUnderWayHoldNoReceiveMemory) {
  Native first = connectNative(Role::Server);
  Native second = connectNative(Role::Server);
  // Both have half a frame; what the second reads must not overwrite the first's.
  const std::string wire = clientFrame(kText, "0123456789");
  first.peer.write(wire.substr(0, 10));
  runBriefly();
  second.peer.write(clientFrame(kText, std::string(1000, 'x')));
  runUntil([&] { return delegate_.events.size() == 1; });
  first.peer.write(wire.substr(10));
  runUntil([&] { return delegate_.events.size() == 2; });
  EXPECT_EQ(delegate_.events[1].data, "0123456789");
}

}  // namespace
}  // namespace websocket::driver

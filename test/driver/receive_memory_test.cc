// What messages under way reserve: little more than what came of them, however it came, and not too much together.
#include <algorithm>
#include <string>
#include <vector>

#include "driver_fixture.h"
#include "extension/deflater.h"

namespace websocket::driver {
namespace {

class ReceiveMemoryTest : public DriverTest {
 protected:
  // Gives the bytes to a stream connection in pieces, as a socket would.
  void receive(ConnectionId id, std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t size = std::min<std::size_t>(bytes.size(), 65'536);
      connection(id).receive(bytesOf(bytes.substr(0, size)));
      driver_->deliverWaiting();
      bytes.remove_prefix(size);
    }
  }
  std::size_t reserved() { return driver_->receiveMemory().reserved; }
};

TEST_F(ReceiveMemoryTest, AFloodOfTinyFragmentsReservesLittleMoreThanTheirPayload) {
  const ConnectionId id = connectStream(Role::Server);
  receive(id, clientFrame(0x02, ""));
  std::string wire;
  std::size_t payload = 0;
  for (int round = 0; round < 8; ++round) {
    wire.clear();
    for (int i = 0; i < 8192; ++i) {
      wire += clientFrame(0x00, i % 2 == 0 ? "x" : "");
      payload += i % 2 == 0 ? 1 : 0;
    }
    receive(id, wire);
    EXPECT_LE(reserved(), payload + payload / 4 + 4096);
  }
  receive(id, clientFrame(0x80, "end"));
  runUntil([&] { return saw(EventKind::Binary); });
  EXPECT_EQ(eventsOf(EventKind::Binary)[0].data.size(), payload + 3);
  runBriefly();
  EXPECT_EQ(reserved(), 0U);
}

TEST_F(ReceiveMemoryTest, LargePiecesReserveAtMostAQuarterMore) {
  const ConnectionId id = connectStream(Role::Server);
  receive(id, clientFrame(0x02, "begin"));
  std::size_t payload = 5;
  for (int i = 0; i < 40; ++i) {
    const std::string piece(100'000, 'x');
    receive(id, clientFrame(0x00, piece));
    payload += piece.size();
    EXPECT_LE(reserved(), payload + payload / 4 + 4096);
  }
  connection(id).close(0, false);
  EXPECT_EQ(reserved(), 0U);
}

TEST_F(ReceiveMemoryTest, TheConnectionThatTakesTooMuchBesidesOthersIsClosed) {
  driver_->receiveMemory().most = 1'000'000;
  const ConnectionId first = connectStream(Role::Server);
  const ConnectionId second = connectStream(Role::Server);
  const std::string half(600'000, 'x');
  receive(first, clientFrame(0x02, half));
  receive(second, clientFrame(0x02, half));
  runUntil([&] { return saw(EventKind::Fault); });
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].connection, second);
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1008U);
  EXPECT_LE(reserved(), half.size() + half.size() / 4 + 4096);
  receive(first, clientFrame(0x80, half));
  runUntil([&] { return saw(EventKind::Binary); });
  EXPECT_EQ(eventsOf(EventKind::Binary)[0].data.size(), 2 * half.size()) << "alone it may take more";
}

class InflatedMemoryTest : public ReceiveMemoryTest {
 protected:
  void SetUp() override {
    limits_.deflate.emplace();
    deflate_.emplace();
    limits_.maxPayload = std::size_t{10} << 20;
    ReceiveMemoryTest::SetUp();
  }

  static std::string deflated(std::size_t zeros, bool last = true) {
    ZlibMemory memory;
    Deflater deflater({}, memory);
    ByteBuffer output;
    const std::string text(zeros, '\0');
    deflater.deflate(bytesOf(text), last, output);
    return {output.view().begin(), output.view().end()};
  }
};

TEST_F(InflatedMemoryTest, ALargeMessageIsInflatedInManyTurnsAndOthersAreServedBetween) {
  constexpr std::size_t kSize = std::size_t{9} << 20;
  const std::string wire = clientFrame(0xC2, deflated(kSize));
  const Native native = connectNative(Role::Server);
  const ConnectionId stream = connectStream(Role::Server);
  const ConnectionId other = connectStream(Role::Server);
  native.peer.write(wire);
  receive(stream, wire);
  EXPECT_TRUE(connection(stream).isWaiting());
  int turns = 0;
  for (; eventsOf(EventKind::Binary).size() < 2 && turns < 10'000; ++turns) {
    receive(other, clientFrame(kText, "x"));
    uv_run(&loop_, UV_RUN_NOWAIT);
    EXPECT_GE(eventsOf(EventKind::Text).size(), static_cast<std::size_t>(turns));
  }
  EXPECT_FALSE(connection(stream).isWaiting());
  EXPECT_GE(turns, 9);
  for (const SeenEvent& event : eventsOf(EventKind::Binary)) {
    EXPECT_EQ(event.data.size(), kSize);
  }
}

TEST_F(InflatedMemoryTest, ManyIncompleteMessagesAtOnceAreAllInflated) {
  const std::string wire = clientFrame(0x42, deflated(100'000, false));
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 40; ++i) {
    ids.push_back(connectStream(Role::Server));
  }
  for (const ConnectionId id : ids) {
    connection(id).receive(bytesOf(wire));
  }
  runUntil([&] { return std::ranges::none_of(ids, [&](ConnectionId id) { return connection(id).isWaiting(); }); });
  for (const ConnectionId id : ids) {
    connection(id).receive(bytesOf(clientFrame(0x80, deflated(0))));
  }
  runUntil([&] { return eventsOf(EventKind::Binary).size() == ids.size(); });
  for (const SeenEvent& event : eventsOf(EventKind::Binary)) {
    EXPECT_EQ(event.data.size(), 100'000U);
  }
  runBriefly();
  EXPECT_EQ(reserved(), 0U);
}

TEST_F(InflatedMemoryTest, ManyBombsTogetherStayWithinTheLimit) {
  constexpr std::size_t kLimit = std::size_t{2} << 20;
  driver_->receiveMemory().most = kLimit;
  const std::string wire = clientFrame(0xC2, deflated(std::size_t{12} << 20));
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 8; ++i) {
    ids.push_back(connectStream(Role::Server));
    connection(ids.back()).receive(bytesOf(wire));
  }
  std::size_t most = 0;
  runUntil([&] {
    if (eventsOf(EventKind::Fault).size() < 7) {
      most = std::max(most, reserved());
    }
    return eventsOf(EventKind::Fault).size() == 8;
  });
  EXPECT_LE(most, kLimit);
}

TEST_F(InflatedMemoryTest, AConnectionThatIsClosedInItsTurnGivesEverythingBack) {
  const ConnectionId id = connectStream(Role::Server);
  connection(id).receive(bytesOf(clientFrame(0xC2, deflated(std::size_t{9} << 20))));
  runBriefly();
  if (driver_->find(id) != nullptr) {
    connection(id).close(0, false);
  }
  runBriefly();
  EXPECT_EQ(reserved(), 0U);
}

}  // namespace
}  // namespace websocket::driver

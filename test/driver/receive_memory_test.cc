// What messages under way reserve: little more than what came of them, however it came, and not too much together.
#ifdef __linux__
#include <malloc.h>
#endif
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
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

TEST_F(InflatedMemoryTest, WhatAConnectionCannotTakeYetMayStayWithTheCaller) {
  constexpr std::size_t kSize = std::size_t{2} << 20;
  const ConnectionId id = connectStream(Role::Server);
  std::string wire = clientFrame(0xC2, deflated(kSize));
  for (int i = 0; i < 4000; ++i) {
    wire += clientFrame(kText, "behind");
  }
  const std::uint64_t before = connection(id).bytesRead();
  std::span<const std::uint8_t> rest = bytesOf(wire);
  std::size_t offers = 0;
  for (; !rest.empty() && offers < 1000; ++offers) {
    rest = rest.last(connection(id).receive(rest, Connection::Rest::Leave));
    EXPECT_EQ(connection(id).bytesRead() - before, wire.size() - rest.size());
    EXPECT_TRUE(rest.empty() || connection(id).isWaiting());
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  EXPECT_GE(offers, 2U);
  runUntil([&] { return eventsOf(EventKind::Text).size() == 4000; });
  ASSERT_EQ(eventsOf(EventKind::Binary).size(), 1U);
  EXPECT_EQ(eventsOf(EventKind::Binary)[0].data.size(), kSize);
  EXPECT_EQ(eventsOf(EventKind::Text).back().data, "behind");
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

#ifdef __GLIBC__
// Bytes of the heap in use, blocks with a mapping of their own included; not memory that messages have mapped.
std::size_t heapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Little on the wire becomes maxPayload, and then nothing more: neither compressed bytes that wait nor a context.
TEST_F(InflatedMemoryTest, ABombTakesLittleBesideMaxPayload) {
  const std::string data = deflated(std::size_t{64} << 20);
  const std::string whole = clientFrame(0xC2, data + std::string(1 << 20, 'x'));
  std::string split = clientFrame(0x42, data.substr(0, 1024));
  for (std::size_t at = 1024; at < data.size(); at += 1024) {
    split += clientFrame(0x00, data.substr(at, 1024));
  }
  for (const std::string& wire : {whole, split}) {
    Native native = connectNative(Role::Server);
    receive(connectStream(Role::Server), clientFrame(kText, "the slab is there"));
    runUntil([&] { return saw(EventKind::Text); });
    driver_->deflatePool()->trim();
    const std::size_t before = heapInUse();
    std::size_t most = 0;
    std::string_view rest = wire;
    delegate_.events.clear();
    while (!saw(EventKind::Fault)) {
      const ssize_t count = ::send(native.peer.fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      rest.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
      uv_run(&loop_, UV_RUN_NOWAIT);
      // What of the message is not mapped yet counts twice.
      most = std::max(most, heapInUse() + reserved() - std::min(heapInUse(), before));
    }
    EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1009U);
    EXPECT_GE(most, limits_.maxPayload * 3 / 4) << "otherwise it was not looked at";
    EXPECT_LE(most, limits_.maxPayload + std::size_t{64} * 1024);
    EXPECT_EQ(reserved(), 0U);
    EXPECT_LE(heapInUse(), before + std::size_t{48} * 1024) << "the context, in the pool";
    connection(native.id).close(0, false);
    runBriefly();
    delegate_.events.clear();
  }
}
#endif

TEST_F(InflatedMemoryTest, OfManyBombsOneIsFinishedAfterTheOtherAndSmallerMessagesComeBetween) {
  const std::string bomb = clientFrame(0xC2, deflated(std::size_t{12} << 20));
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 6; ++i) {
    ids.push_back(connectStream(Role::Server));
    connection(ids.back()).receive(bytesOf(bomb));
  }
  std::size_t most = 0;
  ConnectionId small = 0;
  while (eventsOf(EventKind::Fault).size() < ids.size()) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    most = std::max(most, reserved());
    if (small == 0 && reserved() > std::size_t{8} << 20) {  // all are small no longer
      small = connectStream(Role::Server);
      connection(small).receive(bytesOf(clientFrame(0xC2, deflated(std::size_t{700} * 1024))));
      runUntil([&] { return saw(EventKind::Binary); });
      EXPECT_LE(eventsOf(EventKind::Fault).size(), 1U);
    }
  }
  EXPECT_NE(small, 0U);
  // The largest of them, the others as small messages, and what is reserved ahead.
  EXPECT_LE(most, limits_.maxPayload + (std::size_t{7} << 20) + limits_.maxPayload / 4);
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

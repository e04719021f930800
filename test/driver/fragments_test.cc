// Messages that are delivered in the pieces that they arrive in.
#include <algorithm>
#include <string>

#include "driver_fixture.h"
#include "extension/deflater.h"

namespace websocket::driver {
namespace {

constexpr std::uint32_t kWhole = kFragmentFirst | kFragmentLast;

class FragmentsTest : public DriverTest {
 protected:
  void SetUp() override {
    limits_.fragments = true;
    DriverTest::SetUp();
  }

  // The payload of all pieces together.
  std::string joined() const {
    std::string text;
    for (const SeenEvent& event : eventsOf(EventKind::Fragment)) {
      text += event.data;
    }
    return text;
  }
  bool sawLast() const {
    const std::vector<SeenEvent> pieces = eventsOf(EventKind::Fragment);
    return !pieces.empty() && (pieces.back().value & kFragmentLast) != 0;
  }
};

TEST_F(FragmentsTest, AMessageInOneFrameIsOnePiece) {
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kText, "hello") + clientFrame(kBinary, "data") + clientFrame(kText, ""));
  runUntil([&] { return delegate_.events.size() == 3; });
  EXPECT_EQ(delegate_.events[0].kind, EventKind::Fragment);
  EXPECT_EQ(delegate_.events[0].data, "hello");
  EXPECT_EQ(delegate_.events[0].value, kWhole);
  EXPECT_EQ(delegate_.events[1].data, "data");
  EXPECT_EQ(delegate_.events[1].value, kWhole | kFragmentBinary);
  EXPECT_EQ(delegate_.events[2].data, "");
  EXPECT_EQ(delegate_.events[2].value, kWhole);
}

TEST_F(FragmentsTest, PiecesComeAsTheyArriveWithPingsBetween) {
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(0x02, "one"));
  runUntil([&] { return delegate_.events.size() == 1; });
  native.peer.write(clientFrame(0x00, "two") + clientFrame(kPing, "p") + clientFrame(0x80, "three"));
  runUntil([&] { return delegate_.events.size() == 4; });
  EXPECT_EQ(delegate_.events[0].value, kFragmentBinary | kFragmentFirst);
  EXPECT_EQ(delegate_.events[1].data, "two");
  EXPECT_EQ(delegate_.events[1].value, kFragmentBinary);
  EXPECT_EQ(delegate_.events[2].kind, EventKind::Ping);
  EXPECT_EQ(delegate_.events[3].data, "three");
  EXPECT_EQ(delegate_.events[3].value, kFragmentBinary | kFragmentLast);
}

TEST_F(FragmentsTest, EmptyFragmentsAreToldOnlyAtTheBeginningAndTheEnd) {
  const Native native = connectNative(Role::Server);
  for (const std::string& bytes : {clientFrame(0x01, ""), clientFrame(0x00, ""), clientFrame(0x80, "")}) {
    native.peer.write(bytes);
    runBriefly();
  }
  runUntil([&] { return sawLast(); });
  ASSERT_EQ(delegate_.events.size(), 2U);
  EXPECT_EQ(delegate_.events[0].value, kFragmentFirst);
  EXPECT_EQ(delegate_.events[1].value, kFragmentLast);
}

TEST_F(FragmentsTest, ALargeFrameIsNotPutTogether) {
  constexpr std::size_t kSize = std::size_t{4} << 20;
  std::string payload(kSize, '\0');
  for (std::size_t index = 0; index < kSize; ++index) {
    payload[index] = static_cast<char>(index * 7 % 251);
  }
  const Native native = connectNative(Role::Server, Socket::Tcp);
  std::string_view wire;
  const std::string bytes = clientFrame(kBinary, payload);
  for (wire = bytes; !wire.empty(); wire.remove_prefix(std::min<std::size_t>(wire.size(), 50'000))) {
    native.peer.write(wire.substr(0, 50'000));
    uv_run(&loop_, UV_RUN_NOWAIT);
  }
  runUntil([&] { return sawLast(); });
  const std::vector<SeenEvent> pieces = eventsOf(EventKind::Fragment);
  EXPECT_GT(pieces.size(), 8U);
  for (const SeenEvent& piece : pieces) {
    EXPECT_LE(piece.data.size(), Slab::kBlockSize);
    EXPECT_EQ((piece.value & kFragmentFirst) != 0, &piece == &pieces.front());
  }
  EXPECT_TRUE(joined() == payload);
}

// Else a peer could make the application hold an object for every byte that it sends.
TEST_F(FragmentsTest, SmallFragmentsThatArriveTogetherAreOnePiece) {
  const Native native = connectNative(Role::Server);
  std::string wire = clientFrame(0x01, "");
  std::string text;
  for (int index = 0; index < 1000; ++index) {
    text += static_cast<char>('a' + index % 26);
    wire += clientFrame(0x00, text.substr(text.size() - 1));
  }
  native.peer.write(wire + clientFrame(0x80, "") + clientFrame(kText, "next"));
  runUntil([&] { return joined().size() == text.size() + 4; });
  EXPECT_EQ(joined(), text + "next");
  ASSERT_EQ(delegate_.events.size(), 2U);
  EXPECT_EQ(delegate_.events[0].value, kWhole);
  EXPECT_EQ(delegate_.events[1].value, kWhole);
}

TEST_F(FragmentsTest, SmallFragmentsOfSeveralConnectionsStayApart) {
  const Native one = connectNative(Role::Server);
  const Native other = connectNative(Role::Server);
  one.peer.write(clientFrame(0x01, "a") + clientFrame(0x00, "b"));
  other.peer.write(clientFrame(0x01, "c") + clientFrame(0x80, "d"));
  runUntil([&] { return delegate_.events.size() == 2; });
  one.peer.write(clientFrame(0x80, "e"));
  runUntil([&] { return delegate_.events.size() == 3; });
  std::map<ConnectionId, std::string> texts;
  for (const SeenEvent& event : delegate_.events) {
    texts[event.connection] += event.data;
  }
  EXPECT_EQ(texts[one.id], "abe");
  EXPECT_EQ(texts[other.id], "cd");
}

TEST_F(FragmentsTest, OverAStreamPiecesAreTheSame) {
  const ConnectionId id = connectStream(Role::Server);
  connection(id).receive(bytesOf(clientFrame(0x01, "he")));
  connection(id).receive(bytesOf(clientFrame(0x80, "llo")));
  runUntil([&] { return sawLast(); });
  EXPECT_EQ(joined(), "hello");
}

// What a message before was inflated to lies behind the read in which the next one begins.
TEST_F(FragmentsTest, PiecesBehindACompressedMessageLeaveItAlone) {
  limits_.deflate.emplace();
  deflate_.emplace();
  const ConnectionId id = connectStream(Role::Server);
  const std::string text(1000, 'c');
  ZlibMemory memory;
  Deflater deflater({}, memory);
  ByteBuffer compressed;
  deflater.deflate(bytesOf(text), true, compressed);
  const std::string payload(compressed.view().begin(), compressed.view().end());
  connection(id).receive(bytesOf(clientFrame(0xC1, payload) + clientFrame(0x01, "he")));
  connection(id).receive(bytesOf(clientFrame(0x80, "llo")));
  runUntil([&] { return eventsOf(EventKind::Fragment).size() >= 3 && sawLast(); });
  EXPECT_EQ(joined(), text + "hello");
}

TEST_F(FragmentsTest, InvalidUtf8IsFoundAcrossPieces) {
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(0x01, "ok \xC3"));
  runUntil([&] { return delegate_.events.size() == 1; });
  native.peer.write(clientFrame(0x80, "\xC3"));
  runUntil([&] { return saw(EventKind::Fault); });
  EXPECT_EQ(joined(), "ok \xC3");
  EXPECT_FALSE(sawLast());
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1007U);
}

TEST_F(FragmentsTest, AMessageAboveTheLimitFails) {
  limits_.maxPayload = 1000;
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(0x02, std::string(600, 'x')) + clientFrame(0x80, std::string(401, 'y')));
  runUntil([&] { return saw(EventKind::Fault); });
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1009U);
  EXPECT_FALSE(sawLast());
}

// The header of a frame of 5 GiB, and its first bytes.
std::string hugeFrame() { return std::string("\x82\xFF\0\0\0\x01\x40\0\0\0\0\0\0\0data", 18); }

TEST_F(FragmentsTest, AMessageMayBeLongerThan32BitsTell) {
  limits_.maxPayload = 0;
  const Native native = connectNative(Role::Server);
  native.peer.write(hugeFrame());
  runUntil([&] { return joined() == "data"; });
  EXPECT_FALSE(saw(EventKind::Fault));
}

TEST_F(FragmentsTest, AWholeMessageMayNot) {
  limits_.maxPayload = 0;
  limits_.fragments = false;
  const Native native = connectNative(Role::Server);
  native.peer.write(hugeFrame());
  runUntil([&] { return saw(EventKind::Fault); });
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1009U);
}

}  // namespace
}  // namespace websocket::driver

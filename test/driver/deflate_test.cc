// Connections with permessage-deflate: messages come out inflated, what waits for delivery stays small, and what is
// sent is compressed.
#include <algorithm>
#include <string>

#include "driver_fixture.h"
#include "extension/deflater.h"
#include "extension/inflater.h"

namespace websocket::driver {
namespace {

constexpr unsigned kCompressedText = 0xC1;
constexpr unsigned kCompressedBinary = 0xC2;

class DeflateTest : public DriverTest {
 protected:
  void SetUp() override {
    limits_.deflate.emplace();
    deflate_.emplace();
    DriverTest::SetUp();
  }

  std::string deflated(std::string_view text) {
    ByteBuffer output;
    deflater_.deflate(bytesOf(text), true, output);
    return {output.view().begin(), output.view().end()};
  }

  std::string inflated(std::string_view compressed) {
    std::string text(10'000'000, '\0');
    std::span<std::uint8_t> output(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
    std::span<const std::uint8_t> input = bytesOf(compressed);
    EXPECT_EQ(inflater_.inflate(input, output), InflateStatus::Done);
    EXPECT_EQ(inflater_.finish(output), InflateStatus::Done);
    text.resize(text.size() - output.size());
    return text;
  }

  static std::string sample(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) {
      text += "{\"number\":" + std::to_string(i * i % 1009) + "},";
    }
    text.resize(size);
    return text;
  }

  ZlibMemory memory_;
  Deflater deflater_{{}, memory_};
  Inflater inflater_{15, memory_};
};

TEST_F(DeflateTest, MessagesOfAllSizesArrive) {
  const Native native = connectNative(Role::Server);
  const ConnectionId stream = connectStream(Role::Server);
  std::string wire;
  std::vector<std::string> sent;
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 5, 1000, 65'535, 65'536, 65'537, 200'000, 3'000'000, 10, 0, 100'000}) {
    sent.push_back(sample(size));
    wire += clientFrame(kCompressedText, deflated(sent.back()));
  }
  native.peer.write(wire);
  connection(stream).receive(bytesOf(wire));
  driver_->deliverWaiting();
  for (const ConnectionId id : {native.id, stream}) {
    const auto received = [&] {
      std::vector<std::string> texts;
      for (const SeenEvent& event : eventsOf(EventKind::Text)) {
        if (event.connection == id) {
          texts.push_back(event.data);
        }
      }
      return texts;
    };
    runUntil([&] { return received().size() == sent.size(); });
    EXPECT_EQ(received(), sent);
  }
  EXPECT_FALSE(saw(EventKind::Fault));
}

TEST_F(DeflateTest, PlainAndCompressedMessagesKeepTheirOrder) {
  const Native native = connectNative(Role::Server);
  std::string wire;
  for (int i = 0; i < 200; ++i) {
    const std::string text = std::to_string(i) + sample(i % 3 == 0 ? 300 : 20'000);
    wire += i % 3 == 0 ? clientFrame(kText, text) : clientFrame(kCompressedText, deflated(text));
    wire += clientFrame(kPing, std::to_string(i));
  }
  native.peer.write(wire);
  runUntil([&] { return eventsOf(EventKind::Ping).size() == 200; });
  const std::vector<SeenEvent> texts = eventsOf(EventKind::Text);
  const std::vector<SeenEvent> pings = eventsOf(EventKind::Ping);
  ASSERT_EQ(texts.size(), 200U);
  for (int i = 0; i < 200; ++i) {
    const auto index = static_cast<std::size_t>(i);
    EXPECT_EQ(texts[index].data, std::to_string(i) + sample(i % 3 == 0 ? 300 : 20'000));
    EXPECT_EQ(pings[index].data, std::to_string(i));
  }
}

// Many small frames that become large messages, in one read: what waits for delivery stays small.
TEST_F(DeflateTest, WhatWaitsForDeliveryStaysSmall) {
  const Native native = connectNative(Role::Server);
  const ConnectionId stream = connectStream(Role::Server);
  const std::string zeros(50'000, '\0');
  std::string wire;
  for (int i = 0; i < 300; ++i) {
    wire += clientFrame(kCompressedBinary, deflated(zeros));
  }
  ASSERT_LT(wire.size(), 30'000U);
  std::size_t waiting = 0;
  std::size_t most = 0;
  int batch = 0;
  delegate_.onEvent = [&](const SeenEvent& event) {
    waiting = delegate_.batches == batch ? waiting + event.data.size() : event.data.size();
    batch = delegate_.batches;
    most = std::max(most, waiting);
  };
  native.peer.write(wire);
  runUntil([&] { return eventsOf(EventKind::Binary).size() == 300; });
  EXPECT_LE(most, 2 * Slab::kBlockSize);
  connection(stream).receive(bytesOf(wire));
  driver_->deliverWaiting();
  runUntil([&] { return eventsOf(EventKind::Binary).size() == 600; });
  EXPECT_LE(most, 2 * Slab::kBlockSize);
}

TEST_F(DeflateTest, LargeMessagesWaitForDeliveryOneAfterTheOther) {
  const Native native = connectNative(Role::Server);
  const std::string zeros(900'000, '\0');
  std::string wire;
  for (int i = 0; i < 20; ++i) {
    wire += clientFrame(kCompressedBinary, deflated(zeros));
  }
  std::size_t most = 0;
  std::size_t before = 0;
  int batch = 0;
  delegate_.onEvent = [&](const SeenEvent&) {
    before = delegate_.batches == batch ? before + 1 : 1;
    batch = delegate_.batches;
    most = std::max(most, before);
  };
  native.peer.write(wire);
  runUntil([&] { return eventsOf(EventKind::Binary).size() == 20; });
  EXPECT_LE(most, 3U);
}

TEST_F(DeflateTest, APausedConnectionInflatesNothing) {
  const Native native = connectNative(Role::Server);
  const std::string zeros(50'000, '\0');
  std::string wire;
  for (int i = 0; i < 300; ++i) {
    wire += clientFrame(kCompressedBinary, deflated(zeros));
  }
  delegate_.onEvent = [&](const SeenEvent&) { connection(native.id).setPaused(true); };
  native.peer.write(wire);
  runUntil([&] { return saw(EventKind::Binary); });
  runBriefly();
  const std::size_t seen = eventsOf(EventKind::Binary).size();
  EXPECT_LT(seen, 30U);
  delegate_.onEvent = nullptr;
  connection(native.id).setPaused(false);
  runUntil([&] { return eventsOf(EventKind::Binary).size() == 300; });
}

TEST_F(DeflateTest, AClosedConnectionGivesUpWhatItHasNotInflated) {
  const Native native = connectNative(Role::Server);
  const std::string zeros(50'000, '\0');
  std::string wire;
  for (int i = 0; i < 300; ++i) {
    wire += clientFrame(kCompressedBinary, deflated(zeros));
  }
  delegate_.onEvent = [&](const SeenEvent& event) {
    if (event.kind == EventKind::Binary && driver_->find(native.id) != nullptr) {
      connection(native.id).close(0, false);
    }
  };
  native.peer.write(wire);
  runUntil([&] { return saw(EventKind::Closed); });
  EXPECT_LT(eventsOf(EventKind::Binary).size(), 30U);
}

// However many connections there are: those that have not used their contexts for longest give them back, and go on.
TEST_F(DeflateTest, OnlySoManyConnectionsHoldContexts) {
  const std::string text = sample(3000);
  const std::string compressed = clientFrame(kCompressedText, deflated(text));
  std::vector<ConnectionId> ids;
  std::uint64_t plateau = 0;
  for (std::size_t i = 0; i < RecentConnections::kMost + 60; ++i) {
    ids.push_back(connectStream(Role::Server));
    connection(ids.back()).receive(bytesOf(compressed));
    EXPECT_EQ(connection(ids.back())
                  .send(BufferType::Utf8Message, bytesOf(text), 0, nullptr, nullptr, Compression::FromThreshold),
              Result::Ok);
    if (i == RecentConnections::kMost + 5) {
      plateau = driver_->contextBytes();
    }
  }
  EXPECT_EQ(driver_->contextBytes(), plateau);
  EXPECT_LT(plateau, (RecentConnections::kMost + 8) * 320 * 1024);
  // Context takeover still works: the second message refers to the first.
  const std::string again = clientFrame(kCompressedText, deflated(text));
  EXPECT_LT(again.size(), 100U);
  for (const ConnectionId id : ids) {
    connection(id).receive(bytesOf(again));
  }
  runUntil([&] { return eventsOf(EventKind::Text).size() == 2 * ids.size(); });
  for (const SeenEvent& event : eventsOf(EventKind::Text)) {
    ASSERT_EQ(event.data, text);
  }
  for (const ConnectionId id : ids) {
    connection(id).close(0, false);
  }
  runBriefly();
  EXPECT_LT(driver_->contextBytes(), std::uint64_t{8} * 320 * 1024) << "what waits in the pool";
}

TEST_F(DeflateTest, ABombIsStoppedAtTheLimit) {
  limits_.maxPayload = 1024 * 1024;
  Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kCompressedBinary, deflated(std::string(std::size_t{100} << 20, '\0'))));
  runUntil([&] { return saw(EventKind::Fault); });
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1009U);
  EXPECT_FALSE(saw(EventKind::Binary));
  runUntilReceived(native.peer, 4);
  EXPECT_EQ(parseFrames(native.peer.received)[0].payload, closePayload(1009));
}

TEST_F(DeflateTest, CorruptDataIsAFault) {
  const Native native = connectNative(Role::Server);
  native.peer.write(clientFrame(kCompressedText, "\x07"));
  runUntil([&] { return saw(EventKind::Fault); });
  EXPECT_EQ(eventsOf(EventKind::Fault)[0].value, 1007U);
}

TEST_F(DeflateTest, SendsAreCompressedWhenAsked) {
  limits_.deflate->threshold = 100;
  deflate_->serverNoContextTakeover = true;
  Native native = connectNative(Role::Server);
  const std::string large = sample(300'000);
  Connection& sender = connection(native.id);
  const auto send = [&](BufferType type, std::string_view text, Compression compression) {
    EXPECT_EQ(sender.send(type, bytesOf(text), 0, nullptr, nullptr, compression), Result::Ok);
  };
  send(BufferType::Utf8Message, large, Compression::FromThreshold);
  send(BufferType::Utf8Message, sample(99), Compression::FromThreshold);
  send(BufferType::Utf8Message, large, Compression::Off);
  // The first fragment decides; what follows may be large enough to be written from the caller's memory.
  send(BufferType::Utf8Fragment, sample(200), Compression::FromThreshold);
  send(BufferType::Utf8Message, large, Compression::Off);
  const auto frames = [&] { return parseFrames(native.peer.received); };
  runUntil([&] {
    native.peer.read();
    return frames().size() == 5;
  });
  EXPECT_EQ(frames()[0].firstByte, kCompressedText);
  EXPECT_EQ(inflated(frames()[0].payload), large);
  EXPECT_EQ(frames()[1].firstByte, kText);
  EXPECT_EQ(frames()[1].payload, sample(99));
  EXPECT_EQ(frames()[2].payload, large);
  EXPECT_EQ(frames()[3].firstByte, 0x41U);
  EXPECT_EQ(frames()[4].firstByte, 0x80U);
  inflater_.reset();
  EXPECT_EQ(inflated(frames()[3].payload + frames()[4].payload), sample(200) + large);
}

class DeflatedFragmentsTest : public DeflateTest {
 protected:
  void SetUp() override {
    limits_.fragments = true;
    DeflateTest::SetUp();
  }
};

// Pieces of one read, of which each is larger than what it was inflated from.
TEST_F(DeflatedFragmentsTest, PiecesComeAsTheyAreInflated) {
  const Native native = connectNative(Role::Server);
  std::string wire;
  std::string whole;
  for (int i = 0; i < 400; ++i) {
    const std::string piece = sample(static_cast<std::size_t>(i * 3));
    whole += piece;
    ByteBuffer output;
    deflater_.deflate(bytesOf(piece), i == 399, output);
    wire += clientFrame((i == 0 ? 0x42U : 0U) | (i == 399 ? 0x80U : 0U),
                        {reinterpret_cast<const char*>(output.data()), output.size()});
  }
  native.peer.write(wire);
  std::string received;
  runUntil([&] {
    const auto pieces = eventsOf(EventKind::Fragment);
    return !pieces.empty() && (pieces.back().value & kFragmentLast) != 0;
  });
  for (const SeenEvent& event : eventsOf(EventKind::Fragment)) {
    received += event.data;
  }
  EXPECT_EQ(received, whole);
}

}  // namespace
}  // namespace websocket::driver

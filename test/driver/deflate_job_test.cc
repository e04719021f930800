// Large messages are compressed on the thread pool: the order of messages stays, what waits is counted, and a
// connection may end at any moment.
#include <algorithm>
#include <string>
#include <vector>

#include "driver_fixture.h"
#include "extension/inflater.h"

namespace websocket::driver {
namespace {

constexpr unsigned kCompressedText = 0xC1;
constexpr std::size_t kBig = kDeflateElsewhere;

// True: with context takeover.
class DeflateJobTest : public DriverTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    limits_.deflate.emplace();
    deflate_ = {.serverNoContextTakeover = !GetParam(), .clientNoContextTakeover = !GetParam()};
    DriverTest::SetUp();
  }

  static std::string sample(std::size_t size, unsigned seed = 1) {
    std::string text;
    while (text.size() < size) {
      seed = seed * 1664525 + 1013904223;
      text.append(8, "0123456789abcdef"[seed >> 28]);  // fast to compress, also under sanitizers
    }
    text.resize(size);
    return text;
  }

  Result send(ConnectionId id, std::string_view text, std::uint32_t callback = 0,
              BufferType type = BufferType::Utf8Message, Compression compression = Compression::FromThreshold) {
    return connection(id).send(type, bytesOf(text), callback, nullptr, nullptr, compression);
  }

  static std::shared_ptr<SharedMessage> shared(std::string_view text) {
    std::shared_ptr<std::uint8_t[]> memory = std::make_unique_for_overwrite<std::uint8_t[]>(text.size());
    std::ranges::copy(text, memory.get());
    const std::span<const std::uint8_t> payload(memory.get(), text.size());
    return std::make_shared<SharedMessage>(payload, std::move(memory));
  }

  // The frames of a connection with a stream, whose writes end at once.
  void readStream(ConnectionId id) {
    delegate_.onWrite = [this, id](ConnectionId written) {
      if (written == id && driver_->find(id) != nullptr) {
        connection(id).written(0);
      }
    };
  }
  std::vector<ParsedFrame> framesOf(ConnectionId id) { return parseFrames(delegate_.streamOutput[id]); }

  // The messages of frames, inflated one after the other.
  std::vector<std::string> textsOf(const std::vector<ParsedFrame>& frames) {
    ZlibMemory memory;
    Inflater inflater(15, memory);
    std::vector<std::string> texts;
    for (const ParsedFrame& frame : frames) {
      if (frame.firstByte != kCompressedText) {
        texts.push_back(frame.payload);
        continue;
      }
      std::string& text = texts.emplace_back(4 * kBig, '\0');
      std::span<std::uint8_t> output(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
      std::span<const std::uint8_t> input = bytesOf(frame.payload);
      if (!GetParam()) {
        inflater.reset();
      }
      EXPECT_EQ(inflater.inflate(input, output), InflateStatus::Done);
      EXPECT_EQ(inflater.finish(output), InflateStatus::Done);
      text.resize(text.size() - output.size());
    }
    return texts;
  }
};

TEST_P(DeflateJobTest, MessagesKeepTheirOrderAndPingsDoNotWait) {
  Native native = connectNative(Role::Server);
  const ConnectionId stream = connectStream(Role::Server);
  readStream(stream);
  const std::vector<std::string> texts = {
      sample(kBig), "small", sample(2 * kBig, 2), sample(20'000, 3), sample(kBig, 1), "", "last"};
  for (const ConnectionId id : {native.id, stream}) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Compression compression = i == 3 ? Compression::Off : Compression::FromThreshold;
      ASSERT_EQ(send(id, texts[i], static_cast<std::uint32_t>(10 + i), BufferType::Utf8Message, compression),
                Result::Ok);
    }
    ASSERT_EQ(connection(id).sendControl(BufferType::PingPong, bytesOf("ping"), 0), Result::Ok);
    ASSERT_EQ(connection(id).sendClose(1000, bytesOf("bye")), Result::Ok);
    EXPECT_EQ(send(id, "too late"), Result::InvalidOperation);
  }
  runUntil([&] {
    native.peer.read();
    return parseFrames(native.peer.received).size() == 9 && framesOf(stream).size() == 9;
  });
  for (std::vector<ParsedFrame> frames : {parseFrames(native.peer.received), framesOf(stream)}) {
    ASSERT_EQ(frames.size(), 9U);
    EXPECT_EQ(frames[0].firstByte, kPing);
    EXPECT_EQ(frames[8].firstByte, kClose);
    EXPECT_EQ(frames[8].payload, closePayload(1000, "bye"));
    EXPECT_EQ(frames[1].firstByte, kCompressedText);
    EXPECT_EQ(frames[4].firstByte, kText);
    frames.erase(frames.begin());
    frames.pop_back();
    EXPECT_TRUE(textsOf(frames) == texts);
  }
  runUntil([&] { return eventsOf(EventKind::Sent).size() == 14; });
  std::vector<std::uint32_t> callbacks;
  for (const SeenEvent& event : eventsOf(EventKind::Sent)) {
    EXPECT_FALSE(event.failed);
    if (event.connection == stream) {
      callbacks.push_back(event.value);
    }
  }
  EXPECT_EQ(callbacks, (std::vector<std::uint32_t>{10, 11, 12, 13, 14, 15, 16}));
}

TEST_P(DeflateJobTest, WhatWaitsIsCountedAndLimited) {
  limits_.send.maxBackpressure = 2 * kBig;
  limits_.send.highWaterMark = 100;
  const ConnectionId id = connectStream(Role::Server);
  readStream(id);
  ASSERT_EQ(send(id, sample(kBig)), Result::Ok);
  EXPECT_EQ(connection(id).bufferedAmount(), kBig);
  EXPECT_TRUE(connection(id).isAboveHighWaterMark());
  ASSERT_EQ(send(id, sample(1000)), Result::Ok);
  EXPECT_EQ(connection(id).bufferedAmount(), kBig + 1000);
  EXPECT_EQ(send(id, sample(kBig)), Result::InsufficientBuffer);
  ASSERT_EQ(connection(id).sendRaw(bytesOf("raw"), 0), Result::Ok);
  EXPECT_EQ(connection(id).bufferedAmount(), kBig + 1003);
  runUntil([&] { return connection(id).bufferedAmount() == 0; });
  EXPECT_EQ(connection(id).bufferedWireBytes(), 0U);
  const std::vector<SeenEvent> events = eventsOf(EventKind::Sent);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].value, kDrained);
  EXPECT_TRUE(delegate_.streamOutput[id].ends_with("raw"));
}

TEST_P(DeflateJobTest, AConnectionMayEndAtAnyMoment) {
  for (int rounds = 0; rounds < 8; ++rounds) {
    const ConnectionId id = connectStream(Role::Server);
    readStream(id);
    const std::size_t before = eventsOf(EventKind::Sent).size();
    ASSERT_EQ(send(id, sample(kBig), 7), Result::Ok);
    ASSERT_EQ(send(id, "behind", 8), Result::Ok);
    for (int i = 0; i < rounds && driver_->find(id) != nullptr; ++i) {
      uv_run(&loop_, UV_RUN_NOWAIT);
    }
    connection(id).close(0, rounds % 2 == 0);
    runUntil([&] { return eventsOf(EventKind::Closed).size() == static_cast<std::size_t>(rounds) + 1; });
    const std::vector<SeenEvent> events = eventsOf(EventKind::Sent);
    ASSERT_EQ(events.size(), before + 2);
    EXPECT_EQ(events[before].value, 7U);
    EXPECT_EQ(events[before + 1].value, 8U);
    EXPECT_EQ(delegate_.events.back().kind, EventKind::Closed);
  }
}

TEST_P(DeflateJobTest, TheDriverMayStopWhileJobsRun) {
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(send(connectStream(Role::Server), sample(kBig)), Result::Ok);
  }
  uv_run(&loop_, UV_RUN_NOWAIT);
  // TearDown() stops it.
}

TEST_P(DeflateJobTest, ShutdownWaits) {
  Native native = connectNative(Role::Server);
  const std::string text = sample(kBig);
  ASSERT_EQ(send(native.id, text), Result::Ok);
  connection(native.id).shutdown();
  runUntilEnded(native.peer);
  EXPECT_TRUE(textsOf(parseFrames(native.peer.received)) == std::vector{text});
}

TEST_P(DeflateJobTest, FragmentsArePutBehindAndClientsMask) {
  const ConnectionId id = connectStream(Role::Client);
  readStream(id);
  const std::string text = sample(kBig);
  ASSERT_EQ(send(id, text), Result::Ok);
  ASSERT_EQ(send(id, "one", 0, BufferType::BinaryFragment, Compression::Off), Result::Ok);
  ASSERT_EQ(send(id, "two", 0, BufferType::BinaryMessage, Compression::Off), Result::Ok);
  ASSERT_EQ(send(id, text), Result::Ok);
  runUntil([&] { return framesOf(id).size() == 4; });
  const std::vector<ParsedFrame> frames = framesOf(id);
  EXPECT_TRUE(frames[0].masked);
  EXPECT_EQ(frames[1].firstByte, 0x02U);
  EXPECT_EQ(frames[2].firstByte, 0x80U);
  EXPECT_TRUE(textsOf({frames[0], frames[3]}) == (std::vector{text, text}));
}

TEST_P(DeflateJobTest, OneJobForABroadcastUnlessContextsAreTakenOver) {
  limits_.deflate->jobs = 1;
  std::vector<ConnectionId> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(connectStream(Role::Server));
  }
  delegate_.onWrite = [this](ConnectionId id) { connection(id).written(0); };
  const std::vector<std::string> texts = {sample(kBig), sample(kBig, 5), "small", sample(kBig, 9)};
  std::vector<std::shared_ptr<SharedMessage>> messages;
  for (const std::string& text : texts) {
    messages.push_back(shared(text));
    std::vector<ConnectionId> left = ids;
    ASSERT_EQ(driver_->broadcast(left, BufferType::Utf8Message, messages.back(), Compression::FromThreshold), 4U);
  }
  connection(ids[1]).close(0, false);
  if (!GetParam()) {
    const std::shared_ptr<DeflateJob> job = messages[0]->job({}, driver_->deflatePool());
    EXPECT_FALSE(job->isDone());
    EXPECT_GE(job.use_count(), 2 + 3) << "one for all that wait";
  }
  ids.erase(ids.begin() + 1);
  runUntil([&] { return std::ranges::all_of(ids, [&](ConnectionId id) { return framesOf(id).size() == 4; }); });
  for (const ConnectionId id : ids) {
    EXPECT_TRUE(textsOf(framesOf(id)) == texts);
  }
  if (!GetParam()) {
    EXPECT_TRUE(messages[3]->job({}, driver_->deflatePool())->isDone());
    // What was compressed before is sent at once.
    ASSERT_EQ(connection(ids[0]).send(BufferType::Utf8Message, messages[3], 0, nullptr, Compression::On), Result::Ok);
    EXPECT_LT(connection(ids[0]).bufferedAmount(), kBig);
  }
}

INSTANTIATE_TEST_SUITE_P(Takeover, DeflateJobTest, testing::Bool());

}  // namespace
}  // namespace websocket::driver

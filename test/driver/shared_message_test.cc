// Messages that are sent to many connections: compressed once for each set of parameters, and shared.
#include <algorithm>
#include <string>
#include <vector>

#include "driver_fixture.h"
#include "extension/inflater.h"

namespace websocket::driver {
namespace {

constexpr unsigned kCompressedText = 0xC1;
constexpr std::uint32_t kThreshold = 100;

class SharedMessageTest : public DriverTest {
 protected:
  void SetUp() override {
    limits_.deflate.emplace();
    limits_.deflate->threshold = kThreshold;
    DriverTest::SetUp();
  }

  // A connection whose sender compresses each message by itself, or (takeover) not.
  ConnectionId connectStreamWith(bool takeover, std::uint8_t windowBits = 15, Role role = Role::Server) {
    deflate_ = {.serverNoContextTakeover = !takeover,
                .clientNoContextTakeover = !takeover,
                .serverMaxWindowBits = windowBits,
                .clientMaxWindowBits = windowBits};
    return connectStream(role);
  }

  // Compresses to about half its size.
  static std::string sample(std::size_t size) {
    std::string text;
    std::uint32_t random = 1;
    while (text.size() < size) {
      random = random * 1664525 + 1013904223;
      text += "0123456789abcdef"[random >> 28];
    }
    return text;
  }

  using Message = std::shared_ptr<SharedMessage>;

  static Message shared(std::string_view text) {
    std::shared_ptr<std::uint8_t[]> memory = std::make_unique_for_overwrite<std::uint8_t[]>(text.size());
    std::ranges::copy(text, memory.get());
    const std::span<const std::uint8_t> payload(memory.get(), text.size());
    return std::make_shared<SharedMessage>(payload, std::move(memory));
  }

  Result send(ConnectionId id, const Message& message, BufferType type = BufferType::Utf8Message,
              Compression compression = Compression::FromThreshold) {
    return connection(id).send(type, message, 0, nullptr, compression);
  }

  // What it is compressed to.
  const SharedBytes& compressed(const Message& message, std::uint8_t windowBits) {
    const DeflateJob& job = *message->job({.windowBits = windowBits}, driver_->deflatePool());
    EXPECT_TRUE(job.isDone());
    return job.outputOwner();
  }

  std::vector<ParsedFrame> written(ConnectionId id) {
    runBriefly();
    return parseFrames(delegate_.streamOutput[id]);
  }

  static std::string inflated(std::string_view payload) {
    ZlibMemory memory;
    Inflater inflater(15, memory);
    std::string text(1'000'000, '\0');
    std::span<std::uint8_t> output(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
    std::span<const std::uint8_t> input = bytesOf(payload);
    EXPECT_EQ(inflater.inflate(input, output), InflateStatus::Done);
    EXPECT_EQ(inflater.finish(output), InflateStatus::Done);
    text.resize(text.size() - output.size());
    return text;
  }
};

TEST_F(SharedMessageTest, ABroadcastIsCompressedOnceForEachWindow) {
  std::vector<ConnectionId> ids;
  for (const std::uint8_t windowBits : std::initializer_list<std::uint8_t>{15, 15, 15, 9, 9}) {
    ids.push_back(connectStreamWith(false, windowBits));
  }
  const std::string text = sample(20'000);
  const Message message = shared(text);
  std::vector<ConnectionId> left = ids;
  EXPECT_EQ(driver_->broadcast(left, BufferType::Utf8Message, message, Compression::FromThreshold), 5U);
  EXPECT_EQ(compressed(message, 15).use_count(), 1 + 3) << "the queues refer to it";
  EXPECT_EQ(compressed(message, 9).use_count(), 1 + 2);
  EXPECT_NE(compressed(message, 9), compressed(message, 15));
  for (const ConnectionId id : ids) {
    const std::vector<ParsedFrame> frames = written(id);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].firstByte, kCompressedText);
    EXPECT_LT(frames[0].payload.size(), 12'000U);
    EXPECT_TRUE(inflated(frames[0].payload) == text);
    connection(id).written(0);
  }
  EXPECT_EQ(compressed(message, 15).use_count(), 1) << "and let go of it";
}

TEST_F(SharedMessageTest, WithContextTakeoverEachConnectionCompressesByItself) {
  const ConnectionId id = connectStreamWith(true);
  const ConnectionId other = connectStreamWith(true);
  const std::string text = sample(20'000);
  const Message message = shared(text);
  ASSERT_EQ(send(id, message), Result::Ok);
  ASSERT_EQ(send(id, message), Result::Ok);
  ASSERT_EQ(send(other, message), Result::Ok);
  const std::vector<ParsedFrame> frames = written(id);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_LT(frames[1].payload.size(), 500U) << "it refers to the message before";
  EXPECT_TRUE(inflated(frames[0].payload + std::string("\0\0\xFF\xFF", 4) + frames[1].payload) == text + text);
  EXPECT_TRUE(inflated(written(other)[0].payload) == text);
}

TEST_F(SharedMessageTest, ThresholdLengthAndTheWishOfTheSenderDecide) {
  const ConnectionId id = connectStreamWith(false);
  const Message small = shared(std::string(kThreshold - 1, 'x'));
  const Message large = shared(std::string(kThreshold, 'x'));
  std::string random(5000, '\0');
  std::uint32_t state = 7;
  for (char& byte : random) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  const Message incompressible = shared(random);
  const Message empty = shared("");
  ASSERT_EQ(send(id, small), Result::Ok);
  ASSERT_EQ(send(id, large), Result::Ok);
  ASSERT_EQ(send(id, large, BufferType::Utf8Message, Compression::Off), Result::Ok);
  ASSERT_EQ(send(id, incompressible, BufferType::BinaryMessage), Result::Ok);
  ASSERT_EQ(send(id, empty), Result::Ok);
  EXPECT_GT(incompressible->owner().use_count(), 2) << "not shorter: the plain bytes are referred to";
  const std::vector<ParsedFrame> frames = written(id);
  ASSERT_EQ(frames.size(), 5U);
  EXPECT_EQ(frames[0].firstByte, kText);
  EXPECT_EQ(frames[1].firstByte, kCompressedText);
  EXPECT_EQ(inflated(frames[1].payload), std::string(kThreshold, 'x'));
  EXPECT_EQ(frames[2].firstByte, kText);
  EXPECT_EQ(frames[3].firstByte, kBinary);
  EXPECT_TRUE(frames[3].payload == random);
  EXPECT_EQ(frames[4].firstByte, kText);
}

TEST_F(SharedMessageTest, FragmentsAndClientsAndPeersWithoutTheExtension) {
  const std::string text = sample(20'000);
  const Message message = shared(text);
  const ConnectionId client = connectStreamWith(false, 12, Role::Client);
  ASSERT_EQ(send(client, message), Result::Ok);
  ASSERT_EQ(send(client, message, BufferType::Utf8Fragment), Result::Ok);
  ASSERT_EQ(send(client, message), Result::Ok);  // ends the one begun
  ASSERT_EQ(send(client, message), Result::Ok);
  const std::vector<ParsedFrame> frames = written(client);
  ASSERT_EQ(frames.size(), 4U);
  EXPECT_TRUE(frames[0].masked);
  EXPECT_TRUE(inflated(frames[0].payload) == text);
  EXPECT_EQ(frames[1].firstByte, 0x41U);
  EXPECT_EQ(frames[2].firstByte, 0x80U);
  EXPECT_TRUE(inflated(frames[1].payload + frames[2].payload) == text + text);
  EXPECT_TRUE(frames[3].payload == frames[0].payload);

  deflate_.reset();
  const ConnectionId plain = connectStream(Role::Server);
  ASSERT_EQ(send(plain, message), Result::Ok);
  EXPECT_TRUE(delegate_.streamOutput[plain].empty());
  EXPECT_EQ(written(plain)[0].firstByte, kText);
  EXPECT_TRUE(written(plain)[0].payload == text);
}

// What waits counts as it is on the wire.
TEST_F(SharedMessageTest, RoomIsForWhatIsSent) {
  limits_.send.maxBackpressure = 1000;
  const ConnectionId id = connectStreamWith(false);
  const std::string text(4'000, 'x');
  const Message message = shared(text);
  ASSERT_EQ(send(id, message), Result::Ok);
  ASSERT_EQ(send(id, message), Result::Ok);
  EXPECT_LT(connection(id).bufferedAmount(), 100U);
  EXPECT_EQ(sendText(id, text), Result::InsufficientBuffer);
  EXPECT_EQ(written(id).size(), 2U);
  connection(id).written(0);
  ASSERT_EQ(connection(id).sendClose(1000, {}), Result::Ok);
  runBriefly();
  connection(id).written(0);
  EXPECT_EQ(send(id, message), Result::InvalidOperation);
}

}  // namespace
}  // namespace websocket::driver

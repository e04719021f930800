#include "driver_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace websocket::driver {

void RecordingDelegate::deliver(Batch& batch) {
  EXPECT_FALSE(delivering) << "a delivery inside a delivery";
  delivering = true;
  ++batches;
  for (const Event& event : batch.events) {
    SeenEvent seen{event.connection, event.kind, {}, event.value, event.failed};
    if (event.length != 0) {
      seen.data.assign(reinterpret_cast<const char*>(event.data), event.length);
    }
    events.push_back(seen);
    if (onFault && seen.kind == EventKind::Fault) {
      onFault(seen);
    }
    if (onEvent) {
      onEvent(seen);
    }
  }
  delivering = false;
}

void RecordingDelegate::gather(ConnectionId id, std::span<const Buffer> bytes) {
  ++writes;
  for (const Buffer& buffer : bytes) {
    streamOutput[id].append(reinterpret_cast<const char*>(buffer.data), buffer.length);
  }
  gathered.push_back(id);
}

void RecordingDelegate::writeGathered() {
  flushes += gathered.empty() ? 0 : 1;
  for (const ConnectionId id : std::exchange(gathered, {})) {
    if (onWrite) {
      onWrite(id);
    }
  }
}

Peer& Peer::operator=(Peer&& other) noexcept {
  close();
  fd_ = std::exchange(other.fd_, -1);
  received = std::move(other.received);
  ended = other.ended;
  return *this;
}

void Peer::write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(count, 0) << "the socket is full or gone";
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool Peer::read() {
  std::array<char, 65536> chunk{};
  while (!ended) {
    const ssize_t count = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count > 0) {
      received.append(chunk.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      ended = true;
    } else {
      return true;
    }
  }
  return false;
}

void Peer::shutdownWrite() const { ::shutdown(fd_, SHUT_WR); }

void Peer::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

void Peer::reset() {
  const linger value{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &value, sizeof value);
  close();
}

std::string frame(unsigned firstByte, std::string_view payload, bool masked) {
  constexpr std::array<unsigned char, 4> kKey = {0x37, 0xFA, 0x21, 0x3D};
  std::string out(1, static_cast<char>(firstByte));
  const unsigned maskBit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(maskBit | payload.size()));
  } else if (payload.size() <= 0xFFFF) {
    out.push_back(static_cast<char>(maskBit | 126));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size()));
  } else {
    out.push_back(static_cast<char>(maskBit | 127));
    for (int shift = 56; shift >= 0; shift -= 8) {
      out.push_back(static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> shift));
    }
  }
  if (masked) {
    out.append(reinterpret_cast<const char*>(kKey.data()), kKey.size());
  }
  for (std::size_t index = 0; index < payload.size(); ++index) {
    const auto byte = static_cast<unsigned char>(payload[index]);
    out.push_back(static_cast<char>(masked ? byte ^ kKey.at(index % 4) : byte));
  }
  return out;
}

std::string closePayload(unsigned status, std::string_view reason) {
  std::string payload{static_cast<char>(status >> 8), static_cast<char>(status)};
  return payload.append(reason);
}

std::vector<ParsedFrame> parseFrames(std::string_view bytes) {
  std::vector<ParsedFrame> frames;
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
  while (bytes.size() >= 2) {
    ParsedFrame parsed;
    parsed.firstByte = byte(0);
    parsed.masked = (byte(1) & 0x80) != 0;
    std::uint64_t length = byte(1) & 0x7F;
    std::size_t header = 2;
    const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (bytes.size() < header + extra) {
      break;
    }
    if (extra != 0) {
      length = 0;
      for (std::size_t index = 0; index < extra; ++index) {
        length = length << 8 | byte(header + index);
      }
      header += extra;
    }
    const std::size_t key = header;
    header += parsed.masked ? 4 : 0;
    if (bytes.size() < header + length) {
      break;
    }
    for (std::size_t index = 0; index < length; ++index) {
      parsed.payload.push_back(static_cast<char>(byte(header + index) ^ (parsed.masked ? byte(key + index % 4) : 0)));
    }
    frames.push_back(parsed);
    bytes.remove_prefix(header + static_cast<std::size_t>(length));
  }
  return frames;
}

std::span<const std::uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void DriverTest::SetUp() {
  ASSERT_NE(::signal(SIGPIPE, SIG_IGN), SIG_ERR);  // as Node does
  ASSERT_EQ(uv_loop_init(&loop_), 0);
  driver_.emplace(&loop_, delegate_);
  delegate_.onFault = [this](const SeenEvent& event) {
    EXPECT_EQ(connection(event.connection).sendClose(static_cast<std::uint16_t>(event.value), {}), Result::Ok);
    connection(event.connection).shutdown();
  };
}

void DriverTest::TearDown() {
  delegate_.onEvent = nullptr;
  delegate_.onFault = nullptr;
  delegate_.onWrite = nullptr;
  bool ended = false;
  driver_->stop([&ended] { ended = true; });
  driver_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  EXPECT_TRUE(ended);
  EXPECT_EQ(uv_loop_close(&loop_), 0) << "a handle was left open";
}

std::pair<int, int> DriverTest::tcpPair() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener, 1), 0);
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
  const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(server, 0);
  ::close(listener);
  return {server, client};
}

DriverTest::Native DriverTest::connectNative(Role role, Socket socket, std::string_view preamble,
                                             std::string_view head) {
  if (!options_) {
    options_ = driver_->createOptions(limits_);
  }
  std::pair<int, int> ends;
  if (socket == Socket::Tcp) {
    ends = tcpPair();
  } else {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    ends = {pair[0], pair[1]};
  }
  Connection& made = *driver_->create(*options_, role, traffic_);
  EXPECT_EQ(made.session().open(deflate_), Result::Ok);
  EXPECT_EQ(driver_->attachNative(made, ends.first, socket == Socket::Unix, bytesOf(preamble), bytesOf(head)), 0);
  ::close(ends.first);  // the driver has a duplicate
  return {made.id(), Peer(ends.second)};
}

ConnectionId DriverTest::connectStream(Role role, std::string_view head) {
  if (!options_) {
    options_ = driver_->createOptions(limits_);
  }
  Connection& made = *driver_->create(*options_, role, traffic_);
  EXPECT_EQ(made.session().open(deflate_), Result::Ok);
  EXPECT_EQ(driver_->attachStream(made, bytesOf(head)), 0);
  return made.id();
}

void DriverTest::answerCloseFrames() {
  delegate_.onEvent = [this](const SeenEvent& event) {
    if (event.kind == EventKind::Close) {
      EXPECT_EQ(connection(event.connection).sendClose(static_cast<std::uint16_t>(event.value), bytesOf(event.data)),
                Result::Ok);
    }
  };
}

void DriverTest::runUntil(const std::function<bool()>& condition) {
  const std::uint64_t deadline = uv_hrtime() + 5'000'000'000;
  while (!condition()) {
    ASSERT_LT(uv_hrtime(), deadline) << "the condition did not come true";
    uv_run(&loop_, UV_RUN_NOWAIT);
    if (!condition()) {
      ::usleep(100);
    }
  }
}

void DriverTest::runBriefly() {
  for (int round = 0; round < 20; ++round) {
    uv_run(&loop_, UV_RUN_NOWAIT);
    ::usleep(200);
  }
}

void DriverTest::runUntilReceived(Peer& peer, std::size_t bytes) {
  runUntil([&] {
    peer.read();
    return peer.received.size() >= bytes;
  });
}

void DriverTest::runUntilEnded(Peer& peer) {
  runUntil([&] { return !peer.read(); });
}

std::vector<SeenEvent> DriverTest::eventsOf(EventKind kind) const {
  std::vector<SeenEvent> found;
  for (const SeenEvent& event : delegate_.events) {
    if (event.kind == kind) {
      found.push_back(event);
    }
  }
  return found;
}

}  // namespace websocket::driver

// What the driver's tests share: a loop, a delegate that records events, and peers that speak raw bytes.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver.h"

namespace websocket::driver {

// An event with its payload copied.
struct SeenEvent {
  ConnectionId connection = 0;
  EventKind kind = EventKind::Text;
  std::string data;
  std::uint32_t value = 0;
  bool failed = false;
};

class RecordingDelegate : public Delegate {
 public:
  void deliver(Batch& batch) override;
  void gather(ConnectionId id, std::span<const Buffer> bytes) override;
  void writeGathered() override;

  std::vector<SeenEvent> events;
  std::function<void(const SeenEvent&)> onEvent;  // called while the batch is delivered
  std::function<void(const SeenEvent&)> onFault;  // before it; DriverTest answers as the library does
  int batches = 0;

  std::map<ConnectionId, std::string> streamOutput;
  std::vector<ConnectionId> gathered;
  std::function<void(ConnectionId)> onWrite;  // called for each of them by writeGathered()
  int writes = 0;
  int flushes = 0;  // in which something was written
  bool delivering = false;
};

// The other end of a native connection: a blocking-free socket of the test.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&& other) noexcept;
  ~Peer() { close(); }

  int fd() const { return fd_; }
  void write(std::string_view bytes) const;
  // Appends what has arrived to `received`; false at the end of the stream or an error.
  bool read();
  void shutdownWrite() const;
  void close();
  void reset();  // closes with RST (TCP)

  std::string received;
  bool ended = false;

 private:
  int fd_;
};

// A frame as it is on the wire (RFC 6455, 5.2).
std::string frame(unsigned firstByte, std::string_view payload, bool masked);
inline std::string clientFrame(unsigned firstByte, std::string_view payload) { return frame(firstByte, payload, true); }
inline std::string serverFrame(unsigned firstByte, std::string_view payload) {
  return frame(firstByte, payload, false);
}
std::string closePayload(unsigned status, std::string_view reason = "");

inline constexpr unsigned kText = 0x81;
inline constexpr unsigned kBinary = 0x82;
inline constexpr unsigned kClose = 0x88;
inline constexpr unsigned kPing = 0x89;
inline constexpr unsigned kPong = 0x8A;

struct ParsedFrame {
  unsigned firstByte = 0;
  bool masked = false;
  std::string payload;
};
// The whole frames at the start of `bytes`, unmasked.
std::vector<ParsedFrame> parseFrames(std::string_view bytes);

std::span<const std::uint8_t> bytesOf(std::string_view text);

class DriverTest : public testing::Test {
 protected:
  struct Native {
    ConnectionId id = 0;
    Peer peer{-1};
  };

  void SetUp() override;
  void TearDown() override;

  // An open connection over a pair of sockets.
  enum class Socket : std::uint8_t { Unix, Tcp };
  Native connectNative(Role role, Socket socket = Socket::Unix, std::string_view preamble = "",
                       std::string_view head = "");
  ConnectionId connectStream(Role role, std::string_view head = "");
  Connection& connection(ConnectionId id) { return *driver_->find(id); }

  Result sendText(ConnectionId id, std::string_view text, std::uint32_t callback = 0) {
    return connection(id).send(BufferType::Utf8Message, bytesOf(text), callback);
  }

  // From now on a received Close frame is answered with its own status and reason, as the library does.
  void answerCloseFrames();

  // Runs the loop until the condition holds; a failure after five seconds.
  void runUntil(const std::function<bool()>& condition);
  // Runs the loop a few times without waiting.
  void runBriefly();
  // Runs the loop until the peer has received so many bytes.
  void runUntilReceived(Peer& peer, std::size_t bytes);
  void runUntilEnded(Peer& peer);

  std::vector<SeenEvent> eventsOf(EventKind kind) const;
  bool saw(EventKind kind) const { return !eventsOf(kind).empty(); }
  static std::pair<int, int> tcpPair();

  std::shared_ptr<Traffic> traffic_;  // of the connections made from now on
  SessionLimits limits_{.maxPayload = 64 * 1024 * 1024, .maxFragments = 0};
  uv_loop_t loop_{};
  RecordingDelegate delegate_;
  std::optional<Driver> driver_;
  std::optional<DeflateParameters> deflate_;  // agreed on connections made from now on
  std::optional<std::uint32_t> options_;
};

}  // namespace websocket::driver

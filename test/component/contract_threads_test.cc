// Contract, section 8.5 (T126): one thread loops on SEND and another on RECEIVE, at both ends of a connection, with
// pings in between. Nothing is lost or reordered inside a direction, and at most one write is outstanding at a time.
// WEBSOCKET_CONTRACT_MESSAGES sets the number of messages of each direction.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "contract_fixture.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define WEBSOCKET_CONTRACT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define WEBSOCKET_CONTRACT_SANITIZED 1
#endif
#endif

namespace websocket::contract {
namespace {

#ifdef WEBSOCKET_CONTRACT_SANITIZED
constexpr std::uint64_t kDefaultMessages = 100'000;
#else
constexpr std::uint64_t kDefaultMessages = 1'000'000;
#endif
constexpr std::uint64_t kPingInterval = 512;       // a ping after so many messages
constexpr std::uint64_t kLongInterval = 1000;      // one message of so many is longer than every buffer
constexpr std::size_t kPipeCapacity = 256 * 1024;  // bytes
constexpr std::chrono::seconds kPatience(120);     // without progress; then the test fails instead of hanging

std::uint64_t messagesPerDirection() {
  const char* setting = std::getenv("WEBSOCKET_CONTRACT_MESSAGES");
  return setting == nullptr ? kDefaultMessages : std::strtoull(setting, nullptr, 10);
}

// One direction of a connection in memory.
class Pipe {
 public:
  // Waits for room when `mayWait`. Threads that read must not wait here, or both ends could wait for each other.
  void write(const Bytes& bytes, bool mayWait) {
    std::unique_lock lock(mutex_);
    if (mayWait) room_.wait_for(lock, kPatience, [&] { return bytes_.size() < kPipeCapacity; });
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    data_.notify_one();
  }

  // Waits for bytes and takes at most `space` of them; 0 when nothing came for long.
  std::size_t read(std::uint8_t* to, std::size_t space) {
    std::unique_lock lock(mutex_);
    data_.wait_for(lock, kPatience, [&] { return begin_ < bytes_.size(); });
    const std::size_t length = std::min(space, bytes_.size() - begin_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_), length, to);
    begin_ += length;
    if (begin_ == bytes_.size()) {
      bytes_.clear();
      begin_ = 0;
      room_.notify_one();
    }
    return length;
  }

 private:
  std::mutex mutex_;
  std::condition_variable data_;
  std::condition_variable room_;
  Bytes bytes_;
  std::size_t begin_ = 0;
};

// The payload of message number n: the number, then text whose length depends on it.
Bytes payloadOf(std::uint64_t n) {
  const std::size_t filler = n % kLongInterval == kLongInterval - 1 ? 9000 : n % 24;
  Bytes payload(sizeof(n) + filler, static_cast<std::uint8_t>('a' + n % 26));
  std::memcpy(payload.data(), &n, sizeof(n));
  return payload;
}

// One end: a handle, the pipe it writes to and the pipe it reads from.
struct End {
  End(Side side, Pipe& outgoing, Pipe& incoming) : endpoint(side), out(outgoing), in(incoming) {}

  Endpoint endpoint;
  Pipe& out;
  Pipe& in;
  std::atomic<int> outstandingWrites = 0;
  std::atomic<int> overlappingWrites = 0;
  std::uint64_t received = 0;
  std::uint64_t wrong = 0;
  std::uint64_t pongs = 0;

  void write(const Action& action, bool mayWait) {
    if (outstandingWrites.fetch_add(1) != 0) overlappingWrites.fetch_add(1);
    out.write(action.bytes(), mayWait);
    outstandingWrites.fetch_sub(1);
    endpoint.complete(action, action.total());
  }
};

// Sends one operation and runs the SEND queue until its indication. False when that takes too long.
bool sendAndFlush(End& end, HRESULT queued, PVOID context) {
  if (queued != S_OK) return false;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const Action action = end.endpoint.takeSend();
    if (action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) {
      end.write(action, true);
    } else if (action.kind == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION) {
      end.endpoint.complete(action, 0);
      return action.context == context;
    } else {
      // The other thread is writing a ping reply.
      if (FAILED(action.result) || std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
  }
}

void sendLoop(End& end, std::uint64_t messages) {
  for (std::uint64_t n = 0; n < messages; ++n) {
    const Bytes payload = payloadOf(n);
    if (!sendAndFlush(end, end.endpoint.send(WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, payload, kA), kA)) {
      ADD_FAILURE() << "message " << n << " was not sent";
      break;
    }
    if (n % kPingInterval == 0 &&
        !sendAndFlush(end, end.endpoint.sendControl(WEB_SOCKET_PING_PONG_BUFFER_TYPE, kB), kB)) {
      ADD_FAILURE() << "the ping after message " << n << " was not sent";
      break;
    }
  }
  EXPECT_TRUE(sendAndFlush(end, end.endpoint.sendClose(1000, "", kC), kC));
}

// Receives until the peer's close, checking that messages come whole, in order and unchanged.
void receiveLoop(End& end) {
  Bytes message;
  for (;;) {
    if (end.endpoint.receive(kC) != S_OK) {
      ADD_FAILURE() << "WebSocketReceive failed";
      return;
    }
    for (bool pending = true; pending;) {
      const Action action = end.endpoint.takeReceive();
      switch (action.kind) {
        case WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION: {
          const std::size_t length = end.in.read(action.buffers[0].Data.pbBuffer, action.total());
          end.endpoint.complete(action, static_cast<ULONG>(length));
          break;
        }
        case WEB_SOCKET_SEND_TO_NETWORK_ACTION:
          end.write(action, false);
          break;
        case WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION: {
          pending = false;
          const bool close = action.type == WEB_SOCKET_CLOSE_BUFFER_TYPE || action.count == 0;
          if (action.type == WEB_SOCKET_PING_PONG_BUFFER_TYPE) {
            ++end.pongs;
          } else if (!close) {
            message = joined({message, action.bytes()});
          }
          if (action.type == WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE) {
            end.wrong += message != payloadOf(end.received) ? 1 : 0;
            ++end.received;
            message.clear();
          }
          end.endpoint.complete(action, 0);
          if (close) return;
          break;
        }
        default:
          ADD_FAILURE() << "a pending receive without an outstanding action never waits: " << action;
          return;
      }
    }
  }
}

TEST(Contract, T126_Send_and_receive_loops_on_two_threads_lose_and_reorder_nothing) {
  const std::uint64_t messages = messagesPerDirection();
  Pipe toServer;
  Pipe toClient;
  End client(Side::Client, toServer, toClient);
  End server(Side::Server, toClient, toServer);
  std::vector<std::thread> threads;
  for (End* end : {&client, &server}) {
    threads.emplace_back(sendLoop, std::ref(*end), messages);
    threads.emplace_back(receiveLoop, std::ref(*end));
  }
  for (std::thread& thread : threads) thread.join();
  for (const End* end : {&client, &server}) {
    EXPECT_EQ(end->received, messages);
    EXPECT_EQ(end->wrong, 0U) << "lost, reordered or damaged";
    EXPECT_EQ(end->overlappingWrites, 0) << "at most one SEND_TO_NETWORK is outstanding";
    EXPECT_GT(end->pongs, 0U);
    EXPECT_LE(end->pongs, (messages + kPingInterval - 1) / kPingInterval);
  }
}

}  // namespace
}  // namespace websocket::contract

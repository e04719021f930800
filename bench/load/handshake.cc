#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <vector>

#include "frames.h"
#include "modes.h"
#include "upgrade.h"
#include "window.h"

namespace websocket::bench {
namespace {

// What the server answers to Close 1000 (RFC 6455, 5.5.1).
constexpr std::string_view kServerClose("\x88\x02\x03\xE8", 4);

class Client {
 public:
  Client(const Options& options, std::size_t slot) : port_(options.port), slot_(slot) {
    const auto bytes = makeClientClose();
    close_.assign(bytes.begin(), bytes.end());
  }

  // Begins a round: a new connection from the next address.
  void connect(Epoll& epoll) {
    socket_ = connectTo(port_, slot_ + rounds_++, true);
    epoll.add(socket_, EPOLLOUT, slot_);
    state_ = State::Connecting;
    received_.clear();
    startedAt_ = Clock::now();
  }

  // Returns whether the round is over.
  bool serve(Epoll& epoll) {
    if (state_ == State::Connecting) {
      checkConnected();
      writeAll(socket_, upgradeRequest());
      epoll.change(socket_, EPOLLIN, slot_);
      state_ = State::Upgrading;
      return false;
    }
    std::array<char, 4096> buffer{};
    const ssize_t length = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length < 0) fail("recv");
    received_.append(buffer.data(), static_cast<std::size_t>(length));
    if (state_ == State::Upgrading) {
      if (length == 0) throw std::runtime_error("the server ended a connection in the handshake");
      const std::size_t head = checkUpgradeResponse(received_);
      if (head == 0) return false;
      received_.erase(0, head);
      writeAll(socket_, close_);
      state_ = State::Closing;
      return false;
    }
    if (length > 0) return false;
    if (received_ != kServerClose) throw std::runtime_error("the server did not answer the Close frame rightly");
    return true;
  }

  [[nodiscard]] Clock::time_point startedAt() const { return startedAt_; }

 private:
  enum class State { Connecting, Upgrading, Closing };

  void checkConnected() const {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) fail("getsockopt");
    errno = error;
    if (error != 0) fail("connect");
  }

  std::uint16_t port_;
  std::size_t slot_;
  std::size_t rounds_ = 0;
  std::string close_;
  State state_ = State::Connecting;
  Descriptor socket_;
  std::string received_;
  Clock::time_point startedAt_;
};

}  // namespace

std::string runHandshakes(const Options& options) {
  Epoll epoll;
  std::vector<Client> clients;
  for (std::size_t slot = 0; slot < options.connections; ++slot) clients.emplace_back(options, slot).connect(epoll);
  Window window(options);
  while (!window.isOver()) {
    for (const epoll_event& event : epoll.wait()) {
      Client& client = clients[event.data.u64];
      if (!client.serve(epoll)) continue;
      window.count(1);
      window.addLatency(Clock::now() - client.startedAt());
      client.connect(epoll);
    }
    window.tick(Clock::now());
  }
  return window.toJson();
}

}  // namespace websocket::bench

// Echo from both ends: the loop is the same, whoever made the connections.
#include <algorithm>
#include <deque>
#include <iostream>
#include <vector>

#include "connection.h"
#include "modes.h"
#include "upgrade.h"
#include "window.h"

namespace websocket::bench {
namespace {

constexpr std::size_t kLarge = std::size_t{16} * 1024;
constexpr std::size_t kSmallCycle = 8;

// A connection, its traffic and the times when its messages in flight were sent.
struct Client {
  Client(Descriptor socket, const Options& options, std::uint64_t number)
      : traffic(makeTraffic(cycleLength(options), options.size, options.text, number)),
        connection(std::move(socket), outgoing(options), expected(options), options.raw),
        sentAt(options.inFlight) {}

  // Different messages in flight, so that a mix-up shows; of large ones no more than that, so that they fit the cache.
  static std::size_t cycleLength(const Options& options) {
    return std::max(options.inFlight, options.size < kLarge ? kSmallCycle : 2);
  }
  const FrameCycle& outgoing(const Options& options) const {
    return options.mode == Mode::EchoServer ? traffic.fromServer : traffic.fromClient;
  }
  const FrameCycle& expected(const Options& options) const {
    if (options.raw) return outgoing(options);
    return options.mode == Mode::EchoServer ? traffic.fromClient : traffic.fromServer;
  }

  void send(std::size_t messages, Clock::time_point now) {
    for (std::size_t i = 0; i < messages; ++i) {
      sentAt[nextSent] = now;
      nextSent = (nextSent + 1) % sentAt.size();
    }
    connection.allow(messages);
  }

  Traffic traffic;
  Connection connection;
  std::vector<Clock::time_point> sentAt;  // a ring: as many as are in flight
  std::size_t nextSent = 0;               // also the oldest in flight, when all are
  bool awaitsWritable = false;
};

class EchoLoop {
 public:
  explicit EchoLoop(const Options& options) : options_(options), buffer_(kReadBufferSize) {}

  void add(Descriptor socket) {
    setNonBlocking(socket);
    const std::size_t number = clients_.size();
    clients_.emplace_back(std::move(socket), options_, number);
    epoll_.add(clients_.back().connection.socket(), EPOLLIN, number);
  }

  std::string run() {
    Window window(options_);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      clients_[i].send(options_.inFlight, Clock::now());
      updateEvents(i);
    }
    while (!window.isOver()) {
      for (const epoll_event& event : epoll_.wait()) serve(event, window);
      window.tick(Clock::now());
    }
    return window.toJson();
  }

 private:
  void serve(const epoll_event& event, Window& window) {
    const std::size_t number = event.data.u64;
    Client& client = clients_[number];
    if ((event.events & EPOLLOUT) != 0) client.connection.flush();
    if ((event.events & ~std::uint32_t{EPOLLOUT}) != 0) {
      const std::size_t messages = client.connection.receive(buffer_);
      const auto now = Clock::now();
      for (std::size_t i = 0; i < messages; ++i) {
        window.addLatency(now - client.sentAt[(client.nextSent + i) % client.sentAt.size()]);
      }
      window.count(messages);
      if (messages > 0) client.send(messages, now);
    }
    updateEvents(number);
  }

  void updateEvents(std::size_t number) {
    Client& client = clients_[number];
    if (client.awaitsWritable == client.connection.isBlocked()) return;
    client.awaitsWritable = client.connection.isBlocked();
    const std::uint32_t writable = client.awaitsWritable ? std::uint32_t{EPOLLOUT} : 0;
    epoll_.change(client.connection.socket(), EPOLLIN | writable, number);
  }

  Options options_;
  Epoll epoll_;
  std::deque<Client> clients_;  // they hold references into themselves
  std::vector<std::uint8_t> buffer_;
};

}  // namespace

std::string runEcho(const Options& options) {
  EchoLoop loop(options);
  for (std::size_t i = 0; i < options.connections; ++i) {
    Descriptor socket = connectTo(options.port, i, false);
    if (!options.raw) upgradeAsClient(socket);
    loop.add(std::move(socket));
  }
  return loop.run();
}

std::string runEchoServer(const Options& options) {
  const auto [listener, port] = listenOnLoopback();
  std::cout << "{\"port\":" << port << "}" << std::endl;
  EchoLoop loop(options);
  for (std::size_t i = 0; i < options.connections; ++i) {
    Descriptor socket = acceptFrom(listener);
    upgradeAsServer(socket);
    loop.add(std::move(socket));
  }
  return loop.run();
}

}  // namespace websocket::bench

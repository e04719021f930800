#include <deque>
#include <vector>

#include "connection.h"
#include "deflated.h"
#include "modes.h"
#include "window.h"

namespace websocket::bench {
namespace {

// A connection, and the times when its messages in flight were sent.
struct Client {
  Client(Descriptor socket, const Options& options, std::uint64_t number)
      : socket(std::move(socket)),
        traffic(options.size, options.takeover, options.repeats, number),
        replies(traffic, options.takeover),
        sentAt(options.inFlight) {}

  void send(std::size_t messages, Clock::time_point now) {
    std::string bytes;
    for (std::size_t i = 0; i < messages; ++i, ++sent) {
      const std::span<const std::uint8_t> frame = traffic.frame(sent);
      bytes.append(frame.begin(), frame.end());
      sentAt[sent % sentAt.size()] = now;
    }
    writeAll(socket, bytes);
  }

  Descriptor socket;
  DeflatedTraffic traffic;
  DeflatedReplies replies;
  std::vector<Clock::time_point> sentAt;  // a ring: as many as are in flight
  std::size_t sent = 0;
  std::size_t received = 0;
};

Client& open(std::deque<Client>& clients, const Options& options) {
  Descriptor socket = connectTo(options.port, clients.size(), false);
  upgradeDeflated(socket, options.takeover);
  return clients.emplace_back(std::move(socket), options, clients.size());
}

}  // namespace

std::string runDeflatedEcho(const Options& options) {
  std::vector<std::uint8_t> buffer(kReadBufferSize);
  Epoll epoll;
  std::deque<Client> clients;  // they hold references into themselves
  for (std::size_t i = 0; i < options.connections; ++i) epoll.add(open(clients, options).socket, EPOLLIN, i);
  Window window(options);
  for (Client& client : clients) client.send(options.inFlight, Clock::now());
  while (!window.isOver()) {
    for (const epoll_event& event : epoll.wait()) {
      Client& client = clients[event.data.u64];
      const std::size_t messages = client.replies.accept(readSome(client.socket, buffer));
      const auto now = Clock::now();
      for (std::size_t i = 0; i < messages; ++i) {
        window.addLatency(now - client.sentAt[client.received++ % client.sentAt.size()]);
      }
      window.count(messages);
      if (messages > 0) client.send(messages, now);
    }
    window.tick(Clock::now());
  }
  return window.toJson();
}

void openDeflated(std::vector<Descriptor>& sockets, const Options& options) {
  std::vector<std::uint8_t> buffer(kReadBufferSize);
  Descriptor socket = connectTo(options.port, sockets.size(), false);
  upgradeDeflated(socket, options.takeover);
  const DeflatedTraffic traffic(options.size, options.takeover, options.repeats, sockets.size());
  DeflatedReplies replies(traffic, options.takeover);
  const std::span<const std::uint8_t> frame = traffic.frame(0);
  writeAll(socket, {reinterpret_cast<const char*>(frame.data()), frame.size()});
  while (replies.accept(readSome(socket, buffer)) == 0) {
  }
  sockets.push_back(std::move(socket));
}

}  // namespace websocket::bench

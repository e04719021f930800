#include <deque>
#include <vector>

#include "connection.h"
#include "modes.h"
#include "upgrade.h"
#include "window.h"

namespace websocket::bench {
namespace {

constexpr std::size_t kCycle = 8;

}  // namespace

std::string runBroadcast(const Options& options) {
  const Traffic traffic = makeTraffic(kCycle, options.size, options.text, 0);
  std::vector<std::uint8_t> buffer(kReadBufferSize);
  Epoll epoll;
  std::deque<Connection> clients;
  for (std::size_t i = 0; i < options.connections; ++i) {
    Descriptor socket = connectTo(options.port, i, false);
    upgradeAsClient(socket);
    setNonBlocking(socket);
    epoll.add(socket, EPOLLIN, i);
    clients.emplace_back(std::move(socket), traffic.fromClient, traffic.fromServer, false);
  }

  Window window(options);
  std::size_t missing = 0;  // deliveries of this round
  Clock::time_point sentAt;
  while (!window.isOver()) {
    if (missing == 0) {
      missing = clients.size();
      sentAt = Clock::now();
      clients.front().allow(1);
      while (clients.front().isBlocked()) clients.front().flush();
    }
    for (const epoll_event& event : epoll.wait()) {
      const std::size_t messages = clients[event.data.u64].receive(buffer);
      if (messages > missing) throw std::runtime_error("a broadcast was delivered twice");
      missing -= messages;
      window.count(messages);
      const auto latency = Clock::now() - sentAt;
      for (std::size_t i = 0; i < messages; ++i) window.addLatency(latency);
    }
    window.tick(Clock::now());
  }
  return window.toJson();
}

}  // namespace websocket::bench

#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace websocket::bench {
namespace {

constexpr std::size_t kAddresses = 16;  // 127.0.0.1 to 127.0.0.16
constexpr int kBacklog = 4096;
constexpr int kMaxWaitMs = 100;
constexpr std::size_t kMaxEvents = 1024;

sockaddr_in loopback(std::uint16_t port, std::uint32_t number) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

void setOption(const Descriptor& socket, int level, int name, int value, const char* what) {
  if (setsockopt(socket.get(), level, name, &value, sizeof value) != 0) fail(what);
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Descriptor connectTo(std::uint16_t port, std::size_t number, bool nonBlocking) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0), 0));
  if (socket.get() < 0) fail("socket");
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  // The port is chosen by connect(), which may use one again that is taken on another address.
  setOption(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT");
  const sockaddr_in from = loopback(0, static_cast<std::uint32_t>(number % kAddresses));
  if (bind(socket.get(), generic(from), sizeof from) != 0) fail("bind");
  const sockaddr_in to = loopback(port, 0);
  if (connect(socket.get(), generic(to), sizeof to) != 0 && errno != EINPROGRESS) fail("connect");
  return socket;
}

std::pair<Descriptor, std::uint16_t> listenOnLoopback() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) fail("socket");
  sockaddr_in address = loopback(0, 0);
  if (bind(socket.get(), generic(address), sizeof address) != 0) fail("bind");
  if (listen(socket.get(), kBacklog) != 0) fail("listen");
  socklen_t length = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) fail("getsockname");
  return {std::move(socket), ntohs(address.sin_port)};
}

Descriptor acceptFrom(const Descriptor& listener) {
  Descriptor socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.get() < 0) fail("accept");
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  return socket;
}

void setNonBlocking(const Descriptor& socket) {
  const int flags = fcntl(socket.get(), F_GETFL);
  if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0) fail("fcntl");
}

void writeAll(const Descriptor& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0) fail("send");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::span<const std::uint8_t> readSome(const Descriptor& socket, std::span<std::uint8_t> buffer) {
  const ssize_t length = recv(socket.get(), buffer.data(), buffer.size(), 0);
  if (length < 0) fail("recv");
  if (length == 0) throw std::runtime_error("the measured process closed a connection");
  return buffer.first(static_cast<std::size_t>(length));
}

void raiseDescriptorLimit(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
  if (limit.rlim_max < wanted) {
    throw std::runtime_error("a process may open " + std::to_string(limit.rlim_max) + " descriptors here, and " +
                             std::to_string(wanted) + " are needed: raise the hard limit (ulimit -Hn)");
  }
}

Epoll::Epoll() : fd_(epoll_create1(EPOLL_CLOEXEC)), events_(kMaxEvents) {
  if (fd_.get() < 0) fail("epoll_create1");
}

void Epoll::add(const Descriptor& socket, std::uint32_t events, std::size_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, socket.get(), &event) != 0) fail("epoll_ctl");
}

void Epoll::change(const Descriptor& socket, std::uint32_t events, std::size_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  if (epoll_ctl(fd_.get(), EPOLL_CTL_MOD, socket.get(), &event) != 0) fail("epoll_ctl");
}

std::span<const epoll_event> Epoll::wait() {
  const int count = epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), kMaxWaitMs);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  return {events_.data(), count < 0 ? 0 : static_cast<std::size_t>(count)};
}

}  // namespace websocket::bench

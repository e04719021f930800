// TCP sockets on the loopback interface, and epoll.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace websocket::bench {

/// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// @throws std::system_error with errno and what was tried
[[noreturn]] void fail(const char* what);

/// Starts a connection to 127.0.0.1, from one of several loopback addresses so that the local ports last.
/// @param number of the connection; chooses the address
/// @param nonBlocking returns before the connection is made
Descriptor connectTo(std::uint16_t port, std::size_t number, bool nonBlocking);

/// Listens on 127.0.0.1 at a free port.
std::pair<Descriptor, std::uint16_t> listenOnLoopback();

/// Accepts one connection, waiting for it.
Descriptor acceptFrom(const Descriptor& listener);

void setNonBlocking(const Descriptor& socket);

/// Writes all of it, waiting where needed.
void writeAll(const Descriptor& socket, std::string_view bytes);

/// Reads what there is, waiting for it on a blocking socket.
/// @returns the part of the buffer that was filled
/// @throws std::runtime_error when the peer ended the connection
std::span<const std::uint8_t> readSome(const Descriptor& socket, std::span<std::uint8_t> buffer);

/// Lets the process have as many descriptors as the system allows.
/// @throws std::runtime_error when that is fewer than `wanted`
void raiseDescriptorLimit(std::size_t wanted);

class Epoll {
 public:
  Epoll();
  /// @param key comes back with the socket's events
  void add(const Descriptor& socket, std::uint32_t events, std::size_t key);
  void change(const Descriptor& socket, std::uint32_t events, std::size_t key);
  /// Waits up to 100 ms.
  std::span<const epoll_event> wait();

 private:
  Descriptor fd_;
  std::vector<epoll_event> events_;
};

}  // namespace websocket::bench

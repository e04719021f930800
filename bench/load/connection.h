// One connection of the load: sends frames of a cycle as it is allowed to, and checks what comes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "frames.h"
#include "reply_checker.h"
#include "socket.h"

namespace websocket::bench {

/// The last bytes that a socket had to offer; shared by all connections, because one is read at a time.
inline constexpr std::size_t kReadBufferSize = std::size_t{256} * 1024;

class Connection {
 public:
  /// @param socket non-blocking, upgraded
  /// @param outgoing what is sent, over and over; outlives the connection, like `expected`
  /// @param expected what must come back
  /// @param sameKeys see ReplyChecker
  Connection(Descriptor socket, const FrameCycle& outgoing, const FrameCycle& expected, bool sameKeys)
      : socket_(std::move(socket)), outgoing_(&outgoing), checker_(expected, sameKeys) {}

  /// Allows this many more messages to be sent, at most one cycle ahead, and sends what the kernel takes.
  void allow(std::size_t messages);

  /// Reads once.
  /// @returns the number of messages that were completed
  /// @throws std::runtime_error when the peer closed or a byte is wrong
  std::size_t receive(std::span<std::uint8_t> buffer);

  /// Sends what is allowed and was not taken yet.
  void flush();

  /// Whether the socket has to become writable first.
  [[nodiscard]] bool isBlocked() const { return unsent_ > 0; }
  [[nodiscard]] const Descriptor& socket() const { return socket_; }

 private:
  Descriptor socket_;
  const FrameCycle* outgoing_;
  ReplyChecker checker_;
  std::size_t position_ = 0;  // in the cycle
  std::size_t unsent_ = 0;    // bytes allowed and not sent
};

}  // namespace websocket::bench

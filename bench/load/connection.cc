#include "connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

namespace websocket::bench {

void Connection::allow(std::size_t messages) {
  const bool wasBlocked = isBlocked();
  unsent_ += messages * outgoing_->frameLength;
  if (!wasBlocked) flush();
}

void Connection::flush() {
  const auto& cycle = outgoing_->bytes;
  while (unsent_ > 0) {
    // Up to the end of the cycle, and on from its start.
    auto* bytes = const_cast<std::uint8_t*>(cycle.data());  // iovec has no const
    const std::size_t first = std::min(unsent_, cycle.size() - position_);
    const std::size_t second = std::min(unsent_ - first, position_);
    std::array<iovec, 2> parts = {iovec{bytes + position_, first}, iovec{bytes, second}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = second > 0 ? 2 : 1;
    const ssize_t result = sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      fail("send");
    }
    const auto sent = static_cast<std::size_t>(result);
    position_ = (position_ + sent) % cycle.size();
    unsent_ -= sent;
  }
}

std::size_t Connection::receive(std::span<std::uint8_t> buffer) {
  const ssize_t length = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (length < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    fail("recv");
  }
  if (length == 0) throw std::runtime_error("the measured process closed a connection");
  return checker_.accept(buffer.first(static_cast<std::size_t>(length)));
}

}  // namespace websocket::bench

// What carries a connection's bytes. A transport reports to its Connection by the functions that connection.h lists
// under "From the transport".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol.h"

namespace websocket::driver {

// An address of a TCP socket.
struct SocketAddress {
  std::array<char, 64> text{};  // ends with a NUL
  bool isIpv6 = false;
  std::uint16_t port = 0;
};

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  // As close(false).
  virtual ~Transport() = default;

  // Whether the application reads and writes the bytes, and not the driver.
  virtual bool isStream() const = 0;

  virtual void setReading(bool reading) = 0;

  // Writes what can be written at once. Returns the bytes written, or a negated libuv error: UV_EAGAIN when write() has
  // to be used. The bytes are only read during the call.
  virtual int tryWrite(std::span<const Buffer> bytes) = 0;
  // Writes all of the bytes (at most writeLimit()), which stay valid until Connection::written() is called; that may
  // happen before this returns. Returns 0, or a negated libuv error, and then written() is not called.
  virtual int write(std::span<const Buffer> bytes) = 0;
  virtual std::size_t writeLimit() const = 0;

  // Sends FIN; Connection::shutDown() follows where the transport can tell. Returns 0 or a negated libuv error.
  virtual int shutdown() = 0;
  // Ends at once, with RST when asked for and possible. Nothing is reported afterwards. Idempotent.
  virtual void close(bool reset) = 0;
  // The peer's address, or our own; false when there is none.
  virtual bool address(bool ofPeer, SocketAddress& address) const = 0;
  // Whether the transport keeps the loop alive.
  virtual void setRef(bool ref) = 0;
  // TCP_NODELAY and SO_KEEPALIVE of a TCP socket; nothing else has them. idleSeconds: of silence before the first
  // probe, 0: two hours.
  virtual void setNoDelay(bool noDelay) = 0;
  virtual void setKeepAlive(bool keepAlive, unsigned idleSeconds) = 0;
};

}  // namespace websocket::driver

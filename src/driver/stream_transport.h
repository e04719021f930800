// A byte stream that the application owns (any Node Duplex): it calls Connection::receive() with what came in, and is
// asked to write what goes out.
#pragma once

#include "event.h"
#include "transport.h"

namespace websocket::driver {

class Driver;

class StreamTransport final : public Transport {
 public:
  StreamTransport(Driver& driver, ConnectionId id) : driver_(driver), id_(id) {}

  bool isStream() const override { return true; }
  void setReading(bool /*reading*/) override {}
  int tryWrite(std::span<const Buffer> bytes) override;
  int write(std::span<const Buffer> bytes) override;
  std::size_t writeLimit() const override { return kWriteLimit; }
  int shutdown() override;
  void close(bool /*reset*/) override {}
  bool address(bool /*ofPeer*/, SocketAddress& /*address*/) const override { return false; }
  void setRef(bool /*ref*/) override {}
  void setNoDelay(bool /*noDelay*/) override {}
  void setKeepAlive(bool /*keepAlive*/, unsigned /*idleSeconds*/) override {}

 private:
  // A write copies its bytes for the stream, so this bounds the memory that a slow stream doubles.
  static constexpr std::size_t kWriteLimit = std::size_t{1024} * 1024;

  Driver& driver_;
  ConnectionId id_;
};

}  // namespace websocket::driver

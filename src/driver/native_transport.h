// A TCP or Unix socket on the loop itself: the descriptor that Node's http server or client produced is duplicated, and
// the duplicate is read and written by libuv without JavaScript in between. Not on Windows.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>

#include "transport.h"
#include "uv_handle.h"

namespace websocket::driver {

class Connection;

class NativeTransport final : public Transport {
 public:
  // Duplicates the descriptor of a connected stream socket. Returns 0 and the transport, or a negated libuv error:
  // UV_EBADF, UV_EMFILE, UV_EINVAL (not such a socket), UV_ENOTSUP (Windows). Throws std::bad_alloc.
  static int open(uv_loop_t* loop, const std::shared_ptr<HandleLifetime>& lifetime, Connection& connection, int fd,
                  bool isPipe, std::unique_ptr<Transport>& transport);

  bool isStream() const override { return false; }
  void setReading(bool reading) override;
  int tryWrite(std::span<const Buffer> bytes) override;
  int write(std::span<const Buffer> bytes) override;
  std::size_t writeLimit() const override { return kWriteLimit; }
  int shutdown() override;
  void close(bool reset) override;
  bool address(bool ofPeer, SocketAddress& address) const override;
  void setRef(bool ref) override;
  void setNoDelay(bool noDelay) override;
  void setKeepAlive(bool keepAlive, unsigned idleSeconds) override;

 private:
  // What waits for a full socket carries few bytes: only the wait for the socket is wanted, and what is handed over can
  // no longer be overtaken by pings, pongs and replies.
  static constexpr std::size_t kWriteLimit = std::size_t{16} * 1024;

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): one member of a union is initialized
  struct Socket : HandleBlock<Connection> {
    uv_handle_t* base() { return &handle; }

    union {
      uv_handle_t handle{};
      uv_stream_t stream;
      uv_tcp_t tcp;
      uv_pipe_t pipe;
    };
  };
  // Requests are made when needed: most connections are idle, and most writes are done at once. libuv calls back for
  // every request before it closes the handle, so the block outlives it.

  explicit NativeTransport(UniqueHandle<Socket> socket) : socket_(std::move(socket)) {}

  static void allocate(uv_handle_t* handle, std::size_t suggestedSize, uv_buf_t* buffer);
  static void read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  static void written(uv_write_t* request, int status);
  static void shutDown(uv_shutdown_t* request, int status);

  UniqueHandle<Socket> socket_;
  bool reading_ = false;
};

}  // namespace websocket::driver

#include "native_transport.h"

#ifndef _WIN32
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#endif

#include <array>
#include <bit>
#include <new>

#include "connection.h"
#include "driver.h"

namespace websocket::driver {
namespace {

constexpr std::size_t kMaxBuffers = 65;  // the segments of an action, and the preamble

// What systems wait by themselves (RFC 1122, 4.2.3.6). libuv takes no 0.
constexpr unsigned kSystemIdleSeconds = 2 * 60 * 60;

#ifndef _WIN32
// Checks what libuv takes for granted: polling anything but a connected stream socket could abort the process.
int checkSocket(int fd, bool isPipe) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    return errno == ENOTSOCK ? UV_EINVAL : uv_translate_sys_error(errno);
  }
  sockaddr_storage address{};
  size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return uv_translate_sys_error(errno);
  }
  const bool isUnix = address.ss_family == AF_UNIX;
  const bool isInternet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
  if (type != SOCK_STREAM || !(isPipe ? isUnix : isInternet)) {
    return UV_EINVAL;
  }
  int listening = 0;
  size = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0) {
    return UV_EINVAL;
  }
  return 0;
}
#endif

}  // namespace

#ifdef _WIN32

// A Windows socket cannot be shared between two completion ports.
int NativeTransport::open(uv_loop_t*, const std::shared_ptr<HandleLifetime>&, Connection&, int, bool,
                          std::unique_ptr<Transport>&) {
  return UV_ENOTSUP;
}

#else

int NativeTransport::open(uv_loop_t* loop, const std::shared_ptr<HandleLifetime>& lifetime, Connection& connection,
                          int fd, bool isPipe, std::unique_ptr<Transport>& transport) {
  if (const int error = checkSocket(fd, isPipe); error != 0) {
    return error;
  }
  auto block = std::make_unique<Socket>();
  const int initialized = isPipe ? uv_pipe_init(loop, &block->pipe, 0) : uv_tcp_init(loop, &block->tcp);
  if (initialized != 0) {
    return initialized;
  }
  block->owner = &connection;
  block->lifetime = lifetime;
  block->handle.data = block.get();
  UniqueHandle<Socket> socket(block.release());
  auto made = std::unique_ptr<NativeTransport>(new NativeTransport(std::move(socket)));
  Socket& opened = *made->socket_;

  const int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) {
    return uv_translate_sys_error(errno);
  }
  const int error = isPipe ? uv_pipe_open(&opened.pipe, duplicate) : uv_tcp_open(&opened.tcp, duplicate);
  if (error != 0) {
    ::close(duplicate);
    return error;
  }
  transport = std::move(made);
  return 0;
}

#endif

void NativeTransport::allocate(uv_handle_t* handle, std::size_t /*suggestedSize*/, uv_buf_t* buffer) {
  Connection* const connection = static_cast<Socket*>(handle->data)->owner;
  *buffer = uv_buf_init(nullptr, 0);  // reading then reports UV_ENOBUFS
  try {
    const std::span<std::uint8_t> space = connection->readSpace();
    *buffer = uv_buf_init(reinterpret_cast<char*>(space.data()), static_cast<unsigned>(space.size()));
  } catch (const std::bad_alloc&) {
  }
}

void NativeTransport::read(uv_stream_t* stream, ssize_t count, const uv_buf_t* /*buffer*/) {
  Connection& connection = *static_cast<Socket*>(stream->data)->owner;
  Driver& driver = connection.driver();
  try {
    connection.received(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count == UV_EOF) {
      connection.endOfStream();
    } else if (count < 0) {
      connection.close(static_cast<int>(count), false);
    }
  } catch (const std::bad_alloc&) {
    connection.close(UV_ENOMEM, false);
  }
  driver.deliverIfFull();
}

void NativeTransport::setReading(bool reading) {
  if (socket_ == nullptr || reading == reading_) {
    return;
  }
  reading_ = reading;
  if (reading) {
    uv_read_start(&socket_->stream, &allocate, &read);
  } else {
    uv_read_stop(&socket_->stream);
  }
}

namespace {

// The buffers in libuv's form.
struct UvBuffers {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): count says how much of the list is filled
  explicit UvBuffers(std::span<const Buffer> bytes) {
    for (const Buffer& buffer : bytes) {
      list[count++] = uv_buf_init(reinterpret_cast<char*>(buffer.data), buffer.length);
    }
  }

  std::array<uv_buf_t, kMaxBuffers> list;
  unsigned count = 0;
};

}  // namespace

int NativeTransport::tryWrite(std::span<const Buffer> bytes) {
  const UvBuffers buffers(bytes);
  return uv_try_write(&socket_->stream, buffers.list.data(), buffers.count);
}

int NativeTransport::write(std::span<const Buffer> bytes) {
  const UvBuffers buffers(bytes);
  auto request = std::make_unique<uv_write_t>();
  request->data = socket_.get();
  const int error =
      uv_write(request.get(), &socket_->stream, buffers.list.data(), buffers.count, &NativeTransport::written);
  if (error == 0) {
    static_cast<void>(request.release());  // written() frees it
  }
  return error;
}

void NativeTransport::written(uv_write_t* request, int status) {
  const std::unique_ptr<uv_write_t> owned(request);
  Connection* const connection = static_cast<Socket*>(request->data)->owner;
  if (connection != nullptr) {
    connection->written(status);
  }
}

int NativeTransport::shutdown() {
  auto request = std::make_unique<uv_shutdown_t>();
  request->data = socket_.get();
  const int error = uv_shutdown(request.get(), &socket_->stream, &NativeTransport::shutDown);
  if (error == 0) {
    static_cast<void>(request.release());  // shutDown() frees it
  }
  return error;
}

void NativeTransport::shutDown(uv_shutdown_t* request, int status) {
  const std::unique_ptr<uv_shutdown_t> owned(request);
  Connection* const connection = static_cast<Socket*>(request->data)->owner;
  if (connection != nullptr) {
    connection->shutDown(status);
  }
}

void NativeTransport::close(bool reset) {
  if (socket_ == nullptr) {
    return;
  }
  if (reset && socket_->handle.type == UV_TCP) {
    socket_->owner = nullptr;
    if (uv_tcp_close_reset(&socket_->tcp, &CloseHandle<Socket>::closed) == 0) {
      static_cast<void>(socket_.release());
      return;
    }
  }
  socket_.reset();
}

namespace {

// ntohs(), which on Windows would need a library of its own.
std::uint16_t toHostOrder(std::uint16_t port) {
  const auto bytes = std::bit_cast<std::array<std::uint8_t, 2>>(port);
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

}  // namespace

bool NativeTransport::address(bool ofPeer, SocketAddress& address) const {
  if (socket_->handle.type != UV_TCP) {
    return false;
  }
  sockaddr_storage storage{};
  auto* const any = reinterpret_cast<sockaddr*>(&storage);
  int size = sizeof storage;
  // Two calls: a pointer to one of the functions would have to be known when the addon is loaded, and Deno has neither.
  if ((ofPeer ? uv_tcp_getpeername(&socket_->tcp, any, &size) : uv_tcp_getsockname(&socket_->tcp, any, &size)) != 0) {
    return false;
  }
  address.isIpv6 = storage.ss_family == AF_INET6;
  if (address.isIpv6) {
    const auto* const internet = reinterpret_cast<const sockaddr_in6*>(&storage);
    address.port = toHostOrder(internet->sin6_port);
    return uv_ip6_name(internet, address.text.data(), address.text.size()) == 0;
  }
  const auto* const internet = reinterpret_cast<const sockaddr_in*>(&storage);
  address.port = toHostOrder(internet->sin_port);
  return uv_ip4_name(internet, address.text.data(), address.text.size()) == 0;
}

void NativeTransport::setRef(bool ref) {
  if (ref) {
    uv_ref(&socket_->handle);
  } else {
    uv_unref(&socket_->handle);
  }
}

void NativeTransport::setNoDelay(bool noDelay) {
  if (socket_->handle.type == UV_TCP) {
    uv_tcp_nodelay(&socket_->tcp, noDelay ? 1 : 0);
  }
}

void NativeTransport::setKeepAlive(bool keepAlive, unsigned idleSeconds) {
  if (socket_->handle.type == UV_TCP) {
    uv_tcp_keepalive(&socket_->tcp, keepAlive ? 1 : 0, idleSeconds == 0 ? kSystemIdleSeconds : idleSeconds);
  }
}

}  // namespace websocket::driver

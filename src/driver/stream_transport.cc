#include "stream_transport.h"

#include <uv.h>

#include "driver.h"

namespace websocket::driver {

int StreamTransport::tryWrite(std::span<const Buffer> /*bytes*/) { return UV_EAGAIN; }

int StreamTransport::write(std::span<const Buffer> bytes) {
  driver_.delegate().gather(id_, bytes);
  return 0;
}

// The application ends the stream when it sees the event; nothing comes back.
int StreamTransport::shutdown() {
  driver_.record({id_, EventKind::Shutdown, nullptr, 0, 0, false});
  return 0;
}

}  // namespace websocket::driver

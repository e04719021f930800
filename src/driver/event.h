// What happens on connections, as flat records that are gathered and handed to the application in batches. The values
// are those of EventKind in types/native.d.ts.
#pragma once

#include <cstdint>

namespace websocket::driver {

// Names a connection; carries a generation, so that the id of a connection that is gone names nothing. Never 0.
using ConnectionId = std::uint32_t;

enum class EventKind : std::uint32_t {
  Text = 1,       // data: the message
  Binary = 2,     // data: the message
  Ping = 3,       // data: the payload; it has been answered when autoPong is on
  Pong = 4,       // data: the payload; solicited or not
  Close = 5,      // data: the reason; value: the status, 1005 when the frame had none
  Fault = 6,      // data: what the peer did wrong; value: the status of the Close frame that tells it
  Closed = 7,     // value: the libuv error number, negated; 0: ended in order. Always a connection's last event
  Sent = 8,       // value: the callback number; failed: the bytes will never be handed to the kernel
  End = 9,        // native: the peer sent FIN
  Shutdown = 10,  // stream: everything was written and nothing follows
  Fragment = 11   // data: a piece of a message; value: the bits below
};

// What the piece of a message is.
inline constexpr std::uint32_t kFragmentBinary = 1;  // of a binary message; else of a text message
inline constexpr std::uint32_t kFragmentFirst = 2;
inline constexpr std::uint32_t kFragmentLast = 4;

struct Event {
  ConnectionId connection = 0;
  EventKind kind = EventKind::Text;
  const std::uint8_t* data = nullptr;  // valid until the batch was delivered
  std::uint32_t length = 0;            // bytes
  std::uint32_t value = 0;
  bool failed = false;
  bool borrowed = false;  // the application looks at data where it lies
};

}  // namespace websocket::driver

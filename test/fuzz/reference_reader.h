// A second reading of RFC 6455: takes a whole byte stream at once and says which messages, control frames and faults
// are in it. It shares no code with src/, keeps everything and is slow, so that it can be checked by eye. The fuzz
// targets compare it with what a handle indicates under any split of the same stream.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "websocket.h"

namespace websocket::fuzz {

using Bytes = std::vector<std::uint8_t>;

enum class EventKind : std::uint8_t { Message, Ping, Pong, Close };

struct Event {
  EventKind kind = EventKind::Message;
  std::uint32_t type = 0;  // of a message: WEB_SOCKET_BUFFER_TYPE of its last part
  Bytes payload;           // of a Close frame: the reason
  std::uint16_t status = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

// The settings of the handle that change what it makes of a stream.
struct ReaderRules {
  bool server = false;
  bool unmaskedAllowed = false;  // of a server
  bool rsvAllowed = false;
  bool verifyUtf8 = true;
  bool strictCloseCodes = false;
  std::uint64_t maxMessageSize = 0;
  std::uint64_t maxFrameSize = 0;
  std::uint32_t maxFragments = 0;
};

struct ReadStream {
  std::vector<Event> events;
  Bytes partial;         // payload of the message that the stream ends in
  HRESULT fault = S_OK;  // what is wrong behind the events
  std::uint16_t faultStatus = 0;
};

ReadStream readStream(std::span<const std::uint8_t> bytes, const ReaderRules& rules);

// One frame of a stream that is known to be well formed, for looking at what a handle sends.
struct Frame {
  std::uint8_t firstByte = 0;
  bool masked = false;
  Bytes payload;  // unmasked
};

// Takes the first frame from bytes, which it shortens; none: the frame is not complete.
std::optional<Frame> takeFrame(std::span<const std::uint8_t>& bytes);

}  // namespace websocket::fuzz

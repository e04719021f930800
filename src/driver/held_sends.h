// What was sent on a connection since it waits for a compression job: the message of the job, and what came behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "fifo.h"
#include "masking.h"
#include "protocol.h"
#include "session_options.h"
#include "shared_message.h"

namespace websocket::driver {

struct HeldSend {
  enum class Kind : std::uint8_t { Message, Close, Raw };
  Kind kind = Kind::Message;
  Compression compression = Compression::Off;
  std::uint16_t status = 0;            // of a Close frame
  BufferType type = BufferType::None;  // of a message
  std::uint32_t callback = 0;
  std::optional<MaskKey> key{};
  std::shared_ptr<SharedMessage> message{};  // the payload, the reason of a Close frame, or raw bytes

  const MaskKey* keyAddress() const { return key ? &*key : nullptr; }
  std::span<const std::uint8_t> bytes() const { return message->payload(); }
};

struct HeldSends {
  std::shared_ptr<DeflateJob> job;  // of the front; null while they are sent
  Fifo<HeldSend> sends;
  bool hasClose = false;           // nothing may be sent any more
  std::uint64_t payloadBytes = 0;  // of messages and raw bytes
  std::uint64_t wireBytes = 0;     // as far as it is known

  // wire: the bytes of its frame. Throws std::bad_alloc.
  void push(HeldSend&& send, std::uint64_t wire) {
    const bool isClose = send.kind == HeldSend::Kind::Close;
    const std::uint64_t payload = isClose ? 0 : send.bytes().size();
    sends.push(std::move(send));
    hasClose = hasClose || isClose;
    payloadBytes += payload;
    wireBytes += wire;
  }
  void pop(std::uint64_t wire) {
    payloadBytes -= sends.front().kind == HeldSend::Kind::Close ? 0 : sends.front().bytes().size();
    wireBytes -= wire;
    sends.pop();
  }
};

}  // namespace websocket::driver

// The part of Session that queues send operations: what may be sent when, and as which frame (contract, section 9).
#include <algorithm>
#include <limits>
#include <memory>

#include "close_status.h"
#include "session.h"

namespace websocket {
namespace {

constexpr std::uint16_t kNoStatus = 1005;
constexpr std::uint64_t kMaxOperationLength = std::numeric_limits<std::uint32_t>::max();  // a ULONG in the API

}  // namespace

// The first byte of a data frame, and which message is open behind it (contract 9.1, 13.2, R1).
inline Result Session::dataFirstByte(BufferType type, std::uint8_t& firstByte, OutgoingMessage& open) const {
  OutgoingMessage kind = OutgoingMessage::Custom;
  bool fin = false;
  auto opcode = Opcode::Continuation;
  unsigned rsv = 0;
  switch (type) {
    case BufferType::Utf8Message:
    case BufferType::Utf8Fragment:
      kind = OutgoingMessage::Text;
      opcode = Opcode::Text;
      fin = type == BufferType::Utf8Message;
      break;
    case BufferType::BinaryMessage:
    case BufferType::BinaryFragment:
      kind = OutgoingMessage::Binary;
      opcode = Opcode::Binary;
      fin = type == BufferType::BinaryMessage;
      break;
    default: {
      const auto bits = static_cast<std::uint32_t>(type);
      const std::uint32_t byte = bits >> 1;
      opcode = static_cast<Opcode>(byte & kOpcodeBits);
      if (!isCustom(type) || bits % 2 != 0 || byte > 0xFF || opcode > Opcode::Binary) {
        return Result::InvalidArgument;
      }
      rsv = byte & kRsvBits;
      fin = (byte & kFinBit) != 0;
      const bool continues = opcode == Opcode::Continuation;
      if ((rsv != 0 && !extensionNegotiated_) || continues != (outgoing_ == OutgoingMessage::Custom)) {
        return Result::InvalidOperation;
      }
    }
  }
  if (outgoing_ != OutgoingMessage::None) {
    if (kind != outgoing_) {
      return Result::InvalidOperation;
    }
    opcode = Opcode::Continuation;
  }
  firstByte = static_cast<std::uint8_t>(firstByteOf(opcode, fin) | rsv);
  open = fin ? OutgoingMessage::None : kind;
  return Result::Ok;
}

Result Session::send(BufferType type, std::span<const std::uint8_t> payload, void* context, Payload payloadOwnership,
                     const MaskKey* key, Compression compression) {
  if (payload.size() > kMaxOperationLength ||
      ((payloadOwnership == Payload::Copy || key != nullptr) && !options_->gather)) {
    return Result::InvalidArgument;
  }
  std::uint8_t firstByte = 0;
  OutgoingMessage open = OutgoingMessage::None;
  const Result shape = dataFirstByte(type, firstByte, open);
  if (shape == Result::InvalidArgument) {
    return shape;
  }
  if (const Result result = admit(Call::SendData); result != Result::Ok) {
    return result;
  }
  if (shape != Result::Ok) {
    return shape;
  }
  if (deflate_ != nullptr && isCompressed(type, firstByte, payload, compression)) {
    if (compression != Compression::Done) {
      return sendCompressed({firstByte, 0, payload, payloadOwnership, type, context, key}, open);
    }
    firstByte |= kRsv1Bit;
  }
  if (isGathering()) {
    const Result result = gatherQueue().addData({firstByte, 0, payload, payloadOwnership, type, context, key});
    if (result != Result::Ok) {
      return result;
    }
  } else {
    sendQueue_->queue({type, firstByte, 0, payload, context, nullptr, false});
  }
  outgoing_ = open;
  return Result::Ok;
}

Result Session::sendControl(BufferType type, std::span<const std::uint8_t> payload, void* context, const MaskKey* key) {
  const bool ping = type == BufferType::PingPong;
  if ((!ping && type != BufferType::UnsolicitedPong) || payload.size() > kMaxControlPayload ||
      (key != nullptr && !isGathering())) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::SendControl); result != Result::Ok) {
    return result;
  }
  if (ping) {
    receiver_.makeRoomForExpectedPong();
  }
  const std::uint8_t firstByte = firstByteOf(ping ? Opcode::Ping : Opcode::Pong, true);
  if (isGathering()) {
    const Result result = gatherQueue().addControl({firstByte, 0, payload, Payload::Copy, type, context, key});
    if (result != Result::Ok) {
      return result;
    }
  } else {
    SendOperation operation{type, firstByte, 0, {}, context, nullptr, false};
    if (!payload.empty()) {
      operation.own(payload);
    }
    sendQueue_->queue(std::move(operation));
  }
  if (ping) {
    receiver_.expectPong(payload);
  }
  return Result::Ok;
}

Result Session::sendRaw(std::span<const std::uint8_t> bytes, void* context) {
  if (bytes.size() > kMaxOperationLength || !isGathering()) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::SendControl); result != Result::Ok) {
    return result;
  }
  gatherQueue().addRaw(bytes, context);
  return Result::Ok;
}

Result Session::sendClose(std::uint16_t status, std::span<const std::uint8_t> reason, void* context,
                          const MaskKey* key) {
  const bool empty = status == 0 || status == kNoStatus;
  if (reason.size() > kMaxCloseReason || (empty && !reason.empty()) ||
      (!empty && !isSendableCloseStatus(status, options_->strictCloseCodes)) || (key != nullptr && !isGathering())) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::SendClose); result != Result::Ok) {
    return result;
  }
  return queueClose(empty ? std::uint16_t{0} : status, reason, context, false, key);
}

Result Session::queueClose(std::uint16_t status, std::span<const std::uint8_t> reason, void* context, bool internal,
                           const MaskKey* key) {
  const std::uint8_t firstByte = firstByteOf(Opcode::Close, true);
  if (isGathering()) {
    const Result result =
        gatherQueue().addData({firstByte, status, reason, Payload::Copy, BufferType::Close, context, key});
    if (result != Result::Ok) {
      return result;
    }
  } else {
    SendOperation operation{BufferType::Close, firstByte, status, reason, context, nullptr, internal};
    if (internal && !reason.empty()) {
      operation.own(reason);
    }
    sendQueue_->queue(std::move(operation));
  }
  enter(Event::CloseSent);
  return Result::Ok;
}

}  // namespace websocket

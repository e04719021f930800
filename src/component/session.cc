#include "session.h"

#include <algorithm>
#include <limits>

#include "close_status.h"
#include "random.h"

namespace websocket {
namespace {

constexpr std::uint16_t kNoStatus = 1005;
constexpr std::uint64_t kMaxOperationLength = std::numeric_limits<std::uint32_t>::max();  // a ULONG in the API
constexpr unsigned kSlotBits = 2;

constexpr std::uint8_t firstByteOf(Opcode opcode, bool fin) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(opcode) | (fin ? kFinBit : 0U));
}

}  // namespace

Session::Session(Role role, std::shared_ptr<const SessionOptions> options)
    : role_(role),
      options_(std::move(options)),
      receiver_(role, *options_),
      sender_(std::in_place_type<SendQueue>, role, *options_) {
  if (options_->gather) {
    sender_.emplace<GatherQueue>(role, *options_);
  }
}

Session::~Session() = default;

Result Session::injectReceived(std::span<const std::uint8_t> bytes) {
  if (const Result result = admit(Call::GetAction); result != Result::Ok) {
    return result;
  }
  receiver_.inject(bytes);
  return Result::Ok;
}

// The first byte of a data frame, and which message is open behind it (contract 9.1, 13.2, R1).
Result Session::dataFirstByte(BufferType type, std::uint8_t& firstByte, OutgoingMessage& open) const {
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

Result Session::send(BufferType type, std::span<const std::uint8_t> payload, void* context, Payload payloadOwnership) {
  if (payload.size() > kMaxOperationLength || (payloadOwnership == Payload::Copy && !options_->gather)) {
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
  if (GatherQueue* queue = gatherQueue(); queue != nullptr) {
    const Result result = queue->addData({firstByte, 0, payload, payloadOwnership, type, context});
    if (result != Result::Ok) {
      return result;
    }
  } else {
    std::get<SendQueue>(sender_).queue({type, firstByte, 0, payload, context, nullptr, false});
  }
  outgoing_ = open;
  return Result::Ok;
}

Result Session::sendControl(BufferType type, std::span<const std::uint8_t> payload, void* context) {
  const bool ping = type == BufferType::PingPong;
  if ((!ping && type != BufferType::UnsolicitedPong) || payload.size() > kMaxControlPayload) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::SendControl); result != Result::Ok) {
    return result;
  }
  if (ping) {
    receiver_.makeRoomForExpectedPong(payload.size());
  }
  const std::uint8_t firstByte = firstByteOf(ping ? Opcode::Ping : Opcode::Pong, true);
  if (GatherQueue* queue = gatherQueue(); queue != nullptr) {
    const Result result = queue->addControl({firstByte, 0, payload, Payload::Copy, type, context});
    if (result != Result::Ok) {
      return result;
    }
  } else {
    SendOperation operation{type, firstByte, 0, {}, context, nullptr, false};
    if (!payload.empty()) {
      operation.owned = std::make_unique<ControlPayload>();
      std::ranges::copy(payload, operation.owned->begin());
      operation.payload = std::span(*operation.owned).first(payload.size());
    }
    std::get<SendQueue>(sender_).queue(std::move(operation));
  }
  if (ping) {
    receiver_.expectPong(payload);
  }
  return Result::Ok;
}

Result Session::sendClose(std::uint16_t status, std::span<const std::uint8_t> reason, void* context) {
  const bool empty = status == 0 || status == kNoStatus;
  if (reason.size() > kMaxCloseReason || (empty && !reason.empty()) ||
      (!empty && !isSendableCloseStatus(status, options_->strictCloseCodes))) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::SendClose); result != Result::Ok) {
    return result;
  }
  return queueClose(empty ? std::uint16_t{0} : status, reason, context, false);
}

Result Session::queueClose(std::uint16_t status, std::span<const std::uint8_t> reason, void* context, bool internal) {
  const std::uint8_t firstByte = firstByteOf(Opcode::Close, true);
  if (GatherQueue* queue = gatherQueue(); queue != nullptr) {
    const Result result = queue->addData({firstByte, status, reason, Payload::Copy, BufferType::Close, context});
    if (result != Result::Ok) {
      return result;
    }
  } else {
    std::get<SendQueue>(sender_).queue({BufferType::Close, firstByte, status, reason, context, nullptr, internal});
  }
  state_ = nextState(state_, Event::CloseSent);
  return Result::Ok;
}

Result Session::receive(std::span<std::uint8_t> memory, void* context) {
  if (const Result result = admit(Call::Receive); result != Result::Ok) {
    return result;
  }
  receiver_.queue({memory, context});
  return Result::Ok;
}

void Session::handOut(Slot slot, Outstanding& outstanding, std::span<const Buffer> buffers, Action& action) {
  ++actionCounter_;
  action.id = static_cast<ActionId>(actionCounter_) << kSlotBits | static_cast<ActionId>(slot);
  outstanding = {action.id, action.kind, 0};
  for (const Buffer& buffer : buffers.first(action.count)) {
    outstanding.length += buffer.length;
  }
}

Result Session::getAction(ActionQueue queue, std::span<Buffer> buffers, Action& action) {
  action = {};
  if (buffers.empty()) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::GetAction); result != Result::Ok) {
    return result;
  }
  // The order of ALL: reply, send, receive. A reply that had to wait may leave on the SEND queue as well.
  if (reply_.waiting() && replyCanGo()) {
    return handOutReply(includesReceive(queue), buffers, action);
  }
  if (includesSend(queue)) {
    const Result result = getSendAction(buffers, action);
    if (result != Result::Ok || action.kind != ActionKind::None) {
      return result;
    }
  }
  return includesReceive(queue) ? getReceiveAction(buffers, action) : Result::Ok;
}

// A reply must not split a frame, and drivers do not serialise writes: one SEND_TO_NETWORK at a time (contract 10.5).
// In gather mode replies leave with the next send action instead.
bool Session::replyCanGo() const {
  const auto* queue = std::get_if<SendQueue>(&sender_);
  return queue != nullptr && replyAction_.id == 0 && sendAction_.kind != ActionKind::SendToNetwork &&
         !queue->midFrame();
}

Result Session::handOutReply(bool onReceiveQueue, std::span<Buffer> buffers, Action& action) {
  MaskKey key{};
  if (role_ == Role::Client && !options_->disableMasking) {
    RandomSource& random = options_->random != nullptr ? *options_->random : threadRandom();
    if (!random.fill(key)) {
      return Result::Fail;
    }
  }
  const std::span<const std::uint8_t> payload = reply_.payload();
  std::size_t size = writeFrameHeader(replyMemory_.data(), firstByteOf(Opcode::Pong, true), payload.size(),
                                      role_ == Role::Client ? &key : nullptr);
  copyMasked(&replyMemory_[size], payload, key, 0);
  size += payload.size();
  reply_.clear();
  buffers[0] = {replyMemory_.data(), static_cast<std::uint32_t>(size)};
  action.kind = ActionKind::SendToNetwork;
  action.type = BufferType::PingPong;
  action.count = 1;
  replyTakenOnReceive_ = onReceiveQueue;
  handOut(Slot::Reply, replyAction_, buffers, action);
  return Result::Ok;
}

Result Session::getSendAction(std::span<Buffer> buffers, Action& action) {
  if (sendAction_.id != 0 || replyAction_.id != 0) {
    return Result::Ok;
  }
  if (GatherQueue* queue = gatherQueue(); queue != nullptr) {
    GatherQueue::Completion completion;
    if (queue->takeCompletion(completion)) {
      action.kind = ActionKind::IndicateSendComplete;
      action.type = completion.type;
      action.context = completion.context;
    } else if (state_ != State::Aborted && (queue->hasBytes() || reply_.waiting())) {
      const Result result = queue->gather(buffers, reply_, action.count);
      if (result != Result::Ok) {
        action = {};
        return result;
      }
      action.kind = ActionKind::SendToNetwork;
    }
  } else if (const Result result = std::get<SendQueue>(sender_).next(buffers, action); result != Result::Ok) {
    action = {};
    return result;
  }
  if (action.kind != ActionKind::None) {
    handOut(Slot::Send, sendAction_, buffers, action);
  }
  return Result::Ok;
}

Result Session::getReceiveAction(std::span<Buffer> buffers, Action& action) {
  if (receiveAction_.id != 0 || (replyAction_.id != 0 && replyTakenOnReceive_) ||
      (state_ == State::Aborted && !receiver_.hasOperation())) {
    return Result::Ok;
  }
  while (true) {
    switch (receiver_.advance()) {
      case ReceiveStep::Idle:
        return Result::Ok;
      case ReceiveStep::Ping:
        if (options_->autoPong && !reply_.offer(receiver_.pingPayload())) {
          receiver_.fail(FaultKind::OutOfMemory);
        } else if (reply_.waiting() && replyCanGo()) {
          return handOutReply(true, buffers, action);
        }
        break;
      case ReceiveStep::ReadNetwork: {
        const std::span<std::uint8_t> space = receiver_.readSpace();
        buffers[0] = {space.data(), static_cast<std::uint32_t>(std::min<std::size_t>(
                                        space.size(), std::numeric_limits<std::uint32_t>::max()))};
        action.kind = ActionKind::ReceiveFromNetwork;
        action.count = 1;
        action.context = receiver_.operation().context;
        handOut(Slot::Receive, receiveAction_, buffers, action);
        return Result::Ok;
      }
      case ReceiveStep::Indicate:
        return handOutIndication(buffers, action);
      case ReceiveStep::Fault:
        state_ = nextState(state_, Event::Faulted);
        return receiver_.fault().result;
    }
  }
}

Result Session::handOutIndication(std::span<Buffer> buffers, Action& action) {
  const Indication& indication = receiver_.indication();
  if (indication.type == BufferType::Close) {
    if (options_->autoCloseEcho && verdict(Call::SendClose, state_) == Verdict::Allowed) {
      const std::uint16_t status = indication.buffer.closeStatus;
      const Result result = queueClose(status == kNoStatus ? std::uint16_t{0} : status, {}, nullptr, true);
      if (result != Result::Ok) {
        return result;
      }
    }
    state_ = nextState(state_, Event::CloseReceived);
    receiver_.drain();
  }
  action.kind = ActionKind::IndicateReceiveComplete;
  action.type = indication.type;
  action.context = receiver_.operation().context;
  if (indication.hasBuffer) {
    buffers[0] = indication.buffer;
    action.count = 1;
  }
  handOut(Slot::Receive, receiveAction_, buffers, action);
  return Result::Ok;
}

void Session::completeAction(ActionId id, std::uint32_t bytesTransferred) {
  if (id == 0) {
    return;
  }
  if (id == sendAction_.id) {
    completeSend(bytesTransferred);
  } else if (id == receiveAction_.id) {
    completeReceive(bytesTransferred);
  } else if (id == replyAction_.id) {
    replyAction_ = {};
  }
}

void Session::completeSend(std::uint32_t bytesTransferred) {
  const Outstanding action = sendAction_;
  sendAction_ = {};
  GatherQueue* const queue = gatherQueue();
  if (queue == nullptr) {
    std::get<SendQueue>(sender_).complete(action.kind, bytesTransferred);
  } else if (action.kind == ActionKind::SendToNetwork) {
    queue->complete(std::min(bytesTransferred, action.length));
    if (state_ == State::Aborted) {
      queue->discard();
    }
  }
}

void Session::completeReceive(std::uint32_t bytesTransferred) {
  const Outstanding action = receiveAction_;
  receiveAction_ = {};
  if (action.kind == ActionKind::IndicateReceiveComplete) {
    receiver_.completeIndication();
  } else if (bytesTransferred == 0 || bytesTransferred > action.length || state_ == State::Aborted) {
    receiver_.cancelRead();
  } else {
    receiver_.completeRead(bytesTransferred);
  }
}

void Session::abort() {
  const State before = state_;
  state_ = nextState(state_, Event::Aborted);
  if (state_ != State::Aborted || before == State::Aborted) {
    return;
  }
  receiver_.drain();
  if (receiveAction_.kind != ActionKind::IndicateReceiveComplete) {
    receiver_.dropIndication();
  }
  reply_.clear();
  if (GatherQueue* queue = gatherQueue(); queue == nullptr) {
    std::get<SendQueue>(sender_).abort();
  } else {
    queue->abort();
    if (sendAction_.kind != ActionKind::SendToNetwork) {
      queue->discard();
    }
  }
}

bool Session::closeSent() const {
  return state_ == State::CloseSent || state_ == State::Closed || state_ == State::FaultedCloseSent;
}

bool Session::hasOutput() const {
  const GatherQueue* queue = gatherQueue();
  return queue != nullptr &&
         (queue->hasCompletion() || (state_ != State::Aborted && (queue->hasBytes() || reply_.waiting())));
}

std::uint64_t Session::bufferedAmount() const {
  const GatherQueue* queue = gatherQueue();
  return queue == nullptr ? 0 : queue->payloadBytes();
}

std::uint64_t Session::bufferedWireBytes() const {
  const GatherQueue* queue = gatherQueue();
  return queue == nullptr ? 0 : queue->wireBytes();
}

}  // namespace websocket

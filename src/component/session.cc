#include "session.h"

#include <algorithm>
#include <limits>

#include "random.h"

namespace websocket {
namespace {

constexpr std::uint16_t kNoStatus = 1005;
constexpr unsigned kSlotBits = 2;
constexpr std::size_t kMaxLength = std::numeric_limits<std::uint32_t>::max();  // of a buffer

}  // namespace

Session::Session(Role role, std::shared_ptr<const SessionOptions> options)
    : role_(role),
      options_(std::move(options)),
      receiver_(role, *options_),
      sendQueue_(options_->gather ? nullptr : std::make_unique<SendQueue>(role, *options_)) {}

Session::~Session() = default;

Result Session::injectReceived(std::span<const std::uint8_t> bytes) {
  if (const Result result = admit(Call::GetAction); result != Result::Ok) {
    return result;
  }
  receiver_.inject(bytes);
  return Result::Ok;
}

Result Session::receive(std::span<std::uint8_t> memory, void* context) {
  if (const Result result = admit(Call::Receive); result != Result::Ok) {
    return result;
  }
  receiver_.queue({memory, context});
  return Result::Ok;
}

GatherQueue& Session::makeGatherQueue() {
  gatherQueue_ = std::make_unique<GatherQueue>(role_, *options_);
  return *gatherQueue_;
}

inline ActionId Session::nextId(Slot slot) {
  ++actionCounter_;
  return static_cast<ActionId>(actionCounter_) << kSlotBits | static_cast<ActionId>(slot);
}

// length: bytes of the action's buffers.
inline void Session::handOut(Slot slot, Outstanding& outstanding, std::uint32_t length, Action& action) {
  action.id = nextId(slot);
  outstanding = {action.id, action.kind, length};
}

Result Session::getAction(ActionQueue queue, std::span<Buffer> buffers, Action& action) {
  action = {};
  if (buffers.empty()) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::GetAction); result != Result::Ok) {
    return result;
  }
  // The order of ALL: reply, send, receive; so a ping among the bytes at hand has to be found first. A reply that had
  // to wait may leave on the SEND queue as well.
  if (queue == ActionQueue::All && receiveIsFree()) {
    while (receiver_.advance(false) == ReceiveStep::Ping) {
      offerReply();
    }
  }
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
inline bool Session::replyCanGo() const {
  return !isGathering() && replyAction_ == 0 && sendAction_.kind != ActionKind::SendToNetwork &&
         !sendQueue_->midFrame();
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
  const std::span<std::uint8_t> memory = sendQueue_->controlMemory();
  std::size_t size = writeFrameHeader(memory.data(), firstByteOf(Opcode::Pong, true), payload.size(),
                                      role_ == Role::Client ? &key : nullptr);
  copyMasked(&memory[size], payload, key, 0);
  size += payload.size();
  reply_.clear();
  buffers[0] = {memory.data(), static_cast<std::uint32_t>(size)};
  action.kind = ActionKind::SendToNetwork;
  action.type = BufferType::PingPong;
  action.count = 1;
  replyTakenOnReceive_ = onReceiveQueue;
  replyAction_ = nextId(Slot::Reply);
  action.id = replyAction_;
  return Result::Ok;
}

inline Result Session::getSendAction(std::span<Buffer> buffers, Action& action) {
  if (sendAction_.id != 0 || replyAction_ != 0) {
    return Result::Ok;
  }
  std::uint32_t length = 0;
  if (isGathering()) {
    if (gatherQueue_ == nullptr && !reply_.waiting()) {
      return Result::Ok;
    }
    GatherQueue& queue = gatherQueue();
    if (queue.hasCompletion()) {
      const GatherQueue::Completion completion = queue.takeCompletion();
      action.kind = ActionKind::IndicateSendComplete;
      action.type = completion.type;
      action.context = completion.context;
    } else if (state_ != State::Aborted && (queue.hasBytes() || reply_.waiting())) {
      const Result result = queue.gather(buffers, reply_, action.count, length);
      if (result != Result::Ok) {
        action = {};
        return result;
      }
      action.kind = ActionKind::SendToNetwork;
    }
  } else if (const Result result = sendQueue_->next(buffers, action, length); result != Result::Ok) {
    action = {};
    return result;
  }
  if (action.kind != ActionKind::None) {
    handOut(Slot::Send, sendAction_, length, action);
  }
  return Result::Ok;
}

// Nothing of the receive side is outstanding (R2: a reply taken on its queue counts), and there is something to do.
inline bool Session::receiveIsFree() const {
  return receiveAction_.id == 0 && (replyAction_ == 0 || !replyTakenOnReceive_) &&
         (state_ != State::Aborted || receiver_.hasOperation());
}

void Session::offerReply() {
  if (!options_->autoPong) {
    return;
  }
  // In gather mode each ping is answered, while the peer takes the answers; of a flood only the newest.
  if (isGathering() && reply_.waiting() && sendAction_.kind != ActionKind::SendToNetwork) {
    static_cast<void>(gatherQueue().addReply(reply_));
  }
  if (!reply_.offer(receiver_.pingPayload())) {
    receiver_.fail(FaultKind::OutOfMemory);
  }
}

inline Result Session::getReceiveAction(std::span<Buffer> buffers, Action& action) {
  if (!receiveIsFree()) {
    return Result::Ok;
  }
  while (true) {
    switch (receiver_.advance()) {
      case ReceiveStep::Idle:
        return Result::Ok;
      case ReceiveStep::Ping:
        offerReply();
        if (reply_.waiting() && replyCanGo()) {
          return handOutReply(true, buffers, action);
        }
        break;
      case ReceiveStep::ReadNetwork: {
        const std::span<std::uint8_t> space = receiver_.readSpace();
        const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(space.size(), kMaxLength));
        buffers[0] = {space.data(), length};
        action.kind = ActionKind::ReceiveFromNetwork;
        action.count = 1;
        action.context = receiver_.operation().context;
        handOut(Slot::Receive, receiveAction_, length, action);
        return Result::Ok;
      }
      case ReceiveStep::Indicate:
        return handOutIndication(buffers, action);
      case ReceiveStep::Fault:
        enter(Event::Faulted);
        return receiver_.fault().result;
    }
  }
}

inline Result Session::handOutIndication(std::span<Buffer> buffers, Action& action) {
  const Indication& indication = receiver_.indication();
  if (indication.type == BufferType::Close) {
    if (const Result result = receiveClose(indication.buffer); result != Result::Ok) {
      return result;
    }
  }
  action.kind = ActionKind::IndicateReceiveComplete;
  action.type = indication.type;
  action.context = receiver_.operation().context;
  if (indication.hasBuffer) {
    buffers[0] = indication.buffer;
    action.count = 1;
  }
  handOut(Slot::Receive, receiveAction_, 0, action);
  return Result::Ok;
}

// A Close frame is about to be indicated.
Result Session::receiveClose(const Buffer& close) {
  if (options_->autoCloseEcho && verdict(Call::SendClose, state_) == Verdict::Allowed) {
    const std::uint16_t status = close.closeStatus == kNoStatus ? std::uint16_t{0} : close.closeStatus;
    const Result result = queueClose(status, {close.data, close.length}, nullptr, true);
    if (result != Result::Ok) {
      return result;
    }
  }
  enter(Event::CloseReceived);
  receiver_.drain();
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
  } else if (id == replyAction_) {
    replyAction_ = 0;
  }
}

inline void Session::completeSend(std::uint32_t bytesTransferred) {
  const Outstanding action = sendAction_;
  sendAction_ = {};
  if (!isGathering()) {
    sendQueue_->complete(action.kind, bytesTransferred);
  } else if (action.kind == ActionKind::SendToNetwork) {
    gatherQueue_->complete(std::min(bytesTransferred, action.length));
    if (state_ == State::Aborted) {
      gatherQueue_->discard();
    }
  }
}

inline void Session::completeReceive(std::uint32_t bytesTransferred) {
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
  enter(Event::Aborted);
  if (state_ != State::Aborted || before == State::Aborted) {
    return;
  }
  receiver_.drain();
  if (receiveAction_.kind != ActionKind::IndicateReceiveComplete) {
    receiver_.dropIndication();
  }
  reply_.clear();
  if (!isGathering()) {
    sendQueue_->abort();
  } else if (gatherQueue_ != nullptr) {
    gatherQueue_->abort();
    if (sendAction_.kind != ActionKind::SendToNetwork) {
      gatherQueue_->discard();
    }
  }
}

bool Session::closeSent() const {
  return state_ == State::CloseSent || state_ == State::Closed || state_ == State::FaultedCloseSent;
}

bool Session::hasOutput() const {
  if (gatherQueue_ == nullptr) {
    return isGathering() && reply_.waiting();
  }
  return gatherQueue_->hasCompletion() || (state_ != State::Aborted && (gatherQueue_->hasBytes() || reply_.waiting()));
}

std::uint64_t Session::bufferedAmount() const { return gatherQueue_ == nullptr ? 0 : gatherQueue_->payloadBytes(); }

std::uint64_t Session::bufferedWireBytes() const { return gatherQueue_ == nullptr ? 0 : gatherQueue_->wireBytes(); }

}  // namespace websocket

#include "send_queue.h"

#include <algorithm>
#include <array>

#include "random.h"

namespace websocket {
namespace {

std::uint64_t payloadSize(const SendOperation& operation) {
  return operation.payload.size() + (operation.closeStatus != 0 ? kCloseStatusSize : 0);
}

std::array<std::uint8_t, kCloseStatusSize> closeStatusBytes(std::uint16_t status) {
  return {static_cast<std::uint8_t>(status >> 8), static_cast<std::uint8_t>(status)};
}

// The application's memory is only read from: a buffer's pointer is mutable because receives fill it.
std::uint8_t* mutablePointer(const std::uint8_t* bytes) { return const_cast<std::uint8_t*>(bytes); }

}  // namespace

Result SendQueue::next(std::span<Buffer> buffers, Action& action, std::uint32_t& length) {
  while (!operations_.empty()) {
    const SendOperation& operation = operations_.front();
    if (!frontIsDone()) {
      return describe(operation, buffers, action, length);
    }
    if (!operation.internal) {
      action.kind = ActionKind::IndicateSendComplete;
      action.type = operation.type;
      action.context = operation.context;
      return Result::Ok;
    }
    finishFront();
  }
  return Result::Ok;
}

inline Result SendQueue::describe(const SendOperation& operation, std::span<Buffer> buffers, Action& action,
                                  std::uint32_t& length) {
  described_ = 1;
  if (role_ == Role::Client) {
    if (const Result result = describeClientChunk(operation, buffers, action); result != Result::Ok) {
      return result;
    }
  } else if (!options_.coalesceSends || !coalesce(buffers, action)) {
    describeServerChunk(operation, buffers, action);
  }
  sending_ = true;
  length = expected_;
  action.kind = ActionKind::SendToNetwork;
  action.type = operation.type;
  action.context = operation.context;
  return Result::Ok;
}

// Moves the operation that was queued last to the front of those that it may overtake: behind what has started or is
// only to be indicated, and behind the control frames that overtook before.
void SendQueue::overtake() {
  const std::size_t last = operations_.size() - 1;
  std::size_t place = std::max(done_, sending_ ? described_ : progress_ == Progress::Payload ? std::size_t{1} : 0);
  while (place < last && isControlType(operations_[place].type)) {
    ++place;
  }
  for (std::size_t i = last; i > place; --i) {
    std::swap(operations_[i], operations_[i - 1]);
  }
}

// Copies small frames of a server side by side into the send buffer, as many as fit (R8). False: none does.
bool SendQueue::coalesce(std::span<Buffer> buffers, Action& action) {
  if (progress_ != Progress::Header) {
    return false;
  }
  std::size_t size = 0;
  std::size_t count = 0;
  for (; count < operations_.size(); ++count) {
    const SendOperation& operation = operations_[count];
    const std::uint64_t payload = payloadSize(operation);
    if (frameHeaderSize(payload, false) + payload > memory_.size() - size) {
      break;
    }
    size += writeFrame(operation, memory_.data() + size);
  }
  if (count == 0) {
    return false;
  }
  buffers[action.count++] = {memory_.data(), static_cast<std::uint32_t>(size)};
  expected_ = static_cast<std::uint32_t>(size);
  described_ = count;
  sentAfter_ = payloadSize(operations_.front());
  return true;
}

// A whole unmasked frame; returns its size.
std::size_t SendQueue::writeFrame(const SendOperation& operation, std::uint8_t* out) {
  std::size_t size = writeFrameHeader(out, operation.firstByte, payloadSize(operation), nullptr);
  if (operation.closeStatus != 0) {
    std::ranges::copy(closeStatusBytes(operation.closeStatus), out + size);
    size += kCloseStatusSize;
  }
  std::ranges::copy(operation.payload, out + size);
  return size + operation.payload.size();
}

inline void SendQueue::describeServerChunk(const SendOperation& operation, std::span<Buffer> buffers, Action& action) {
  if (operation.owned != nullptr && isControl(static_cast<Opcode>(operation.firstByte & kOpcodeBits))) {
    expected_ = static_cast<std::uint32_t>(writeFrame(operation, controlMemory_.data()));
    buffers[action.count++] = {controlMemory_.data(), expected_};
    sentAfter_ = payloadSize(operation);
    return;
  }
  const std::span<const std::uint8_t> payload = operation.payload;
  std::uint64_t total = 0;
  if (progress_ == Progress::Header) {
    std::size_t size = writeFrameHeader(memory_.data(), operation.firstByte, payloadSize(operation), nullptr);
    if (operation.closeStatus != 0) {
      std::ranges::copy(closeStatusBytes(operation.closeStatus), memory_.data() + size);
      size += kCloseStatusSize;
      sentAfter_ = kCloseStatusSize;
    }
    buffers[action.count++] = {memory_.data(), static_cast<std::uint32_t>(size)};
    total = size;
  }
  if (!payload.empty() && action.count < buffers.size()) {
    buffers[action.count++] = {mutablePointer(payload.data()), static_cast<std::uint32_t>(payload.size())};
    total += payload.size();
    sentAfter_ = payloadSize(operation);
  }
  expected_ = static_cast<std::uint32_t>(total);  // a ULONG, like the count that comes back
}

// One frame, however many chunks of the send buffer it takes; masking goes on across them.
Result SendQueue::describeClientChunk(const SendOperation& operation, std::span<Buffer> buffers, Action& action) {
  std::size_t size = 0;
  sentAfter_ = sent_;
  const auto append = [&](std::span<const std::uint8_t> bytes) {
    const auto part = bytes.first(std::min(bytes.size(), memory_.size() - size));
    copyMasked(memory_.data() + size, part, key_, static_cast<std::size_t>(sentAfter_ % kMaskKeySize));
    size += part.size();
    sentAfter_ += part.size();
  };
  const std::size_t statusSize = operation.closeStatus != 0 ? kCloseStatusSize : 0;
  if (progress_ == Progress::Header) {
    key_ = {};
    if (!options_.disableMasking) {
      RandomSource& random = options_.random != nullptr ? *options_.random : threadRandom();
      if (!random.fill(key_)) {
        return Result::Fail;
      }
    }
    size = writeFrameHeader(memory_.data(), operation.firstByte, payloadSize(operation), &key_);
    const auto status = closeStatusBytes(operation.closeStatus);
    append(std::span(status).first(statusSize));  // fits: the smallest send buffer holds a control frame's header too
  }
  append(operation.payload.subspan(static_cast<std::size_t>(sentAfter_ - statusSize)));
  buffers[action.count++] = {memory_.data(), static_cast<std::uint32_t>(size)};
  expected_ = static_cast<std::uint32_t>(size);
  return Result::Ok;
}

void SendQueue::complete(ActionKind kind, std::uint32_t bytesTransferred) {
  sending_ = false;
  if (kind == ActionKind::IndicateSendComplete) {
    finishFront();
    return;
  }
  sent_ = sentAfter_;
  const bool cancelled = bytesTransferred != expected_;
  if (cancelled || described_ > 1 || sent_ == payloadSize(operations_.front())) {
    done_ = described_;
    progress_ = Progress::Header;
    sent_ = 0;
    sentAfter_ = 0;
  } else {
    progress_ = Progress::Payload;
  }
}

// Removes the front operation, which is done.
inline void SendQueue::finishFront() {
  operations_.pop();
  progress_ = Progress::Header;
  if (done_ != 0) {
    --done_;
  }
}

}  // namespace websocket

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

Result SendQueue::next(std::span<Buffer> buffers, Action& action) {
  while (!operations_.empty() && operations_.front().internal && (aborted_ || progress_ == Progress::Done)) {
    finishFront();
  }
  if (operations_.empty()) {
    return Result::Ok;
  }
  const SendOperation& operation = operations_.front();
  if (aborted_ || progress_ == Progress::Done) {
    action.kind = ActionKind::IndicateSendComplete;
  } else if (role_ == Role::Server) {
    describeServerChunk(operation, buffers, action);
  } else if (const Result result = describeClientChunk(operation, buffers, action); result != Result::Ok) {
    return result;
  }
  action.type = operation.type;
  action.context = operation.context;
  return Result::Ok;
}

void SendQueue::describeServerChunk(const SendOperation& operation, std::span<Buffer> buffers, Action& action) {
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
  action.kind = ActionKind::SendToNetwork;
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
  action.kind = ActionKind::SendToNetwork;
  expected_ = static_cast<std::uint32_t>(size);
  return Result::Ok;
}

void SendQueue::complete(ActionKind kind, std::uint32_t bytesTransferred) {
  if (kind == ActionKind::IndicateSendComplete) {
    finishFront();
    return;
  }
  sent_ = sentAfter_;
  const bool cancelled = bytesTransferred != expected_;
  const bool done = cancelled || sent_ == payloadSize(operations_.front());
  progress_ = done ? Progress::Done : Progress::Payload;
}

void SendQueue::finishFront() {
  operations_.pop();
  progress_ = Progress::Header;
  sent_ = 0;
  sentAfter_ = 0;
}

}  // namespace websocket

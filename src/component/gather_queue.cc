#include "gather_queue.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "random.h"
#include "reply_slot.h"

namespace websocket {
namespace {

// Segments for small frames. The first is of a size that allocators hand out from a list, because most connections send
// one small frame at a time; those behind it hold one loop iteration's answers of a busy connection.
constexpr std::size_t kFirstSegmentSize = 1000;
constexpr std::size_t kSecondSegmentSize = 4096;
constexpr std::size_t kSegmentSize = 16384;

std::size_t segmentSize(std::size_t segments) {
  return segments == 0 ? kFirstSegmentSize : segments == 1 ? kSecondSegmentSize : kSegmentSize;
}

std::uint64_t payloadSize(const GatherQueue::Frame& frame) {
  return frame.payload.size() + (frame.closeStatus != 0 ? kCloseStatusSize : 0);
}

}  // namespace

// The key of a frame, if it has one; false when there is no randomness.
inline bool GatherQueue::chooseKey(const Frame& frame, MaskKey& key) const {
  if (role_ == Role::Server) {
    return true;
  }
  if (frame.key != nullptr) {
    key = *frame.key;
    return true;
  }
  if (options_.disableMasking) {
    return true;
  }
  RandomSource& random = options_.random != nullptr ? *options_.random : threadRandom();
  return random.fill(key);
}

inline std::size_t GatherQueue::writeHeader(const Frame& frame, const MaskKey& key, std::uint8_t* out) const {
  return writeFrameHeader(out, frame.firstByte, payloadSize(frame), role_ == Role::Client ? &key : nullptr);
}

inline void GatherQueue::writePayload(const Frame& frame, const MaskKey& key, std::uint8_t* out) const {
  std::size_t phase = 0;
  if (frame.closeStatus != 0) {
    out[0] = static_cast<std::uint8_t>((frame.closeStatus >> 8) ^ key[0]);
    out[1] = static_cast<std::uint8_t>(frame.closeStatus ^ key[1]);
    out += kCloseStatusSize;
    phase = kCloseStatusSize;
  }
  if (frame.payload.empty()) {
    return;
  }
  if (key != MaskKey{}) {
    copyMasked(out, frame.payload, key, phase);
  } else {
    std::memcpy(out, frame.payload.data(), frame.payload.size());
  }
}

// Room for `size` bytes at the end of the data stream; the caller writes them all.
inline std::uint8_t* GatherQueue::reserve(std::size_t size) {
  if (!segments_.empty()) {
    Segment& last = segments_.back();
    if (last.capacity - last.length >= size && last.capacity != 0) {
      std::uint8_t* const at = last.owned.get() + last.length;
      last.length += size;
      return at;
    }
  }
  Segment segment;
  segment.capacity = std::max(size, segmentSize(segments_.size()));
  segment.owned = std::make_unique_for_overwrite<std::uint8_t[]>(segment.capacity);
  segment.bytes = segment.owned.get();
  segment.length = size;
  std::uint8_t* const at = segment.owned.get();
  segments_.push(std::move(segment));
  return at;
}

Result GatherQueue::addData(const Frame& frame) {
  MaskKey key{};
  if (!chooseKey(frame, key)) {
    return Result::Fail;
  }
  const std::uint64_t payload = payloadSize(frame);
  const std::size_t headerSize = frameHeaderSize(payload, role_ == Role::Client);
  const FrameSize frameSize{headerSize + payload, frame.type == BufferType::Close ? 0 : payload};
  const bool byReference = frame.ownership == Payload::Reference && role_ == Role::Server && frame.closeStatus == 0 &&
                           !frame.payload.empty();
  const bool indicated = frame.indicated || frame.context != nullptr || frame.ownership == Payload::Reference;

  // What can fail comes first, and is taken back when a later step fails.
  frames_.push(frameSize);
  try {
    if (indicated) {
      data_.completions.push({data_.queued + frameSize.wire, frame.context, frame.type});
    }
    try {
      std::uint8_t* const at = reserve(byReference ? headerSize : headerSize + static_cast<std::size_t>(payload));
      writeHeader(frame, key, at);
      if (byReference) {
        Segment reference;
        reference.bytes = frame.payload.data();
        reference.length = frame.payload.size();
        try {
          segments_.push(std::move(reference));
        } catch (...) {
          segments_.back().length -= headerSize;
          throw;
        }
      } else {
        writePayload(frame, key, at + headerSize);
      }
    } catch (...) {
      if (indicated) {
        data_.completions.popBack();
      }
      throw;
    }
  } catch (...) {
    frames_.popBack();
    throw;
  }
  data_.queued += frameSize.wire;
  payloadQueued_ += frameSize.payload;
  return Result::Ok;
}

Result GatherQueue::addControl(const Frame& frame) {
  std::array<std::uint8_t, kMaxFrameHeaderSize + kMaxControlPayload> bytes;
  MaskKey key{};
  if (!chooseKey(frame, key)) {
    return Result::Fail;
  }
  std::size_t size = writeHeader(frame, key, bytes.data());
  writePayload(frame, key, &bytes[size]);
  size += frame.payload.size();
  if (controlWaiting_.capacity() - controlWaiting_.size() < size) {
    controlWaiting_.reserve(std::max(controlWaiting_.size() + size, 2 * controlWaiting_.capacity()));
  }
  if (frame.context != nullptr) {
    control_.completions.push({control_.queued + size, frame.context, frame.type});
  }
  controlWaiting_.insert(controlWaiting_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  control_.queued += size;
  return Result::Ok;
}

Result GatherQueue::addReply(ReplySlot& reply) {
  if (replies_ != nullptr && replies_->isFull()) {
    return Result::Ok;
  }
  Frame pong;
  pong.firstByte = kFinBit | static_cast<std::uint8_t>(Opcode::Pong);
  pong.payload = reply.payload();
  MaskKey key{};
  if (!chooseKey(pong, key)) {
    return Result::Fail;
  }
  const std::size_t headerSize = frameHeaderSize(pong.payload.size(), role_ == Role::Client);
  if (replies_ == nullptr) {
    replies_ = std::make_unique<ReplyQueue>();
  }
  std::uint8_t* const at = replies_->append(headerSize + pong.payload.size());
  writeHeader(pong, key, at);
  writePayload(pong, key, at + headerSize);
  reply.clear();
  return Result::Ok;
}

void GatherQueue::addRaw(std::span<const std::uint8_t> bytes, void* context) {
  const std::uint64_t size = bytes.size();
  if (context != nullptr) {
    data_.completions.push({data_.queued + size, context, BufferType::None});
  }
  if (size == 0) {
    return;
  }
  try {
    frames_.push({size, size});
    try {
      std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
    } catch (...) {
      frames_.popBack();
      throw;
    }
  } catch (...) {
    if (context != nullptr) {
      data_.completions.popBack();
    }
    throw;
  }
  data_.queued += size;
  payloadQueued_ += size;
}

Result GatherQueue::gather(std::span<Buffer> buffers, ReplySlot& reply, std::uint32_t& count, std::uint32_t& length) {
  if (reply.waiting()) {
    if (const Result result = addReply(reply); result != Result::Ok) {
      return result;
    }
  }
  if (!controlWaiting_.empty()) {
    controlBytes_.erase(controlBytes_.begin(), controlBytes_.begin() + static_cast<std::ptrdiff_t>(controlOffset_));
    controlOffset_ = 0;
    controlBytes_.insert(controlBytes_.end(), controlWaiting_.begin(), controlWaiting_.end());
    controlWaiting_ = {};
  }

  constexpr std::uint32_t kMostBytes = std::numeric_limits<std::uint32_t>::max();  // a completion's count is a ULONG
  count = 0;
  length = 0;
  const auto append = [&](const std::uint8_t* bytes, std::uint64_t size) {
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kMostBytes - length));
    if (part == 0 || count == buffers.size()) {
      return std::uint32_t{0};
    }
    buffers[count++] = {const_cast<std::uint8_t*>(bytes), part};
    length += part;
    return part;
  };

  std::size_t index = 0;
  std::size_t offset = segmentOffset_;
  const auto appendData = [&](std::uint64_t limit) {
    std::uint64_t described = 0;
    while (described < limit && index < segments_.size()) {
      const Segment& segment = segments_[index];
      const std::uint64_t size = std::min<std::uint64_t>(segment.length - offset, limit - described);
      const std::uint32_t taken = append(segment.bytes + offset, size);
      if (taken == 0 && size != 0) {
        break;
      }
      described += taken;
      offset += taken;
      if (offset == segment.length) {
        ++index;
        offset = 0;
      }
    }
    return described;
  };

  const std::uint64_t controlLeft = controlBytes_.size() - controlOffset_;
  if (controlLeft == 0 && !hasReplies()) {  // nothing overtakes: the data stream as it is
    plannedFrameRest_ = appendData(std::numeric_limits<std::uint64_t>::max());
    return Result::Ok;
  }
  const std::uint64_t frameRest = frameOffset_ == 0 ? 0 : frames_.front().wire - frameOffset_;
  plannedFrameRest_ = appendData(frameRest);
  if (plannedFrameRest_ != frameRest) {
    return Result::Ok;
  }
  const auto appendReplies = [&] {
    return !hasReplies() || append(replies_->rest().data(), replies_->rest().size()) == repliesLeft();
  };
  const auto appendControl = [&] {
    return controlLeft == 0 || append(&controlBytes_[controlOffset_], controlLeft) == controlLeft;
  };
  const bool isWhole = repliesAreUnderWay() ? appendReplies() && appendControl() : appendControl() && appendReplies();
  if (isWhole) {
    appendData(std::numeric_limits<std::uint64_t>::max());
  }
  return Result::Ok;
}

void GatherQueue::complete(std::uint32_t count) {
  std::uint64_t left = count;
  const auto take = [&left](std::uint64_t most) {
    const std::uint64_t taken = std::min(left, most);
    left -= taken;
    return taken;
  };
  completeData(take(std::exchange(plannedFrameRest_, 0)));
  if (controlBytes_.empty() && !hasReplies()) {  // the usual case
    completeData(left);
    return;
  }
  const std::uint64_t control = controlBytes_.size() - controlOffset_;
  if (repliesAreUnderWay()) {
    completeReplies(take(repliesLeft()));
    completeControl(take(control));
  } else {
    completeControl(take(control));
    completeReplies(take(repliesLeft()));
  }
  completeData(left);
}

void GatherQueue::completeControl(std::uint64_t count) {
  control_.sent += count;
  controlOffset_ += static_cast<std::size_t>(count);
  if (controlOffset_ == controlBytes_.size()) {
    controlBytes_ = {};
    controlOffset_ = 0;
  }
}

void GatherQueue::completeReplies(std::uint64_t count) {
  if (replies_ == nullptr) {
    return;
  }
  replies_->complete(static_cast<std::size_t>(count));
  if (replies_->empty()) {
    replies_.reset();
  }
}

inline void GatherQueue::completeData(std::uint64_t count) {
  data_.sent += count;
  if (data_.sent == data_.queued) {  // the usual case: everything went out
    segments_.clear();
    frames_.clear();
    segmentOffset_ = 0;
    frameOffset_ = 0;
    payloadQueued_ = 0;
    return;
  }
  frameOffset_ += count;
  while (!frames_.empty() && frameOffset_ >= frames_.front().wire) {
    frameOffset_ -= frames_.front().wire;
    payloadQueued_ -= frames_.front().payload;
    frames_.pop();
  }
  while (count != 0) {
    Segment& segment = segments_.front();
    const std::uint64_t rest = segment.length - segmentOffset_;
    if (count < rest) {
      segmentOffset_ += static_cast<std::size_t>(count);
      return;
    }
    count -= rest;
    segmentOffset_ = 0;
    segments_.pop();
  }
}

std::uint64_t GatherQueue::payloadBytes() const {
  if (frames_.empty()) {
    return 0;
  }
  const FrameSize& front = frames_.front();
  const std::uint64_t header = front.wire - front.payload;
  return payloadQueued_ - (frameOffset_ > header ? frameOffset_ - header : 0);
}

GatherQueue::Completion GatherQueue::takeCompletion() {
  Stream& stream = ready(control_) ? control_ : data_;
  const Completion completion = stream.completions.front();
  stream.completions.pop();
  return completion;
}

void GatherQueue::discard() {
  segments_.release();
  frames_.release();
  controlBytes_ = {};
  controlWaiting_ = {};
  replies_.reset();
  segmentOffset_ = 0;
  controlOffset_ = 0;
  frameOffset_ = 0;
  payloadQueued_ = 0;
  data_.sent = data_.queued;
  control_.sent = control_.queued;
}

}  // namespace websocket

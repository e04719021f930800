#include "receiver.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "receive_pool.h"

namespace websocket {

Receiver::Receiver(Role role, const SessionOptions& options) : options_(options) {
  rules_.mustBeMasked = role == Role::Server && !options.disableMasking;
  rules_.mustNotBeMasked = role == Role::Client;
  rules_.maxLength = options.maxFrameSize;
}

Receiver::~Receiver() {
  drain();
  dropIndication();
  giveReadSpaceBack();
  giveInflateSpaceBack();
  endLease();
}

// The network read under way brings nothing.
void Receiver::giveReadSpaceBack() {
  if (isLeased(readSpace_)) {
    options_.pool->commit(memory_, 0);
    memory_ = {};
  }
  readSpace_ = {};
}

void Receiver::endLease() {
  if (options_.pool == nullptr || memory_.empty() || !input_.empty() || !readSpace_.empty() || indicationReady_ ||
      (inflating_ != nullptr && !endInflateLease())) {
    return;
  }
  options_.pool->finish(memory_);
  memory_ = {};
}

void Receiver::inject(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) {
    return;
  }
  if (injected_ != nullptr) {
    injected_->bytes.insert(injected_->bytes.end(), bytes.begin(), bytes.end());
    return;
  }
  auto injected = std::make_unique<Injected>();
  injected->bytes.assign(bytes.begin(), bytes.end());
  injected_ = std::move(injected);
}

ReceiveStep Receiver::fault(FaultKind kind) {
  fail(kind);
  return ReceiveStep::Fault;
}

// Functions of one file that every message passes through are inline in their files: calls would be a third of their
// cost.

// The theory of operation: bytes are taken from input_ until the front operation is complete; when input_ runs out, the
// network (or what was injected) fills it again.
ReceiveStep Receiver::takeFrames(bool mayRead) {
  while (true) {
    if (!inPayload_) {
      const FrameReader::Status status =
          input_.empty() ? FrameReader::Status::NeedMore : reader_.read(input_, rules_, messageOpen_);
      if (status == FrameReader::Status::Fault) {
        return fault(reader_.fault());
      }
      if (status == FrameReader::Status::NeedMore) {
        const ReceiveStep step = prepareRead(mayRead);
        if (input_.empty()) {
          return step;
        }
        continue;
      }
      if (const FaultKind kind = beginFrame(); kind != FaultKind::None) {
        return fault(kind);
      }
    }
    if (compressed_ && inCompressedPayload()) {
      ReceiveStep step = ReceiveStep::Idle;
      if (inflateFrame(step)) {
        return step;
      }
      if (inPayload_) {
        step = prepareRead(mayRead);
        if (input_.empty()) {
          return step;
        }
      }
      continue;
    }
    if (const FaultKind kind = takePayload(); kind != FaultKind::None) {
      return fault(kind);
    }
    if (remaining_ == 0) {
      const ReceiveStep step = endFrame();
      if (step != ReceiveStep::Idle) {
        return step;
      }
      continue;
    }
    const bool control = isControl(reader_.header().opcode());
    if (!control && chunkIsFull()) {
      indicateChunk(false);
      return ReceiveStep::Indicate;
    }
    if (input_.empty()) {
      if (control && !spillControl()) {
        return fault(FaultKind::OutOfMemory);
      }
      const ReceiveStep step = prepareRead(mayRead);
      if (input_.empty()) {
        return step;
      }
    }
  }
}

// The step when no bytes are to be taken.
ReceiveStep Receiver::standStill() {
  if (!operations_.empty() && draining_ && !indicationReady_) {
    indication_ = {};
    indicationReady_ = true;
  }
  if (!operations_.empty() && indicationReady_) {
    return ReceiveStep::Indicate;
  }
  return fault_ != FaultKind::None ? ReceiveStep::Fault : ReceiveStep::Idle;
}

// Finds space for more bytes and serves it from what was injected, if there is any. Idle: there is no space, or reading
// is not wanted.
inline ReceiveStep Receiver::prepareRead(bool mayRead) {
  if (!mayRead && injected_ == nullptr) {
    return ReceiveStep::Idle;
  }
  endLease();
  readSpace_ = chooseReadSpace();
  if (readSpace_.empty()) {
    return ReceiveStep::Idle;
  }
  if (injected_ != nullptr) {
    const std::size_t count = std::min(readSpace_.size(), injected_->bytes.size() - injected_->taken);
    std::memcpy(readSpace_.data(), &injected_->bytes[injected_->taken], count);
    injected_->taken += count;
    if (injected_->taken == injected_->bytes.size()) {
      injected_.reset();
    }
    completeRead(static_cast<std::uint32_t>(count));
  }
  return ReceiveStep::ReadNetwork;
}

inline std::span<std::uint8_t> Receiver::chooseReadSpace() {
  if (options_.pool != nullptr) {
    if (usesApplicationMemory()) {  // a large frame: the network fills the application's memory itself
      const std::span<std::uint8_t> rest = operations_.front().memory.subspan(chunkLength_);
      return rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), remaining_)));
    }
    memory_ = options_.pool->lease();
    return memory_;
  }
  if (chunkLength_ == 0 || usesApplicationMemory() || inCompressedPayload()) {
    return memory_;  // nothing in it is needed any more
  }
  if (chunk_ + chunkLength_ == memory_.data() + memory_.size()) {
    std::memmove(memory_.data(), chunk_, chunkLength_);  // keep a message whole if it fits
    chunk_ = memory_.data();
  }
  return memory_.subspan(static_cast<std::size_t>(chunk_ - memory_.data()) + chunkLength_);
}

void Receiver::completeRead(std::uint32_t count) {
  if (isLeased(readSpace_)) {
    options_.pool->commit(memory_, count);
  }
  input_ = readSpace_.first(count);
  readSpace_ = {};
}

void Receiver::cancelRead() {
  giveReadSpaceBack();
  if (draining_ || operations_.empty()) {
    return;
  }
  if (chunkLength_ != 0 && !isControl(reader_.header().opcode())) {
    indicateChunk(false);
  } else {
    indication_ = {};
    indicationReady_ = true;
  }
}

inline bool Receiver::usesApplicationMemory() const {
  return inPayload_ && !isControl(reader_.header().opcode()) && !operations_.front().memory.empty() && !compressed_;
}

inline FaultKind Receiver::beginFrame() {
  const FrameHeader& header = reader_.header();
  inPayload_ = true;
  remaining_ = header.length;
  chunkLength_ = 0;
  if (isControl(header.opcode())) {
    return FaultKind::None;
  }
  if (header.opcode() != Opcode::Continuation) {
    compressed_ = rules_.rsv1Compressed && (header.firstByte & kRsv1Bit) != 0;
    const unsigned rsv = header.firstByte & kRsvBits & (compressed_ ? ~unsigned{kRsv1Bit} : ~0U);
    kind_ = rsv != 0 ? MessageKind::Custom : header.opcode() == Opcode::Text ? MessageKind::Text : MessageKind::Binary;
    customFirstByte_ = static_cast<std::uint8_t>((header.firstByte & ~kRsvBits) | rsv);
    fragments_ = 0;
    messageSize_ = 0;
    utf8_.reset();
  }
  messageOpen_ = !header.fin();
  if (options_.maxFragments != 0 && ++fragments_ > options_.maxFragments) {
    return FaultKind::TooManyFragments;
  }
  if (compressed_) {
    return beginCompressedFrame();
  }
  if (options_.maxMessageSize != 0) {
    if (header.length > options_.maxMessageSize - messageSize_) {
      return FaultKind::MessageTooBig;
    }
    messageSize_ += header.length;
  }
  return FaultKind::None;
}

// Payload goes to the application's memory, to the spill of a control frame, or (usually) stays where it lies.
inline FaultKind Receiver::takePayload() {
  const FrameHeader& header = reader_.header();
  const bool control = isControl(header.opcode());
  auto count = static_cast<std::size_t>(std::min<std::uint64_t>(input_.size(), remaining_));
  if (const std::span<std::uint8_t> memory = operations_.front().memory; !control && !memory.empty()) {
    count = std::min(count, memory.size() - chunkLength_);
    chunk_ = memory.data();
  } else if (chunkLength_ == 0) {
    chunk_ = input_.data();
  }
  if (count == 0) {
    return FaultKind::None;
  }
  std::uint8_t* const to = chunk_ + chunkLength_;
  const std::span<std::uint8_t> from = input_.first(count);
  const auto phase = static_cast<std::size_t>((header.length - remaining_) % kMaskKeySize);
  if (to == from.data()) {
    if (header.masked) {
      applyMask(from, header.key, phase);
    }
  } else if (header.masked) {
    copyMasked(to, from, header.key, phase);
  } else {
    std::memcpy(to, from.data(), count);
  }
  input_ = input_.subspan(count);
  remaining_ -= count;
  chunkLength_ += static_cast<std::uint32_t>(count);
  if (!control && verifiesText() && !utf8_.feed({to, count})) {
    return FaultKind::InvalidUtf8;
  }
  return FaultKind::None;
}

inline bool Receiver::chunkIsFull() const {
  if (options_.pool != nullptr && input_.empty()) {
    return chunkLength_ != 0;
  }
  if (usesApplicationMemory()) {
    return chunkLength_ == operations_.front().memory.size();
  }
  return options_.pool == nullptr && chunkLength_ == memory_.size();
}

// Idle: the frame needs no indication, go on.
inline ReceiveStep Receiver::endFrame() {
  inPayload_ = false;
  const FrameHeader& header = reader_.header();
  if (isControl(header.opcode())) {
    if (chunkLength_ == 0) {
      chunk_ = options_.pool == nullptr ? memory_.data() : nullptr;  // not where the last payload was
    }
    const std::span<std::uint8_t> payload(chunk_, chunkLength_);
    chunkLength_ = 0;
    return endControl(payload);
  }
  if (header.fin() && verifiesText() && !utf8_.complete()) {
    return fault(FaultKind::InvalidUtf8);
  }
  indicateChunk(header.fin());
  return ReceiveStep::Indicate;
}

inline BufferType Receiver::chunkType(bool last) const {
  switch (kind_) {
    case MessageKind::Text:
      return last ? BufferType::Utf8Message : BufferType::Utf8Fragment;
    case MessageKind::Custom: {
      const unsigned rest = customFirstByte_ & static_cast<unsigned>(~kFinBit);
      return static_cast<BufferType>((rest | (last ? kFinBit : 0U)) << 1);
    }
    default:
      return last ? BufferType::BinaryMessage : BufferType::BinaryFragment;
  }
}

void Receiver::indicateChunk(bool last) {
  indicate(chunkType(last), {chunkLength_ == 0 ? nullptr : chunk_, chunkLength_});
  chunkLength_ = 0;
}

}  // namespace websocket

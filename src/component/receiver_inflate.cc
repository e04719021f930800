// The part of Receiver that decompresses messages (RFC 7692, 7.2.2).
//
// Received bytes stay where they lie until they were decompressed. What comes out goes to the application's memory, to
// space of the pool, or to a buffer of our own, which lives as long as the message. It is counted, checked and
// indicated like payload that came as it is, and never runs ahead of the reader by more than that memory.
#include <algorithm>
#include <new>
#include <vector>

#include "extension/message_inflater.h"
#include "receive_pool.h"
#include "receiver.h"

namespace websocket {

struct Receiver::Inflating {
  MessageInflater inflater;
  std::span<const std::uint8_t> compressed;  // received and unmasked, not yet decompressed
  bool outputWaits = false;                  // the inflater holds more than there was space for
  std::unique_ptr<std::uint8_t[]> buffer;    // of RECEIVE_BUFFER_SIZE bytes, without a pool
  std::span<std::uint8_t> space;             // leased from the pool, being filled
  std::span<std::uint8_t> indicated;         // leased before, until its indication is over
  bool waitsForSpace = false;
  std::vector<std::uint8_t> kept;  // where compressed lies after keepReceived()
};

void Receiver::DeleteInflating::operator()(Inflating* inflating) const { delete inflating; }

void Receiver::inflateMessages(std::shared_ptr<DeflatePool> pool, std::uint8_t windowBits, bool takeover) {
  inflating_.reset(new Inflating{{std::move(pool), windowBits, takeover}, {}, false, {}, {}, {}, false, {}});
  rules_.rsv1Compressed = true;
}

void Receiver::shrinkInflater() {
  if (inflating_ != nullptr && !inPayload_ && !indicationReady_) {
    inflating_->buffer.reset();
    inflating_->inflater.shrink();
  }
}

// Nothing more will be decompressed.
void Receiver::endInflating() {
  if (inflating_ != nullptr) {
    inflating_->compressed = {};
    inflating_->kept = std::vector<std::uint8_t>();
    inflating_->inflater.end();
  }
}

FaultKind Receiver::beginCompressedFrame() {
  const bool first = reader_.header().opcode() != Opcode::Continuation;
  return first && !inflating_->inflater.begin() ? FaultKind::OutOfMemory : FaultKind::None;
}

bool Receiver::waitsForSpace() const { return inflating_ != nullptr && inflating_->waitsForSpace; }

void Receiver::keepReceived() {
  if (inflating_ != nullptr && !inflating_->compressed.empty() && inflating_->kept.empty()) {
    inflating_->kept.assign(inflating_->compressed.begin(), inflating_->compressed.end());
    inflating_->compressed = inflating_->kept;
  }
  if (!input_.empty()) {
    auto injected = std::make_unique<Injected>();
    injected->bytes.assign(input_.begin(), input_.end());
    if (injected_ != nullptr) {
      injected->bytes.insert(injected->bytes.end(),
                             injected_->bytes.begin() + static_cast<std::ptrdiff_t>(injected_->taken),
                             injected_->bytes.end());
    }
    injected_ = std::move(injected);
    input_ = {};
  }
  endLease();
}

void Receiver::takeCompressed() {
  const FrameHeader& header = reader_.header();
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(input_.size(), remaining_));
  const std::span<std::uint8_t> bytes = input_.first(count);
  if (header.masked) {
    applyMask(bytes, header.key, static_cast<std::size_t>((header.length - remaining_) % kMaskKeySize));
  }
  inflating_->compressed = bytes;
  inflating_->kept = std::vector<std::uint8_t>();
  input_ = input_.subspan(count);
  remaining_ -= count;
}

// Where the next decompressed bytes go, behind those of the chunk under way; empty when the pool has no space.
std::span<std::uint8_t> Receiver::inflateSpace() {
  std::span<std::uint8_t> memory = operations_.front().memory;
  if (memory.empty() && options_.pool != nullptr) {
    if (inflating_->space.empty()) {
      endInflateLease();
      inflating_->space = options_.pool->leaseForInflating();
    }
    memory = inflating_->space;
  } else if (memory.empty()) {
    if (inflating_->buffer == nullptr) {
      inflating_->buffer = std::make_unique_for_overwrite<std::uint8_t[]>(options_.receiveBufferSize);
    }
    memory = {inflating_->buffer.get(), options_.receiveBufferSize};
  }
  chunk_ = memory.data();
  return memory.subspan(std::min<std::size_t>(chunkLength_, memory.size()));
}

// Counts and checks decompressed bytes, as beginFrame() and takePayload() do for others.
FaultKind Receiver::takeInflated(std::span<const std::uint8_t> bytes) {
  chunkLength_ += static_cast<std::uint32_t>(bytes.size());
  messageSize_ += bytes.size();
  if (options_.maxMessageSize != 0 && messageSize_ > options_.maxMessageSize) {
    return FaultKind::MessageTooBig;
  }
  return verifiesText() && !utf8_.feed(bytes) ? FaultKind::InvalidUtf8 : FaultKind::None;
}

// Decompresses what there is of the frame under way. True: step is the answer of advance(). False: the frame is over,
// or (inPayload_) its next bytes are needed.
bool Receiver::inflateFrame(ReceiveStep& step) {
  Inflating& inflating = *inflating_;
  while (true) {
    if (inflating.compressed.empty()) {
      takeCompressed();
    }
    const bool finishing = inflating.compressed.empty() && remaining_ == 0 && reader_.header().fin();
    if (inflating.compressed.empty() && !finishing && !inflating.outputWaits) {
      return pauseInflating(step);
    }
    std::span<std::uint8_t> space = inflateSpace();
    inflating.waitsForSpace = space.empty();
    if (space.empty()) {
      step = ReceiveStep::Idle;
      return true;
    }
    if (options_.maxMessageSize != 0 && space.size() > options_.maxMessageSize - messageSize_) {
      space = space.first(static_cast<std::size_t>(options_.maxMessageSize - messageSize_) + 1);  // shows an excess
    }
    std::span<std::uint8_t> rest = space;
    const InflateStatus status =
        finishing ? inflating.inflater.finish(rest) : inflating.inflater.inflate(inflating.compressed, rest);
    inflating.outputWaits = status == InflateStatus::OutputFull;
    FaultKind kind = takeInflated(space.first(space.size() - rest.size()));
    if (kind == FaultKind::None && status == InflateStatus::Corrupt) {
      kind = FaultKind::InvalidCompressedData;
    } else if (kind == FaultKind::None && status == InflateStatus::OutOfMemory) {
      kind = FaultKind::OutOfMemory;
    } else if (kind == FaultKind::None && status == InflateStatus::Done && finishing && verifiesText() &&
               !utf8_.complete()) {
      kind = FaultKind::InvalidUtf8;
    }
    if (kind != FaultKind::None) {
      giveInflateSpaceBack();
      step = fault(kind);
      return true;
    }
    if (status == InflateStatus::OutputFull || finishing) {
      inPayload_ = status == InflateStatus::OutputFull;
      indicateInflated(!inPayload_);
      step = ReceiveStep::Indicate;
      return true;
    }
  }
}

// The bytes at hand are used up, and it is not the end of the message.
bool Receiver::pauseInflating(ReceiveStep& step) {
  inPayload_ = remaining_ != 0;
  if (chunkLength_ != 0 && (!inPayload_ || options_.pool != nullptr)) {
    indicateInflated(false);
    step = ReceiveStep::Indicate;
    return true;
  }
  giveInflateSpaceBack();
  return false;
}

void Receiver::indicateInflated(bool last) {
  if (!inflating_->space.empty()) {
    options_.pool->commit(inflating_->space, chunkLength_);
    inflating_->indicated = inflating_->space.first(chunkLength_);
    inflating_->space = {};
  }
  indicateChunk(last);
}

void Receiver::giveInflateSpaceBack() {
  if (inflating_ != nullptr && !inflating_->space.empty()) {
    options_.pool->commit(inflating_->space, 0);
    inflating_->space = {};
  }
}

// What was indicated last is not needed any more. False: received bytes still are.
bool Receiver::endInflateLease() {
  if (!inflating_->indicated.empty()) {
    options_.pool->finish(inflating_->indicated);
    inflating_->indicated = {};
  }
  return inflating_->compressed.empty() || !inflating_->kept.empty();
}

}  // namespace websocket

// The part of Session that belongs to permessage-deflate (RFC 7692, R10): the contexts, and compressing what is sent.
#include <new>
#include <utility>

#include "extension/permessage_deflate_options.h"
#include "session.h"

namespace websocket {
namespace {

// Where messages are compressed to before their size is known; memory above this is not kept.
constexpr std::size_t kKeptScratch = std::size_t{64} * 1024;

}  // namespace

// What Begin*Handshake negotiates beside the application's extensions; null: nothing.
const DeflateNegotiation* Session::wantedDeflate() const {
  return options_->permessageDeflate == nullptr ? nullptr : &options_->permessageDeflate->negotiation;
}

// Throws std::bad_alloc; null when nothing was agreed.
std::unique_ptr<Session::Deflate> Session::makeDeflate(const std::optional<DeflateParameters>& agreed) const {
  if (!agreed.has_value()) {
    return nullptr;
  }
  const PermessageDeflateOptions& options = *options_->permessageDeflate;
  DeflaterSettings settings = options.deflater;
  settings.windowBits = agreed->maxWindowBits(role_);
  return std::make_unique<Deflate>(*agreed, options.pool, settings, role_);
}

void Session::shrinkDeflate() {
  if (deflate_ != nullptr) {
    deflate_->deflater.release();
    receiver_.shrinkInflater();
  }
}

// Whether a data frame is part of a compressed message. Its first frame decides; an empty message stays as it is.
bool Session::isCompressed(BufferType type, std::uint8_t firstByte, std::span<const std::uint8_t> payload,
                           Compression compression) const {
  if (outgoing_ != OutgoingMessage::None) {
    return outgoingCompressed_;
  }
  const bool whole = (firstByte & kFinBit) != 0;
  const bool wanted = compression == Compression::On || compression == Compression::Done ||
                      (compression == Compression::FromThreshold &&
                       (deflate_->deflater.takeover() || payload.size() >= options_->permessageDeflate->threshold));
  return wanted && !isCustom(type) && !(whole && payload.empty());
}

// Whether this is a whole message that send() would compress now.
bool Session::deflatesWhole(BufferType type, std::span<const std::uint8_t> payload, Compression compression) const {
  return (type == BufferType::Utf8Message || type == BufferType::BinaryMessage) && deflate_ != nullptr &&
         outgoing_ == OutgoingMessage::None && (allowedCalls_ & bitOf(Call::SendData)) != 0 &&
         isCompressed(type, kFinBit, payload, compression);
}

const DeflaterSettings* Session::sharedDeflater(BufferType type, std::span<const std::uint8_t> payload,
                                                Compression compression) const {
  const bool shared = deflatesWhole(type, payload, compression) && !deflate_->deflater.takeover();
  return shared ? &deflate_->deflater.settings() : nullptr;
}

std::shared_ptr<DeflateJob> Session::takeDeflate(BufferType type, std::span<const std::uint8_t> payload,
                                                 SharedBytes owner, Compression compression) {
  if (!deflatesWhole(type, payload, compression) || !deflate_->deflater.takeover()) {
    return nullptr;
  }
  MessageDeflater& deflater = deflate_->deflater;
  return std::make_shared<DeflateJob>(payload, std::move(owner), deflater.pool(), deflater.settings(), deflater.lend());
}

void Session::finishDeflate(DeflateJob& job) {
  if (deflate_->deflater.takeover()) {
    deflate_->deflater.takeBack(job.takeContext());
  }
}

// Compresses a frame's payload and queues what comes out; open: the message behind it. Throws std::bad_alloc and
// changes nothing then that the receiver could see.
Result Session::sendCompressed(const GatherQueue::Frame& frame, OutgoingMessage open) {
  thread_local ByteBuffer scratch;
  const bool last = open == OutgoingMessage::None;
  Result result = Result::OutOfMemory;
  try {
    deflate_->deflater.deflate(frame.payload, last, scratch);
    result = queueDeflated(frame, scratch.view());
  } catch (const std::bad_alloc&) {
  }
  if (scratch.capacity() > kKeptScratch) {
    scratch = {};
  }
  if (result != Result::Ok) {
    deflate_->deflater.release();  // what follows must not refer to what was not sent
    return result;
  }
  outgoingCompressed_ = !last;
  outgoing_ = open;
  return Result::Ok;
}

Result Session::queueDeflated(const GatherQueue::Frame& frame, std::span<const std::uint8_t> deflated) {
  const bool first = outgoing_ == OutgoingMessage::None;
  const bool whole = first && (frame.firstByte & kFinBit) != 0;
  GatherQueue::Frame queued = frame;
  queued.ownership = Payload::Copy;
  queued.indicated = frame.ownership == Payload::Reference;
  if (whole && !deflate_->deflater.takeover() && deflated.size() >= frame.payload.size()) {
    queued.ownership = frame.ownership;  // no gain, and no later message refers to it: it stays as it is
  } else {
    queued.firstByte |= first ? kRsv1Bit : std::uint8_t{0};
    queued.payload = deflated;
  }
  if (isGathering()) {
    return gatherQueue().addData(queued);
  }
  SendOperation operation{frame.type, queued.firstByte, 0, queued.payload, frame.context, nullptr, false};
  if (queued.ownership == Payload::Copy) {
    operation.own(queued.payload);
  }
  sendQueue_->queue(std::move(operation));
  return Result::Ok;
}

}  // namespace websocket

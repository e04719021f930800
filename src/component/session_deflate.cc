// The part of Session that belongs to permessage-deflate (RFC 7692, R10): the contexts, and compressing what is sent.
#include <algorithm>
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
  return std::unique_ptr<Deflate>(new Deflate{*agreed, {options.pool, settings, !agreed->noContextTakeover(role_)}});
}

void Session::shrinkDeflate() {
  if (deflate_ != nullptr) {
    deflate_->deflater.release();
    receiver_.shrinkInflater();
  }
}

// Whether a data frame is part of a compressed message. Its first frame decides; an empty message stays as it is.
bool Session::isCompressed(const GatherQueue::Frame& frame, Compression compression) const {
  if (outgoing_ != OutgoingMessage::None) {
    return outgoingCompressed_;
  }
  return compression == Compression::On && !isCustom(frame.type) &&
         (!frame.payload.empty() || (frame.firstByte & kFinBit) == 0);
}

// Compresses a frame's payload and queues what comes out. Throws std::bad_alloc and changes nothing then that a
// receiver could see.
Result Session::sendCompressed(const GatherQueue::Frame& frame) {
  thread_local ByteBuffer scratch;
  try {
    deflate_->deflater.deflate(frame.payload, (frame.firstByte & kFinBit) != 0, scratch);
    const Result result = queueCompressed(frame, scratch);
    if (result != Result::Ok) {
      deflate_->deflater.release();
    }
    if (scratch.capacity() > kKeptScratch) {
      scratch = {};
    }
    return result;
  } catch (...) {
    deflate_->deflater.release();  // what follows must not refer to what was not sent
    scratch = {};
    throw;
  }
}

Result Session::queueCompressed(const GatherQueue::Frame& frame, ByteBuffer& compressed) {
  const bool first = outgoing_ == OutgoingMessage::None;
  const bool last = (frame.firstByte & kFinBit) != 0;
  if (first && last && !deflate_->deflater.takeover() && compressed.size() >= frame.payload.size()) {
    return queueFrame(frame);  // no gain, and no later message refers to it
  }
  const auto firstByte = static_cast<std::uint8_t>(frame.firstByte | (first ? kRsv1Bit : 0U));
  if (isGathering()) {
    return gatherQueue().addData({firstByte, 0, compressed.view(), Payload::Copy, frame.type, frame.context,
                                  frame.ownership == Payload::Reference});
  }
  auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(compressed.size());
  std::ranges::copy(compressed.view(), memory.get());
  const std::span<const std::uint8_t> payload(memory.get(), compressed.size());
  sendQueue_->queue({frame.type, firstByte, 0, payload, frame.context, nullptr, std::move(memory), false});
  return Result::Ok;
}

}  // namespace websocket

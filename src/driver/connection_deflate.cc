// The part of Connection that belongs to permessage-deflate: messages that are compressed for many connections, and
// large ones, which the thread pool compresses. What is sent behind such a one waits for it, except pings and pongs.
#include <algorithm>
#include <new>
#include <utility>

#include "connection.h"
#include "driver.h"

namespace websocket::driver {
namespace {

// Bytes that no owner keeps get one.
std::shared_ptr<SharedMessage> ownedMessage(std::span<const std::uint8_t> bytes, SharedBytes owner = nullptr) {
  if (owner == nullptr) {
    std::shared_ptr<std::uint8_t[]> memory = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
    std::ranges::copy(bytes, memory.get());
    bytes = {memory.get(), bytes.size()};
    owner = std::move(memory);
  }
  return std::make_shared<SharedMessage>(bytes, std::move(owner));
}

std::optional<MaskKey> keyOf(const MaskKey* key) { return key == nullptr ? std::nullopt : std::optional(*key); }

}  // namespace

// Contexts that are not taken over are in the driver's pool between messages.
void Connection::noteContexts() {
  if (const DeflateParameters* const agreed = session_.deflate();
      !agreed->serverNoContextTakeover || !agreed->clientNoContextTakeover) {
    driver_.usesContexts(*this);
  }
}

Result Connection::sendOwned(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                             SharedBytes owner, const MaskKey* key, Compression compression) {
  return send(type, ownedMessage(payload, std::move(owner)), callback, key, compression);
}

Result Connection::send(BufferType type, const std::shared_ptr<SharedMessage>& message, std::uint32_t callback,
                        const MaskKey* key, Compression compression) {
  if (!canSend()) {
    return Result::InvalidOperation;
  }
  HeldSend send{HeldSend::Kind::Message, compression, 0, type, callback, keyOf(key), message};
  const Result result = held_ != nullptr ? hold(std::move(send)) : sendShared(std::move(send));
  if (result == Result::Ok && (type == BufferType::Utf8Message || type == BufferType::BinaryMessage)) {
    ++traffic_->messagesSent;
  }
  return result;
}

// Queues a message that nothing has to wait for, or begins to compress it.
Result Connection::sendShared(HeldSend&& send) {
  std::shared_ptr<DeflateJob> job = sharedJob(send);
  const bool done = job != nullptr && job->isDone();
  if (!makeRoom(frameSize(done ? job->output().size() : send.bytes().size()), limits_.maxBackpressure)) {
    return Result::InsufficientBuffer;
  }
  if (job == nullptr) {
    job = ownJob(send);
  }
  if (job == nullptr || job->isDone()) {
    return transmit(send, job.get());
  }
  auto held = std::make_unique<HeldSends>();
  const std::uint64_t size = frameSize(send.bytes().size());
  held->push(std::move(send), size);
  held->job = job;
  held_ = std::move(held);
  try {
    driver_.deflateQueue().add(std::move(job), id_);
  } catch (...) {
    held_.reset();
    throw;
  }
  noteHighWaterMark();
  return Result::Ok;
}

// The job that compresses it without context takeover: done, unless the message is large. Null: there is none.
std::shared_ptr<DeflateJob> Connection::sharedJob(const HeldSend& send) {
  const DeflaterSettings* const settings = session_.sharedDeflater(send.type, send.bytes(), send.compression);
  if (settings == nullptr) {
    return nullptr;
  }
  std::shared_ptr<DeflateJob> job = send.message->job(*settings, driver_.deflatePool());
  if (!job->isDone() && send.bytes().size() < kDeflateElsewhere) {
    job->run();
    job->finish();
  }
  return job;
}

// The job that compresses a large message with context takeover; null: it is compressed at once, or not at all.
std::shared_ptr<DeflateJob> Connection::ownJob(const HeldSend& send) {
  if (send.bytes().size() < kDeflateElsewhere) {
    return nullptr;
  }
  std::shared_ptr<DeflateJob> job =
      session_.takeDeflate(send.type, send.bytes(), send.message->owner(), send.compression);
  if (job != nullptr) {
    noteContexts();
  }
  return job;
}

// job: done, or null: send() decides about compression.
Result Connection::transmit(const HeldSend& send, const DeflateJob* job) {
  const std::span<const std::uint8_t> bytes = job == nullptr ? send.bytes() : job->output();
  const SharedBytes& owner = job == nullptr ? send.message->owner() : job->outputOwner();
  const Compression decided = job != nullptr && job->isCompressed() ? Compression::Done : Compression::Off;
  return transmit(send.type, bytes, send.callback, bytes.size() < kSharedSize ? nullptr : owner, send.keyAddress(),
                  job == nullptr ? send.compression : decided);
}

// ---------------------------------------------------------------------------------------------------------------------
// What waits for a job

std::uint64_t Connection::heldSize(const HeldSend& send) const {
  return send.kind == HeldSend::Kind::Raw ? send.bytes().size() : frameSize(send.bytes().size());
}

Result Connection::hold(HeldSend&& send) {
  if (held_->hasClose) {
    return Result::InvalidOperation;
  }
  if (send.message->owner() == nullptr) {
    send.message = ownedMessage(send.bytes());
  }
  const std::uint64_t size = heldSize(send);
  if (send.kind != HeldSend::Kind::Close && !makeRoom(size, limits_.maxBackpressure)) {
    return Result::InsufficientBuffer;
  }
  held_->push(std::move(send), size);
  noteHighWaterMark();
  return Result::Ok;
}

Result Connection::holdClose(std::uint16_t status, std::span<const std::uint8_t> reason, const MaskKey* key) {
  return hold(
      {HeldSend::Kind::Close, Compression::Off, status, BufferType::Close, 0, keyOf(key), ownedMessage(reason)});
}

Result Connection::holdRaw(std::span<const std::uint8_t> bytes, std::uint32_t callback) {
  return hold(
      {HeldSend::Kind::Raw, Compression::Off, 0, BufferType::None, callback, std::nullopt, ownedMessage(bytes)});
}

void Connection::deflated(const DeflateJob& job) {
  if (!awaits(job)) {
    return;
  }
  const std::shared_ptr<DeflateJob> done = std::move(held_->job);
  held_->job = nullptr;
  session_.finishDeflate(*done);
  try {
    noteContexts();
    sentHeld(transmit(held_->sends.front(), done.get()));
    while (!held_->sends.empty() && sendHeld(held_->sends.front())) {
    }
    if (held_->sends.empty()) {
      held_.reset();
    }
    static_cast<void>(queued(Result::Ok));
  } catch (const std::bad_alloc&) {
    close(UV_ENOMEM, false);
  }
}

// Queues the front of what waits; false: it waits for a job of its own. Throws std::bad_alloc.
bool Connection::sendHeld(const HeldSend& send) {
  switch (send.kind) {
    case HeldSend::Kind::Close:
      sentHeld(session_.sendClose(send.status, send.bytes(), nullptr, send.keyAddress()));
      return true;
    case HeldSend::Kind::Raw:
      sentHeld(session_.sendRaw(send.bytes(), contextOf(send.callback)));
      return true;
    case HeldSend::Kind::Message:
      break;
  }
  std::shared_ptr<DeflateJob> job = sharedJob(send);
  if (job == nullptr) {
    job = ownJob(send);
  }
  if (job == nullptr || job->isDone()) {
    sentHeld(transmit(send, job.get()));
    return true;
  }
  held_->job = job;
  driver_.deflateQueue().add(std::move(job), id_);
  return false;
}

// The front does not wait any more: it was queued, or refused.
void Connection::sentHeld(Result result) {
  const HeldSend& send = held_->sends.front();
  if (result != Result::Ok) {
    sent(contextOf(send.callback), true);
  }
  held_->pop(heldSize(send));
}

// The connection has ended.
void Connection::dropHeld() {
  for (; held_ != nullptr && !held_->sends.empty(); held_->sends.pop()) {
    sent(contextOf(held_->sends.front().callback), true);
  }
  held_.reset();
}

}  // namespace websocket::driver

// The sending half of Connection.
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <new>

#include "connection.h"
#include "driver.h"
#include "frame.h"

namespace websocket::driver {
namespace {

// Most segments in one write. IOV_MAX is 1,024; more than this gains nothing.
constexpr std::size_t kMaxSegments = 64;

// From this size on a payload is written from the caller's memory, at once: below, copying it costs less than a system
// call that other messages could have shared.
constexpr std::size_t kWriteNowSize = std::size_t{16} * 1024;

// What pings and pongs may use beyond the limit, so that a full queue does not make a healthy peer time out.
constexpr std::uint64_t kControlRoom = std::uint64_t{64} * 1024;

// A flag of a send operation's context: references_ holds its payload.
constexpr std::uintptr_t kIsReference = 1;

}  // namespace

bool Connection::markDirty() {
  const bool first = !dirty_;
  dirty_ = true;
  return first;
}

Result Connection::queued(Result result) {
  if (result == Result::Ok) {
    driver_.markDirty(*this);
    noteHighWaterMark();
  }
  return result;
}

void Connection::noteHighWaterMark() {
  aboveHighWaterMark_ = bufferedWireBytes() > limits_.highWaterMark;
  reportDrained_ = reportDrained_ || aboveHighWaterMark_;
}

// Bytes of a frame on the wire.
std::uint64_t Connection::frameSize(std::uint64_t payload) const {
  return payload + frameHeaderSize(payload, session_.role() == Role::Client);
}

// Whether so many bytes may be queued. What the kernel takes now does not count. (A stream answers later, and asking it
// runs JavaScript, which could change the payload.)
bool Connection::makeRoom(std::uint64_t bytes, std::uint64_t limit) {
  const auto fits = [&] {
    const std::uint64_t held = bufferedWireBytes();
    return held == 0 || (bytes <= limit && held <= limit - bytes);
  };
  if (fits()) {
    return true;
  }
  if (canWriteNow()) {
    flush();
    if (fits()) {
      return true;
    }
  }
  reportDrained_ = true;
  return false;
}

bool Connection::canWriteNow() const {
  return isOpen() && output_ == Output::Open && !flushing_ && !transport_->isStream();
}

Result Connection::send(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                        SharedBytes owner, const MaskKey* key, Compression compression) {
  if (!canSend()) {
    return Result::InvalidOperation;
  }
  if (session_.deflate() != nullptr && mustWait(payload.size(), compression)) {
    return sendOwned(type, payload, callback, std::move(owner), key, compression);
  }
  if (!makeRoom(frameSize(payload.size()), limits_.maxBackpressure)) {
    return Result::InsufficientBuffer;
  }
  const Result result = transmit(type, payload, callback, std::move(owner), key, compression);
  if (result == Result::Ok && (type == BufferType::Utf8Message || type == BufferType::BinaryMessage)) {
    ++traffic_->messagesSent;
  }
  return result;
}

Result Connection::transmit(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                            SharedBytes owner, const MaskKey* key, Compression compression) {
  const bool compress = session_.deflate() != nullptr && compression != Compression::Done &&
                        (compression != Compression::Off || session_.deflates());
  const bool mayRefer = session_.role() == Role::Server && !compress;  // masking and compressing are copying
  if (mayRefer && owner != nullptr) {
    return queued(sendByReference(type, payload, callback, std::move(owner), compression));
  }
  if (mayRefer && payload.size() >= kWriteNowSize && canWriteNow()) {
    return sendNow(type, payload, callback);
  }
  if (compress) {
    noteContexts();
  }
  return queued(session_.send(type, payload, contextOf(callback), Payload::Copy, key, compression));
}

Result Connection::sendByReference(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                                   SharedBytes owner, Compression compression) {
  references_.push(std::move(owner));
  Result result = Result::OutOfMemory;
  try {
    result = session_.send(type, payload, contextOf(callback, kIsReference), Payload::Reference, nullptr, compression);
  } catch (const std::bad_alloc&) {
  }
  if (result != Result::Ok) {
    references_.popBack();
  }
  return result;
}

// Writes the payload, and what was queued before it, from the caller's memory; only what the kernel does not take is
// copied. A reference to the memory of an ArrayBuffer could not be kept: JavaScript may transfer it, and then it is
// freed by somebody else.
Result Connection::sendNow(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback) {
  Borrowed borrowed{std::shared_ptr<std::uint8_t[]>(std::make_unique_for_overwrite<std::uint8_t[]>(payload.size())),
                    payload};
  const Result result = sendByReference(type, {borrowed.memory.get(), payload.size()}, callback, borrowed.memory);
  if (result != Result::Ok) {
    return result;
  }
  borrowed_ = &borrowed;
  try {
    flush();
  } catch (const std::bad_alloc&) {
    close(UV_ENOMEM, false);
  }
  borrowed_ = nullptr;
  noteHighWaterMark();
  return Result::Ok;
}

Result Connection::sendControl(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                               const MaskKey* key) {
  if (!canSend()) {
    return Result::InvalidOperation;
  }
  if (!makeRoom(frameSize(payload.size()), limits_.maxBackpressure + kControlRoom)) {
    return Result::InsufficientBuffer;
  }
  return queued(session_.sendControl(type, payload, contextOf(callback), key));
}

Result Connection::sendClose(std::uint16_t status, std::span<const std::uint8_t> reason, const MaskKey* key) {
  if (!canSend()) {
    return Result::InvalidOperation;
  }
  return held_ != nullptr ? holdClose(status, reason, key) : queued(session_.sendClose(status, reason, nullptr, key));
}

Result Connection::sendRaw(std::span<const std::uint8_t> bytes, std::uint32_t callback) {
  if (!canSend()) {
    return Result::InvalidOperation;
  }
  if (held_ != nullptr) {
    return holdRaw(bytes, callback);
  }
  if (!makeRoom(bytes.size(), limits_.maxBackpressure)) {
    return Result::InsufficientBuffer;
  }
  return queued(session_.sendRaw(bytes, contextOf(callback)));
}

void Connection::finish(Finish finish) {
  finish_ = std::max(finish_, finish);
  driver_.markDirty(*this);
}

void Connection::flush() {
  dirty_ = false;
  if (!isOpen() || flushing_) {
    return;
  }
  flushing_ = true;
  while (isOpen() && output_ == Output::Open && writeNext()) {
  }
  flushing_ = false;
  settle();
}

// Carries out the session's next send action; false when there is none.
bool Connection::writeNext() {
  std::array<Buffer, kMaxSegments + 1> buffers;
  std::uint32_t count = 0;
  if (!preamble_.empty()) {
    buffers[count++] = {preamble_.data(), static_cast<std::uint32_t>(preamble_.size())};
  }
  Action action;
  if (session_.getAction(ActionQueue::Send, std::span(buffers).subspan(count), action) != Result::Ok) {
    writeFailed(UV_EIO);  // no randomness for a mask key
    return false;
  }
  if (action.kind == ActionKind::IndicateSendComplete) {
    session_.completeAction(action.id, 0);
    sent(action.context, false);
    return true;
  }
  count += action.count;
  if (count == 0) {
    return false;
  }
  const std::span<Buffer> bytes = std::span(buffers).first(count);
  pending_ = {action.id, 0};
  const int result = tryWrite(bytes);
  if (result > 0) {
    credit(static_cast<std::size_t>(result));
  } else if (result == 0 || result == UV_EAGAIN) {
    keepUnwritten(bytes);
    startWrite(bytes);
  } else {
    credit(0);
    writeFailed(result);
    return false;
  }
  return true;
}

int Connection::tryWrite(std::span<Buffer> bytes) {
  if (borrowed_ != nullptr) {
    for (Buffer& buffer : bytes) {
      if (borrowed_->contains(buffer.data)) {
        std::uint8_t* const memory = buffer.data;
        buffer.data = const_cast<std::uint8_t*>(borrowed_->payload.data()) + borrowed_->offsetOf(buffer);
        const int result = transport_->tryWrite(bytes);
        buffer.data = memory;
        return result;
      }
    }
  }
  return transport_->tryWrite(bytes);
}

bool Connection::Borrowed::contains(const std::uint8_t* address) const {
  const std::less<> before;  // also of pointers into different objects
  return !before(address, memory.get()) && before(address, memory.get() + payload.size());
}

// Copies what is left of the borrowed payload when none of these bytes could be written.
void Connection::keepUnwritten(std::span<const Buffer> bytes) {
  if (borrowed_ == nullptr) {
    return;
  }
  const auto buffer = std::ranges::find_if(bytes, [&](const Buffer& each) { return borrowed_->contains(each.data); });
  const std::size_t from = buffer == bytes.end() ? 0 : borrowed_->offsetOf(*buffer);
  const std::span<const std::uint8_t> rest = borrowed_->payload.subspan(from);
  std::memcpy(borrowed_->memory.get() + from, rest.data(), rest.size());
  borrowed_ = nullptr;
}

// A message was written, or never will be.
void Connection::sent(void* context, bool failed) {
  const auto bits = reinterpret_cast<std::uintptr_t>(context);
  if ((bits & kIsReference) != 0) {
    references_.pop();
  }
  if (const auto callback = static_cast<std::uint32_t>(bits >> 1); callback != 0) {
    record(EventKind::Sent, {}, callback, failed);
  }
}

// Has the transport write as much of these bytes as it accepts. The rest stays in the session, where pings and pongs
// can still overtake it (contract R7).
void Connection::startWrite(std::span<Buffer> buffers) {
  const std::size_t limit = transport_->writeLimit();
  std::size_t length = 0;
  std::size_t count = 0;
  while (count < buffers.size() && length < limit) {
    Buffer& buffer = buffers[count++];
    buffer.length = static_cast<std::uint32_t>(std::min<std::size_t>(buffer.length, limit - length));
    length += buffer.length;
  }
  pending_.bytes = length;
  output_ = Output::Writing;
  if (const int error = transport_->write(buffers.first(count)); error != 0) {
    credit(0);
    writeFailed(error);
  }
}

void Connection::written(int status) {
  if (!isOpen() || output_ != Output::Writing) {
    return;
  }
  output_ = Output::Open;
  if (status == 0) {
    credit(pending_.bytes);
    if (session_.hasOutput()) {
      driver_.markDirty(*this);
    } else {
      settle();
    }
  } else {
    credit(0);
    writeFailed(status);
  }
}

// `bytes` of the pending action, and of the preamble before it, were written.
void Connection::credit(std::size_t bytes) {
  bytesWritten_ += bytes;
  const std::size_t preamble = std::min(bytes, preamble_.size());
  if (preamble == preamble_.size()) {
    preamble_ = std::vector<std::uint8_t>();  // not {}, which would keep the memory
  } else {
    preamble_.erase(preamble_.begin(), preamble_.begin() + static_cast<std::ptrdiff_t>(preamble));
  }
  traffic_->bytesSent += bytes - preamble;
  session_.completeAction(pending_.action, static_cast<std::uint32_t>(bytes - preamble));
  pending_ = {};
}

// The peer takes nothing more, but what it sent before may still wait to be read: its last messages, its Close frame.
void Connection::writeFailed(int error) {
  output_ = Output::Failed;
  driver_.closeAfterRead(*this, error);
}

// Everything queued is written: does the transport end now?
void Connection::settle() {
  if (!isOpen() || output_ != Output::Open || !preamble_.empty() || session_.hasOutput() || held_ != nullptr) {
    return;
  }
  if (reportDrained_) {
    reportDrained_ = false;
    record(EventKind::Sent, {}, kDrained);
  }
  if (session_.role() == Role::Server && session_.closeSent() && session_.closeReceived()) {
    // The server ends the TCP connection first (RFC 6455, 7.1.1), and waits for the client's end: a socket that is
    // closed before a late pong comes is reset, and what the client has not read is lost.
    finish_ = std::max(finish_, Finish::Shutdown);
  }
  if (finish_ == Finish::None) {
    return;
  }
  output_ = Output::ShuttingDown;
  if (const int error = transport_->shutdown(); error != 0) {
    shutDown(error);
  }
}

void Connection::shutDown(int status) {
  if (!isOpen() || output_ != Output::ShuttingDown) {
    return;
  }
  output_ = Output::ShutDown;
  if (finish_ == Finish::Close || input_ == Input::Ended || status != 0) {
    close(0, false);
  }
}

// Indicates the completed sends.
void Connection::drainSends(bool failed) {
  Buffer buffer;
  Action action;
  while (session_.getAction(ActionQueue::Send, {&buffer, 1}, action) == Result::Ok && action.kind != ActionKind::None) {
    session_.completeAction(action.id, 0);
    if (action.kind == ActionKind::SendToNetwork) {
      return;
    }
    sent(action.context, failed);
  }
}

}  // namespace websocket::driver

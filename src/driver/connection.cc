#include "connection.h"

#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "driver.h"

namespace websocket::driver {
namespace {

// From this size on a message under way is filled by the kernel directly; below, one more copy costs less than the
// system calls that a buffer growing by a quarter causes.
constexpr std::size_t kDirectReadSize = 64 * 1024;

// Most segments in one write. IOV_MAX is 1,024; more than this gains nothing.
constexpr std::size_t kMaxSegments = 64;

void* contextOf(std::uint32_t callback) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(callback));  // NOLINT(performance-no-int-to-ptr)
}

std::uint32_t callbackOf(void* context) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(context));
}

std::span<const std::uint8_t> bytesOf(const char* text) {
  return {reinterpret_cast<const std::uint8_t*>(text), std::strlen(text)};
}

}  // namespace

Connection::Connection(Driver& driver, ConnectionId id, Role role, std::shared_ptr<const SessionOptions> options)
    : driver_(driver), id_(id), session_(role, std::move(options)) {}

Connection::~Connection() = default;

void Connection::record(EventKind kind, std::span<const std::uint8_t> data, std::uint32_t value, bool failed) {
  driver_.record({id_, kind, data.data(), static_cast<std::uint32_t>(data.size()), value, failed});
}

Result Connection::attach(std::unique_ptr<Transport> transport, std::span<const std::uint8_t> preamble,
                          std::span<const std::uint8_t> head) {
  preamble_.assign(preamble.begin(), preamble.end());
  if (session_.role() == Role::Server) {
    if (const Result result = session_.endServerHandshake(); result != Result::Ok) {
      return result;
    }
  }
  if (const Result result = requestReceive(); result != Result::Ok) {
    return result;
  }
  transport_ = std::move(transport);
  phase_ = Phase::Attached;
  driver_.markDirty(*this);
  try {
    receive(head);
  } catch (const std::bad_alloc&) {
    close(UV_ENOMEM, false);
  }
  if (isOpen()) {
    transport_->setReading(!paused_ || input_ != Input::Open);
  }
  return Result::Ok;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

bool Connection::markDirty() {
  const bool first = !dirty_;
  dirty_ = true;
  return first;
}

Result Connection::queued(Result result) {
  if (result == Result::Ok) {
    driver_.markDirty(*this);
  }
  return result;
}

Result Connection::send(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback) {
  return canSend() ? queued(session_.send(type, payload, contextOf(callback), Payload::Copy))
                   : Result::InvalidOperation;
}

Result Connection::sendControl(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback) {
  return canSend() ? queued(session_.sendControl(type, payload, contextOf(callback))) : Result::InvalidOperation;
}

Result Connection::sendClose(std::uint16_t status, std::span<const std::uint8_t> reason) {
  return canSend() ? queued(session_.sendClose(status, reason, nullptr)) : Result::InvalidOperation;
}

void Connection::shutdown() { finish(Finish::Shutdown); }

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
    record(EventKind::Sent, {}, callbackOf(action.context));
    session_.completeAction(action.id, 0);
    return true;
  }
  count += action.count;
  if (count == 0) {
    return false;
  }
  std::size_t total = 0;
  for (const Buffer& buffer : std::span(buffers).first(count)) {
    total += buffer.length;
  }
  pending_ = {action.id, 0, 0};
  const int result = transport_->tryWrite(std::span(buffers).first(count));
  if (result < 0 && result != UV_EAGAIN) {
    credit(0);
    writeFailed(result);
    return false;
  }
  const std::size_t taken = result < 0 ? 0 : static_cast<std::size_t>(result);
  if (taken == total) {
    credit(total);
  } else {
    startWrite(std::span(buffers).first(count), taken);
  }
  return true;
}

// Has the transport write what follows the first `taken` bytes, as much as it accepts. The rest stays in the session,
// where pings and pongs can still overtake it (contract R7).
void Connection::startWrite(std::span<Buffer> buffers, std::size_t taken) {
  std::size_t skip = taken;
  while (skip >= buffers.front().length) {
    skip -= buffers.front().length;
    buffers = buffers.subspan(1);
  }
  buffers.front().data += skip;
  buffers.front().length -= static_cast<std::uint32_t>(skip);

  const std::size_t limit = transport_->writeLimit();
  std::size_t length = 0;
  std::size_t count = 0;
  while (count < buffers.size() && length < limit) {
    Buffer& buffer = buffers[count++];
    buffer.length = static_cast<std::uint32_t>(std::min<std::size_t>(buffer.length, limit - length));
    length += buffer.length;
  }
  pending_.taken = taken;
  pending_.later = length;
  output_ = Output::Writing;
  if (const int error = transport_->write(buffers.first(count)); error != 0) {
    credit(taken);
    writeFailed(error);
  }
}

void Connection::written(int status) {
  if (!isOpen() || output_ != Output::Writing) {
    return;
  }
  output_ = Output::Open;
  if (status == 0) {
    credit(pending_.taken + pending_.later);
    driver_.markDirty(*this);
  } else {
    credit(pending_.taken);
    writeFailed(status);
  }
}

// `bytes` of the pending action, and of the preamble before it, were written.
void Connection::credit(std::size_t bytes) {
  const std::size_t preamble = std::min(bytes, preamble_.size());
  if (preamble == preamble_.size()) {
    preamble_ = {};
  } else {
    preamble_.erase(preamble_.begin(), preamble_.begin() + static_cast<std::ptrdiff_t>(preamble));
  }
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
  if (!isOpen() || output_ != Output::Open || !preamble_.empty() || session_.hasOutput()) {
    return;
  }
  if (session_.role() == Role::Server && session_.closeSent() && session_.closeReceived()) {
    finish_ = Finish::Close;  // the server ends the TCP connection first (RFC 6455, 7.1.1)
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

// ---------------------------------------------------------------------------------------------------------------------
// Receiving

Result Connection::requestReceive() {
  std::span<std::uint8_t> memory;
  if (assembling_ && message_.size() >= kDirectReadSize) {
    memory = message_.tail(session_.frameRemaining());
  }
  return session_.receive(memory, nullptr);
}

std::span<std::uint8_t> Connection::readSpace() {
  if (!isOpen()) {
    return {};
  }
  if (input_ != Input::Open) {
    return driver_.slab().rest();
  }
  if (readAction_ == 0) {
    const Slab::LeaseScope lease(driver_.slab());
    pump();
  }
  return readSpace_;
}

void Connection::received(std::size_t count) {
  if (readAction_ == 0) {
    return;  // discarded
  }
  session_.completeAction(readAction_, static_cast<std::uint32_t>(count));
  readAction_ = 0;
  readSpace_ = {};
  pump();
  if (session_.hasOutput()) {
    driver_.markDirty(*this);
  }
}

void Connection::receive(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && isOpen() && input_ == Input::Open) {
    const std::span<std::uint8_t> space = readSpace();
    if (space.empty()) {
      return;
    }
    const std::size_t count = std::min(bytes.size(), space.size());
    std::memcpy(space.data(), bytes.data(), count);
    bytes = bytes.subspan(count);
    received(count);
  }
}

// Carries out the session's receive actions until it needs the network.
void Connection::pump() {
  while (isOpen() && input_ == Input::Open) {
    Action action;
    Buffer buffer;
    const Result result = session_.getAction(ActionQueue::Receive, {&buffer, 1}, action);
    if (result != Result::Ok) {
      fault(result);
      return;
    }
    if (action.kind == ActionKind::ReceiveFromNetwork) {
      readAction_ = action.id;
      readSpace_ = {buffer.data, buffer.length};
      return;
    }
    if (action.kind != ActionKind::IndicateReceiveComplete) {
      return;
    }
    if (action.count != 0) {
      indicated(action.type, buffer);
    }
    session_.completeAction(action.id, 0);
    if (input_ == Input::Open) {
      if (const Result received = requestReceive(); received != Result::Ok) {
        fault(received);
        return;
      }
    }
  }
}

void Connection::indicated(BufferType type, const Buffer& buffer) {
  const std::span<const std::uint8_t> payload(buffer.data, buffer.length);
  switch (type) {
    case BufferType::Utf8Message:
      return dataReceived(EventKind::Text, payload, true);
    case BufferType::BinaryMessage:
      return dataReceived(EventKind::Binary, payload, true);
    case BufferType::Utf8Fragment:
      return dataReceived(EventKind::Text, payload, false);
    case BufferType::BinaryFragment:
      return dataReceived(EventKind::Binary, payload, false);
    case BufferType::Ping:
      return record(EventKind::Ping, driver_.keep(payload), 0);
    case BufferType::PingPong:
    case BufferType::UnsolicitedPong:
      return record(EventKind::Pong, driver_.keep(payload), 0);
    case BufferType::Close:
      record(EventKind::Close, driver_.keep(payload), buffer.closeStatus);
      input_ = Input::Discarding;
      transport_->setReading(true);
      driver_.markDirty(*this);
      return;
    default:
      return;  // custom types need an extension, and none is negotiated
  }
}

void Connection::dataReceived(EventKind kind, std::span<const std::uint8_t> payload, bool last) {
  if (!assembling_ && last) {
    record(kind, payload, 0);  // whole, in the slab
    return;
  }
  message_.append(payload);
  assembling_ = !last;
  if (last) {
    record(kind, driver_.keep(std::move(message_)), 0);
    message_ = {};
  }
}

// The peer broke the protocol: it is told why, and everything else that it sends is discarded. The end of the stream is
// waited for, because closing a socket with unread input would reset it and could destroy the Close frame on its way.
void Connection::fault(Result result) {
  Fault fault = session_.fault();
  if (fault.kind == FaultKind::None) {
    fault = faultOf(FaultKind::OutOfMemory);
    fault.result = result;
  }
  record(EventKind::Fault, bytesOf(fault.reason), fault.closeStatus);
  if (!session_.closeSent()) {
    static_cast<void>(session_.sendClose(fault.closeStatus, {}, nullptr));
  }
  input_ = Input::Discarding;
  assembling_ = false;
  message_ = {};
  transport_->setReading(true);
  finish(Finish::Shutdown);
}

void Connection::endOfStream() {
  if (!isOpen() || input_ == Input::Ended) {
    return;
  }
  input_ = Input::Ended;
  transport_->setReading(false);
  record(EventKind::End, {}, 0);
  if (output_ == Output::ShutDown) {
    close(0, false);
  } else {
    finish(Finish::Close);
  }
}

void Connection::setPaused(bool paused) {
  paused_ = paused;
  if (isOpen() && input_ == Input::Open) {
    transport_->setReading(!paused);
  }
}

void Connection::setRef(bool ref) {
  if (isOpen()) {
    transport_->setRef(ref);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The end

// Indicates the completed sends.
void Connection::drainSends(bool failed) {
  Buffer buffer;
  Action action;
  while (session_.getAction(ActionQueue::Send, {&buffer, 1}, action) == Result::Ok && action.kind != ActionKind::None) {
    session_.completeAction(action.id, 0);
    if (action.kind == ActionKind::SendToNetwork) {
      return;
    }
    record(EventKind::Sent, {}, callbackOf(action.context), failed);
  }
}

void Connection::close(int status, bool reset) {
  if (phase_ == Phase::Closed) {
    return;
  }
  const bool wasAttached = phase_ == Phase::Attached;
  phase_ = Phase::Closed;
  if (wasAttached) {
    transport_->close(reset);
    if (pending_.action != 0) {
      credit(pending_.taken);
    }
    drainSends(false);
  }
  session_.abort();
  drainSends(true);
  if (wasAttached) {
    record(EventKind::Closed, {}, static_cast<std::uint32_t>(-status));
  }
  driver_.retire(*this);
}

}  // namespace websocket::driver

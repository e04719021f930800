// The sending half of Connection.
#include <uv.h>

#include <algorithm>
#include <array>

#include "connection.h"
#include "driver.h"

namespace websocket::driver {
namespace {

// Most segments in one write. IOV_MAX is 1,024; more than this gains nothing.
constexpr std::size_t kMaxSegments = 64;

void* contextOf(std::uint32_t callback) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(callback));  // NOLINT(performance-no-int-to-ptr)
}

std::uint32_t callbackOf(void* context) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(context));
}

}  // namespace

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
    preamble_ = std::vector<std::uint8_t>();  // not {}, which would keep the memory
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

}  // namespace websocket::driver

#include "connection.h"

#include <uv.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "driver.h"

namespace websocket::driver {
namespace {

// From this size on a message under way is filled by the kernel directly; below, one more copy costs less than the
// system calls that a buffer growing by a quarter causes.
constexpr std::size_t kDirectReadSize = std::size_t{64} * 1024;

// Most bytes that one read brings of compressed messages, because they are kept while the connection waits for its turn
// to inflate them. It takes far longer to inflate so many than to read them.
constexpr std::size_t kCompressedReadSize = std::size_t{16} * 1024;

constexpr std::uint16_t kPolicyViolation = 1008;
constexpr const char* kNoMemoryLeft = "the messages that arrive on all connections take too much memory";

std::span<const std::uint8_t> bytesOf(const char* text) {
  return {reinterpret_cast<const std::uint8_t*>(text), std::strlen(text)};
}

}  // namespace

Connection::Connection(Driver& driver, ConnectionId id, Role role, std::shared_ptr<const SessionOptions> options,
                       const SendLimits& limits, bool borrow, bool fragments, std::shared_ptr<Traffic> traffic)
    : driver_(driver),
      id_(id),
      borrow_(borrow),
      fragments_(fragments),
      message_(&driver.receiveMemory()),
      limits_(limits),
      traffic_(std::move(traffic)),
      session_(role, std::move(options)) {}

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
  if (const Result result = session_.receive({}, nullptr); result != Result::Ok) {
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
    transport_->setReading(mayRead());
  }
  return Result::Ok;
}

// ---------------------------------------------------------------------------------------------------------------------
// Receiving

// False: the connection failed.
bool Connection::requestReceive() {
  std::span<std::uint8_t> memory;
  if (isLarge()) {
    // One byte more than may come of a compressed message shows that it is too long.
    const std::uint64_t expected =
        session_.inflates() ? session_.maxMessageSize() + 1 - message_.size() : session_.frameRemaining();
    memory = message_.tail(expected, session_.inflates() ? Growth::Remapping : Growth::Copying);
    if (memory.empty() && expected != 0) {
      failed(kNoMemoryLeft, kPolicyViolation);
      return false;
    }
    if (session_.inflates()) {
      memory = memory.first(std::min(memory.size(), Slab::kMostInflated));
    }
  }
  const Result result = session_.receive(memory, nullptr);
  if (result != Result::Ok) {
    fault(result);
  }
  return result == Result::Ok;
}

bool Connection::isLarge() const { return assembling_ && message_.size() >= kDirectReadSize; }
bool Connection::inflatesLarge() const { return session_.inflates() && isLarge(); }

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
  return session_.deflate() == nullptr ? readSpace_ : readSpace_.first(std::min(readSpace_.size(), mostToRead()));
}

// What follows an uncompressed frame may be a compressed one.
std::size_t Connection::mostToRead() const {
  const std::uint64_t uncompressed = session_.inflates() ? 0 : session_.frameRemaining();
  return kCompressedReadSize + static_cast<std::size_t>(std::min<std::uint64_t>(uncompressed, Slab::kBlockSize));
}

void Connection::received(std::size_t count) {
  bytesRead_ += count;
  traffic_->bytesReceived += count;
  readCompleted(count);
  if (isOpen() && !mayRead()) {
    transport_->setReading(false);
  }
}

void Connection::readCompleted(std::size_t count) {
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

std::size_t Connection::receive(std::span<const std::uint8_t> bytes, Rest rest) {
  bytesRead_ += bytes.size();
  traffic_->bytesReceived += bytes.size();
  while (!bytes.empty() && isOpen() && input_ == Input::Open) {
    const std::span<std::uint8_t> space = readSpace();
    if (space.empty()) {
      if (waiting_ && rest == Rest::Leave) {
        bytesRead_ -= bytes.size();
        traffic_->bytesReceived -= bytes.size();
        return bytes.size();
      }
      if (waiting_) {
        static_cast<void>(session_.injectReceived(bytes));  // behind what waits
      }
      return 0;
    }
    const std::size_t count = std::min(bytes.size(), space.size());
    std::memcpy(space.data(), bytes.data(), count);
    bytes = bytes.subspan(count);
    readCompleted(count);
  }
  return 0;
}

// Carries out the session's receive actions until it needs the network.
void Connection::pump() {
  driver_.slab().allowInflating(!isPaused());  // what is read ahead must not become much memory
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
      if (session_.waitsForInflateSpace()) {
        waitForSpace();
      }
      return;
    }
    if (action.count != 0) {
      indicated(action.type, buffer);
    }
    session_.completeAction(action.id, 0);
    if (input_ != Input::Open) {
      return;
    }
    if (inflatesLarge() && !driver_.slab().mayInflateMore()) {
      yielding_ = true;
      waitForSpace();
      return;
    }
    if (!requestReceive()) {
      return;
    }
  }
}

// Too much waits for delivery, or was inflated in this turn. The received bytes must not stay in the slab, which the
// delivery uses again.
void Connection::waitForSpace() {
  session_.keepReceived();
  if (!waiting_) {
    waiting_ = true;
    transport_->setReading(false);
    if (yielding_) {
      driver_.resumeInTurn(*this);
    } else {
      driver_.resumeLater(*this);
    }
  }
}

void Connection::resume() {
  if (!waiting_ || isPaused() || !isOpen() || input_ != Input::Open) {
    return;
  }
  if (yielding_) {
    if (!driver_.slab().mayInflateMore()) {
      driver_.resumeInTurn(*this);
      return;
    }
    yielding_ = false;
    if (!requestReceive()) {
      return;
    }
  }
  waiting_ = false;
  if (!readSpace().empty()) {
    readCompleted(0);  // what was kept is used up, and this is no read
  }
  if (isOpen() && !waiting_) {
    transport_->setReading(mayRead());
  }
}

void Connection::indicated(BufferType type, const Buffer& buffer) {
  const std::span<const std::uint8_t> payload(buffer.data, buffer.length);
  switch (type) {
    case BufferType::Utf8Message:
      ++traffic_->messagesReceived;
      return dataReceived(EventKind::Text, payload, true);
    case BufferType::BinaryMessage:
      ++traffic_->messagesReceived;
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

void Connection::recordMessage(EventKind kind, std::span<const std::uint8_t> message) {
  driver_.record({id_, kind, message.data(), static_cast<std::uint32_t>(message.size()), 0, false, borrow_});
}

void Connection::dataReceived(EventKind kind, std::span<const std::uint8_t> payload, bool last) {
  if (last && session_.inflates()) {
    noteContexts();
  }
  if (fragments_) {
    recordFragment(kind, payload, last);
    return;
  }
  if (!assembling_ && last) {
    recordMessage(kind, payload);  // in the slab
    return;
  }
  if (!message_.append(payload)) {
    return failed(kNoMemoryLeft, kPolicyViolation);
  }
  assembling_ = !last;
  if (inflatesLarge()) {
    driver_.slab().noteInflated(payload.size());
  }
  if (last) {
    recordMessage(kind, driver_.keep(std::move(message_)));
  }
}

// Pieces lie in the slab. Empty ones say nothing, but for the first and the last.
void Connection::recordFragment(EventKind kind, std::span<const std::uint8_t> piece, bool last) {
  const bool first = !assembling_;
  assembling_ = !last;
  if (piece.empty() && !first && !last) {
    return;
  }
  const std::uint32_t flags =
      (kind == EventKind::Binary ? kFragmentBinary : 0) | (first ? kFragmentFirst : 0) | (last ? kFragmentLast : 0);
  // With compression, what was inflated of this message or of one before may lie between this piece and the last one.
  if (first || session_.deflate() != nullptr || !driver_.joinFragment(id_, piece, flags)) {
    record(EventKind::Fragment, piece, flags);
  }
}

// The peer broke the protocol: everything else that it sends is discarded. The application tells it why, behind its
// answers to the messages before. The end of the stream is waited for, because closing a socket with unread input would
// reset it and could destroy the Close frame on its way.
void Connection::fault(Result result) {
  Fault fault = session_.fault();
  if (fault.kind == FaultKind::None) {
    fault = faultOf(FaultKind::OutOfMemory);
    fault.result = result;
  }
  failed(fault.reason, fault.closeStatus);
}

void Connection::failed(const char* reason, std::uint16_t closeStatus) {
  record(EventKind::Fault, bytesOf(reason), closeStatus);
  input_ = Input::Discarding;
  assembling_ = false;
  message_.clear();
  transport_->setReading(true);
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

void Connection::setPaused(bool paused, std::uint64_t readAhead) {
  readLimit_ = paused ? bytesRead_ + readAhead : kUnlimited;
  if (isOpen() && input_ == Input::Open) {
    transport_->setReading(mayRead());
    if (!paused && waiting_) {
      driver_.resumeLater(*this);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The end

void Connection::close(int status, bool reset) {
  if (phase_ == Phase::Closed) {
    return;
  }
  const bool wasAttached = phase_ == Phase::Attached;
  phase_ = Phase::Closed;
  if (wasAttached) {
    transport_->close(reset);
    if (pending_.action != 0) {
      credit(0);
    }
    drainSends(false);
  }
  unsent_ = queuedPayload();
  session_.abort();
  message_.clear();
  drainSends(true);
  dropHeld();
  if (wasAttached) {
    record(EventKind::Closed, {}, static_cast<std::uint32_t>(-status));
  }
  driver_.retire(*this);
}

}  // namespace websocket::driver

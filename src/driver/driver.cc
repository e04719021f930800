#include "driver.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <new>
#include <utility>

#include "heap.h"
#include "native_transport.h"
#include "stream_transport.h"

namespace websocket::driver {
namespace {

// How often a phase delivers and writes what the delivery caused, before the loop gets its turn. Two connections of one
// process that answer each other could go on for ever.
constexpr int kMaxRounds = 8;

// A larger piece of a message is not moved to be one with the piece before it.
constexpr std::size_t kLargestJoined = std::size_t{4} * 1024;

// Smaller messages need not wait until larger ones were inflated.
constexpr std::size_t kSmallMessage = std::size_t{1024} * 1024;

// So many bytes received or sent at a time make a busy server of the process, whose freed memory is worth keeping. An
// idle one is not to hold what the accepting of its connections took for a moment.
constexpr std::size_t kBusySize = std::size_t{64} * 1024;

}  // namespace

Driver::Driver(uv_loop_t* loop, Delegate& delegate)
    : loop_(loop), delegate_(delegate), lifetime_(std::make_shared<HandleLifetime>()) {
  phases_.emplace(loop, *this, lifetime_);
  deflateQueue_.emplace(loop, *this, lifetime_);
}

Driver::~Driver() = default;

void Driver::stop(std::function<void()> onEnd) {
  lifetime_->onEnd = std::move(onEnd);
  for (const ConnectionId id : connections_.ids()) {
    connections_.find(id)->close(0, false);
  }
  batch_ = {};
  dirty_.clear();
  failing_.clear();
  waiting_.clear();
  inflating_.clear();
  deflateQueue_.reset();
  phases_.reset();
}

std::uint32_t Driver::createOptions(const SessionLimits& limits) {
  SessionOptions options;
  options.disableUtf8Verification = limits.skipUtf8Validation;
  options.maxMessageSize = limits.maxPayload;
  if (constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();  // that an event can name
      !limits.fragments && (limits.maxPayload == 0 || limits.maxPayload > kLargest)) {
    options.maxMessageSize = kLargest;
  }
  options.maxFragments = limits.maxFragments;
  options.gather = true;
  options.autoPong = limits.autoPong;
  options.indicatePings = true;
  options.indicateUnsolicitedPongs = true;
  options.strictCloseCodes = true;
  options.pool = &slab_;
  options.random = &random_;
  if (limits.deflate.has_value()) {
    const DeflateLimits& deflate = *limits.deflate;
    if (deflate.jobs.has_value()) {
      deflateQueue_->allow(*deflate.jobs);
    }
    options.permessageDeflate = std::make_shared<const PermessageDeflateOptions>(
        PermessageDeflateOptions{deflate.negotiation, deflate.deflater, deflatePool_, deflate.threshold});
  }
  options_.push_back({std::make_shared<const SessionOptions>(options), limits.send, limits.borrow, limits.fragments});
  return static_cast<std::uint32_t>(options_.size() - 1);
}

Connection* Driver::create(std::uint32_t options, Role role, std::shared_ptr<Traffic> traffic) {
  const Options& chosen = options_[options];
  const ConnectionId id = connections_.reserve();
  if (id == 0) {
    return nullptr;
  }
  try {
    connections_.insert(
        id, std::make_unique<Connection>(*this, id, role, chosen.session, chosen.limits, chosen.borrow,
                                         chosen.fragments, traffic != nullptr ? std::move(traffic) : uncounted_));
  } catch (...) {
    connections_.remove(id);
    connections_.release(id);
    throw;
  }
  return connections_.find(id);
}

int Driver::attachNative(Connection& connection, int fd, bool isPipe, std::span<const std::uint8_t> preamble,
                         std::span<const std::uint8_t> head) {
  std::unique_ptr<Transport> transport;
  if (const int error = NativeTransport::open(loop_, lifetime_, connection, fd, isPipe, transport); error != 0) {
    return error;
  }
  return connection.attach(std::move(transport), preamble, head) == Result::Ok ? 0 : UV_EINVAL;
}

int Driver::attachStream(Connection& connection, std::span<const std::uint8_t> head) {
  return connection.attach(std::make_unique<StreamTransport>(*this, connection.id()), {}, head) == Result::Ok
             ? 0
             : UV_EINVAL;
}

// ---------------------------------------------------------------------------------------------------------------------
// For connections

std::span<const std::uint8_t> Driver::keep(std::span<const std::uint8_t> payload) {
  return payload.empty() || slab_.contains(payload.data()) ? payload : slab_.copy(payload);
}

std::span<const std::uint8_t> Driver::keep(MessageBuffer&& message) {
  const MessageBuffer& kept = batch_.messages.emplace_back(std::move(message));
  slab_.noteElsewhere(kept.size());
  return {kept.data(), kept.size()};
}

bool Driver::joinFragment(ConnectionId id, std::span<const std::uint8_t> piece, std::uint32_t flags) {
  if (batch_.events.empty() || piece.size() > kLargestJoined) {
    return false;
  }
  Event& last = batch_.events.back();
  if (last.connection != id || last.kind != EventKind::Fragment || (last.value & kFragmentLast) != 0) {
    return false;
  }
  if (last.length == 0) {
    last.data = piece.data();
  } else if (!piece.empty() && !slab_.append({last.data, last.length}, piece)) {
    return false;
  }
  last.length += static_cast<std::uint32_t>(piece.size());
  last.value |= flags;
  batch_.grown(last, piece.size());
  return true;
}

void Driver::closeAfterRead(Connection& connection, int error) {
  phases_->wake();
  failing_.push_back({connection.id(), error});
}

void Driver::usesContexts(const Connection& connection) {
  if (Connection* const idle = find(holders_.touch(connection.id())); idle != nullptr) {
    idle->session().shrinkDeflate();
  }
}

void Driver::deflated(ConnectionId id, const DeflateJob& job) {
  if (Connection* const connection = find(id); connection != nullptr) {
    connection->deflated(job);
  }
}

bool Driver::awaits(ConnectionId id, const DeflateJob& job) const {
  const Connection* const connection = find(id);
  return connection != nullptr && connection->awaits(job);
}

void Driver::retire(Connection& connection) {
  holders_.remove(connection.id());
  const ConnectionId id = connection.id();
  std::unique_ptr<Connection>& place = retired_[id];  // throws before anything is moved
  place = connections_.remove(id);
}

const Connection* Driver::findEnded(ConnectionId id) const {
  const auto ended = retired_.find(id);
  return ended == retired_.end() ? connections_.find(id) : ended->second.get();
}

std::uint32_t Driver::broadcast(std::span<ConnectionId> ids, BufferType type,
                                const std::shared_ptr<SharedMessage>& message, Compression compression) {
  if (message->payload().size() * ids.size() >= kBusySize) {
    keepFreedMemory();
  }
  std::uint32_t count = 0;
  for (ConnectionId& id : ids) {
    Connection* const connection = find(id);
    try {
      if (connection != nullptr && connection->send(type, message, 0, nullptr, compression) == Result::Ok) {
        id = 0;
        ++count;
      }
    } catch (const std::bad_alloc&) {  // as refused
    }
  }
  return count;
}

// ---------------------------------------------------------------------------------------------------------------------
// The phases

void Driver::deliver() {
  if (batch_.events.empty() && slab_.isLow()) {
    slab_.reuse();  // all that lies there was moved into messages under way
  }
  if (delivering_ || batch_.events.empty()) {
    return;
  }
  delivering_ = true;
  if (batch_.payload >= kBusySize) {
    keepFreedMemory();
  }
  std::swap(batch_, delivered_);
  slab_.handOver(delivered_.blocks);
  delegate_.deliver(delivered_);
  slab_.recycle(delivered_.blocks);
  delivered_.clear();
  delivering_ = false;
}

void Driver::deliverIfFull() {
  if (slab_.isLow() || batch_.events.size() >= Batch::kManyEvents || !waiting_.empty()) {
    deliver();
  }
}

void Driver::deliverWaiting() {
  deliverIfFull();
  while (!waiting_.empty() && !delivering_ && slab_.mayInflateMore()) {
    resumeWaiting();
    deliverIfFull();
  }
}

void Driver::resume(ConnectionId id) {
  if (Connection* const connection = find(id); connection != nullptr) {
    try {
      connection->resume();
    } catch (const std::bad_alloc&) {
      connection->close(UV_ENOMEM, false);
    }
  }
}

void Driver::resumeWaiting() {
  for (const ConnectionId id : std::exchange(waiting_, {})) {
    resume(id);
  }
}

// A turn goes to the largest message, so that few are under way at a time; every second one to the smallest of those
// that are not large yet, so that they do not wait for what others make huge.
void Driver::inflateInTurn() {
  if (inflating_.empty()) {
    return;
  }
  prefersSmall_ = !prefersSmall_;
  std::vector<Inflating> all = std::exchange(inflating_, {});
  for (Inflating& one : all) {
    const Connection* const connection = find(one.id);
    const std::size_t size = connection == nullptr ? 0 : connection->messageSize();
    one.rank = prefersSmall_ && size < kSmallMessage ? size : std::numeric_limits<std::size_t>::max() - size;
  }
  std::ranges::sort(all, std::less<>(), &Inflating::rank);
  for (const Inflating& one : all) {
    resume(one.id);
  }
}

void Driver::flushConnections() {
  std::vector<ConnectionId> ids = std::exchange(flushing_, {});  // a nested flush makes its own
  ids.swap(dirty_);
  for (const ConnectionId id : ids) {
    if (Connection* const connection = find(id); connection != nullptr) {
      try {
        connection->flush();
      } catch (const std::bad_alloc&) {
        connection->close(UV_ENOMEM, false);
      }
    }
  }
  ids.clear();
  flushing_ = std::move(ids);
}

void Driver::flush() {
  flushConnections();
  delegate_.writeGathered();
}

void Driver::work() {
  if (delivering_) {
    return;  // a handler runs the loop inside itself
  }
  slab_.beginTurn();
  inflateInTurn();
  for (int round = 0; round < kMaxRounds && hasOutput(); ++round) {
    deliver();
    resumeWaiting();
    flush();
  }
  if (!retired_.empty() && batch_.events.empty()) {
    // Their last events were delivered; until then no other connection may have the slot, by which lib finds them.
    for (const auto& [id, connection] : retired_) {
      connections_.release(id);
    }
    retired_ = Retired();  // not clear(), which would keep memory
  }
  if (hasWork()) {
    phases_->wake();
  } else {
    phases_->rest();
  }
}

void Driver::beforePoll() { work(); }

void Driver::afterPoll() {
  for (const Failing& failing : std::exchange(failing_, {})) {
    if (Connection* const connection = find(failing.id); connection != nullptr) {
      connection->close(failing.error, false);
    }
  }
  work();
}

void Driver::afterWakeup() {
  phases_->rest();  // so that work that is left asks again
  afterPoll();
}

}  // namespace websocket::driver

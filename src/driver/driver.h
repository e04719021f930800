// The driver of one loop: its connections, their receive memory, the events that wait for delivery and the connections
// that wait for writing. All work is done in two phases of the loop, before and after it polls: events are delivered,
// which makes the application send, and then everything that was sent on a connection goes out with one write.
//
// One thread: the loop's. Every function may be called from inside a delegate's function.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "batch.h"
#include "connection.h"
#include "connection_table.h"
#include "deflate_queue.h"
#include "event.h"
#include "extension/permessage_deflate_options.h"
#include "huge_pages.h"
#include "loop_phases.h"
#include "message_buffer.h"
#include "random.h"
#include "recent_connections.h"
#include "shared_message.h"
#include "slab.h"
#include "traffic.h"
#include "uv_handle.h"

namespace websocket::driver {

// What the application does for the driver.
class Delegate {
 public:
  virtual ~Delegate() = default;

  // Takes a batch of events. What they point to stays valid until this returns, and the memory of whole messages may be
  // taken over. Not called again before it returned.
  virtual void deliver(Batch& batch) = 0;
  // Takes a note of what the stream of a connection is to write. The bytes are valid as long as the connection is in
  // the driver's table, and until Connection::written(), which is called when the stream has them.
  virtual void gather(ConnectionId id, std::span<const Buffer> bytes) = 0;
  // Writes what was gathered. May be called inside itself, because a stream can do anything while it writes.
  virtual void writeGathered() = 0;
};

// What is agreed to of permessage-deflate, and how messages are compressed.
struct DeflateLimits {
  DeflateNegotiation negotiation;
  DeflaterSettings deflater;
  std::uint32_t threshold = 0;  // bytes; see Compression::FromThreshold
  std::optional<std::uint32_t>
      jobs{};  // that compress large messages on the thread pool at a time; of the whole driver
};

struct SessionLimits {
  std::uint64_t maxPayload = 0;    // bytes of a message; 0: no limit. 2^32 - 1 for whole messages
  std::uint32_t maxFragments = 0;  // frames of a message; 0: no limit
  bool skipUtf8Validation = false;
  bool autoPong = true;
  bool borrow = false;     // messages are delivered where they lie, without a copy
  bool fragments = false;  // messages are delivered in the pieces that they arrive in, and not put together
  SendLimits send{};
  std::optional<DeflateLimits> deflate{};  // permessage-deflate (RFC 7692) is negotiated
};

class Driver {
 public:
  // loop and delegate must outlive stop(). Throws std::bad_alloc.
  Driver(uv_loop_t* loop, Delegate& delegate);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  // After stop().
  ~Driver();

  // Ends every connection without events and closes every handle. No function but the destructor may be called
  // afterwards. onEnd is called when the driver is destroyed and the loop has closed the last handle.
  void stop(std::function<void()> onEnd);

  // Options shared by many connections, which live as long as the driver. Returns their number.
  std::uint32_t createOptions(const SessionLimits& limits);
  std::size_t optionsCount() const { return options_.size(); }

  // Makes a connection without a transport; nullptr: there are too many. traffic: counts what it carries; may be null.
  Connection* create(std::uint32_t options, Role role, std::shared_ptr<Traffic> traffic = nullptr);
  // The connection of an id; nullptr when it is gone. The pointer is valid until the loop's next phase.
  Connection* find(ConnectionId id) const { return connections_.find(id); }
  // Also a connection that has ended, until its last event was delivered.
  const Connection* findEnded(ConnectionId id) const;

  // Give a connection its transport; see types/native.d.ts. Return 0 or a negated libuv error; then nothing changed.
  int attachNative(Connection& connection, int fd, bool isPipe, std::span<const std::uint8_t> preamble,
                   std::span<const std::uint8_t> head);
  int attachStream(Connection& connection, std::span<const std::uint8_t> head);

  // Queues a message on each of the connections. The ids of those that took it become 0; returns their number.
  // compression: see Connection::send().
  std::uint32_t broadcast(std::span<ConnectionId> ids, BufferType type, const std::shared_ptr<SharedMessage>& message,
                          Compression compression = Compression::Off);
  // Writes what is queued on every connection: native ones by one system call each, streams by one call for all.
  void flush();
  // The first half of it: what streams are to write is gathered.
  void flushConnections();
  // Delivers now when the receive memory is nearly used up or many events wait.
  void deliverIfFull();
  // Delivers and goes on until no connection has bytes to inflate, which deliverIfFull() leaves to the next phase.
  void deliverWaiting();

  // For connections and transports.
  Delegate& delegate() { return delegate_; }
  Slab& slab() { return slab_; }
  ReceiveMemory& receiveMemory() { return receiveMemory_; }
  void record(const Event& event) {
    phases_->wake();
    batch_.add(event);
  }
  // Makes a small piece of a message part of the one before it, when that waits for delivery; false: it has to be
  // recorded. So a peer that sends tiny fragments does not make an event of each.
  bool joinFragment(ConnectionId id, std::span<const std::uint8_t> piece, std::uint32_t flags);
  // Keeps a payload until its event was delivered.
  std::span<const std::uint8_t> keep(std::span<const std::uint8_t> payload);
  std::span<const std::uint8_t> keep(MessageBuffer&& message);
  void markDirty(Connection& connection) {
    if (connection.markDirty()) {
      phases_->wake();
      dirty_.push_back(connection.id());
    }
  }
  // Closes the connection with a libuv error, but only after the loop has polled once more, so that what the peer sent
  // before is read.
  void closeAfterRead(Connection& connection, int error);
  // The connection compresses or decompresses now. Throws std::bad_alloc.
  void usesContexts(const Connection& connection);
  const std::shared_ptr<DeflatePool>& deflatePool() const { return deflatePool_; }
  DeflateQueue& deflateQueue() { return *deflateQueue_; }
  // From the queue: the job is done; and whether the connection still waits for it.
  void deflated(ConnectionId id, const DeflateJob& job);
  bool awaits(ConnectionId id, const DeflateJob& job) const;
  // Bytes of all compression contexts.
  std::uint64_t contextBytes() const { return deflatePool_->bytesInUse(); }
  // The connection has bytes to inflate when the batch was delivered: Connection::resume().
  void resumeLater(const Connection& connection) {
    phases_->wake();
    waiting_.push_back(connection.id());
  }
  // The same when it is its turn to go on with a large message.
  void resumeInTurn(const Connection& connection) {
    phases_->wake();
    inflating_.push_back({connection.id()});
  }
  // Takes a closed connection out of the table; it is destroyed at the end of a phase, when its events were delivered.
  void retire(Connection& connection);

  // From LoopPhases.
  void beforePoll();
  void afterPoll();
  void afterWakeup();

 private:
  struct Options {
    std::shared_ptr<const SessionOptions> session;
    SendLimits limits;
    bool borrow = false;
    bool fragments = false;
  };
  using Retired = std::unordered_map<ConnectionId, std::unique_ptr<Connection>>;
  struct Failing {
    ConnectionId id = 0;
    int error = 0;
  };
  struct Inflating {
    ConnectionId id = 0;
    std::size_t rank = 0;  // the lowest is next
  };

  bool hasOutput() const { return !batch_.events.empty() || !dirty_.empty() || !waiting_.empty(); }
  bool hasWork() const { return hasOutput() || !failing_.empty() || !inflating_.empty(); }
  void resume(ConnectionId id);
  void resumeWaiting();
  void inflateInTurn();
  void deliver();
  void work();

  uv_loop_t* loop_;
  Delegate& delegate_;
  std::shared_ptr<HandleLifetime> lifetime_;
  std::optional<LoopPhases> phases_;
  PooledRandom random_;
  Slab slab_;
  ReceiveMemory receiveMemory_;
  std::shared_ptr<Traffic> uncounted_ = std::make_shared<Traffic>();  // of connections without a Traffic
  std::vector<Options> options_;
  Batch batch_;      // gathering
  Batch delivered_;  // being delivered; empty otherwise, with its memory kept
  bool delivering_ = false;
  std::vector<ConnectionId> dirty_;
  std::vector<ConnectionId> flushing_;  // empty between flushes, with its memory kept
  std::vector<Failing> failing_;
  std::vector<ConnectionId> waiting_;  // for resume()
  std::vector<Inflating> inflating_;   // for resume() in their turn
  bool prefersSmall_ = false;          // in this turn
  RecentConnections holders_;          // of contexts
  std::shared_ptr<DeflatePool> deflatePool_ = std::make_shared<DeflatePool>(makeHugePages());
  std::optional<DeflateQueue> deflateQueue_;
  Retired retired_;
  ConnectionTable connections_;  // destroyed before what the connections use
};

}  // namespace websocket::driver

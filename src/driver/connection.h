// One connection: a Session, the transport that carries its bytes, and the message under way. It carries out the
// session's actions, and decides only when the transport ends (RFC 6455, 7.1.1).
//
// Owned by the driver's connection table; after close() it lives until the driver's next phase, so that a function that
// caused the end of its own connection can return. One thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "event.h"
#include "fifo.h"
#include "held_sends.h"
#include "masking.h"
#include "message_buffer.h"
#include "session.h"
#include "shared_message.h"
#include "traffic.h"
#include "transport.h"

namespace websocket::driver {

class Driver;

// How much may wait to be sent on a connection, in bytes on the wire.
struct SendLimits {
  static constexpr std::uint64_t kNone = std::uint64_t{1} << 63;

  // Above it, the moment at which nothing waits any more is reported: as Sent with kDrained.
  std::uint64_t highWaterMark = kNone;
  // A message that would lead above it is refused, unless nothing waits.
  std::uint64_t maxBackpressure = kNone;
};

// From this size on a message is compressed on the thread pool, so that the loop goes on meanwhile: below, that takes
// less than a few milliseconds, and handing it over costs too.
inline constexpr std::size_t kDeflateElsewhere = std::size_t{128} * 1024;

// The callback number of the event that tells that nothing waits any more.
inline constexpr std::uint32_t kDrained = 1;

class Connection {
 public:
  // borrow, fragments: see SessionLimits. traffic: counts what the connection carries; not null.
  Connection(Driver& driver, ConnectionId id, Role role, std::shared_ptr<const SessionOptions> options,
             const SendLimits& limits, bool borrow, bool fragments, std::shared_ptr<Traffic> traffic);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  ConnectionId id() const { return id_; }
  Driver& driver() { return driver_; }
  // For the handshakes; everything else goes through the functions below.
  Session& session() { return session_; }
  bool attached() const { return phase_ != Phase::Detached; }
  bool address(bool ofPeer, SocketAddress& address) const { return isOpen() && transport_->address(ofPeer, address); }
  // It has bytes to inflate, which it takes before any others.
  bool isWaiting() const { return waiting_; }
  bool isStream() const { return transport_ != nullptr && transport_->isStream(); }

  // Opens the session over a transport: preamble is written before anything else; head was read from it already. Both
  // are copied. Not attached before. On failure nothing changed. Throws std::bad_alloc, and then too.
  Result attach(std::unique_ptr<Transport> transport, std::span<const std::uint8_t> preamble,
                std::span<const std::uint8_t> head);

  // From the application; see types/native.d.ts. The payload is copied, or what was not written at once; with an owner,
  // which keeps it alive and unchanged, a server refers to it. InsufficientBuffer: too much waits already.
  // key, compression: see Session::send().
  Result send(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
              SharedBytes owner = nullptr, const MaskKey* key = nullptr, Compression compression = Compression::Off);
  // The payload is referred to from kSharedSize on. Without context takeover, the compressed form is the message's.
  Result send(BufferType type, const std::shared_ptr<SharedMessage>& message, std::uint32_t callback,
              const MaskKey* key, Compression compression);
  Result sendControl(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                     const MaskKey* key = nullptr);
  Result sendClose(std::uint16_t status, std::span<const std::uint8_t> reason, const MaskKey* key = nullptr);
  // Bytes that are no frame, behind everything that was queued before. As send().
  Result sendRaw(std::span<const std::uint8_t> bytes, std::uint32_t callback);
  // Paused, the transport is still read until that many bytes have come: an end of the connection shows.
  void setPaused(bool paused, std::uint64_t readAhead = 0);
  // Settings of the transport; no effect when it is not open.
  void setRef(bool ref) {
    if (isOpen()) {
      transport_->setRef(ref);
    }
  }
  void setNoDelay(bool noDelay) {
    if (isOpen()) {
      transport_->setNoDelay(noDelay);
    }
  }
  void setKeepAlive(bool keepAlive, unsigned idleSeconds) {
    if (isOpen()) {
      transport_->setKeepAlive(keepAlive, idleSeconds);
    }
  }
  void shutdown() { finish(Finish::Shutdown); }
  // The transport is ended at once. Events: what was sent, what never will be, Closed with the status (0, or a negated
  // libuv error). No effect when closed.
  void close(int status, bool reset);

  // From the driver: hands what is queued to the transport.
  void flush();
  // From the driver: inflates what waits for space, unless the connection is paused.
  void resume();
  // From the driver: sends the message of a job, and what waited behind it, unless that is given up.
  void deflated(const DeflateJob& job);
  bool awaits(const DeflateJob& job) const { return held_ != nullptr && held_->job.get() == &job; }
  // Marks the connection for the next flush; false when it is marked already.
  bool markDirty();
  // Payload bytes that were accepted and not handed over yet; when it is closed, those that never were.
  std::uint64_t bufferedAmount() const { return phase_ == Phase::Closed ? unsent_ : queuedPayload(); }
  // Bytes on the wire, headers included, that wait or are being written. Those of messages that wait to be compressed
  // count as if they were not.
  std::uint64_t bufferedWireBytes() const {
    return session_.bufferedWireBytes() + (held_ == nullptr ? 0 : held_->wireBytes);
  }
  // Bytes that the transport carried: all that was read, the head of attach() included; and all that was written or
  // waits to be, with the preamble.
  std::uint64_t bytesRead() const { return bytesRead_; }
  std::uint64_t bytesWritten() const { return bytesWritten_ + preamble_.size() + session_.bufferedWireBytes(); }
  // Bytes of the message under way that have come, uncompressed.
  std::size_t messageSize() const { return message_.size(); }
  // Whether more than SendLimits::highWaterMark waited behind the last message that was queued.
  bool isAboveHighWaterMark() const { return aboveHighWaterMark_; }

  // From the transport.
  // Space for one read, empty when the connection is closed. Followed by received(). Throws std::bad_alloc.
  std::span<std::uint8_t> readSpace();
  // `count` bytes were read into that space; 0: none.
  void received(std::size_t count);
  // Bytes that lie elsewhere. Of those that it cannot take before isWaiting() is over, it copies all (Rest::Keep), or
  // leaves them to the caller, to be given again: returns how many, the last ones.
  enum class Rest : std::uint8_t { Keep, Leave };
  std::size_t receive(std::span<const std::uint8_t> bytes, Rest rest = Rest::Keep);
  void endOfStream();
  // The bytes of Transport::write() were handed over (0), or will never be (a negated libuv error).
  void written(int status);
  void shutDown(int status);

 private:
  enum class Phase : std::uint8_t { Detached, Attached, Closed };
  enum class Input : std::uint8_t {
    Open,
    Discarding,  // a Close frame came or the peer broke the protocol: only the end of the stream is waited for
    Ended,
  };
  enum class Output : std::uint8_t {
    Open,
    Writing,  // Transport::write() is under way
    ShuttingDown,
    ShutDown,
    Failed,
  };
  // What follows when everything queued was written.
  enum class Finish : std::uint8_t { None, Shutdown, Close };

  // A send action handed to the transport, and how many bytes of it (and of the preamble before it) the transport is
  // writing. They count as written when it is done.
  struct PendingWrite {
    ActionId action = 0;
    std::size_t bytes = 0;
  };

  // A payload that send() writes from the caller's memory. The session knows it by the address of memory of its size,
  // which is filled only with what could not be written at once.
  struct Borrowed {
    std::shared_ptr<std::uint8_t[]> memory;
    std::span<const std::uint8_t> payload;

    bool contains(const std::uint8_t* address) const;
    std::size_t offsetOf(const Buffer& buffer) const { return static_cast<std::size_t>(buffer.data - memory.get()); }
  };

  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

  bool isOpen() const { return phase_ == Phase::Attached; }
  bool isPaused() const { return readLimit_ != kUnlimited; }
  bool mayRead() const { return (bytesRead_ < readLimit_ && !waiting_) || input_ != Input::Open; }
  bool canSend() const { return phase_ != Phase::Closed && output_ <= Output::Writing; }
  void record(EventKind kind, std::span<const std::uint8_t> data, std::uint32_t value, bool failed = false);
  void recordMessage(EventKind kind, std::span<const std::uint8_t> message);
  bool requestReceive();
  std::size_t mostToRead() const;
  void pump();
  void waitForSpace();
  void noteContexts();
  void readCompleted(std::size_t count);
  void indicated(BufferType type, const Buffer& buffer);
  void dataReceived(EventKind kind, std::span<const std::uint8_t> payload, bool last);
  void recordFragment(EventKind kind, std::span<const std::uint8_t> piece, bool last);
  void fault(Result result);
  void failed(const char* reason, std::uint16_t closeStatus);
  bool isLarge() const;
  bool inflatesLarge() const;
  std::uint64_t frameSize(std::uint64_t payload) const;
  bool makeRoom(std::uint64_t bytes, std::uint64_t limit);
  bool canWriteNow() const;
  // A message is to wait: another one is being compressed, or it is large enough to be compressed elsewhere.
  bool mustWait(std::size_t size, Compression compression) const {
    return held_ != nullptr || (size >= kDeflateElsewhere && compression != Compression::Off);
  }
  Result sendOwned(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback, SharedBytes owner,
                   const MaskKey* key, Compression compression);
  Result sendShared(HeldSend&& send);
  std::shared_ptr<DeflateJob> sharedJob(const HeldSend& send);
  std::shared_ptr<DeflateJob> ownJob(const HeldSend& send);
  Result transmit(const HeldSend& send, const DeflateJob* job);
  Result transmit(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback, SharedBytes owner,
                  const MaskKey* key, Compression compression);
  std::uint64_t heldSize(const HeldSend& send) const;
  Result hold(HeldSend&& send);
  Result holdClose(std::uint16_t status, std::span<const std::uint8_t> reason, const MaskKey* key);
  Result holdRaw(std::span<const std::uint8_t> bytes, std::uint32_t callback);
  bool sendHeld(const HeldSend& send);
  void sentHeld(Result result);
  void dropHeld();
  // A send operation's context: the callback number, and flags.
  static void* contextOf(std::uint32_t callback, std::uintptr_t flags = 0) {
    return reinterpret_cast<void*>(std::uintptr_t{callback} << 1 | flags);  // NOLINT(performance-no-int-to-ptr)
  }
  Result sendByReference(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback,
                         SharedBytes owner, Compression compression = Compression::Off);
  std::uint64_t queuedPayload() const {
    return session_.bufferedAmount() + (held_ == nullptr ? 0 : held_->payloadBytes);
  }
  Result sendNow(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback);
  bool writeNext();
  int tryWrite(std::span<Buffer> bytes);
  void keepUnwritten(std::span<const Buffer> bytes);
  void sent(void* context, bool failed);
  void startWrite(std::span<Buffer> buffers);
  void credit(std::size_t bytes);
  void writeFailed(int error);
  void settle();
  void finish(Finish finish);
  void drainSends(bool failed);
  Result queued(Result result);
  void noteHighWaterMark();

  Driver& driver_;
  ConnectionId id_;
  Phase phase_ = Phase::Detached;
  Input input_ = Input::Open;
  Output output_ = Output::Open;
  Finish finish_ = Finish::None;
  bool dirty_ = false;
  bool flushing_ = false;
  bool waiting_ = false;   // for resume(), and reads nothing before
  bool yielding_ = false;  // meanwhile because others are to have their turn: no receive operation is queued
  bool borrow_ = false;
  bool fragments_ = false;
  bool assembling_ = false;  // a message has begun; message_ holds what came of it, unless fragments_
  MessageBuffer message_;
  std::vector<std::uint8_t> preamble_;  // not yet written
  PendingWrite pending_;
  SendLimits limits_;
  bool aboveHighWaterMark_ = false;
  bool reportDrained_ = false;
  Fifo<SharedBytes> references_;     // payloads that the session refers to, in the order of their messages
  Borrowed* borrowed_ = nullptr;     // during sendNow()
  std::unique_ptr<HeldSends> held_;  // null unless it waits for a compression job
  ActionId readAction_ = 0;
  std::uint64_t bytesRead_ = 0;
  std::uint64_t readLimit_ = kUnlimited;  // while paused: where reading stops
  std::uint64_t bytesWritten_ = 0;        // handed over
  std::uint64_t unsent_ = 0;              // of bufferedAmount() when it was closed
  std::shared_ptr<Traffic> traffic_;
  std::span<std::uint8_t> readSpace_;
  std::unique_ptr<Transport> transport_;
  Session session_;  // destroyed first: it may hold a lease of the driver's slab and memory of message_
};

}  // namespace websocket::driver

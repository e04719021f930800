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
#include "message_buffer.h"
#include "session.h"
#include "transport.h"

namespace websocket::driver {

class Driver;

class Connection {
 public:
  // borrow: see SessionLimits.
  Connection(Driver& driver, ConnectionId id, Role role, std::shared_ptr<const SessionOptions> options, bool borrow);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  ConnectionId id() const { return id_; }
  Driver& driver() { return driver_; }
  // For the handshakes; everything else goes through the functions below.
  Session& session() { return session_; }
  bool attached() const { return phase_ != Phase::Detached; }
  bool address(bool ofPeer, SocketAddress& address) const { return isOpen() && transport_->address(ofPeer, address); }
  bool isStream() const { return transport_ != nullptr && transport_->isStream(); }

  // Opens the session over a transport: preamble is written before anything else; head was read from it already. Both
  // are copied. Not attached before. On failure nothing changed. Throws std::bad_alloc, and then too.
  Result attach(std::unique_ptr<Transport> transport, std::span<const std::uint8_t> preamble,
                std::span<const std::uint8_t> head);

  // From the application; see types/native.d.ts. The payload is copied.
  Result send(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback);
  Result sendControl(BufferType type, std::span<const std::uint8_t> payload, std::uint32_t callback);
  Result sendClose(std::uint16_t status, std::span<const std::uint8_t> reason);
  void setPaused(bool paused);
  void setRef(bool ref);
  void shutdown();
  // The transport is ended at once. Events: what was sent, what never will be, Closed with the status (0, or a negated
  // libuv error). No effect when closed.
  void close(int status, bool reset);

  // From the driver: hands what is queued to the transport.
  void flush();
  // Marks the connection for the next flush; false when it is marked already.
  bool markDirty();
  std::uint64_t bufferedAmount() const { return session_.bufferedAmount(); }

  // From the transport.
  // Space for one read, empty when the connection is closed. Followed by received(). Throws std::bad_alloc.
  std::span<std::uint8_t> readSpace();
  // `count` bytes were read into that space; 0: none.
  void received(std::size_t count);
  // Bytes that lie elsewhere; they are copied.
  void receive(std::span<const std::uint8_t> bytes);
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

  // A send action handed to the transport, and how many bytes of it (and of the preamble before it) count as written
  // when the transport is done.
  struct PendingWrite {
    ActionId action = 0;
    std::size_t taken = 0;  // written at once
    std::size_t later = 0;  // the transport is writing
  };

  bool isOpen() const { return phase_ == Phase::Attached; }
  bool canSend() const { return phase_ != Phase::Closed && output_ <= Output::Writing; }
  void record(EventKind kind, std::span<const std::uint8_t> data, std::uint32_t value, bool failed = false);
  void recordMessage(EventKind kind, std::span<const std::uint8_t> message);
  Result requestReceive();
  void pump();
  void indicated(BufferType type, const Buffer& buffer);
  void dataReceived(EventKind kind, std::span<const std::uint8_t> payload, bool last);
  void fault(Result result);
  bool writeNext();
  void startWrite(std::span<Buffer> buffers, std::size_t taken);
  void credit(std::size_t bytes);
  void writeFailed(int error);
  void settle();
  void finish(Finish finish);
  void drainSends(bool failed);
  Result queued(Result result);

  Driver& driver_;
  ConnectionId id_;
  Phase phase_ = Phase::Detached;
  Input input_ = Input::Open;
  Output output_ = Output::Open;
  Finish finish_ = Finish::None;
  bool dirty_ = false;
  bool flushing_ = false;
  bool paused_ = false;
  bool borrow_ = false;
  bool assembling_ = false;  // message_ holds the beginning of a message
  MessageBuffer message_;
  std::vector<std::uint8_t> preamble_;  // not yet written
  PendingWrite pending_;
  ActionId readAction_ = 0;
  std::span<std::uint8_t> readSpace_;
  std::unique_ptr<Transport> transport_;
  Session session_;  // destroyed first: it may hold a lease of the driver's slab and memory of message_
};

}  // namespace websocket::driver

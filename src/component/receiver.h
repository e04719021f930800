// The receive side of a session: turns received bytes into indications (contract, section 10).
//
// Payload is unmasked and checked as it arrives, in place where it lies. Three memories can hold it: the session's own
// buffer and the application's (a chunk is indicated when its frame ends or the memory is full), or a ReceivePool's (a
// chunk is indicated as soon as the bytes at hand are used up, so that no session holds shared memory between reads).
//
// A compressed message (RFC 7692) goes through the same states, but its payload is what the inflater makes of it, in
// memory beside the received bytes; receiver_inflate.cc has that part, and receiver_control.cc that of control frames.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fault.h"
#include "fifo.h"
#include "frame_reader.h"
#include "protocol.h"
#include "session_options.h"
#include "utf8.h"

namespace websocket {

class DeflatePool;

struct ReceiveOperation {
  std::span<std::uint8_t> memory;  // the application's, or empty
  void* context = nullptr;
};

// What advance() found out.
enum class ReceiveStep : std::uint8_t {
  Idle,         // nothing to do: no operation, or the pool has no space
  ReadNetwork,  // readSpace() wants bytes
  Indicate,     // the front operation is complete: indication()
  Ping,         // a ping came: pingPayload(); call advance() again to go on
  Fault,        // the peer broke the protocol: fault()
};

struct Indication {
  Buffer buffer;
  BufferType type = BufferType::None;
  bool hasBuffer = false;  // false: the operation was cancelled or aborted without data
};

class Receiver {
 public:
  Receiver(Role role, const SessionOptions& options);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  // The session's own receive buffer; not needed with a pool.
  void setMemory(std::span<std::uint8_t> memory) { memory_ = memory; }
  // An extension was negotiated: data frames may carry RSV bits and are then indicated with a custom type (R1).
  void allowRsv() { rules_.rsvAllowed = true; }
  // permessage-deflate was negotiated: how the peer compresses. Throws std::bad_alloc.
  void inflateMessages(std::shared_ptr<DeflatePool> pool, std::uint8_t windowBits, bool takeover);
  // Between messages: keeps of the decompression context only what later messages may refer to.
  void shrinkInflater();
  // The newest ping that the application sent; a pong with the same payload answers it (R5). Room for it is made
  // beforehand: that throws std::bad_alloc, expecting does not.
  void makeRoomForExpectedPong();
  void expectPong(std::span<const std::uint8_t> payload);

  // Throw std::bad_alloc and change nothing then.
  void queue(const ReceiveOperation& operation) { operations_.push(operation); }
  void inject(std::span<const std::uint8_t> bytes);

  bool hasOperation() const { return !operations_.empty(); }
  const ReceiveOperation& operation() const { return operations_.front(); }

  // Takes bytes until one of the steps is reached. mayRead false: only the bytes at hand, Idle when they are used up.
  ReceiveStep advance(bool mayRead = true) {
    if (standsStill()) {
      return standStill();
    }
    FrameHeader header;
    if (!inPayload_ && operations_.front().memory.empty() &&
        reader_.readSmallMessage(input_, rules_, messageOpen_, header)) {
      return takeSmallMessage(header);
    }
    return takeFrames(mayRead);
  }

  std::span<std::uint8_t> readSpace() const { return readSpace_; }
  // The network put `count` bytes, 1 to readSpace().size(), into readSpace().
  void completeRead(std::uint32_t count);
  // Gives the pool's space back when all of its bytes were taken; happens before the next lease at the latest.
  void endLease();
  // The network has no more bytes, or reading failed: the front operation ends with what has arrived.
  void cancelRead();

  const Indication& indication() const { return indication_; }
  // The application is done with the indication: the front operation is removed.
  void completeIndication() {
    operations_.pop();
    indicationReady_ = false;
  }

  std::span<const std::uint8_t> pingPayload() const { return {chunk_, pingLength_}; }
  const Fault& fault() const { return faultOf(fault_); }
  // Makes the receive side fail for a reason that is not in the bytes.
  void fail(FaultKind kind) {
    fault_ = kind;
    endInflating();
  }

  // Every queued operation ends without data from now on: a Close frame was indicated (R3), or the handle was aborted.
  void drain() {
    draining_ = true;
    input_ = {};
    endInflating();
  }
  // Drops an indication that advance() found and the application has not seen.
  void dropIndication() { indicationReady_ = false; }

  // Payload bytes of the data frame under way that have not arrived.
  std::uint64_t frameRemaining() const { return inPayload_ && !isControl(reader_.header().opcode()) ? remaining_ : 0; }
  // The data message under way, or else the last one, is compressed.
  bool inflates() const { return compressed_; }
  // advance() was Idle because the pool had no space for inflated bytes.
  bool waitsForSpace() const;
  // Moves received bytes that were not taken out of the pool's memory. Throws std::bad_alloc.
  void keepReceived();

 private:
  enum class MessageKind : std::uint8_t { None, Text, Binary, Custom };
  struct ExpectedPong {
    bool armed = false;
    std::uint8_t length = 0;
    ControlPayload payload;
  };
  struct Inflating;
  struct DeleteInflating {
    void operator()(Inflating* inflating) const;
  };
  struct Injected {  // never without bytes that were not taken
    std::vector<std::uint8_t> bytes;
    std::size_t taken = 0;
  };

  ReceiveStep fault(FaultKind kind);
  bool standsStill() const { return operations_.empty() || draining_ || indicationReady_ || fault_ != FaultKind::None; }
  ReceiveStep standStill();
  ReceiveStep takeFrames(bool mayRead);
  ReceiveStep prepareRead(bool mayRead);
  // True for space that the pool leased.
  bool isLeased(std::span<const std::uint8_t> space) const {
    return options_.pool != nullptr && !space.empty() && space.data() == memory_.data();
  }
  void giveReadSpaceBack();
  std::span<std::uint8_t> chooseReadSpace();
  ReceiveStep takeSmallMessage(const FrameHeader& header);
  FaultKind beginFrame();
  FaultKind takePayload();
  bool chunkIsFull() const;
  bool spillControl();
  ReceiveStep endFrame();
  ReceiveStep endControl(std::span<std::uint8_t> payload);
  ReceiveStep endClose(std::span<std::uint8_t> payload);
  bool answersPing(std::span<const std::uint8_t> payload);
  void indicateChunk(bool last);
  void indicate(BufferType type, std::span<std::uint8_t> payload, std::uint16_t closeStatus = 0);
  BufferType chunkType(bool last) const;
  bool usesApplicationMemory() const;
  bool verifiesText() const { return kind_ == MessageKind::Text && !options_.disableUtf8Verification; }
  // The payload of the frame under way has to be inflated.
  bool inCompressedPayload() const { return inPayload_ && compressed_ && !isControl(reader_.header().opcode()); }
  bool inflateFrame(ReceiveStep& step);
  bool pauseInflating(ReceiveStep& step);
  FaultKind beginCompressedFrame();
  void takeCompressed();
  void endInflating();
  std::span<std::uint8_t> inflateSpace();
  FaultKind takeInflated(std::span<const std::uint8_t> bytes);
  void indicateInflated(bool last);
  void giveInflateSpaceBack();
  bool endInflateLease();

  const SessionOptions& options_;
  FrameRules rules_;
  FrameReader reader_;
  Fifo<ReceiveOperation> operations_;

  // The session's own receive buffer; with a pool, what it leased: readSpace_, or what input_ lies in.
  std::span<std::uint8_t> memory_;
  std::span<std::uint8_t> input_;      // received, not yet taken
  std::span<std::uint8_t> readSpace_;  // handed out for the network read under way
  std::unique_ptr<Injected> injected_;

  // The frame and the chunk under way.
  std::uint64_t remaining_ = 0;  // payload bytes of the frame still to take
  std::uint8_t* chunk_ = nullptr;
  std::unique_ptr<ControlPayload> spill_;  // a control frame's payload that a pool's space ended in
  std::uint32_t chunkLength_ = 0;

  // The message under way.
  std::uint32_t fragments_ = 0;
  std::uint64_t messageSize_ = 0;
  Utf8Validator utf8_;
  MessageKind kind_ = MessageKind::None;
  bool messageOpen_ = false;  // a continuation frame must follow
  bool compressed_ = false;
  std::uint8_t customFirstByte_ = 0;

  bool inPayload_ = false;  // of the frame under way
  std::uint8_t pingLength_ = 0;
  bool indicationReady_ = false;
  bool draining_ = false;
  FaultKind fault_ = FaultKind::None;
  Indication indication_;
  std::unique_ptr<ExpectedPong> expectedPong_;             // null when none is expected
  std::unique_ptr<Inflating, DeleteInflating> inflating_;  // null unless permessage-deflate was negotiated
};

// What every small message passes through is inline in its caller: calls would be a third of its cost.

inline void Receiver::indicate(BufferType type, std::span<std::uint8_t> payload, std::uint16_t closeStatus) {
  indication_.type = type;
  indication_.buffer = {payload.data(), static_cast<std::uint32_t>(payload.size()), closeStatus};
  indication_.hasBuffer = true;
  indicationReady_ = true;
}

// What beginFrame(), takePayload() and endFrame() come to for a message that is one frame and lies in input_.
inline ReceiveStep Receiver::takeSmallMessage(const FrameHeader& header) {
  if (options_.maxMessageSize != 0 && header.length > options_.maxMessageSize) {
    return fault(FaultKind::MessageTooBig);
  }
  const std::span<std::uint8_t> payload = input_.first(static_cast<std::size_t>(header.length));
  input_ = input_.subspan(payload.size());
  if (header.masked) {
    applyMask(payload, header.key, 0);
  }
  const bool isText = header.opcode() == Opcode::Text;
  if (isText && !options_.disableUtf8Verification) {
    utf8_.reset();
    if (!utf8_.feed(payload) || !utf8_.complete()) {
      return fault(FaultKind::InvalidUtf8);
    }
  }
  indicate(isText ? BufferType::Utf8Message : BufferType::BinaryMessage,
           {payload.empty() ? nullptr : payload.data(), payload.size()});
  return ReceiveStep::Indicate;
}

}  // namespace websocket

// The send side for drivers that write many frames at once (R7): frames are laid out as wire bytes when they are
// queued, and one action describes as much of them as the caller has buffers for. A short write leaves the rest.
//
// Three streams of bytes, each with whole frames: data (messages, the Close frame and raw bytes, in order), control
// (pings and pongs), which goes first whenever the data stream stands between two frames, and the answers to pings
// behind it. Of answers that could not be written at once, only the newest stays (RFC 6455, 5.5.3).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fifo.h"
#include "frame.h"
#include "protocol.h"
#include "reply_queue.h"
#include "session_options.h"

namespace websocket {

class ReplySlot;

class GatherQueue {
 public:
  GatherQueue(Role role, const SessionOptions& options) : role_(role), options_(options) {}
  GatherQueue(const GatherQueue&) = delete;
  GatherQueue& operator=(const GatherQueue&) = delete;
  ~GatherQueue() = default;

  struct Frame {
    std::uint8_t firstByte = 0;
    std::uint16_t closeStatus = 0;  // goes before the payload of a Close frame; 0: none
    std::span<const std::uint8_t> payload;
    Payload ownership = Payload::Copy;  // a client's payload is always copied, because it is masked
    BufferType type = BufferType::None;
    void* context = nullptr;
    const MaskKey* key = nullptr;  // of a client; nullptr: a key is drawn
    bool indicated = false;        // also without a context; frames whose payload is referenced always are
  };

  // Queue a frame. Fail: no randomness for the mask key. Throw std::bad_alloc and change nothing then.
  Result addData(const Frame& frame);
  Result addControl(const Frame& frame);
  // The answer to a ping, which leaves the slot; no action is outstanding. No effect when many wait already. Otherwise
  // as above.
  Result addReply(ReplySlot& reply);
  // Queues bytes that are no frame behind the data stream, copied; nothing goes between them. A null context asks for
  // no indication. Throws std::bad_alloc and changes nothing then.
  void addRaw(std::span<const std::uint8_t> bytes, void* context);

  // Describes what to write next: the count of buffers filled, and their bytes. reply goes out with it when it can.
  // Throws std::bad_alloc; Fail as above.
  Result gather(std::span<Buffer> buffers, ReplySlot& reply, std::uint32_t& count, std::uint32_t& length);
  // `count` bytes of what gather() described last were written.
  void complete(std::uint32_t count);

  // An operation whose last byte was written, or that was aborted, and that has to be indicated.
  struct Completion {
    std::uint64_t end = 0;  // position in its stream behind the frame
    void* context = nullptr;
    BufferType type = BufferType::None;
  };
  bool hasCompletion() const { return ready(control_) || ready(data_); }
  // The next of them, removed; there is one.
  Completion takeCompletion();

  // Every operation counts as complete. The bytes stay where they are until the outstanding action is completed.
  void abort() { aborted_ = true; }
  // Gives up the bytes; no action is outstanding.
  void discard();

  bool hasBytes() const { return data_.queued != data_.sent || control_.queued != control_.sent || hasReplies(); }
  std::uint64_t payloadBytes() const;  // of data frames, not yet written; raw bytes count, a Close frame does not
  std::uint64_t wireBytes() const {
    return data_.queued - data_.sent + control_.queued - control_.sent + repliesLeft();
  }

 private:
  // A run of wire bytes: owned, with room to append, or the application's.
  struct Segment {
    std::unique_ptr<std::uint8_t[]> owned;
    const std::uint8_t* bytes = nullptr;
    std::size_t length = 0;
    std::size_t capacity = 0;  // 0: not appendable
  };
  struct FrameSize {
    std::uint64_t wire = 0;
    std::uint64_t payload = 0;  // for payloadBytes(); the rest counts as header
  };
  struct Stream {
    std::uint64_t queued = 0;  // positions: wire bytes since the session began
    std::uint64_t sent = 0;
    Fifo<Completion> completions;
  };

  bool ready(const Stream& stream) const {
    return !stream.completions.empty() && (aborted_ || stream.completions.front().end <= stream.sent);
  }
  bool hasReplies() const { return replies_ != nullptr && !replies_->empty(); }
  bool repliesAreUnderWay() const { return replies_ != nullptr && replies_->isUnderWay(); }
  std::size_t repliesLeft() const { return replies_ == nullptr ? 0 : replies_->rest().size(); }
  bool chooseKey(const Frame& frame, MaskKey& key) const;
  std::size_t writeHeader(const Frame& frame, const MaskKey& key, std::uint8_t* out) const;
  void writePayload(const Frame& frame, const MaskKey& key, std::uint8_t* out) const;
  std::uint8_t* reserve(std::size_t size);
  void completeData(std::uint64_t count);
  void completeControl(std::uint64_t count);
  void completeReplies(std::uint64_t count);

  Role role_;
  bool aborted_ = false;
  const SessionOptions& options_;

  Stream data_;
  Fifo<Segment> segments_;
  std::size_t segmentOffset_ = 0;    // sent bytes of the front segment
  Fifo<FrameSize> frames_;           // of the data stream, not completely sent
  std::uint64_t frameOffset_ = 0;    // sent bytes of the front frame
  std::uint64_t payloadQueued_ = 0;  // of all frames_

  Stream control_;
  std::vector<std::uint8_t> controlBytes_;    // described by actions; only touched between them
  std::size_t controlOffset_ = 0;             // sent bytes of controlBytes_
  std::vector<std::uint8_t> controlWaiting_;  // queued since

  // Only touched between actions; null while nothing waits, as in most connections most of the time.
  std::unique_ptr<ReplyQueue> replies_;

  // The outstanding action: so many bytes of the frame under way, then control, then replies (before control, when one
  // is under way), then further data. What is not described whole is the last of it.
  std::uint64_t plannedFrameRest_ = 0;
};

}  // namespace websocket

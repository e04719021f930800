// The send side of the documented API: operations in order, one frame each, one action at a time (contract 8.4, 9).
//
// A server's payload goes to the network from the application's memory, behind a header from the send buffer; a
// client's is masked into the send buffer chunk by chunk. gather_queue.h is the other send side, for many frames in one
// action.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "fifo.h"
#include "frame.h"
#include "protocol.h"
#include "session_options.h"

namespace websocket {

struct SendOperation {
  BufferType type = BufferType::None;
  std::uint8_t firstByte = 0;     // of the frame
  std::uint16_t closeStatus = 0;  // goes before the payload of a Close frame; 0: the frame has none
  std::span<const std::uint8_t> payload;
  void* context = nullptr;
  std::unique_ptr<std::uint8_t[]> owned;  // where payload lies when it is not the application's
  bool internal = false;                  // the session's own, never indicated

  // Copies the payload. Throws std::bad_alloc.
  void own(std::span<const std::uint8_t> bytes) {
    owned = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
    std::ranges::copy(bytes, owned.get());
    payload = {owned.get(), bytes.size()};
  }
};

class SendQueue {
 public:
  SendQueue(Role role, const SessionOptions& options) : role_(role), options_(options) {}

  // memory: the send buffer, SEND_BUFFER_SIZE bytes. controlMemory: room for one control frame, so that a payload of
  // our own lies in an allocated buffer too when it is sent. One frame leaves at a time, so that replies share it.
  void setMemory(std::span<std::uint8_t> memory, std::span<std::uint8_t> controlMemory) {
    memory_ = memory;
    controlMemory_ = controlMemory;
  }

  std::span<std::uint8_t> controlMemory() const { return controlMemory_; }

  // Throws std::bad_alloc and changes nothing then.
  void queue(SendOperation&& operation) {
    operations_.push(std::move(operation));
    if (options_.controlFirst && isControlType(operations_.back().type)) {
      overtake();
    }
  }

  bool empty() const { return operations_.empty(); }
  // A frame is partly on the wire: nothing else may be written before its rest.
  bool midFrame() const { return done_ == 0 && progress_ == Progress::Payload; }

  // Describes the next action of the front operation and the bytes of its buffers; kind None when there is none.
  // action.id stays 0. Fail: no randomness for the mask key; nothing happened then.
  Result next(std::span<Buffer> buffers, Action& action, std::uint32_t& length);
  // The action that next() described last is done.
  void complete(ActionKind kind, std::uint32_t bytesTransferred);

  // Every operation ends without being sent (any further).
  void abort() { aborted_ = true; }

 private:
  enum class Progress : std::uint8_t { Header, Payload };

  bool frontIsDone() const { return done_ != 0 || aborted_; }
  static bool isControlType(BufferType type) {
    return type == BufferType::PingPong || type == BufferType::UnsolicitedPong;
  }
  void overtake();
  Result describe(const SendOperation& operation, std::span<Buffer> buffers, Action& action, std::uint32_t& length);
  bool coalesce(std::span<Buffer> buffers, Action& action);
  static std::size_t writeFrame(const SendOperation& operation, std::uint8_t* out);
  void describeServerChunk(const SendOperation& operation, std::span<Buffer> buffers, Action& action);
  void finishFront();
  Result describeClientChunk(const SendOperation& operation, std::span<Buffer> buffers, Action& action);

  Role role_;
  Progress progress_ = Progress::Header;  // of the front operation
  bool aborted_ = false;
  bool sending_ = false;       // a SEND_TO_NETWORK action is outstanding
  std::size_t done_ = 0;       // operations from the front on that only have to be indicated
  std::size_t described_ = 0;  // operations that the outstanding action touches
  MaskKey key_{};
  std::uint32_t expected_ = 0;   // bytes of the outstanding action
  std::uint64_t sent_ = 0;       // payload bytes of the front operation in completed actions, close status included
  std::uint64_t sentAfter_ = 0;  // and once the outstanding action is completed
  const SessionOptions& options_;
  std::span<std::uint8_t> memory_;
  std::span<std::uint8_t> controlMemory_;
  Fifo<SendOperation> operations_;
};

}  // namespace websocket

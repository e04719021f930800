// What one handle was asked to send, and what it must therefore write: every frame once, whole, in order, with the
// right bytes, and its operation indicated once, after that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "reference_reader.h"
#include "websocket_ext.h"

namespace websocket::fuzz {

// The operation's address is its application context.
struct SendOperation {
  WEB_SOCKET_BUFFER_TYPE type{};
  std::uint8_t firstByte = 0;              // of the frame that has to come out
  Bytes payload;                           // and its payload, a close status included
  Bytes original;                          // what the application's memory holds
  std::unique_ptr<std::uint8_t[]> memory;  // the application's; freed at INDICATE, so that a late use is seen
  bool internal = false;                   // the handle's own answer to a Close frame: never indicated
  bool written = false;
  bool dropped = false;  // cancelled before any of it was written
  bool indicated = false;

  bool control() const { return (firstByte & 15) >= 9; }  // a Close frame keeps its place among the data
};

class SentCheck {
 public:
  // overtaking: pings and pongs may go before data. repliesAreMixed: replies come without an action of their own.
  SentCheck(bool masks, bool overtaking, bool repliesAreMixed)
      : masks_(masks), overtaking_(overtaking), repliesAreMixed_(repliesAreMixed) {}

  void add(std::unique_ptr<SendOperation> operation) { operations_.push_back(std::move(operation)); }

  // Bytes went to the network, as a reply to a ping or not.
  void written(std::span<const std::uint8_t> bytes, bool reply);
  // These bytes of a cancelled action were not written; a frame begins with them.
  void dropped(std::span<const std::uint8_t> bytes);
  bool midFrame() const { return !pending_.empty(); }
  // The stream is cut off in a frame, or the handle was aborted: what comes out is not checked any more.
  void giveUp() { givenUp_ = true; }
  bool gaveUp() const { return givenUp_; }

  void indicated(void* context, WEB_SOCKET_BUFFER_TYPE type);
  bool allIndicated() const;
  // Every operation that was not dropped is on the wire.
  void requireAllWritten() const;

  // Payloads of the replies on the wire.
  const std::vector<Bytes>& replies() const { return replies_; }
  const std::vector<Bytes>& pings() const { return pings_; }
  void pingQueued(Bytes payload) { pings_.push_back(std::move(payload)); }

 private:
  SendOperation* nextUnwritten(bool control);
  SendOperation* match(const Frame& frame);

  bool masks_;
  bool overtaking_;
  bool repliesAreMixed_;
  bool givenUp_ = false;
  bool pendingIsReply_ = false;
  Bytes pending_;  // the beginning of a frame
  std::deque<std::unique_ptr<SendOperation>> operations_;
  std::vector<Bytes> replies_;
  std::vector<Bytes> pings_;
};

}  // namespace websocket::fuzz

// What one handle indicated as received, compared with the reference reader's reading of the bytes that it was given.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "reference_reader.h"
#include "websocket_ext.h"

namespace websocket::fuzz {

// The operation's address is its application context.
struct ReceiveOperation {
  std::unique_ptr<std::uint8_t[]> memory;  // the application's, or null
  ULONG length = 0;
};

// What of a stream may go without an indication.
struct IndicationRules {
  bool pings = false;             // every ping is indicated; else none
  bool unsolicitedPongs = false;  // every pong is indicated; else only those that answer a ping
};

class ReceivedCheck {
 public:
  ReceiveOperation* add(ULONG memorySize);
  void dropNewest() { operations_.pop_back(); }
  bool hasOperation() const { return !operations_.empty(); }
  std::size_t operationCount() const { return operations_.size(); }
  const ReceiveOperation& front() const { return *operations_.front(); }

  // INDICATE_RECEIVE_COMPLETE with a buffer, as far as the content goes.
  void indicated(WEB_SOCKET_BUFFER_TYPE type, const WEB_SOCKET_BUFFER& buffer);
  void completed() { operations_.pop_front(); }

  // everything: the handle has taken all bytes of the stream.
  void compare(const ReadStream& expected, const IndicationRules& rules, bool everything) const;

 private:
  void message(WEB_SOCKET_BUFFER_TYPE type, std::span<const std::uint8_t> bytes);

  std::deque<std::unique_ptr<ReceiveOperation>> operations_;
  std::vector<Event> events_;
  Bytes partial_;
  std::optional<std::uint32_t> openType_;  // of the message whose parts are in partial_
};

// True when the newest ping replaced others that were not answered (RFC 6455, 5.5.3), but none was answered twice or
// out of order. newest: the last ping must have been answered.
void requireReplies(const std::vector<Bytes>& replies, const ReadStream& received, bool newest);

}  // namespace websocket::fuzz

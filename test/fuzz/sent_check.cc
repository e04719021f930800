#include "sent_check.h"

#include <algorithm>

#include "require.h"

namespace websocket::fuzz {

SendOperation* SentCheck::nextUnwritten(bool control) {
  for (const auto& operation : operations_) {
    if (!operation->written && !operation->dropped && (!overtaking_ || operation->control() == control)) {
      return operation.get();
    }
  }
  return nullptr;
}

// The operation that a frame must be of; null for a reply.
SendOperation* SentCheck::match(const Frame& frame) {
  REQUIRE(frame.masked == masks_);
  SendOperation* const operation = nextUnwritten((frame.firstByte & 15) >= 9);
  const bool matches =
      operation != nullptr && frame.firstByte == operation->firstByte && frame.payload == operation->payload;
  if (repliesAreMixed_ && !matches && frame.firstByte == 0x8A) {
    return nullptr;
  }
  REQUIRE(matches);
  return operation;
}

void SentCheck::written(std::span<const std::uint8_t> bytes, bool reply) {
  if (bytes.empty()) {
    return;
  }
  REQUIRE(!reply || pending_.empty());  // a reply never splits a frame
  REQUIRE(reply || pending_.empty() || !pendingIsReply_);
  pendingIsReply_ = reply;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  std::span<const std::uint8_t> rest = pending_;
  while (const auto frame = takeFrame(rest)) {
    SendOperation* const operation = reply ? nullptr : match(*frame);
    if (operation != nullptr) {
      operation->written = true;
    } else {
      REQUIRE(frame->masked == masks_ && frame->firstByte == 0x8A);
      replies_.push_back(frame->payload);
    }
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
}

void SentCheck::dropped(std::span<const std::uint8_t> bytes) {
  while (const auto frame = takeFrame(bytes)) {
    match(*frame)->dropped = true;
  }
  if (!bytes.empty()) {  // a frame that takes several actions
    SendOperation* const operation = nextUnwritten((bytes[0] & 15) >= 9);
    REQUIRE(operation != nullptr && operation->firstByte == bytes[0]);
    operation->dropped = true;
  }
}

void SentCheck::indicated(void* context, WEB_SOCKET_BUFFER_TYPE type) {
  const bool control = type == WEB_SOCKET_PING_PONG_BUFFER_TYPE || type == WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE;
  const auto next = std::ranges::find_if(operations_, [&](const auto& operation) {
    return !operation->internal && !operation->indicated && (!overtaking_ || operation->control() == control);
  });
  REQUIRE(next != operations_.end());
  SendOperation& operation = **next;
  REQUIRE(context == &operation);
  REQUIRE(type == operation.type);
  REQUIRE(operation.written || operation.dropped || givenUp_);
  REQUIRE(std::equal(operation.original.begin(), operation.original.end(), operation.memory.get()));
  operation.indicated = true;
  operation.memory.reset();
}

bool SentCheck::allIndicated() const {
  return std::ranges::all_of(operations_,
                             [](const auto& operation) { return operation->indicated || operation->internal; });
}

void SentCheck::requireAllWritten() const {
  for (const auto& operation : operations_) {
    REQUIRE(operation->written || operation->dropped);
  }
  REQUIRE(pending_.empty());
}

}  // namespace websocket::fuzz

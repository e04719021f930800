// The pong that answers the newest ping (RFC 6455, 5.5.3): one slot, in which a newer ping replaces an unsent one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "frame.h"

namespace websocket {

class ReplySlot {
 public:
  // Keeps a ping's payload for the reply. False: out of memory.
  [[nodiscard]] bool offer(std::span<const std::uint8_t> payload) {
    if (payload_ == nullptr && !payload.empty()) {
      payload_.reset(new (std::nothrow) ControlPayload);
      if (payload_ == nullptr) {
        return false;
      }
    }
    if (!payload.empty()) {
      std::ranges::copy(payload, payload_->begin());
    }
    length_ = static_cast<std::uint8_t>(payload.size());
    waiting_ = true;
    return true;
  }

  bool waiting() const { return waiting_; }
  std::span<const std::uint8_t> payload() const {
    return payload_ == nullptr ? std::span<const std::uint8_t>() : std::span(*payload_).first(length_);
  }

  // The reply was written to an action, or is not wanted any more.
  void clear() {
    waiting_ = false;
    length_ = 0;
    payload_.reset();
  }

 private:
  bool waiting_ = false;
  std::uint8_t length_ = 0;
  std::unique_ptr<ControlPayload> payload_;  // null while empty
};

}  // namespace websocket

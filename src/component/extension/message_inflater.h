// How a session decompresses the messages that it receives: which context, and how long it is kept. One thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "extension/deflate_pool.h"

namespace websocket {

class MessageInflater {
 public:
  // takeover: the peer's messages may refer to those before them.
  MessageInflater(std::shared_ptr<DeflatePool> pool, std::uint8_t windowBits, bool takeover)
      : pool_(std::move(pool)), windowBits_(windowBits), takeover_(takeover) {}
  MessageInflater(const MessageInflater&) = delete;
  MessageInflater& operator=(const MessageInflater&) = delete;
  ~MessageInflater() { pool_->give(std::move(inflater_)); }

  // A compressed message begins. False: out of memory.
  [[nodiscard]] bool begin();
  // As Inflater::inflate() and finish(), after begin(). Done of finish() ends the message.
  InflateStatus inflate(std::span<const std::uint8_t>& input, std::span<std::uint8_t>& output) {
    return inflater_->inflate(input, output);
  }
  InflateStatus finish(std::span<std::uint8_t>& output);

  // Between messages: keeps of the context only what later messages may refer to. False: out of memory, nothing
  // changed.
  bool shrink();

  // Gives up everything; neither begin() nor a function for the message under way may be called afterwards.
  void end();

 private:
  std::shared_ptr<DeflatePool> pool_;
  std::uint8_t windowBits_;
  bool takeover_;
  bool inMessage_ = false;
  std::unique_ptr<Inflater> inflater_;  // null between messages without takeover, and while shrunk
  std::unique_ptr<std::uint8_t[]> window_;
  std::size_t windowLength_ = 0;
};

}  // namespace websocket

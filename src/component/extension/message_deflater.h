// How a session compresses the messages that it sends: which context, and how long it is kept. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "extension/deflate_pool.h"

namespace websocket {

class MessageDeflater {
 public:
  // takeover: a message may refer to those before it, so that the context is kept between them.
  MessageDeflater(std::shared_ptr<DeflatePool> pool, const DeflaterSettings& settings, bool takeover)
      : pool_(std::move(pool)), settings_(settings), takeover_(takeover) {}
  MessageDeflater(const MessageDeflater&) = delete;
  MessageDeflater& operator=(const MessageDeflater&) = delete;
  ~MessageDeflater() { release(); }

  bool takeover() const { return takeover_; }
  const DeflaterSettings& settings() const { return settings_; }

  // Compresses a whole message (last), or the next part of one, as Deflater::deflate() does. Throws std::bad_alloc and
  // has forgotten everything then, which receivers can bear.
  void deflate(std::span<const std::uint8_t> input, bool last, ByteBuffer& output);

  // Gives the context away, for a message that is compressed elsewhere, and takes it again. Throws std::bad_alloc.
  std::unique_ptr<Deflater> lend() {
    return deflater_ == nullptr ? pool_->takeDeflater(settings_) : std::move(deflater_);
  }
  void takeBack(std::unique_ptr<Deflater> deflater) { deflater_ = std::move(deflater); }
  const std::shared_ptr<DeflatePool>& pool() const { return pool_; }

  // Gives the context back. Legal at any time: what is compressed next refers to nothing before (RFC 7692, 7.2.1).
  void release() { pool_->give(std::move(deflater_)); }

 private:
  std::shared_ptr<DeflatePool> pool_;
  DeflaterSettings settings_;
  bool takeover_;
  std::unique_ptr<Deflater> deflater_;  // null between messages without takeover, and when there was none
};

}  // namespace websocket

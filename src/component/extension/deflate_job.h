// Compressing one whole message away from its session (contract, R10): the job has the context and the payload, so that
// it can run on any thread, and be thrown away at any time that it does not run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "extension/deflate_pool.h"

namespace websocket {

// Bytes that may be shared; their owner keeps them alive and unchanged.
using SharedBytes = std::shared_ptr<const std::uint8_t[]>;

class DeflateJob {
 public:
  // The owner may be null, for a payload that outlives run(). context: with context takeover; null: the message is
  // compressed by itself, with a context of the pool.
  DeflateJob(std::span<const std::uint8_t> payload, SharedBytes owner, std::shared_ptr<DeflatePool> pool,
             const DeflaterSettings& settings, std::unique_ptr<Deflater> context = nullptr)
      : payload_(payload),
        owner_(std::move(owner)),
        pool_(std::move(pool)),
        settings_(settings),
        context_(std::move(context)),
        takeover_(context_ != nullptr) {}
  DeflateJob(const DeflateJob&) = delete;
  DeflateJob& operator=(const DeflateJob&) = delete;
  ~DeflateJob() = default;

  // Compresses: once, on any thread. Of the others, only isDone() and stop() may be called meanwhile.
  void run() noexcept;
  // Nobody wants what comes out: run() returns when it has compressed 256 KiB more at most, as if memory were short.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  // For the thread of the session: run() has ended.
  void finish() { done_ = true; }
  bool isDone() const { return done_; }
  const DeflaterSettings& settings() const { return settings_; }

  // When it is done: what is to be sent, and whether that is compressed. By itself a message that does not become
  // shorter stays as it is; and any, when memory is short.
  bool isCompressed() const { return isCompressed_; }
  std::span<const std::uint8_t> output() const { return isCompressed_ ? compressed_ : payload_; }
  const SharedBytes& outputOwner() const { return isCompressed_ ? compressedOwner_ : owner_; }

  // The context that was taken over, for the next message; null when it is not to be used any more.
  std::unique_ptr<Deflater> takeContext() { return std::move(context_); }

 private:
  bool compress(ByteBuffer& output);

  std::span<const std::uint8_t> payload_;
  SharedBytes owner_;
  std::shared_ptr<DeflatePool> pool_;  // destroyed after the context
  DeflaterSettings settings_;
  std::unique_ptr<Deflater> context_;
  bool takeover_;
  std::atomic<bool> stopped_ = false;
  bool done_ = false;
  bool isCompressed_ = false;
  std::span<const std::uint8_t> compressed_;
  SharedBytes compressedOwner_;
};

}  // namespace websocket

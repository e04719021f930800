// Compression contexts that many sessions share: without context takeover (RFC 7692, 7.1.1) a context is needed only
// while a message passes through it. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "extension/deflater.h"
#include "extension/inflater.h"
#include "extension/zlib_memory.h"

namespace websocket {

class DeflatePool {
 public:
  // Contexts take their memory from `source`, from the C++ heap when it is null.
  explicit DeflatePool(std::unique_ptr<BlockSource> source = nullptr) : memory_(std::move(source)) {}
  DeflatePool(const DeflatePool&) = delete;
  DeflatePool& operator=(const DeflatePool&) = delete;
  ~DeflatePool() = default;

  // A context as good as new. Throws std::bad_alloc.
  std::unique_ptr<Deflater> takeDeflater(const DeflaterSettings& settings);
  std::unique_ptr<Inflater> takeInflater(std::uint8_t windowBits);
  // Takes a context of this pool back, in whatever state; null has no effect.
  void give(std::unique_ptr<Deflater> deflater);
  void give(std::unique_ptr<Inflater> inflater);

  // Frees the contexts that wait for the next message.
  void trim();
  // Bytes of all contexts of the pool, in use or waiting.
  std::uint64_t bytesInUse() const { return memory_.inUse(); }

 private:
  // So many of each kind wait at most: messages of one thread are compressed one after the other, and those of several
  // connections are inflated in turns when they arrive in pieces.
  static constexpr std::size_t kMostWaiting = 4;

  template <typename Context>
  using Waiting = std::array<std::unique_ptr<Context>, kMostWaiting>;

  ZlibMemory memory_;  // destroyed last
  std::mutex mutex_;
  Waiting<Deflater> deflaters_;
  Waiting<Inflater> inflaters_;
};

}  // namespace websocket

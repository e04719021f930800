// Where zlib's contexts get their memory from: the C++ heap, or a source that the owner chooses, counted, so that the
// owner can say what compression costs it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace websocket {

// A source of memory. Any thread.
class BlockSource {
 public:
  BlockSource() = default;
  BlockSource(const BlockSource&) = delete;
  BlockSource& operator=(const BlockSource&) = delete;
  virtual ~BlockSource() = default;

  // `bytes` bytes, aligned as for malloc and with any content, or null when there is no memory.
  virtual void* allocate(std::size_t bytes) noexcept = 0;
  // Takes a block back; `bytes` as it was asked for.
  virtual void release(void* block, std::size_t bytes) noexcept = 0;
};

// Must outlive every context that uses it. Any thread.
class ZlibMemory {
 public:
  // From the C++ heap when `source` is null.
  explicit ZlibMemory(std::unique_ptr<BlockSource> source = nullptr) : source_(std::move(source)) {}
  ZlibMemory(const ZlibMemory&) = delete;
  ZlibMemory& operator=(const ZlibMemory&) = delete;
  ~ZlibMemory() = default;

  // Bytes that contexts hold now.
  std::uint64_t inUse() const { return inUse_.load(std::memory_order_relaxed); }

  // alloc_func and free_func of zlib; opaque is a ZlibMemory.
  static void* allocate(void* opaque, unsigned items, unsigned size);
  static void release(void* opaque, void* address);

 private:
  std::unique_ptr<BlockSource> source_;
  std::atomic<std::uint64_t> inUse_ = 0;
};

}  // namespace websocket

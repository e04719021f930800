// Where zlib's contexts get their memory from: the C++ heap, counted, so that an owner can say what compression costs
// it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace websocket {

// Must outlive every context that uses it. Any thread.
class ZlibMemory {
 public:
  ZlibMemory() = default;
  ZlibMemory(const ZlibMemory&) = delete;
  ZlibMemory& operator=(const ZlibMemory&) = delete;
  ~ZlibMemory() = default;

  // Bytes that contexts hold now.
  std::uint64_t inUse() const { return inUse_.load(std::memory_order_relaxed); }

  // alloc_func and free_func of zlib; opaque is a ZlibMemory.
  static void* allocate(void* opaque, unsigned items, unsigned size);
  static void release(void* opaque, void* address);

 private:
  std::atomic<std::uint64_t> inUse_ = 0;
};

}  // namespace websocket

#include "extension/zlib_memory.h"

#include <new>

namespace websocket {
namespace {

// Before each block stands its size, in as many bytes as keep what follows aligned.
constexpr std::size_t kPrefix = alignof(std::max_align_t);
static_assert(kPrefix >= sizeof(std::size_t));

}  // namespace

void* ZlibMemory::allocate(void* opaque, unsigned items, unsigned size) {
  const std::size_t bytes = std::size_t{items} * size + kPrefix;
  void* const block = ::operator new(bytes, std::nothrow);
  if (block == nullptr) {
    return nullptr;
  }
  *static_cast<std::size_t*>(block) = bytes;
  static_cast<ZlibMemory*>(opaque)->inUse_.fetch_add(bytes, std::memory_order_relaxed);
  return static_cast<std::byte*>(block) + kPrefix;
}

void ZlibMemory::release(void* opaque, void* address) {
  void* const block = static_cast<std::byte*>(address) - kPrefix;
  static_cast<ZlibMemory*>(opaque)->inUse_.fetch_sub(*static_cast<std::size_t*>(block), std::memory_order_relaxed);
  ::operator delete(block);
}

}  // namespace websocket

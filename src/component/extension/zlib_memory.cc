#include "extension/zlib_memory.h"

#include <new>

namespace websocket {
namespace {

// Before each block stands its size, in as many bytes as keep what follows aligned.
constexpr std::size_t kPrefix = alignof(std::max_align_t);
static_assert(kPrefix >= sizeof(std::size_t));

}  // namespace

void* ZlibMemory::allocate(void* opaque, unsigned items, unsigned size) {
  auto* const memory = static_cast<ZlibMemory*>(opaque);
  const std::size_t bytes = std::size_t{items} * size + kPrefix;
  void* const block =
      memory->source_ == nullptr ? ::operator new(bytes, std::nothrow) : memory->source_->allocate(bytes);
  if (block == nullptr) {
    return nullptr;
  }
  *static_cast<std::size_t*>(block) = bytes;
  memory->inUse_.fetch_add(bytes, std::memory_order_relaxed);
  return static_cast<std::byte*>(block) + kPrefix;
}

void ZlibMemory::release(void* opaque, void* address) {
  auto* const memory = static_cast<ZlibMemory*>(opaque);
  void* const block = static_cast<std::byte*>(address) - kPrefix;
  const std::size_t bytes = *static_cast<std::size_t*>(block);
  memory->inUse_.fetch_sub(bytes, std::memory_order_relaxed);
  if (memory->source_ == nullptr) {
    ::operator delete(block);
  } else {
    memory->source_->release(block, bytes);
  }
}

}  // namespace websocket

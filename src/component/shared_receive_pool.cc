#include "shared_receive_pool.h"

#include <algorithm>
#include <functional>
#include <new>

namespace websocket {

std::span<std::uint8_t> SharedReceivePool::lease() {
  const std::scoped_lock lock(mutex_);
  const auto unused = std::ranges::find(buffers_, 0U, &PoolBuffer::references);
  if (unused != buffers_.end()) {
    unused->references = 1;
    return {unused->bytes.get(), bufferSize_};
  }
  if (maxBuffers_ != 0 && buffers_.size() >= maxBuffers_) {
    return {};
  }
  try {
    PoolBuffer buffer{std::make_unique_for_overwrite<std::uint8_t[]>(bufferSize_), 1};
    const auto place = std::ranges::upper_bound(buffers_, buffer.bytes.get(), std::less<>(),
                                                [](const PoolBuffer& other) { return other.bytes.get(); });
    return {buffers_.insert(place, std::move(buffer))->bytes.get(), bufferSize_};
  } catch (const std::bad_alloc&) {
    return {};  // as if all were in use: the handle waits until one is released
  }
}

void SharedReceivePool::commit(std::span<std::uint8_t> space, std::uint32_t used) {
  if (used == 0) {
    release(space.data());
  }
}

void SharedReceivePool::retain(const std::uint8_t* payload) {
  const std::scoped_lock lock(mutex_);
  if (PoolBuffer* buffer = find(payload); buffer != nullptr) {
    ++buffer->references;
  }
}

void SharedReceivePool::release(const std::uint8_t* payload) {
  const std::scoped_lock lock(mutex_);
  if (PoolBuffer* buffer = find(payload); buffer != nullptr && buffer->references != 0) {
    --buffer->references;
  }
}

std::uint64_t SharedReceivePool::bytesInUse() {
  const std::scoped_lock lock(mutex_);
  const auto used = std::ranges::count_if(buffers_, [](const PoolBuffer& buffer) { return buffer.references != 0; });
  return static_cast<std::uint64_t>(used) * bufferSize_;
}

SharedReceivePool::PoolBuffer* SharedReceivePool::find(const std::uint8_t* pointer) {
  const auto behind = std::ranges::upper_bound(buffers_, pointer, std::less<>(), [](const PoolBuffer& other) {
    return static_cast<const std::uint8_t*>(other.bytes.get());
  });
  if (behind == buffers_.begin()) {
    return nullptr;
  }
  PoolBuffer& candidate = *(behind - 1);
  const bool inside = std::less<>()(pointer, candidate.bytes.get() + bufferSize_);
  return inside ? &candidate : nullptr;
}

}  // namespace websocket

#include "message_buffer.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstring>
#include <new>

namespace websocket::driver {
namespace {

constexpr std::size_t kSmallestTail = 4096;  // bytes that may be reserved ahead of any content

#ifdef __linux__
constexpr bool kCanRemap = true;
#else
constexpr bool kCanRemap = false;
#endif

// Whether memory of this capacity and its copy, a quarter larger, take more than `most`.
bool copyWouldExceed(std::uint64_t capacity, std::uint64_t most) { return 2 * capacity + capacity / 4 > most; }

}  // namespace

void MessageBuffer::free(void* data, [[maybe_unused]] std::size_t mapped) {
#ifdef __linux__
  if (mapped != 0) {
    munmap(data, mapped);
    return;
  }
#endif
  std::free(data);
}

void MessageBuffer::remap([[maybe_unused]] std::size_t capacity) {
#ifdef __linux__
  Free& owner = data_.get_deleter();
  void* const grown = owner.mapped
                          ? mremap(data_.get(), owner.capacity, capacity, MREMAP_MAYMOVE)
                          : mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (grown == MAP_FAILED) {
    throw std::bad_alloc();
  }
  if (owner.mapped) {
    static_cast<void>(data_.release());  // moved
  } else {
    std::copy_n(data_.get(), size_, static_cast<std::uint8_t*>(grown));
    data_.reset();
  }
  owner.mapped = true;
  owner.count(capacity);
  data_.reset(static_cast<std::uint8_t*>(grown));
#endif
}

// False: all buffers together would reserve too much.
bool MessageBuffer::reserve(std::size_t capacity, Growth growth) {
  const Free& owner = data_.get_deleter();
  if (!owner.allows(capacity)) {
    return false;
  }
  if (owner.mapped || (kCanRemap && growth == Growth::Remapping)) {
    remap(capacity);
    return true;
  }
  auto* const grown = static_cast<std::uint8_t*>(std::realloc(data_.get(), capacity));
  if (grown == nullptr) {
    throw std::bad_alloc();
  }
  static_cast<void>(data_.release());  // realloc freed it
  data_.get_deleter().count(capacity);
  data_.reset(grown);
  return true;
}

bool MessageBuffer::append(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) {
    return true;
  }
  if (data_ == nullptr || bytes.data() != data_.get() + size_) {
    if (capacity() - size_ < bytes.size() &&
        !reserve(std::max(size_ + bytes.size(), size_ + size_ / 4), Growth::Copying)) {
      return false;
    }
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
  }
  size_ += bytes.size();
  return true;
}

std::span<std::uint8_t> MessageBuffer::tail(std::uint64_t expected, Growth growth) {
  const std::size_t allowed = std::max(size_ / 4, kSmallestTail);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(expected, allowed));
  // What is left over from the last step is used up first, unless it is too little for a read.
  if (capacity() - size_ < std::min(wanted, allowed / 4) &&
      !reserve(size_ + wanted, copyWouldExceed(size_ + wanted, size_ + expected) ? growth : Growth::Copying)) {
    return {};
  }
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(expected, capacity() - size_));
  return {data_.get() + size_, length};
}

}  // namespace websocket::driver

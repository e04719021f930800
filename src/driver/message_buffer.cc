#include "message_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace websocket::driver {
namespace {

constexpr std::size_t kSmallestTail = 4096;  // bytes that may be reserved ahead of any content

}  // namespace

// False: all buffers together would reserve too much.
bool MessageBuffer::reserve(std::size_t capacity) {
  if (!data_.get_deleter().allows(capacity)) {
    return false;
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
    if (capacity() - size_ < bytes.size() && !reserve(std::max(size_ + bytes.size(), size_ + size_ / 4))) {
      return false;
    }
    std::memcpy(data_.get() + size_, bytes.data(), bytes.size());
  }
  size_ += bytes.size();
  return true;
}

std::span<std::uint8_t> MessageBuffer::tail(std::uint64_t expected) {
  const std::size_t allowed = std::max(size_ / 4, kSmallestTail);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(expected, allowed));
  // What is left over from the last step is used up first, unless it is too little for a read.
  if (capacity() - size_ < std::min(wanted, allowed / 4) && !reserve(size_ + wanted)) {
    return {};
  }
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(expected, capacity() - size_));
  return {data_.get() + size_, length};
}

}  // namespace websocket::driver

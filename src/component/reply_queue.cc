#include "reply_queue.h"

#include <algorithm>

#include "frame.h"

namespace websocket {

std::uint8_t* ReplyQueue::append(std::size_t size) {
  if (blocked_) {
    bytes_.resize(sent_ != 0 ? frameSize(0) : 0);
  }
  const std::size_t at = bytes_.size();
  if (bytes_.capacity() - at < size) {
    bytes_.reserve(std::max(at + size, 2 * bytes_.capacity()));
  }
  bytes_.resize(at + size);
  return &bytes_[at];
}

std::size_t ReplyQueue::frameSize(std::size_t at) const {
  constexpr std::uint8_t kMaskBit = 0x80;
  const std::uint8_t second = bytes_[at + 1];
  const std::size_t length = second & ~unsigned{kMaskBit};
  return frameHeaderSize(length, (second & kMaskBit) != 0) + length;
}

void ReplyQueue::complete(std::size_t count) {
  sent_ += count;
  if (sent_ == bytes_.size()) {
    *this = ReplyQueue();
    return;
  }
  blocked_ = true;
  std::size_t first = 0;  // of those that were not written completely
  while (first + frameSize(first) <= sent_) {
    first += frameSize(first);
  }
  std::size_t newest = first;
  while (newest + frameSize(newest) < bytes_.size()) {
    newest += frameSize(newest);
  }
  const auto begin = bytes_.begin();
  const std::size_t kept = sent_ > first ? std::min(newest, first + frameSize(first)) : first;
  bytes_.erase(begin + static_cast<std::ptrdiff_t>(kept), begin + static_cast<std::ptrdiff_t>(newest));
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(first));
  sent_ -= first;
  bytes_.shrink_to_fit();
}

}  // namespace websocket

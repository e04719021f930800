#include "extension/message_inflater.h"

#include <algorithm>
#include <array>
#include <new>

namespace websocket {

bool MessageInflater::begin() {
  if (inflater_ == nullptr) {
    try {
      inflater_ = pool_->takeInflater(windowBits_);
    } catch (const std::bad_alloc&) {
      return false;
    }
    if (!inflater_->restoreWindow({window_.get(), windowLength_})) {
      pool_->give(std::move(inflater_));
      return false;
    }
    window_.reset();
    windowLength_ = 0;
  }
  inMessage_ = true;
  return true;
}

InflateStatus MessageInflater::finish(std::span<std::uint8_t>& output) {
  const InflateStatus status = inflater_->finish(output);
  if (status == InflateStatus::Done) {
    inMessage_ = false;
    if (!takeover_) {
      pool_->give(std::move(inflater_));
    }
  }
  return status;
}

bool MessageInflater::shrink() {
  if (inflater_ == nullptr || inMessage_) {
    return true;
  }
  std::array<std::uint8_t, std::size_t{1} << 15> window;
  const std::size_t length = inflater_->copyWindow(window);
  if (length != 0) {
    window_.reset(new (std::nothrow) std::uint8_t[length]);
    if (window_ == nullptr) {
      return false;
    }
    std::copy_n(window.begin(), length, window_.get());
  }
  windowLength_ = length;
  pool_->give(std::move(inflater_));
  return true;
}

void MessageInflater::end() {
  pool_->give(std::move(inflater_));
  window_.reset();
  windowLength_ = 0;
}

}  // namespace websocket

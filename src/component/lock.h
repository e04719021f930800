// The lock of a handle: four bytes, and one atomic operation to take or to leave while no other thread wants it. A
// std::mutex costs ten times as many bytes, and twenty times as many instructions for each call of the C face.
#pragma once

#include <atomic>

namespace websocket {

class Lock {
 public:
  void lock() {
    int expected = kFree;
    if (!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed)) {
      wait();
    }
  }
  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kWanted) {
      state_.notify_one();
    }
  }

 private:
  enum : int { kFree, kHeld, kWanted };

  // Whoever had to wait leaves the lock as wanted, because others may wait as well.
  void wait() {
    while (state_.exchange(kWanted, std::memory_order_acquire) != kFree) {
      state_.wait(kWanted, std::memory_order_relaxed);
    }
  }

  std::atomic<int> state_ = kFree;
};

}  // namespace websocket

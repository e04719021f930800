// A first-in first-out queue in one allocation, a ring. A queue that never held an item owns no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace websocket {

template <typename T>
class Fifo {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  T& back() { return (*this)[count_ - 1]; }
  // The item `index` places behind the front.
  T& operator[](std::size_t index) { return items_[(head_ + index) & (capacity_ - 1)]; }
  const T& operator[](std::size_t index) const { return items_[(head_ + index) & (capacity_ - 1)]; }

  // Throws std::bad_alloc and leaves the queue as it was.
  void push(T&& item) {
    if (count_ == capacity_) {
      grow();
    }
    ++count_;
    back() = std::move(item);
  }
  void push(const T& item) { push(T(item)); }

  void pop() {
    reset(front());
    head_ = (head_ + 1) & (capacity_ - 1);
    --count_;
    releaseIfLarge();
  }

  void popBack() {
    reset(back());
    --count_;
  }

  void clear() {
    while (count_ != 0) {
      popBack();
    }
    releaseIfLarge();
  }

  // Gives the memory back as well.
  void release() { *this = Fifo(); }

 private:
  // Capacities are powers of two. The first is 1, because most queues hold one item at a time, in many connections.
  static constexpr std::uint32_t kMost = std::uint32_t{1} << 31;
  static constexpr std::uint32_t kKeep = 64;  // items for which an empty queue keeps its memory

  // Releases what an item owns now, not when its place is taken again.
  static void reset(T& item) {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      item = T{};
    }
  }

  void grow() {
    if (capacity_ == kMost) {
      throw std::bad_alloc();
    }
    const std::uint32_t capacity = capacity_ == 0 ? 1 : 2 * capacity_;
    auto items = std::make_unique<T[]>(capacity);
    for (std::uint32_t i = 0; i < count_; ++i) {
      items[i] = std::move((*this)[i]);
    }
    items_ = std::move(items);
    capacity_ = capacity;
    head_ = 0;
  }

  void releaseIfLarge() {
    if (count_ == 0 && capacity_ > kKeep) {
      release();
    }
  }

  std::unique_ptr<T[]> items_;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace websocket

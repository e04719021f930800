// A first-in first-out queue in one contiguous allocation. An empty queue that never held an item owns no memory.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace websocket {

template <typename T>
class Fifo {
 public:
  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  T& back() { return items_.back(); }
  // The item `index` places behind the front.
  T& operator[](std::size_t index) { return items_[head_ + index]; }
  const T& operator[](std::size_t index) const { return items_[head_ + index]; }

  // Throws std::bad_alloc and leaves the queue as it was.
  void push(T item) {
    if (head_ > kCompactFrom && head_ > items_.size() / 2) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    items_.push_back(std::move(item));
  }

  void pop() {
    items_[head_] = T{};  // releases what the item owns now, not when the queue runs empty
    ++head_;
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
      if (items_.capacity() > kKeep) {
        release();
      }
    }
  }

  void popBack() {
    items_.pop_back();
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    }
  }

  void clear() {
    items_.clear();
    head_ = 0;
    if (items_.capacity() > kKeep) {
      release();
    }
  }

  // Gives the memory back as well.
  void release() {
    items_ = std::vector<T>();
    head_ = 0;
  }

 private:
  static constexpr std::size_t kCompactFrom = 32;
  static constexpr std::size_t kKeep = 64;  // items for which an empty queue keeps its memory

  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace websocket

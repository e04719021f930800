// The memory of one message that did not arrive whole in the slab. It grows as data arrives, by a quarter at a time, so
// that a peer which announces much and sends little reserves little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace websocket::driver {

class MessageBuffer {
 public:
  // Appends a copy; bytes that lie at the start of the tail already are only counted. Throws std::bad_alloc.
  void append(std::span<const std::uint8_t> bytes);

  // Writable memory behind the content for the next read: at most `expected` bytes, the rest of the frame under way.
  // Valid until the next call of append() or tail(). Throws std::bad_alloc.
  std::span<std::uint8_t> tail(std::uint64_t expected);

  // Gives the content away; malloc's memory. The buffer is empty then.
  std::uint8_t* release() {
    size_ = 0;
    capacity_ = 0;
    return data_.release();
  }

  const std::uint8_t* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }

 private:
  struct Free {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
  };

  void reserve(std::size_t capacity);

  std::unique_ptr<std::uint8_t, Free> data_;  // malloc's, because growing is realloc
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace websocket::driver

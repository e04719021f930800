// The memory of one message that did not arrive whole in the slab. It grows as data arrives, by a quarter at a time, so
// that a peer which announces much and sends little reserves little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

namespace websocket::driver {

// Bytes that the messages under way of a driver reserve together. Outlives their buffers.
struct ReceiveMemory {
  std::size_t reserved = 0;
  std::size_t most = std::size_t{1} << 30;  // ten messages of the default maxPayload
};

class MessageBuffer {
 public:
  // memory: counts what is reserved; may be null.
  explicit MessageBuffer(ReceiveMemory* memory = nullptr) : data_(nullptr, {memory, 0}) {}
  MessageBuffer(MessageBuffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {
    other.data_.get_deleter().capacity = 0;  // now counted here
  }
  MessageBuffer& operator=(MessageBuffer&& other) = delete;
  ~MessageBuffer() = default;

  // Appends a copy; bytes that lie at the start of the tail already are only counted. False, and nothing changed: all
  // buffers together would reserve too much, and this is not the only one. Throws std::bad_alloc.
  [[nodiscard]] bool append(std::span<const std::uint8_t> bytes);

  // Writable memory behind the content for the next read: at most `expected` bytes, which is what may still come. Empty
  // for the reason of append(). Valid until the next call of append() or tail(). Throws std::bad_alloc.
  std::span<std::uint8_t> tail(std::uint64_t expected);

  // Gives the content away; malloc's memory. The buffer is empty then.
  std::uint8_t* release() {
    size_ = 0;
    data_.get_deleter().count(0);
    return data_.release();
  }

  void clear() {
    data_.reset();
    size_ = 0;
  }

  const std::uint8_t* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return data_.get_deleter().capacity; }

 private:
  struct Free {
    ReceiveMemory* memory = nullptr;
    std::size_t capacity = 0;

    bool allows(std::size_t bytes) const {
      return memory == nullptr || memory->reserved == capacity || memory->reserved - capacity + bytes <= memory->most;
    }
    void count(std::size_t bytes) {
      if (memory != nullptr) {
        memory->reserved += bytes - capacity;
      }
      capacity = bytes;
    }
    void operator()(std::uint8_t* data) {
      count(0);
      std::free(data);
    }
  };

  bool reserve(std::size_t capacity);

  std::unique_ptr<std::uint8_t, Free> data_;  // malloc's, because growing is realloc
  std::size_t size_ = 0;
};

}  // namespace websocket::driver

// The memory of one message that did not arrive whole in the slab. It grows as data arrives, by a quarter at a time, so
// that a peer which announces much and sends little reserves little.
//
// Growing in the heap may take both memories for a moment. For what is inflated, which ends at a limit and not at a
// length that is known, that must not be more than the limit: near it, memory grows by moving its pages where the
// system can (Linux). That is not done before, because fresh pages cost a quarter of the time that inflating takes.
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

// How memory grows: Remapping where copying could take more than all that is expected.
enum class Growth : std::uint8_t { Copying, Remapping };

class MessageBuffer {
 public:
  // memory: counts what is reserved; may be null.
  explicit MessageBuffer(ReceiveMemory* memory = nullptr) : data_(nullptr, {memory}) {}
  MessageBuffer(MessageBuffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {
    other.data_.get_deleter() = {other.data_.get_deleter().memory};  // now counted here
  }
  MessageBuffer& operator=(MessageBuffer&& other) = delete;
  ~MessageBuffer() = default;

  // Appends a copy; bytes that lie at the start of the tail already are only counted. False, and nothing changed: all
  // buffers together would reserve too much, and this is not the only one. Throws std::bad_alloc.
  [[nodiscard]] bool append(std::span<const std::uint8_t> bytes);

  // Writable memory behind the content for the next read: at most `expected` bytes, which is what may still come. Empty
  // for the reason of append(). Valid until the next call of append() or tail(). Throws std::bad_alloc.
  std::span<std::uint8_t> tail(std::uint64_t expected, Growth growth = Growth::Copying);

  // Gives the content away; the buffer is empty then. free() wants what mapped() was: bytes of a mapping of its own, or
  // 0 for malloc's memory.
  std::uint8_t* release() {
    Free& owner = data_.get_deleter();
    size_ = 0;
    owner.count(0);
    owner.mapped = false;
    return data_.release();
  }
  std::size_t mapped() const { return data_.get_deleter().mapped ? capacity() : 0; }
  static void free(void* data, std::size_t mapped);

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
    bool mapped = false;

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
      MessageBuffer::free(data, mapped ? capacity : 0);
      count(0);
      mapped = false;
    }
  };

  bool reserve(std::size_t capacity, Growth growth);
  void remap(std::size_t capacity);

  std::unique_ptr<std::uint8_t, Free> data_;  // malloc's, because growing is realloc, or mapped
  std::size_t size_ = 0;
};

}  // namespace websocket::driver

// One compression context (RFC 1951, by zlib), with the shape that permessage-deflate gives to messages (RFC 7692,
// 7.2.1). One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "extension/zlib_memory.h"

struct z_stream_s;

namespace websocket {

// How a context compresses; zlib's names, ranges and defaults (zlib.h, deflateInit2).
struct DeflaterSettings {
  std::uint8_t windowBits = 15;  // 8 to 15
  std::int8_t level = -1;        // 0 to 9, -1: zlib's default, 6
  std::uint8_t memLevel = 8;     // 1 to 9
  std::uint8_t strategy = 0;     // Z_DEFAULT_STRATEGY to Z_FIXED

  bool valid() const {
    return windowBits >= 8 && windowBits <= 15 && level >= -1 && level <= 9 && memLevel >= 1 && memLevel <= 9 &&
           strategy <= 4;
  }
  bool operator==(const DeflaterSettings&) const = default;

  // For a message of `size` bytes that is compressed alone: a hash table that fits, as zlib clears it for each message.
  DeflaterSettings forMessage(std::size_t size) const;
};

// Bytes that grow without being initialised.
class ByteBuffer {
 public:
  std::uint8_t* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::span<const std::uint8_t> view() const { return {bytes_.get(), size_}; }
  void resize(std::size_t size) { size_ = size; }    // at most capacity()
  void reserve(std::size_t capacity);                // throws std::bad_alloc
  void append(std::span<const std::uint8_t> bytes);  // throws std::bad_alloc
  // Gives the memory away.
  std::unique_ptr<std::uint8_t[]> release() {
    size_ = 0;
    capacity_ = 0;
    return std::move(bytes_);
  }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

class Deflater {
 public:
  // memory must outlive the context. Throws std::bad_alloc.
  Deflater(const DeflaterSettings& settings, ZlibMemory& memory);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  const DeflaterSettings& settings() const { return settings_; }

  // Compresses a whole message, or the next part of one, into output, whose content is replaced. last: the message ends
  // with it; its output lacks the four bytes that the receiver puts back. At most 2^32 - 1 bytes. Throws
  // std::bad_alloc; call reset() then.
  void deflate(std::span<const std::uint8_t> input, bool last, ByteBuffer& output);

  // Forgets everything: what follows refers to nothing before, which every receiver can read.
  void reset();

 private:
  DeflaterSettings settings_;
  std::unique_ptr<z_stream_s> stream_;
};

}  // namespace websocket

// One decompression context (RFC 1951, by zlib) for the messages of permessage-deflate (RFC 7692, 7.2.2). One thread at
// a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "extension/zlib_memory.h"

struct z_stream_s;

namespace websocket {

enum class InflateStatus : std::uint8_t {
  Done,        // all input was taken, and all of its output given
  OutputFull,  // there may be more: call again with more space
  Corrupt,     // the data is not DEFLATE, or refers to what is beyond the window
  OutOfMemory,
};

class Inflater {
 public:
  // windowBits: 8 to 15, the most that the sender uses. memory must outlive the context. Throws std::bad_alloc.
  Inflater(std::uint8_t windowBits, ZlibMemory& memory);
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  // Decompresses the next bytes of a message. Shortens input from the front by what was taken, and output by what was
  // written. A block that says it is the last (BFINAL) ends a stream but not the message: what follows it is a stream
  // of its own, as in RFC 7692, 7.2.3.4.
  InflateStatus inflate(std::span<const std::uint8_t>& input, std::span<std::uint8_t>& output);

  // The message has no more bytes: decompresses the four that the sender left out. Done: the message is complete.
  // OutputFull: call again. Corrupt: it ends in the middle of something.
  InflateStatus finish(std::span<std::uint8_t>& output);

  // Forgets everything, for a sender that does so too, or another one.
  void reset();

  std::uint8_t windowBits() const { return windowBits_; }

  // The end of what was decompressed, as far as the sender can refer to it: written to memory of 32 KiB at least.
  // Returns its length. For the time between two messages.
  std::size_t copyWindow(std::span<std::uint8_t> memory) const;
  // Puts that back into a context just made or reset. False: out of memory.
  [[nodiscard]] bool restoreWindow(std::span<const std::uint8_t> window);

 private:
  InflateStatus run(std::span<const std::uint8_t>& input, std::span<std::uint8_t>& output);

  std::unique_ptr<z_stream_s> stream_;
  std::uint8_t windowBits_;
  bool betweenBlocks_ = true;  // and between two bytes
  std::uint8_t tailTaken_ = 0;
};

}  // namespace websocket

// Pongs that answer pings, as bytes on the wire, for one write. Of those that it does not take, the frame under way
// has to follow, and beside it only the newest is kept (RFC 6455, 5.5.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace websocket {

class ReplyQueue {
 public:
  // So many bytes may wait for one write; then the newest ping is the only one that is answered.
  static constexpr std::size_t kMostBytes = 16384;

  bool empty() const { return bytes_.empty(); }
  bool isFull() const { return bytes_.size() >= kMostBytes; }
  // A part of the first frame was written.
  bool isUnderWay() const { return sent_ != 0; }
  // What is to be written, until the next call that changes something.
  std::span<const std::uint8_t> rest() const { return std::span(bytes_).subspan(sent_); }

  // Room for a frame of so many bytes at the end; the caller writes them all. Throws std::bad_alloc.
  std::uint8_t* append(std::size_t size);
  // So many bytes of rest() were written, and no more than that could be. When that was all, the queue is as new.
  void complete(std::size_t count);

 private:
  std::size_t frameSize(std::size_t at) const;

  std::vector<std::uint8_t> bytes_;  // whole frames
  std::size_t sent_ = 0;
  bool blocked_ = false;  // the last write did not take all
};

}  // namespace websocket

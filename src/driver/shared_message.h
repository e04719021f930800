// A message that is sent to many connections, or often: its payload, and what that is compressed to. Each compressed
// form is made for the first send that needs it, and shared by the others.
//
// Owned by who sends it. One thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "extension/deflate_pool.h"

namespace websocket::driver {

// Payload bytes that queues refer to instead of copying them; connections may share them.
using SharedBytes = std::shared_ptr<const std::uint8_t[]>;

// From this size on connections share a payload; below, copying it to each costs less.
inline constexpr std::size_t kSharedSize = std::size_t{4} * 1024;

class SharedMessage {
 public:
  // The bytes to send. The owner keeps them alive and unchanged; null: they are to be copied.
  struct Form {
    std::span<const std::uint8_t> bytes;
    SharedBytes owner;
    bool isCompressed = false;
  };

  // owner: as above. Without one the payload must outlive this object.
  SharedMessage(std::span<const std::uint8_t> payload, SharedBytes owner);

  // Valid as long as this object.
  const Form& plain() const { return plain_; }
  // Compressed by itself; the plain form when that is not shorter. Valid until the next call. Throws std::bad_alloc.
  const Form& compressed(const DeflaterSettings& settings, const std::shared_ptr<DeflatePool>& pool);

 private:
  struct Compressed {
    DeflaterSettings settings;
    std::unique_ptr<std::uint8_t[]> memory;  // of a form without an owner
    Form form;
  };

  SharedBytes owner_;  // of the plain form, also when that does not tell it
  Form plain_;
  std::vector<Compressed> compressed_;  // few: a program's settings, times the eight windows that peers can ask for
};

}  // namespace websocket::driver

// The events gathered since the last delivery, and the memory that they name.
#pragma once

#include <cstddef>
#include <vector>

#include "event.h"
#include "message_buffer.h"
#include "slab.h"

namespace websocket::driver {

struct Batch {
  std::vector<Event> events;
  std::vector<MessageBuffer> messages;  // of messages that were not whole in the slab, in the order of their events
  std::vector<Slab::Block> blocks;      // of the slab

  // Events above this are delivered before more is read.
  static constexpr std::size_t kManyEvents = std::size_t{32} * 1024;
};

}  // namespace websocket::driver

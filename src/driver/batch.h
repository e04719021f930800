// The events gathered since the last delivery, and the memory that they name.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "event.h"
#include "message_buffer.h"
#include "slab.h"

namespace websocket::driver {

struct Batch {
  std::vector<Event> events;
  std::vector<MessageBuffer> messages;  // of messages that were not whole in the slab, in the order of their events
  std::vector<Slab::Block> blocks;      // of the slab

  // Of the payloads of all events: their bytes, the longest, and whether one of them is borrowed.
  std::size_t payload = 0;
  std::uint32_t longest = 0;
  bool borrows = false;

  void add(const Event& event) {
    events.push_back(event);
    payload += event.length;
    longest = std::max(longest, event.length);
    borrows = borrows || event.borrowed;
  }
  // An event has so many bytes more.
  void grown(const Event& event, std::size_t bytes) {
    payload += bytes;
    longest = std::max(longest, event.length);
  }
  // Forgets what was delivered, and keeps the memory of the lists.
  void clear() {
    events.clear();
    messages.clear();
    payload = 0;
    longest = 0;
    borrows = false;
  }

  // Events above this are delivered before more is read.
  static constexpr std::size_t kManyEvents = std::size_t{32} * 1024;
};

}  // namespace websocket::driver

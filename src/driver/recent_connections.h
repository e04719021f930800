// The connections that hold compression contexts between messages, by last use. So many may hold theirs; then the one
// that has not used them for longest gives them back. With that, compression costs a loop so much memory and no more,
// however many connections there are, and an idle connection soon costs little.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "event.h"

namespace websocket::driver {

class RecentConnections {
 public:
  // 300 KiB each with zlib's defaults.
  static constexpr std::size_t kMost = 128;

  // The connection uses its contexts now. Returns the one that has to give up its own; 0: none. Throws std::bad_alloc.
  ConnectionId touch(ConnectionId id) {
    if (const auto found = places_.find(id); found != places_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return 0;
    }
    order_.push_front(id);
    try {
      places_.emplace(id, order_.begin());
    } catch (...) {
      order_.pop_front();
      throw;
    }
    if (order_.size() <= kMost) {
      return 0;
    }
    const ConnectionId last = order_.back();
    remove(last);
    return last;
  }

  void remove(ConnectionId id) {
    if (const auto found = places_.find(id); found != places_.end()) {
      order_.erase(found->second);
      places_.erase(found);
    }
  }

 private:
  std::list<ConnectionId> order_;  // the last used one first
  std::unordered_map<ConnectionId, std::list<ConnectionId>::iterator> places_;
};

}  // namespace websocket::driver

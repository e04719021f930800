#include "connection_table.h"

namespace websocket::driver {
namespace {

constexpr std::uint32_t kGenerations = 1U << (32 - ConnectionTable::kSlotBits);

}  // namespace

ConnectionId ConnectionTable::reserve() {
  std::uint32_t index = firstFree_;
  if (index != kNone) {
    firstFree_ = slots_[index].nextFree;
    if (firstFree_ == kNone) {
      lastFree_ = kNone;
    }
  } else {
    if (slots_.size() == kCapacity) {
      return 0;
    }
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  return slots_[index].generation << kSlotBits | index;
}

void ConnectionTable::insert(ConnectionId id, std::unique_ptr<Connection> connection) {
  slots_[id & (kCapacity - 1)].connection = std::move(connection);
}

std::unique_ptr<Connection> ConnectionTable::remove(ConnectionId id) {
  Slot& slot = slots_[id & (kCapacity - 1)];
  slot.generation = slot.generation + 1 == kGenerations ? 1 : slot.generation + 1;
  return std::move(slot.connection);
}

void ConnectionTable::release(ConnectionId id) {
  const auto index = static_cast<std::uint32_t>(id & (kCapacity - 1));
  slots_[index].nextFree = kNone;
  if (lastFree_ == kNone) {
    firstFree_ = index;
  } else {
    slots_[lastFree_].nextFree = index;
  }
  lastFree_ = index;
}

std::vector<ConnectionId> ConnectionTable::ids() const {
  std::vector<ConnectionId> ids;
  for (std::size_t index = 0; index < slots_.size(); ++index) {
    if (slots_[index].connection != nullptr) {
      ids.push_back(slots_[index].generation << kSlotBits | static_cast<ConnectionId>(index));
    }
  }
  return ids;
}

}  // namespace websocket::driver

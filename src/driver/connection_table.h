// The connections of a driver by id. An id is a slot number and the slot's generation, which changes with each use, so
// that the id of a connection that is gone finds nothing. Slots are reused oldest first, which makes an id return only
// after 4,095 further uses of its slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "connection.h"
#include "event.h"

namespace websocket::driver {

class ConnectionTable {
 public:
  // 1,048,576 connections for each driver.
  static constexpr unsigned kSlotBits = 20;
  static constexpr std::size_t kCapacity = std::size_t{1} << kSlotBits;

  // The connection of the id; nullptr when there is none.
  Connection* find(ConnectionId id) const {
    const std::size_t index = id & (kCapacity - 1);
    if (index >= slots_.size() || slots_[index].generation != id >> kSlotBits) {
      return nullptr;
    }
    return slots_[index].connection.get();
  }

  // Reserves a slot and returns its id, which finds nothing until insert(). 0: the table is full. Throws
  // std::bad_alloc.
  ConnectionId reserve();
  void insert(ConnectionId id, std::unique_ptr<Connection> connection);
  // Takes the connection out; its id, which must be in use, finds nothing afterwards. The slot stays taken.
  std::unique_ptr<Connection> remove(ConnectionId id);
  // Gives the slot of a removed id back.
  void release(ConnectionId id);

  // All ids in use. Throws std::bad_alloc.
  std::vector<ConnectionId> ids() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 1;  // never 0, so that no id is 0
    std::uint32_t nextFree = kNone;
  };

  std::vector<Slot> slots_;
  std::uint32_t firstFree_ = kNone;
  std::uint32_t lastFree_ = kNone;
};

}  // namespace websocket::driver

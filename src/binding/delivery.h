// Hands batches of events to JavaScript: one call of onEvents for a batch, or several when it is large. Payloads are
// copied out of the driver's memory first, so JavaScript may keep them.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "batch.h"

namespace websocket::binding {

class Delivery {
 public:
  // A payload of this size or more gets a Buffer of its own, so that a message that is kept does not hold its
  // neighbours. The small ones of a call share one of at most kMaxShared bytes, and when they are few, of kPoolSize
  // with those of other calls: making a Buffer costs as much as a small message does otherwise.
  static constexpr std::size_t kLargePayload = std::size_t{4} * 1024;
  static constexpr std::size_t kPoolSize = std::size_t{16} * 1024;
  static constexpr std::size_t kPooled = std::size_t{2} * 1024;
  // A borrowed message of this size or more that has memory of its own already is not copied. Smaller ones are: memory
  // that is not JavaScript's comes back late, and costs more in page faults than a copy. Others are as well, because
  // Node does not let programs transfer such memory to another thread.
  static constexpr std::size_t kExternalPayload = std::size_t{1024} * 1024;
  static constexpr std::size_t kMaxShared = std::size_t{64} * 1024;
  static constexpr std::size_t kMaxRecords = 4096;
  static constexpr std::size_t kRecordFields = 6;
  static constexpr std::uint32_t kBorrowedSource = UINT32_MAX;

  Delivery() = default;
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery() = default;

  // Makes what is shared with JavaScript. False: an exception is pending.
  bool initialize(napi_env env, napi_value onEvents, napi_async_context context);
  napi_value records() const { return valueOf(recordsReference_); }
  napi_value cursor() const { return valueOf(cursorReference_); }
  void release();

  void deliver(driver::Batch& batch);

 private:
  napi_value valueOf(napi_ref reference) const;  // null for null
  // What is still to be delivered of a batch.
  struct Rest {
    std::span<const driver::Event> events;
    std::span<driver::MessageBuffer> messages;  // of events
    std::span<const driver::Slab::Block> blocks;
    std::size_t payload = 0;  // bytes of all events
    bool isSmall = false;     // nothing is large, nothing borrowed
  };
  // The arguments of one call of onEvents.
  struct Call {
    std::size_t count = 0;
    napi_value payload = nullptr;
    std::uint8_t* shared = nullptr;  // its memory
    std::size_t offset = 0;          // where the payloads begin in it
    napi_value large = nullptr;
    napi_value borrowed = nullptr;
    const std::uint8_t* block = nullptr;  // its memory; null when nothing is borrowed
  };

  bool measure(const Rest& rest, Call& next);
  bool take(Rest& rest, Call& next);
  bool takeSmall(Rest& rest, Call& next);
  bool makePayload(std::size_t size, Call& next);
  bool call(const Call& next);
  napi_value makeLarge(const driver::Event& event, driver::MessageBuffer* message) const;
  napi_value borrow(const driver::Slab::Block& block);
  const driver::Slab::Block* borrowedBlock(const driver::Event& event,
                                           std::span<const driver::Slab::Block> blocks) const;

  napi_env env_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_ref onEvents_ = nullptr;
  napi_ref recordsReference_ = nullptr;
  napi_ref cursorReference_ = nullptr;
  napi_ref noPayload_ = nullptr;  // an empty Buffer
  napi_ref noLarge_ = nullptr;    // an empty array
  napi_ref pool_ = nullptr;       // a Buffer of kPoolSize bytes that is being used up; null until then
  std::uint8_t* poolMemory_ = nullptr;
  std::size_t poolUsed_ = 0;
  napi_ref borrowed_ = nullptr;  // the Buffer over the block borrowed last; null until then
  bool allowsExternal_ = false;  // Buffers over memory that is not JavaScript's
  std::uint32_t* records_ = nullptr;
  std::uint32_t* cursor_ = nullptr;
};

// Calls a JavaScript function from the loop, running microtasks and nextTick callbacks afterwards. An exception is
// reported as uncaught. False: there was one, or JavaScript cannot run any more.
bool callFromLoop(napi_env env, napi_async_context context, napi_value function, std::span<const napi_value> arguments);

}  // namespace websocket::binding

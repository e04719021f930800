#include "delivery.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>

#include "external_buffer.h"
#include "shared_array.h"

namespace websocket::binding {
namespace {

void write(std::uint32_t* record, const driver::Event& event) {
  record[0] = event.connection;
  record[1] = static_cast<std::uint32_t>(event.kind);
  record[2] = 0;
  record[3] = event.length;
  record[4] = event.failed ? 1 : 0;
  record[5] = event.value;
}

}  // namespace

bool callFromLoop(napi_env env, napi_async_context context, napi_value function,
                  std::span<const napi_value> arguments) {
  napi_value receiver = nullptr;
  napi_get_global(env, &receiver);
  napi_value unused = nullptr;  // Deno wants a place for it
  const napi_status status =
      napi_make_callback(env, context, receiver, function, arguments.size(), arguments.data(), &unused);
  if (status == napi_ok) {
    return true;
  }
  napi_value exception = nullptr;
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
    napi_fatal_exception(env, exception);
  }
  return false;
}

bool Delivery::initialize(napi_env env, napi_value onEvents, napi_async_context context) {
  env_ = env;
  context_ = context;
  allowsExternal_ = allowsExternalBuffers(env);
  void* memory = nullptr;
  napi_value noPayload = nullptr;
  napi_value noLarge = nullptr;
  recordsReference_ = makeSharedArray(env, kMaxRecords * kRecordFields, records_);
  cursorReference_ = makeSharedArray(env, 1, cursor_);
  return recordsReference_ != nullptr && cursorReference_ != nullptr &&
         napi_create_buffer(env, 0, &memory, &noPayload) == napi_ok &&
         napi_create_reference(env, noPayload, 1, &noPayload_) == napi_ok &&
         napi_create_array(env, &noLarge) == napi_ok && napi_create_reference(env, noLarge, 1, &noLarge_) == napi_ok &&
         napi_create_reference(env, onEvents, 1, &onEvents_) == napi_ok;
}

void Delivery::release() {
  for (napi_ref* const reference :
       {&onEvents_, &recordsReference_, &cursorReference_, &noPayload_, &noLarge_, &pool_, &borrowed_}) {
    if (*reference != nullptr) {
      napi_delete_reference(env_, *reference);
      *reference = nullptr;
    }
  }
}

napi_value Delivery::valueOf(napi_ref reference) const {
  napi_value value = nullptr;
  napi_get_reference_value(env_, reference, &value);
  return value;
}

void Delivery::deliver(driver::Batch& batch) {
  Rest rest{batch.events, batch.messages, batch.blocks, batch.payload, batch.longest < kLargePayload && !batch.borrows};
  while (!rest.events.empty()) {
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) {
      return;
    }
    Call next;
    const bool goOn = (rest.isSmall ? takeSmall(rest, next) : take(rest, next)) && call(next);
    napi_close_handle_scope(env_, scope);
    if (!goOn) {
      return;
    }
  }
}

// A Buffer for the small payloads; Buffers are not filled with zeros first. False: out of memory.
bool Delivery::makePayload(std::size_t size, Call& next) {
  void* memory = nullptr;
  if (size == 0) {
    next.payload = valueOf(noPayload_);
    return true;
  }
  if (size > kPooled) {
    if (napi_create_buffer(env_, size, &memory, &next.payload) != napi_ok) {
      return false;
    }
    next.shared = static_cast<std::uint8_t*>(memory);
    return true;
  }
  if (pool_ == nullptr || kPoolSize - poolUsed_ < size) {
    if (pool_ != nullptr) {
      napi_delete_reference(env_, pool_);
      pool_ = nullptr;
    }
    if (napi_create_buffer(env_, kPoolSize, &memory, &next.payload) != napi_ok ||
        napi_create_reference(env_, next.payload, 1, &pool_) != napi_ok) {
      return false;
    }
    poolMemory_ = static_cast<std::uint8_t*>(memory);
    poolUsed_ = 0;
  } else {
    next.payload = valueOf(pool_);
  }
  constexpr std::size_t kAlignment = 8;  // as Node's own pool, for views of larger numbers
  next.shared = poolMemory_;
  next.offset = poolUsed_;
  poolUsed_ += (size + kAlignment - 1) / kAlignment * kAlignment;
  return true;
}

// As take(), in one pass, for the usual batch: all payloads are small and to be copied. False: out of memory.
bool Delivery::takeSmall(Rest& rest, Call& next) {
  const std::size_t room = std::min(rest.payload, kMaxShared);
  if (!makePayload(room, next)) {
    return false;
  }
  next.large = valueOf(noLarge_);
  next.borrowed = valueOf(noPayload_);
  std::size_t offset = next.offset;
  const std::size_t end = offset + room;
  std::uint32_t* record = records_;
  for (const driver::Event& event : rest.events.first(std::min(rest.events.size(), kMaxRecords))) {
    if (event.length > end - offset) {
      break;
    }
    write(record, event);
    if (event.length != 0) {
      record[2] = static_cast<std::uint32_t>(offset);
      std::memcpy(next.shared + offset, event.data, event.length);
      offset += event.length;
    }
    record += kRecordFields;
    ++next.count;
  }
  if (offset != end) {  // where the call ends early: whatever is there would not be ASCII
    std::memset(next.shared + offset, 0, end - offset);
  }
  rest.events = rest.events.subspan(next.count);
  rest.payload -= offset - next.offset;
  return true;
}

// How many of the events one call takes, and what it needs for them. False: out of memory.
bool Delivery::measure(const Rest& rest, Call& next) {
  std::size_t shared = 0;
  std::uint32_t largeCount = 0;
  for (const driver::Event& event : rest.events) {
    if (next.count == kMaxRecords) {
      break;
    }
    if (const driver::Slab::Block* const block = borrowedBlock(event, rest.blocks); block != nullptr) {
      if (next.block != nullptr && next.block != block->get()) {
        break;  // a call has one block
      }
      if (next.block == nullptr) {
        next.block = block->get();
        next.borrowed = borrow(*block);
      }
    } else if (event.length >= kLargePayload) {
      // Large ones end the call early, so that the memory of a few can be given back before that of the next is made.
      if (largeCount == 16) {
        break;
      }
      ++largeCount;
    } else {
      if (shared + event.length > kMaxShared) {
        break;
      }
      shared += event.length;
    }
    ++next.count;
  }

  if (!makePayload(shared, next)) {
    return false;
  }
  if (next.borrowed == nullptr) {
    next.borrowed = valueOf(noPayload_);
  }
  if (largeCount == 0) {
    next.large = valueOf(noLarge_);
    return true;
  }
  return napi_create_array_with_length(env_, largeCount, &next.large) == napi_ok;
}

// Moves the first events, as many as one call takes, into the records and into fresh memory. False: out of memory.
bool Delivery::take(Rest& rest, Call& next) {
  if (!measure(rest, next)) {
    return false;
  }
  auto offset = static_cast<std::uint32_t>(next.offset);
  std::uint32_t index = 0;
  std::uint32_t* record = records_;
  for (const driver::Event& event : rest.events.first(next.count)) {
    write(record, event);
    driver::MessageBuffer* message = nullptr;
    if (!rest.messages.empty() && rest.messages.front().data() == event.data) {
      message = &rest.messages.front();
      rest.messages = rest.messages.subspan(1);
    }
    if (borrowedBlock(event, rest.blocks) != nullptr) {
      record[2] = static_cast<std::uint32_t>(event.data - next.block);
      record[4] = kBorrowedSource;
    } else if (event.length >= kLargePayload) {
      napi_value const buffer = makeLarge(event, message);
      if (buffer == nullptr) {
        return false;
      }
      napi_set_element(env_, next.large, index++, buffer);
      record[4] = index;
    } else if (event.length != 0 && next.shared != nullptr) {
      std::memcpy(next.shared + offset, event.data, event.length);
      record[2] = offset;
      offset += event.length;
    }
    record += kRecordFields;
  }
  rest.events = rest.events.subspan(next.count);
  return true;
}

// The block that the event's payload is borrowed from; null: it is to be copied.
const driver::Slab::Block* Delivery::borrowedBlock(const driver::Event& event,
                                                   std::span<const driver::Slab::Block> blocks) const {
  if (!event.borrowed || event.length == 0 || !allowsExternal_) {
    return nullptr;
  }
  const auto found = std::ranges::find_if(blocks, [&event](const driver::Slab::Block& block) {
    const std::less<> before;  // a total order, also between unrelated arrays
    return !before(event.data, block.get()) && before(event.data, block.get() + driver::Slab::kBlockSize);
  });
  return found == blocks.end() ? nullptr : &*found;
}

// The Buffer over a block of receive memory. There is one at a time, because a driver uses the same block again and
// again. It shares the block, which so outlives every view of it.
napi_value Delivery::borrow(const driver::Slab::Block& block) {
  napi_value buffer = valueOf(borrowed_);
  void* data = nullptr;
  std::size_t length = 0;
  // A Buffer that a program has detached has no data.
  if (buffer != nullptr && napi_get_buffer_info(env_, buffer, &data, &length) == napi_ok && data == block.get() &&
      length != 0) {
    return buffer;
  }
  if (borrowed_ != nullptr) {
    napi_delete_reference(env_, borrowed_);
    borrowed_ = nullptr;
  }
  auto share = std::make_unique<driver::Slab::Block>(block);
  const auto finalize = [](napi_env /*env*/, void* /*data*/, void* hint) {
    const std::unique_ptr<driver::Slab::Block> shared(static_cast<driver::Slab::Block*>(hint));
  };
  if (createExternalBuffer(env_, driver::Slab::kBlockSize, block.get(), finalize, share.get(), &buffer) != napi_ok) {
    return nullptr;  // the environment is ending
  }
  static_cast<void>(share.release());
  napi_create_reference(env_, buffer, 1, &borrowed_);
  return buffer;
}

// A Buffer with the event's payload; message: the memory of its own that the payload lies in, or null. Returns null
// when out of memory.
napi_value Delivery::makeLarge(const driver::Event& event, driver::MessageBuffer* message) const {
  napi_value buffer = nullptr;
  if (message != nullptr && event.borrowed && event.length >= kExternalPayload && allowsExternal_) {
    const auto finalize = [](napi_env /*env*/, void* data, void* mapped) {
      driver::MessageBuffer::free(data, reinterpret_cast<std::uintptr_t>(mapped));
    };
    void* const mapped = reinterpret_cast<void*>(message->mapped());  // NOLINT(performance-no-int-to-ptr)
    if (createExternalBuffer(env_, event.length, const_cast<std::uint8_t*>(event.data), finalize, mapped, &buffer) ==
        napi_ok) {
      static_cast<void>(message->release());  // the Buffer's now
      return buffer;
    }
  }
  void* memory = nullptr;
  if (napi_create_buffer(env_, event.length, &memory, &buffer) != napi_ok) {
    return nullptr;
  }
  std::memcpy(memory, event.data, event.length);
  return buffer;
}

// When a handler throws, or wants the callbacks of promises to run before the next event, onEvents is left; it is
// called again for what is behind.
bool Delivery::call(const Call& next) {
  napi_value number = nullptr;
  napi_create_uint32(env_, static_cast<std::uint32_t>(next.count), &number);
  const std::array arguments = {number, next.payload, next.large, next.borrowed};
  *cursor_ = 0;
  while (true) {
    const std::uint32_t before = *cursor_;
    callFromLoop(env_, context_, valueOf(onEvents_), arguments);
    if (*cursor_ >= next.count) {
      return true;
    }
    if (*cursor_ == before) {
      return false;  // it did not get anywhere: JavaScript cannot run any more
    }
  }
}

}  // namespace websocket::binding

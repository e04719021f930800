#include "delivery.h"

#include <array>
#include <cstdlib>
#include <cstring>

namespace websocket::binding {
namespace {

// A Uint32Array of `length` elements that stays where it is; elements receives its memory.
napi_ref makeShared(napi_env env, std::size_t length, std::uint32_t*& elements) {
  void* memory = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  napi_ref reference = nullptr;
  if (napi_create_arraybuffer(env, length * sizeof(std::uint32_t), &memory, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint32_array, length, buffer, 0, &array) != napi_ok ||
      napi_create_reference(env, array, 1, &reference) != napi_ok) {
    return nullptr;
  }
  elements = static_cast<std::uint32_t*>(memory);
  return reference;
}

}  // namespace

bool callFromLoop(napi_env env, napi_async_context context, napi_value function,
                  std::span<const napi_value> arguments) {
  napi_value receiver = nullptr;
  napi_get_global(env, &receiver);
  const napi_status status =
      napi_make_callback(env, context, receiver, function, arguments.size(), arguments.data(), nullptr);
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
  void* memory = nullptr;
  napi_value noPayload = nullptr;
  napi_value noLarge = nullptr;
  recordsReference_ = makeShared(env, kMaxRecords * kRecordFields, records_);
  cursorReference_ = makeShared(env, 1, cursor_);
  return recordsReference_ != nullptr && cursorReference_ != nullptr &&
         napi_create_buffer(env, 0, &memory, &noPayload) == napi_ok &&
         napi_create_reference(env, noPayload, 1, &noPayload_) == napi_ok &&
         napi_create_array(env, &noLarge) == napi_ok && napi_create_reference(env, noLarge, 1, &noLarge_) == napi_ok &&
         napi_create_reference(env, onEvents, 1, &onEvents_) == napi_ok;
}

void Delivery::release() {
  for (napi_ref* const reference : {&onEvents_, &recordsReference_, &cursorReference_, &noPayload_, &noLarge_}) {
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
  std::span<const driver::Event> events = batch.events;
  std::span<driver::MessageBuffer> messages = batch.messages;
  while (!events.empty()) {
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) {
      return;
    }
    napi_value payload = nullptr;
    napi_value large = nullptr;
    const std::size_t count = take(events, messages, payload, large);
    const bool goOn = count != 0 && call(count, payload, large);
    napi_close_handle_scope(env_, scope);
    if (!goOn) {
      return;
    }
    events = events.subspan(count);
  }
}

// Copies the first events, as many as one call takes, into the records and into fresh memory; Buffers, because those
// are not filled with zeros first. 0: out of memory.
std::size_t Delivery::take(std::span<const driver::Event> events, std::span<driver::MessageBuffer>& messages,
                           napi_value& payload, napi_value& large) {
  std::size_t count = 0;
  std::size_t shared = 0;
  std::uint32_t largeCount = 0;
  while (count < events.size() && count < kMaxRecords) {
    const driver::Event& event = events[count];
    if (event.length >= kLargePayload) {
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
    ++count;
  }

  std::uint8_t* to = nullptr;
  void* memory = nullptr;
  if (shared == 0) {
    payload = valueOf(noPayload_);
  } else if (napi_create_buffer(env_, shared, &memory, &payload) != napi_ok) {
    return 0;
  }
  to = static_cast<std::uint8_t*>(memory);
  if (largeCount == 0) {
    large = valueOf(noLarge_);
  } else if (napi_create_array_with_length(env_, largeCount, &large) != napi_ok) {
    return 0;
  }

  std::uint32_t offset = 0;
  std::uint32_t index = 0;
  std::uint32_t* record = records_;
  for (const driver::Event& event : events.first(count)) {
    record[0] = event.connection;
    record[1] = static_cast<std::uint32_t>(event.kind);
    record[2] = 0;
    record[3] = event.length;
    record[4] = event.failed ? 1 : 0;
    record[5] = event.value;
    driver::MessageBuffer* message = nullptr;
    if (!messages.empty() && messages.front().data() == event.data) {
      message = &messages.front();
      messages = messages.subspan(1);
    }
    if (event.length >= kLargePayload) {
      napi_value const buffer = makeLarge(event, message);
      if (buffer == nullptr) {
        return 0;
      }
      napi_set_element(env_, large, index++, buffer);
      record[4] = index;
    } else if (event.length != 0 && to != nullptr) {
      std::memcpy(to + offset, event.data, event.length);
      record[2] = offset;
      offset += event.length;
    }
    record += kRecordFields;
  }
  return count;
}

// A Buffer with the event's payload; message: the memory of its own that the payload lies in, or null. Returns null
// when out of memory.
napi_value Delivery::makeLarge(const driver::Event& event, driver::MessageBuffer* message) const {
  napi_value buffer = nullptr;
  if (message != nullptr && event.length >= kExternalPayload) {
    const auto finalize = [](napi_env /*env*/, void* data, void* /*hint*/) { std::free(data); };
    // Refused where all memory has to be JavaScript's (Electron).
    if (napi_create_external_buffer(env_, event.length, const_cast<std::uint8_t*>(event.data), finalize, nullptr,
                                    &buffer) == napi_ok) {
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

// When a handler throws, onEvents is left; it is called again for what is behind the record that threw.
bool Delivery::call(std::size_t count, napi_value payload, napi_value large) {
  napi_value number = nullptr;
  napi_create_uint32(env_, static_cast<std::uint32_t>(count), &number);
  const std::array arguments = {number, payload, large};
  *cursor_ = 0;
  while (true) {
    const std::uint32_t before = *cursor_;
    if (callFromLoop(env_, context_, valueOf(onEvents_), arguments) || *cursor_ >= count) {
      return true;
    }
    if (*cursor_ == before) {
      return false;  // it did not get anywhere: JavaScript cannot run any more
    }
  }
}

}  // namespace websocket::binding

// The native half of a PreparedMessage: one copy of its payload, and of what that is compressed to, which every send of
// it refers to.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <span>

#include "shared_message.h"

namespace websocket::binding {

// Copies the bytes into memory that belongs to `object` and to the sends that are under way. False: an exception is
// pending; it is one when the object has such memory already. Throws std::bad_alloc.
bool prepareMessage(napi_env env, napi_value object, std::span<const std::uint8_t> bytes);

// What prepareMessage() attached; null: nothing.
std::shared_ptr<driver::SharedMessage> preparedMessage(napi_env env, napi_value object);

}  // namespace websocket::binding

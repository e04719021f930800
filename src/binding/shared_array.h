// A Uint32Array that native code and JavaScript share: it is written on one side and read on the other without a call.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace websocket::binding {

// A reference to a new array of `length` elements, which the caller deletes; `elements` receives its memory, which
// stays where it is and lives as long as the array. Null: an exception is pending.
inline napi_ref makeSharedArray(napi_env env, std::size_t length, std::uint32_t*& elements) {
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

}  // namespace websocket::binding

// Buffers over memory that is not JavaScript's. Not every runtime has them: V8's sandbox, with which Electron is built,
// wants all memory to be its own. There the call is refused at run time; with NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED (the
// preset no-external-buffers) Node's headers do not have it, and every runtime refuses. Whoever calls then copies.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace websocket::binding {

// As napi_create_external_buffer(): finalize gets data and hint when the Buffer is gone, unless the call fails; it may
// be null. Returns napi_no_external_buffers_allowed where there are none.
inline napi_status createExternalBuffer([[maybe_unused]] napi_env env, [[maybe_unused]] std::size_t length,
                                        [[maybe_unused]] void* data, [[maybe_unused]] napi_finalize finalize,
                                        [[maybe_unused]] void* hint, [[maybe_unused]] napi_value* result) {
#ifdef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
  return napi_no_external_buffers_allowed;
#else
  return napi_create_external_buffer(env, length, data, finalize, hint, result);
#endif
}

// Whether the runtime has them.
inline bool allowsExternalBuffers(napi_env env) {
  static std::uint8_t byte = 0;
  napi_value buffer = nullptr;
  return createExternalBuffer(env, sizeof byte, &byte, nullptr, nullptr, &buffer) == napi_ok;
}

}  // namespace websocket::binding

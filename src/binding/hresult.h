// HRESULTs as JavaScript errors.
#pragma once

#include <node_api.h>

#include <cstdint>

#include "protocol.h"

namespace websocket::binding {

// The name in websocket.h, as "E_INVALID_PROTOCOL_FORMAT".
const char* hresultName(std::int32_t hresult);

// Throws an HResultError: an Error with hresult (unsigned) and code (the name). what: the function that failed.
void throwHResult(napi_env env, std::int32_t hresult, const char* what);
inline void throwHResult(napi_env env, Result result, const char* what) {
  throwHResult(env, static_cast<std::int32_t>(result), what);
}

}  // namespace websocket::binding

// HRESULTs as JavaScript errors.
#pragma once

#include <node_api.h>

#include <cstdint>

#include "protocol.h"

namespace websocket::binding {

// The name in websocket.h, as "E_INVALID_PROTOCOL_FORMAT".
const char* hresultName(std::int32_t hresult);

// Throws an HResultError: an Error with hresult (unsigned) and code (the name). what: the function that failed.
// explanation: what is allowed, or what happened; null for the general meaning of the result.
void throwHResult(napi_env env, std::int32_t hresult, const char* what, const char* explanation = nullptr);
inline void throwHResult(napi_env env, Result result, const char* what, const char* explanation = nullptr) {
  throwHResult(env, static_cast<std::int32_t>(result), what, explanation);
}

}  // namespace websocket::binding

// The settings of permessage-deflate as JavaScript gives them: `SessionLimits.deflate` of types/native.d.ts.
#pragma once

#include <node_api.h>

#include <optional>

#include "driver.h"

namespace websocket::binding {

// Reads an object; undefined or null: nothing. Throws a TypeError or RangeError, as the functions of arguments.h.
bool toDeflateLimits(napi_env env, napi_value value, std::optional<driver::DeflateLimits>& out);

}  // namespace websocket::binding

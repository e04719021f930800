// The JavaScript object that stands for a driver::Traffic. It and the connections that are counted share it.
#pragma once

#include <node_api.h>

#include <memory>

#include "traffic.h"

namespace websocket::binding {

// Makes the object; null: an exception is pending. Throws std::bad_alloc.
napi_value makeTrafficObject(napi_env env);

// What the object stands for; undefined and null stand for nothing, which `out` is then. False: an exception is
// pending.
bool toTraffic(napi_env env, napi_value value, const char* name, std::shared_ptr<driver::Traffic>& out);

}  // namespace websocket::binding

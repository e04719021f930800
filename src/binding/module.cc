// The entry of the native module. Nothing is shared between environments (worker threads, contexts).
#include <napi.h>

#include <memory>

#include "driver_object.h"
#include "handle_object.h"
#include "versions.h"

namespace websocket::binding {
namespace {

// False: an exception is pending, or the environment is ending.
bool initialize(napi_env env, napi_value exports) {
  const auto set = [env](napi_value object, const char* name, napi_value value) {
    return napi_set_named_property(env, object, name, value) == napi_ok;
  };
  auto data = std::make_unique<AddonData>();
  napi_value versions = nullptr;
  napi_value startDriver = nullptr;
  if (!HandleObject::define(env, *data)) {
    napi_throw_error(env, nullptr, "websocket-component: the built-in objects of JavaScript lack something");
    return false;
  }
  if (napi_create_object(env, &versions) != napi_ok ||
      !set(versions, "component", Napi::String::New(env, WEBSOCKET_COMPONENT_VERSION)) ||
      !set(versions, "openssl", Napi::String::New(env, opensslVersion())) ||
      !set(versions, "zlib", Napi::String::New(env, zlibVersion())) || !set(exports, "versions", versions) ||
      napi_create_function(env, "startDriver", NAPI_AUTO_LENGTH, &DriverObject::start, nullptr, &startDriver) !=
          napi_ok ||
      !set(exports, "startDriver", startDriver) || !set(exports, "WebSocketHandle", data->handleConstructor.Value())) {
    return false;
  }
  Napi::Env(env).SetInstanceData(data.release());  // deleted with the environment
  return true;
}

}  // namespace
}  // namespace websocket::binding

// The macro wants a function outside a namespace.
static Napi::Object initializeModule(Napi::Env env, Napi::Object exports) {
  return websocket::binding::initialize(env, exports) ? exports : Napi::Object();
}

NODE_API_MODULE(websocket_component, initializeModule)

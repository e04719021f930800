// The entry of the native module. Nothing is shared between environments (worker threads, contexts).
#include <napi.h>

#include <memory>

#include "driver_object.h"
#include "handle_object.h"
#include "versions.h"

namespace websocket::binding {
namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto versions = Napi::Object::New(env);
  versions["component"] = Napi::String::New(env, WEBSOCKET_COMPONENT_VERSION);
  versions["openssl"] = Napi::String::New(env, opensslVersion());
  versions["zlib"] = Napi::String::New(env, zlibVersion());
  exports["versions"] = versions;

  napi_value startDriver = nullptr;
  if (napi_create_function(env, "startDriver", NAPI_AUTO_LENGTH, &DriverObject::start, nullptr, &startDriver) ==
      napi_ok) {
    exports["startDriver"] = startDriver;
  }
  auto data = std::make_unique<AddonData>();
  exports["WebSocketHandle"] = HandleObject::define(env, *data);
  env.SetInstanceData(data.release());  // deleted with the environment
  return exports;
}

}  // namespace
}  // namespace websocket::binding

// The macro wants a function outside a namespace.
static Napi::Object initializeModule(Napi::Env env, Napi::Object exports) {
  return websocket::binding::initialize(env, exports);
}

NODE_API_MODULE(websocket_component, initializeModule)

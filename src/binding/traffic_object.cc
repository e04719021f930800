#include "traffic_object.h"

#include <string>

#include "arguments.h"

namespace websocket::binding {
namespace {

using Shared = std::shared_ptr<driver::Traffic>;

// Tells our objects from others that wrap something; random.
constexpr napi_type_tag kTag = {0x41c8e07f9ab3d215, 0xb57d20e6184fc93a};

void finalize(napi_env /*env*/, void* data, void* /*hint*/) {
  const std::unique_ptr<Shared> ended(static_cast<Shared*>(data));
}

}  // namespace

napi_value makeTrafficObject(napi_env env) {
  auto traffic = std::make_unique<Shared>(std::make_shared<driver::Traffic>());
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok || napi_type_tag_object(env, object, &kTag) != napi_ok ||
      napi_wrap(env, object, traffic.get(), &finalize, nullptr, nullptr) != napi_ok) {
    return nullptr;
  }
  static_cast<void>(traffic.release());  // the object's now
  return object;
}

bool toTraffic(napi_env env, napi_value value, const char* name, Shared& out) {
  if (isNullish(env, value)) {
    return true;
  }
  bool isTagged = false;
  void* traffic = nullptr;
  if (napi_check_object_type_tag(env, value, &kTag, &isTagged) != napi_ok || !isTagged ||
      napi_unwrap(env, value, &traffic) != napi_ok) {
    return throwTypeError(env, std::string(name) + " must be an object that createTraffic returned");
  }
  out = *static_cast<const Shared*>(traffic);
  return true;
}

}  // namespace websocket::binding

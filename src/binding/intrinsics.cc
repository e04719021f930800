#include "intrinsics.h"

#include <array>

namespace websocket::binding {
namespace {

constexpr std::size_t kUsualSlots = 8;

}  // namespace

bool Intrinsics::load(napi_env env) {
  const auto get = [env](napi_value object, const char* name) {
    napi_value value = nullptr;
    return object != nullptr && napi_get_named_property(env, object, name, &value) == napi_ok ? value : nullptr;
  };
  const auto keep = [env]<typename T>(napi_value value, Napi::Reference<T>& reference) {
    if (napi_valuetype type{};
        value == nullptr || napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) {
      return false;
    }
    reference.Reset(T(env, value), 1);
    return !reference.IsEmpty();
  };
  napi_value global = nullptr;
  napi_value name = nullptr;
  napi_value weakMap = nullptr;
  napi_get_global(env, &global);
  napi_create_string_utf8(env, "resizable", NAPI_AUTO_LENGTH, &name);
  napi_value const weakMapClass = get(global, "WeakMap");
  if (weakMapClass == nullptr || napi_new_instance(env, weakMapClass, 0, nullptr, &weakMap) != napi_ok) {
    return false;
  }
  napi_value const arrayBuffer = get(global, "ArrayBuffer");
  napi_value const object = get(global, "Object");
  if (!keep(arrayBuffer, arrayBuffer_) || !keep(get(object, "create"), objectCreate_) || !keep(weakMap, companions_) ||
      !keep(get(weakMap, "set"), weakMapSet_) || !keep(get(weakMap, "delete"), weakMapDelete_)) {
    return false;
  }
  const std::array arguments = {get(arrayBuffer, "prototype"), name};
  napi_value const describe = get(object, "getOwnPropertyDescriptor");
  napi_value descriptor = nullptr;
  napi_valuetype type{};
  if (describe == nullptr || arguments[0] == nullptr ||
      napi_call_function(env, object, describe, arguments.size(), arguments.data(), &descriptor) != napi_ok ||
      napi_typeof(env, descriptor, &type) != napi_ok) {
    return false;
  }
  return type == napi_undefined || keep(get(descriptor, "get"), resizable_);
}

std::optional<Napi::ArrayBuffer> Intrinsics::makeArrayBuffer(Napi::Env env, std::size_t size) const {
  const Napi::Value made = arrayBuffer_.New({Napi::Number::New(env, static_cast<double>(size))});
  if (env.IsExceptionPending()) {
    env.GetAndClearPendingException();
    return std::nullopt;
  }
  return made.IsArrayBuffer() ? std::optional(made.As<Napi::ArrayBuffer>()) : std::nullopt;
}

bool Intrinsics::isResizable(const Napi::ArrayBuffer& buffer) const {
  if (resizable_.IsEmpty()) {
    return false;
  }
  const Napi::Value resizable = resizable_.Call(buffer, std::initializer_list<napi_value>{});
  return !resizable.IsBoolean() || resizable.As<Napi::Boolean>().Value();
}

std::optional<Napi::Object> Intrinsics::makeCompanion(Napi::Env env, const Napi::Object& owner) const {
  const Napi::Value made = objectCreate_.Call({env.Null()});
  if (!made.IsObject()) {
    return std::nullopt;
  }
  weakMapSet_.Call(companions_.Value(), {owner, made});
  return env.IsExceptionPending() ? std::nullopt : std::optional(made.As<Napi::Object>());
}

void Intrinsics::dropCompanion(const Napi::Object& owner) const { weakMapDelete_.Call(companions_.Value(), {owner}); }

bool KeptValues::open(Napi::Env env, const Intrinsics& intrinsics, const Napi::Object& owner) {
  const std::optional<Napi::Object> companion = intrinsics.makeCompanion(env, owner);
  if (!companion) {
    return false;
  }
  companion_ = Napi::Weak(*companion);
  return true;
}

void KeptValues::close(const Intrinsics& intrinsics, const Napi::Object& owner) {
  intrinsics.dropCompanion(owner);
  companion_.Reset();
}

std::optional<std::uint32_t> KeptValues::add(Napi::Value value) {
  if (free_.capacity() <= count_) {
    free_.reserve(2 * std::size_t{count_} + kUsualSlots);  // so that remove() needs no memory
  }
  const std::uint32_t slot = free_.empty() ? count_ : free_.back();
  if (napi_set_element(value.Env(), companion_.Value(), slot, value) != napi_ok) {
    return std::nullopt;
  }
  if (free_.empty()) {
    ++count_;
  } else {
    free_.pop_back();
  }
  return slot;
}

Napi::Value KeptValues::get(Napi::Env env, std::uint32_t slot) const {
  napi_value value = nullptr;
  if (slot == kNone || napi_get_element(env, companion_.Value(), slot, &value) != napi_ok) {
    return env.Undefined();
  }
  return {env, value};
}

void KeptValues::remove(Napi::Env env, std::uint32_t slot) {
  if (slot != kNone && napi_set_element(env, companion_.Value(), slot, env.Undefined()) == napi_ok) {
    free_.push_back(slot);
  }
}

}  // namespace websocket::binding

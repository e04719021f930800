#include "intrinsics.h"

namespace websocket::binding {
namespace {

constexpr std::size_t kUsualSlots = 8;

}  // namespace

void Intrinsics::load(Napi::Env env) {
  const Napi::Object global = env.Global();
  const auto constructor = global.Get("ArrayBuffer").As<Napi::Function>();
  const auto object = global.Get("Object").As<Napi::Object>();
  const auto weakMap = global.Get("WeakMap").As<Napi::Function>().New({});
  arrayBuffer_ = Napi::Persistent(constructor);
  objectCreate_ = Napi::Persistent(object.Get("create").As<Napi::Function>());
  companions_ = Napi::Persistent(weakMap);
  weakMapSet_ = Napi::Persistent(weakMap.Get("set").As<Napi::Function>());
  weakMapDelete_ = Napi::Persistent(weakMap.Get("delete").As<Napi::Function>());

  const Napi::Value descriptor = object.Get("getOwnPropertyDescriptor")
                                     .As<Napi::Function>()
                                     .Call({constructor.Get("prototype"), Napi::String::New(env, "resizable")});
  if (descriptor.IsObject()) {
    resizable_ = Napi::Persistent(descriptor.As<Napi::Object>().Get("get").As<Napi::Function>());
  }
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

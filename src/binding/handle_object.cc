#include "handle_object.h"

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "c_arguments.h"
#include "hresult.h"
#include "websocket_ext.h"

namespace websocket::binding {
namespace {

constexpr std::size_t kBufferOverhead = 144;  // contract, 6.2
constexpr ULONG kDefaultReceiveSize = 4096;
constexpr ULONG kDefaultClientSendSize = 4096;
constexpr ULONG kDefaultServerSendSize = 16;

constexpr std::size_t kUsualOutstanding = 4;

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

// The component's answer to a NULL handle.
void throwDeleted(Napi::Env env) {
  throwHResult(env, Result::InvalidArgument, "WebSocketHandle",
               "the handle was deleted; createClientHandle and createServerHandle make another");
}

}  // namespace

AddonData::AddonData() = default;
AddonData::~AddonData() = default;

// ---------------------------------------------------------------------------------------------------------------------
// Life

bool HandleObject::define(Napi::Env env, AddonData& data) {
  const Napi::Function constructor = DefineClass(
      env, "WebSocketHandle",
      {
          StaticMethod<&HandleObject::createClientHandle>("createClientHandle"),
          StaticMethod<&HandleObject::createServerHandle>("createServerHandle"),
          StaticMethod<&HandleObject::getGlobalProperty>("getGlobalProperty"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::beginClientHandshake>>("beginClientHandshake"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::endClientHandshake>>("endClientHandshake"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::beginServerHandshake>>("beginServerHandshake"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::endServerHandshake>>("endServerHandshake"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::send>>("send"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::receive>>("receive"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::getAction>>("getAction"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::completeAction>>("completeAction"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::openWithoutHandshake>>("openWithoutHandshake"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::injectReceivedBytes>>("injectReceivedBytes"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::sendControl>>("sendControl"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::getFault>>("getFault"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::abort>>("abort"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::remove>>("delete"),
      });
  if (constructor.IsEmpty()) {
    return false;
  }
  data.handleConstructor = Napi::Persistent(constructor);
  return data.intrinsics.load(env);
}

Napi::Value HandleObject::create(const Napi::CallbackInfo& info, bool server) {
  const Napi::Env env = info.Env();
  auto* const data = env.GetInstanceData<AddonData>();
  data->constructing = true;
  const Napi::Value made = data->handleConstructor.New({Napi::Boolean::New(env, server), info[0]});
  data->constructing = false;
  return made;
}

HandleObject::HandleObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<HandleObject>(info) {
  const Napi::Env env = info.Env();
  auto* const data = env.GetInstanceData<AddonData>();
  if (!std::exchange(data->constructing, false)) {
    throwTypeError(env, "a WebSocketHandle is made by WebSocketHandle.createClientHandle or createServerHandle");
    return;
  }
  try {
    if (IsEmpty() && !env.IsExceptionPending()) {
      data->unwrapped.emplace_back(this);
      return;
    }
    CProperties properties;
    if (properties.read(env, info[1])) {
      open(info, info[0].As<Napi::Boolean>().Value(), properties);
    }
  } catch (const std::bad_alloc&) {
    throwHResult(env, Result::OutOfMemory, "WebSocketHandle");
  }
}

bool HandleObject::open(const Napi::CallbackInfo& info, bool server, CProperties& properties) {
  const Napi::Env env = info.Env();
  const auto createHandle = server ? &WebSocketCreateServerHandle : &WebSocketCreateClientHandle;
  const Function& function = server ? kCreateServerHandle : kCreateClientHandle;

  // A first handle checks the properties, which say how much memory the real one needs.
  WEB_SOCKET_HANDLE trial = nullptr;
  if (failed(env, createHandle(properties.data(), properties.size(), &trial), function)) {
    return false;
  }
  WebSocketDeleteHandle(trial);
  coalescing_ = properties.valueOf(WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE, FALSE) != FALSE;
  memorySize_ = kBufferOverhead;
  memorySize_ += properties.valueOf(WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, kDefaultReceiveSize);
  memorySize_ += properties.valueOf(WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE,
                                    server ? kDefaultServerSendSize : kDefaultClientSendSize);
  const Intrinsics& intrinsics = env.GetInstanceData<AddonData>()->intrinsics;
  std::optional<Napi::ArrayBuffer> memory;
  if (memorySize_ <= std::numeric_limits<ULONG>::max()) {
    memory = intrinsics.makeArrayBuffer(env, memorySize_);
  }
  if (!memory || !kept_.open(env, intrinsics, info.This().As<Napi::Object>()) ||
      !keep(env, *memory, function, memory_)) {
    throwHResult(env, Result::OutOfMemory, function.name);
    return false;
  }
  outstanding_.reserve(kUsualOutstanding);
  PBYTE address = static_cast<std::uint8_t*>(memory->Data());
  properties.add(WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, &address, static_cast<ULONG>(memorySize_));
  if (failed(env, createHandle(properties.data(), properties.size(), &handle_), function)) {
    return false;
  }
  memoryData_ = address;
  return true;
}

bool HandleObject::failed(Napi::Env env, HRESULT result, const Function& function) const {
  if (!FAILED(result)) {
    return false;
  }
  if (handle_ == nullptr && memoryData_ != nullptr) {
    throwDeleted(env);  // by a getter of an argument
    return true;
  }
  throwHResult(env, result, function.name,
               result == E_INVALIDARG                   ? function.arguments
               : result == E_INVALID_PROTOCOL_OPERATION ? function.states
                                                        : nullptr);
  return true;
}

template <Napi::Value (HandleObject::*Method)(const Napi::CallbackInfo&)>
Napi::Value HandleObject::invoke(const Napi::CallbackInfo& info) {
  if (handle_ == nullptr) {
    throwDeleted(info.Env());
    return undefined(info.Env());
  }
  try {
    return (this->*Method)(info);
  } catch (const std::bad_alloc&) {
    throwHResult(info.Env(), Result::OutOfMemory, "WebSocketHandle");
    return undefined(info.Env());
  }
}

Napi::Value HandleObject::getFault(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  WEB_SOCKET_FAULT fault{};
  if (failed(env, WebSocketGetFault(handle_, &fault), kGetFault)) {
    return undefined(env);
  }
  auto object = Napi::Object::New(env);
  object["hresult"] = Napi::Number::New(env, static_cast<std::uint32_t>(fault.hrResult));
  object["closeStatus"] = Napi::Number::New(env, fault.usCloseStatus);
  object["reason"] = Napi::String::New(env, fault.pszReason);
  return object;
}

Napi::Value HandleObject::abort(const Napi::CallbackInfo& info) {
  WebSocketAbortHandle(handle_);
  aborted_ = aborted_ || !sends_.empty() || !receives_.empty();  // only an open handle has operations
  return undefined(info.Env());
}

Napi::Value HandleObject::remove(const Napi::CallbackInfo& info) {
  WebSocketDeleteHandle(std::exchange(handle_, nullptr));
  sends_.clear();
  receives_.clear();
  outstanding_.clear();
  kept_.close(info.Env().GetInstanceData<AddonData>()->intrinsics, info.This().As<Napi::Object>());
  return undefined(info.Env());
}

Napi::Value HandleObject::getGlobalProperty(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::uint32_t type = 0;
  if (!toUint32(env, info[0], "type", type)) {
    return undefined(env);
  }
  std::array<ULONG, 16> values{};
  ULONG size = sizeof values;
  const HRESULT result = WebSocketGetGlobalProperty(static_cast<WEB_SOCKET_PROPERTY_TYPE>(type), values.data(), &size);
  if (FAILED(result)) {
    throwHResult(env, result, kGetGlobalProperty.name, kGetGlobalProperty.arguments);
    return undefined(env);
  }
  if (type != WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE) {
    return Napi::Number::New(env, values[0]);
  }
  auto versions = Napi::Array::New(env);
  for (std::uint32_t index = 0; index < size / sizeof(ULONG); ++index) {
    versions.Set(index, Napi::Number::New(env, values.at(index)));
  }
  return versions;
}

// ---------------------------------------------------------------------------------------------------------------------
// Handshakes

Napi::Value HandleObject::beginClientHandshake(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CStrings subprotocols;
  CStrings extensions;
  CHeaders initial;
  if (!subprotocols.read(env, info[0], "subprotocols") || !extensions.read(env, info[1], "extensions") ||
      (!isNullish(env, info[2]) && !initial.read(env, info[2], "headers"))) {
    return undefined(env);
  }
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  const HRESULT result =
      WebSocketBeginClientHandshake(handle_, subprotocols.data(), subprotocols.size(), extensions.data(),
                                    extensions.size(), initial.data(), initial.size(), &headers, &count);
  if (failed(env, result, kBeginClientHandshake)) {
    return undefined(env);
  }
  offeredExtensions_ = extensions.size();
  return headerList(env, headers, count);
}

Napi::Value HandleObject::endClientHandshake(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CHeaders response;
  if (!response.read(env, info[0], "headers")) {
    return undefined(env);
  }
  constexpr ULONG kNone = std::numeric_limits<ULONG>::max();
  std::vector<ULONG> selected(std::max<ULONG>(offeredExtensions_, 1));
  auto count = static_cast<ULONG>(selected.size());
  ULONG subprotocol = kNone;
  const HRESULT result =
      WebSocketEndClientHandshake(handle_, response.data(), response.size(), selected.data(), &count, &subprotocol);
  if (failed(env, result, kEndClientHandshake)) {
    return undefined(env);
  }
  auto extensions = Napi::Array::New(env, count);
  for (std::uint32_t index = 0; index < count; ++index) {
    extensions.Set(index, Napi::Number::New(env, selected[index]));
  }
  auto selection = Napi::Object::New(env);
  selection["extensions"] = extensions;
  selection["subprotocol"] = subprotocol == kNone ? env.Undefined() : Napi::Number::New(env, subprotocol);
  return selection;
}

Napi::Value HandleObject::beginServerHandshake(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  CHeaders request;
  std::string subprotocol;
  CStrings extensions;
  if (!request.read(env, info[0], "headers") ||
      (!isNullish(env, info[1]) &&
       !(isLatin1(env, info[1], "subprotocol") && toLatin1(env, info[1], "subprotocol", subprotocol))) ||
      !extensions.read(env, info[2], "extensions")) {
    return undefined(env);
  }
  if (subprotocol.find('\0') != std::string::npos) {
    throwTypeError(env, "subprotocol must not contain a NUL character");
    return undefined(env);
  }
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  WEB_SOCKET_HTTP_HEADER none{};
  const HRESULT result =
      WebSocketBeginServerHandshake(handle_, subprotocol.c_str(), extensions.data(), extensions.size(),
                                    request.size() == 0 ? &none : request.data(), request.size(), &headers, &count);
  if (failed(env, result, kBeginServerHandshake)) {
    return undefined(env);
  }
  return headerList(env, headers, count);
}

Napi::Value HandleObject::endServerHandshake(const Napi::CallbackInfo& info) {
  failed(info.Env(), WebSocketEndServerHandshake(handle_), kEndServerHandshake);
  return undefined(info.Env());
}

Napi::Value HandleObject::openWithoutHandshake(const Napi::CallbackInfo& info) {
  failed(info.Env(), WebSocketOpenWithoutHandshake(handle_), kOpenWithoutHandshake);
  return undefined(info.Env());
}

}  // namespace websocket::binding

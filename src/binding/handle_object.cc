#include "handle_object.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "arguments.h"
#include "hresult.h"

namespace websocket::binding {
namespace {

constexpr std::size_t kBufferOverhead = 144;  // contract, 6.2
constexpr ULONG kDefaultReceiveSize = 4096;
constexpr ULONG kDefaultClientSendSize = 4096;
constexpr ULONG kDefaultServerSendSize = 16;

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

// Reads the array of { type, value }. The values live in `values`.
bool readProperties(Napi::Env env, Napi::Value list, std::vector<ULONG>& values,
                    std::vector<WEB_SOCKET_PROPERTY>& properties) {
  if (isNullish(env, list)) {
    return true;
  }
  if (!list.IsArray()) {
    return throwTypeError(env, "properties must be an array of { type, value }");
  }
  const auto array = list.As<Napi::Array>();
  const std::uint32_t count = array.Length();
  values.reserve(count);  // the properties point into it
  for (std::uint32_t index = 0; index < count; ++index) {
    const Napi::Value element = array.Get(index);
    if (env.IsExceptionPending()) {
      return false;
    }
    if (!element.IsObject()) {
      return throwTypeError(env, "properties must be an array of { type, value }");
    }
    std::uint32_t type = 0;
    if (!toUint32(env, element.As<Napi::Object>().Get("type"), "type of a property", type)) {
      return false;
    }
    if (type == WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE) {
      return throwTypeError(env, "the property ALLOCATED_BUFFER is not for JavaScript, which owns the buffer anyway");
    }
    const Napi::Value value = element.As<Napi::Object>().Get("value");
    std::uint32_t number = 0;
    if (value.IsBoolean()) {
      number = value.As<Napi::Boolean>().Value() ? TRUE : FALSE;
    } else if (!toUint32(env, value, "value of a property", number)) {
      return false;
    }
    values.push_back(number);
    properties.push_back({static_cast<WEB_SOCKET_PROPERTY_TYPE>(type), &values.back(), sizeof(ULONG)});
  }
  return true;
}

ULONG valueOf(std::span<const WEB_SOCKET_PROPERTY> properties, WEB_SOCKET_PROPERTY_TYPE type, ULONG value) {
  for (const WEB_SOCKET_PROPERTY& property : properties) {
    if (property.Type == type) {
      value = *static_cast<const ULONG*>(property.pvValue);  // the last one wins
    }
  }
  return value;
}

// By the constructor of the language, which throws when there is no memory; napi_create_arraybuffer ends the process.
std::optional<Napi::ArrayBuffer> makeArrayBuffer(Napi::Env env, std::size_t size) {
  const Napi::Value constructor = env.Global().Get("ArrayBuffer");
  if (!constructor.IsFunction()) {
    return std::nullopt;
  }
  const Napi::Value made = constructor.As<Napi::Function>().New({Napi::Number::New(env, static_cast<double>(size))});
  if (env.IsExceptionPending() || !made.IsArrayBuffer() || made.As<Napi::ArrayBuffer>().ByteLength() != size) {
    return std::nullopt;
  }
  return made.As<Napi::ArrayBuffer>();
}

// Strings as the C functions take them: NUL-terminated.
class CStrings {
 public:
  bool read(Napi::Env env, Napi::Value value, const char* name) {
    if (isNullish(env, value)) {
      return true;
    }
    if (!list_.read(env, value, name)) {
      return false;
    }
    for (const std::string_view text : list_.views()) {
      if (text.find('\0') != std::string_view::npos) {
        return throwTypeError(env, std::string(name) + " must not contain a NUL character");
      }
      pointers_.push_back(text.data());  // of a std::string, so it is terminated
    }
    return true;
  }

  PCSTR* data() { return pointers_.empty() ? nullptr : pointers_.data(); }
  ULONG size() const { return static_cast<ULONG>(pointers_.size()); }

 private:
  StringList list_;
  std::vector<PCSTR> pointers_;
};

// Header fields as the C functions take them.
class CHeaders {
 public:
  bool read(Napi::Env env, Napi::Value value, const char* name) {
    if (!toHeaderList(env, value, name, list_)) {
      return false;
    }
    for (const HeaderView& header : list_.headers()) {
      headers_.push_back({const_cast<PCHAR>(header.name.data()), static_cast<ULONG>(header.name.size()),
                          const_cast<PCHAR>(header.value.data()), static_cast<ULONG>(header.value.size())});
    }
    return true;
  }

  WEB_SOCKET_HTTP_HEADER* data() { return headers_.data(); }
  ULONG size() const { return static_cast<ULONG>(headers_.size()); }

 private:
  StringList list_;
  std::vector<WEB_SOCKET_HTTP_HEADER> headers_;
};

Napi::Value headerList(Napi::Env env, const WEB_SOCKET_HTTP_HEADER* headers, ULONG count) {
  auto list = Napi::Array::New(env, static_cast<std::size_t>(count) * 2);
  std::uint32_t index = 0;
  for (const WEB_SOCKET_HTTP_HEADER& header : std::span(headers, count)) {
    for (const auto& [text, length] :
         {std::pair(header.pcName, header.ulNameLength), std::pair(header.pcValue, header.ulValueLength)}) {
      napi_value value = nullptr;
      napi_create_string_latin1(env, text, length, &value);
      list.Set(index++, value);
    }
  }
  return list;
}

bool isResizable(const Napi::ArrayBuffer& buffer) {
  const Napi::Value resizable = buffer.Get("resizable");
  return resizable.IsBoolean() && resizable.As<Napi::Boolean>().Value();
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Life

Napi::Function HandleObject::define(Napi::Env env, AddonData& data) {
  const Napi::Function constructor = DefineClass(
      env, "Handle",
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
          InstanceMethod<&HandleObject::invoke<&HandleObject::abort>>("abort"),
          InstanceMethod<&HandleObject::invoke<&HandleObject::remove>>("delete"),
      });
  data.handleConstructor = Napi::Persistent(constructor);
  return constructor;
}

Napi::Value HandleObject::create(const Napi::CallbackInfo& info, bool server) {
  const Napi::Env env = info.Env();
  auto* const data = env.GetInstanceData<AddonData>();
  return data->handleConstructor.New(
      {Napi::External<AddonData>::New(env, data), Napi::Boolean::New(env, server), info[0]});
}

HandleObject::HandleObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<HandleObject>(info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsExternal() || info[0].As<Napi::External<AddonData>>().Data() != env.GetInstanceData<AddonData>()) {
    throwTypeError(env, "a Handle is made by createClientHandle or createServerHandle");
    return;
  }
  try {
    std::vector<ULONG> values;
    std::vector<WEB_SOCKET_PROPERTY> properties;
    if (readProperties(env, info[2], values, properties)) {
      open(env, info[1].As<Napi::Boolean>().Value(), properties);
    }
  } catch (const std::bad_alloc&) {
    throwHResult(env, Result::OutOfMemory, "WebSocketCreateHandle");
  }
}

bool HandleObject::open(Napi::Env env, bool server, std::vector<WEB_SOCKET_PROPERTY>& properties) {
  const auto createHandle = server ? &WebSocketCreateServerHandle : &WebSocketCreateClientHandle;
  const char* const name = server ? "WebSocketCreateServerHandle" : "WebSocketCreateClientHandle";
  const auto count = [&] { return static_cast<ULONG>(properties.size()); };

  // A first handle checks the properties, which say how much memory the real one needs.
  if (const HRESULT result = createHandle(properties.data(), count(), &handle_); FAILED(result)) {
    throwHResult(env, result, name);
    return false;
  }
  WebSocketDeleteHandle(std::exchange(handle_, nullptr));
  memorySize_ = kBufferOverhead +
                valueOf(properties, WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, kDefaultReceiveSize) +
                valueOf(properties, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE,
                        server ? kDefaultServerSendSize : kDefaultClientSendSize);
  std::optional<Napi::ArrayBuffer> memory = makeArrayBuffer(env, memorySize_);
  if (!memory) {
    throwHResult(env, Result::OutOfMemory, name);
    return false;
  }
  memory_ = Napi::Persistent(*memory);
  memoryData_ = static_cast<std::uint8_t*>(memory->Data());
  PBYTE address = memoryData_;
  properties.push_back({WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, &address, static_cast<ULONG>(memorySize_)});
  if (const HRESULT result = createHandle(properties.data(), count(), &handle_); FAILED(result)) {
    throwHResult(env, result, name);
    return false;
  }
  return true;
}

template <Napi::Value (HandleObject::*Method)(const Napi::CallbackInfo&)>
Napi::Value HandleObject::invoke(const Napi::CallbackInfo& info) {
  if (handle_ == nullptr) {
    napi_throw_error(info.Env(), "ERR_HANDLE_DELETED", "the handle was deleted");
    return undefined(info.Env());
  }
  try {
    return (this->*Method)(info);
  } catch (const std::bad_alloc&) {
    throwHResult(info.Env(), Result::OutOfMemory, "Handle");
    return undefined(info.Env());
  }
}

Napi::Value HandleObject::abort(const Napi::CallbackInfo& info) {
  WebSocketAbortHandle(handle_);
  return undefined(info.Env());
}

Napi::Value HandleObject::remove(const Napi::CallbackInfo& info) {
  WebSocketDeleteHandle(std::exchange(handle_, nullptr));
  sends_.clear();
  receives_.clear();
  memory_.Reset();
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
    throwHResult(env, result, "WebSocketGetGlobalProperty");
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
  if (FAILED(result)) {
    throwHResult(env, result, "WebSocketBeginClientHandshake");
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
  if (FAILED(result)) {
    throwHResult(env, result, "WebSocketEndClientHandshake");
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
      (!isNullish(env, info[1]) && !toLatin1(env, info[1], "subprotocol", subprotocol)) ||
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
  if (FAILED(result)) {
    throwHResult(env, result, "WebSocketBeginServerHandshake");
    return undefined(env);
  }
  return headerList(env, headers, count);
}

Napi::Value HandleObject::endServerHandshake(const Napi::CallbackInfo& info) {
  if (const HRESULT result = WebSocketEndServerHandshake(handle_); FAILED(result)) {
    throwHResult(info.Env(), result, "WebSocketEndServerHandshake");
  }
  return undefined(info.Env());
}

// ---------------------------------------------------------------------------------------------------------------------
// Operations

bool HandleObject::Operation::isDetached() const {
  if (length == 0) {
    return false;
  }
  return kept.Get("buffer").As<Napi::ArrayBuffer>().IsDetached();
}

// The component touches its own memory and that of the operations in progress, the first of each queue.
bool HandleObject::memoryIsSafe(Napi::Env env) const {
  if (memory_.Value().IsDetached()) {
    return throwTypeError(env, "the ArrayBuffer of the handle was detached; only abort and delete are possible");
  }
  for (const Operations* const operations : {&sends_, &receives_}) {
    if (!operations->empty() && operations->front()->isDetached()) {
      return throwTypeError(env, "the ArrayBuffer of a queued operation was detached; only delete is possible");
    }
  }
  return true;
}

std::unique_ptr<HandleObject::Operation> HandleObject::makeOperation(Napi::Env env, Napi::Value context) const {
  auto operation = std::make_unique<Operation>();
  auto kept = Napi::Object::New(env);
  kept["context"] = context;
  operation->kept = Napi::Persistent(kept);
  return operation;
}

// The memory of a Uint8Array. One that is shared between threads or can change its size is copied, if that makes sense.
bool HandleObject::takeBytes(Napi::Env env, Napi::Value value, const char* name, bool mayCopy,
                             Operation& operation) const {
  if (!value.IsTypedArray() || (value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array &&
                                value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_clamped_array)) {
    return throwTypeError(env, std::string(name) + " must be a Uint8Array");
  }
  const auto array = value.As<Napi::TypedArray>();
  std::span<const std::uint8_t> bytes;
  if (!toBytes(env, value, name, bytes)) {
    return false;
  }
  Napi::ArrayBuffer buffer = array.ArrayBuffer();
  operation.length = bytes.size();
  operation.offset = array.ByteOffset();
  if (!buffer.IsArrayBuffer() || isResizable(buffer)) {
    if (!mayCopy) {
      return throwTypeError(env, std::string(name) + " must be a view of an ArrayBuffer of fixed length");
    }
    const std::optional<Napi::ArrayBuffer> copy = makeArrayBuffer(env, bytes.size());
    if (!copy) {
      throwHResult(env, Result::OutOfMemory, "Handle");
      return false;
    }
    buffer = *copy;
    operation.offset = 0;
    std::ranges::copy(bytes, static_cast<std::uint8_t*>(buffer.Data()));
  }
  operation.kept.Set("buffer", buffer);
  operation.data = static_cast<std::uint8_t*>(buffer.Data()) + operation.offset;
  return true;
}

Napi::Value HandleObject::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::uint32_t type = 0;
  if (!toUint32(env, info[0], "type", type)) {
    return undefined(env);
  }
  auto operation = makeOperation(env, info[2]);
  WEB_SOCKET_BUFFER buffer{};
  const bool isClose = type == static_cast<std::uint32_t>(WEB_SOCKET_CLOSE_BUFFER_TYPE);
  const bool hasBuffer = !isNullish(env, info[1]);
  Napi::Value bytes = info[1];
  double status = 0;
  if (hasBuffer && isClose) {
    if (!info[1].IsObject()) {
      throwTypeError(env, "buffer of a CLOSE must be { status, reason }");
      return undefined(env);
    }
    bytes = info[1].As<Napi::Object>().Get("reason");
    if (!toInteger(env, info[1].As<Napi::Object>().Get("status"), "status", 0, UINT16_MAX, status)) {
      return undefined(env);
    }
  }
  if (!isNullish(env, bytes) && !takeBytes(env, bytes, isClose ? "reason" : "buffer", true, *operation)) {
    return undefined(env);
  }
  if (isClose) {
    buffer.CloseStatus = {operation->data, static_cast<ULONG>(operation->length), static_cast<USHORT>(status)};
  } else {
    buffer.Data = {operation->data, static_cast<ULONG>(operation->length)};
  }
  Operation* const queued = sends_.emplace_back(std::move(operation)).get();
  const HRESULT result =
      WebSocketSend(handle_, static_cast<WEB_SOCKET_BUFFER_TYPE>(type), hasBuffer ? &buffer : nullptr, queued);
  if (FAILED(result)) {
    sends_.pop_back();
    throwHResult(env, result, "WebSocketSend");
  }
  return undefined(env);
}

Napi::Value HandleObject::receive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto operation = makeOperation(env, info[1]);
  const bool hasBuffer = !isNullish(env, info[0]);
  if (hasBuffer && !takeBytes(env, info[0], "buffer", false, *operation)) {
    return undefined(env);
  }
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {operation->data, static_cast<ULONG>(operation->length)};
  Operation* const queued = receives_.emplace_back(std::move(operation)).get();
  const HRESULT result = WebSocketReceive(handle_, hasBuffer ? &buffer : nullptr, queued);
  if (FAILED(result)) {
    receives_.pop_back();
    throwHResult(env, result, "WebSocketReceive");
  }
  return undefined(env);
}

// ---------------------------------------------------------------------------------------------------------------------
// Actions

HandleObject::Operation* HandleObject::operationOf(void* context) const {
  for (const Operations* const operations : {&sends_, &receives_}) {
    const auto found = std::ranges::find(*operations, context, &std::unique_ptr<Operation>::get);
    if (found != operations->end()) {
      return found->get();
    }
  }
  return nullptr;
}

// The operation is over.
void HandleObject::forget(const Operation* operation) {
  for (Operations* const operations : {&sends_, &receives_}) {
    const auto found = std::ranges::find(*operations, operation, &std::unique_ptr<Operation>::get);
    if (found != operations->end()) {
      operations->erase(found);
      return;
    }
  }
}

// A Uint8Array of a buffer of the component, in the ArrayBuffer where it lies.
Napi::Value HandleObject::view(Napi::Env env, const WEB_SOCKET_BUFFER& buffer, const Operation* operation) const {
  const std::uint8_t* const data = buffer.Data.pbBuffer;
  const std::size_t length = buffer.Data.ulBufferLength;
  const std::less_equal<> notAfter;
  const auto contains = [&](const std::uint8_t* begin, std::size_t size) {
    return begin != nullptr && notAfter(begin, data) && notAfter(data + length, begin + size);
  };
  if (data == nullptr) {
    return Napi::Uint8Array::New(env, 0);
  }
  if (contains(memoryData_, memorySize_)) {
    return Napi::Uint8Array::New(env, length, memory_.Value(), static_cast<std::size_t>(data - memoryData_));
  }
  if (operation != nullptr && contains(operation->data, operation->length)) {
    return Napi::Uint8Array::New(env, length, operation->kept.Get("buffer").As<Napi::ArrayBuffer>(),
                                 operation->offset + static_cast<std::size_t>(data - operation->data));
  }
  auto copy = Napi::Uint8Array::New(env, length);
  std::copy_n(data, length, copy.Data());
  return copy;
}

Napi::Value HandleObject::getAction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr ULONG kUsualCapacity = 2;
  std::uint32_t queue = 0;
  std::uint32_t capacity = kUsualCapacity;
  if (!toUint32(env, info[0], "queue", queue) ||
      (!info[1].IsUndefined() && !toUint32(env, info[1], "capacity", capacity)) || !memoryIsSafe(env)) {
    return undefined(env);
  }
  std::array<WEB_SOCKET_BUFFER, kUsualCapacity> buffers{};
  auto count = static_cast<ULONG>(std::min<std::size_t>(capacity, buffers.size()));
  WEB_SOCKET_ACTION action = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID context = nullptr;
  PVOID actionContext = nullptr;
  const HRESULT status = WebSocketGetAction(handle_, static_cast<WEB_SOCKET_ACTION_QUEUE>(queue), buffers.data(),
                                            &count, &action, &type, &context, &actionContext);
  if (FAILED(status)) {
    throwHResult(env, status, "WebSocketGetAction");
    return undefined(env);
  }

  const Operation* const operation = context == nullptr ? nullptr : operationOf(context);
  const bool isIndication =
      action == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION || action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION;
  auto views = Napi::Array::New(env, count);
  for (std::uint32_t index = 0; index < count; ++index) {
    const WEB_SOCKET_BUFFER& buffer = buffers.at(index);
    if (isIndication && type == WEB_SOCKET_CLOSE_BUFFER_TYPE) {
      auto close = Napi::Object::New(env);
      close["status"] = Napi::Number::New(env, buffer.CloseStatus.usStatus);
      close["reason"] = buffer.CloseStatus.pbReason == nullptr ? env.Null() : view(env, buffer, operation);
      views.Set(index, close);
    } else {
      views.Set(index, view(env, buffer, operation));
    }
  }
  auto result = Napi::Object::New(env);
  result["action"] = Napi::Number::New(env, action);
  result["type"] = Napi::Number::New(env, static_cast<std::uint32_t>(type));
  result["buffers"] = views;
  result["context"] = operation == nullptr ? env.Undefined() : operation->kept.Get("context");
  result["actionContext"] =
      Napi::Number::New(env, static_cast<double>(reinterpret_cast<std::uintptr_t>(actionContext)));
  if (isIndication) {
    forget(operation);
  }
  return result;
}

Napi::Value HandleObject::completeAction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr double kLargest = 9007199254740991;  // Number.MAX_SAFE_INTEGER
  double actionContext = 0;
  std::uint32_t bytes = 0;
  if (toInteger(env, info[0], "actionContext", 0, kLargest, actionContext) &&
      toUint32(env, info[1], "bytesTransferred", bytes) && memoryIsSafe(env)) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the component's own number, which it checks
    WebSocketCompleteAction(handle_, reinterpret_cast<PVOID>(static_cast<std::uintptr_t>(actionContext)), bytes);
  }
  return undefined(env);
}

}  // namespace websocket::binding

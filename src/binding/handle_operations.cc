// The methods of HandleObject that queue operations and carry actions.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "arguments.h"
#include "c_arguments.h"
#include "handle_object.h"
#include "hresult.h"
#include "websocket_ext.h"

namespace websocket::binding {
namespace {

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

bool isResizable(const Napi::ArrayBuffer& buffer) {
  const Napi::Value resizable = buffer.Get("resizable");
  return resizable.IsBoolean() && resizable.As<Napi::Boolean>().Value();
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Operations

bool HandleObject::Operation::isDetached() const {
  if (length == 0) {
    return false;
  }
  return kept.Get("buffer").As<Napi::ArrayBuffer>().IsDetached();
}

// The component touches its own memory and that of the operations in progress, the first with memory of each queue.
bool HandleObject::memoryIsSafe(Napi::Env env) const {
  if (memory_.Value().IsDetached()) {
    return throwTypeError(env, "the ArrayBuffer of the handle was detached; only abort and delete are possible");
  }
  for (const Operations* const operations : {&sends_, &receives_}) {
    for (const std::unique_ptr<Operation>& operation : *operations) {
      if (operation->isDetached()) {
        return throwTypeError(env, "the ArrayBuffer of a queued operation was detached; only delete is possible");
      }
      if (operation->length != 0 && !coalescing_) {
        break;
      }
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
  queueSend(env, std::move(operation), "WebSocketSend", [&](Operation* context) {
    return WebSocketSend(handle_, static_cast<WEB_SOCKET_BUFFER_TYPE>(type), hasBuffer ? &buffer : nullptr, context);
  });
  return undefined(env);
}

// Keeps an operation as long as the component does.
void HandleObject::queueSend(Napi::Env env, std::unique_ptr<Operation> operation, const char* name,
                             const std::function<HRESULT(Operation* context)>& send) {
  Operation* const queued = sends_.emplace_back(std::move(operation)).get();
  if (const HRESULT result = send(queued); FAILED(result)) {
    sends_.pop_back();
    throwHResult(env, result, name);
  }
}

Napi::Value HandleObject::sendControl(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::uint32_t type = 0;
  std::span<const std::uint8_t> payload;
  if (toUint32(env, info[0], "type", type) && (isNullish(env, info[1]) || toBytes(env, info[1], "payload", payload))) {
    queueSend(env, makeOperation(env, info[2]), "WebSocketSendControl", [&](Operation* context) {
      return WebSocketSendControl(handle_, static_cast<WEB_SOCKET_BUFFER_TYPE>(type), payload.data(),
                                  static_cast<ULONG>(payload.size()), context);
    });
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

Napi::Value HandleObject::injectReceivedBytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::span<const std::uint8_t> bytes;
  if (toBytes(env, info[0], "bytes", bytes)) {
    const HRESULT result = WebSocketInjectReceivedBytes(handle_, bytes.data(), static_cast<ULONG>(bytes.size()));
    if (FAILED(result)) {
      throwHResult(env, result, "WebSocketInjectReceivedBytes");
    }
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
Napi::Uint8Array HandleObject::view(Napi::Env env, const WEB_SOCKET_BUFFER& buffer, const Operation* operation) const {
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
      close["reason"] = env.Null();
      if (buffer.CloseStatus.pbReason != nullptr) {
        close["reason"] = view(env, buffer, operation);
      }
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
  double actionContext = 0;
  std::uint32_t bytes = 0;
  if (toInteger(env, info[0], "actionContext", 0, kMaxSafeInteger, actionContext) &&
      toUint32(env, info[1], "bytesTransferred", bytes) && memoryIsSafe(env)) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the component's own number, which it checks
    WebSocketCompleteAction(handle_, reinterpret_cast<PVOID>(static_cast<std::uintptr_t>(actionContext)), bytes);
  }
  return undefined(env);
}

}  // namespace websocket::binding

// The methods of HandleObject that queue operations and carry actions.
#include <algorithm>
#include <array>
#include <functional>
#include <limits>
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

constexpr std::size_t kSmallestFrame = 2;

bool isIndication(WEB_SOCKET_ACTION action) {
  return action == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION || action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Operations

bool HandleObject::isDetached(Napi::Env env, std::uint32_t slot) const {
  return kept_.get(env, slot).As<Napi::ArrayBuffer>().IsDetached();
}

// The component touches its own memory and that of the operation in progress, the first of each queue. (A ping that
// overtakes has no memory here.) A coalesced action touches as many as its frames, of at least 2 bytes, fit.
bool HandleObject::memoryIsSafe(Napi::Env env) const {
  if (aborted_) {
    return true;
  }
  if (isDetached(env, memory_)) {
    return throwTypeError(env, "the ArrayBuffer of the handle was detached; only abort and delete are possible");
  }
  for (const Operations* const operations : {&sends_, &receives_}) {
    std::size_t length = 0;
    for (const std::unique_ptr<Operation>& operation : *operations) {
      if (operation->length != 0 && isDetached(env, operation->buffer)) {
        return throwTypeError(env,
                              "the ArrayBuffer of a queued operation was detached; only abort, and then getting "
                              "the other operations back, and delete are possible");
      }
      length += operation->length + kSmallestFrame;
      if (!coalescing_ || length > memorySize_) {
        break;
      }
    }
  }
  return true;
}

bool HandleObject::keep(Napi::Env env, Napi::Value value, const Function& function, std::uint32_t& slot) {
  if (value.IsUndefined()) {
    return true;
  }
  const std::optional<std::uint32_t> kept = kept_.add(value);
  if (!kept) {
    failed(env, E_FAIL, function);
    return false;
  }
  slot = *kept;
  return true;
}

// The memory of a Uint8Array. One that is shared between threads or can change its size is copied, if that makes sense.
bool HandleObject::takeBytes(Napi::Env env, Napi::Value value, const char* name, bool mayCopy, const Function& function,
                             Operation& operation) {
  std::span<const std::uint8_t> bytes;
  if (!toUint8Array(env, value, name, bytes)) {
    return false;
  }
  const auto array = value.As<Napi::TypedArray>();
  const Intrinsics& intrinsics = env.GetInstanceData<AddonData>()->intrinsics;
  Napi::ArrayBuffer buffer = array.ArrayBuffer();
  operation.length = bytes.size();
  operation.offset = array.ByteOffset();
  if (!buffer.IsArrayBuffer() || intrinsics.isResizable(buffer)) {
    if (!mayCopy) {
      return throwTypeError(env, std::string(name) + " must be a view of an ArrayBuffer of fixed length");
    }
    const std::optional<Napi::ArrayBuffer> copy = intrinsics.makeArrayBuffer(env, bytes.size());
    if (!copy) {
      failed(env, E_OUTOFMEMORY, function);
      return false;
    }
    buffer = *copy;
    operation.offset = 0;
    std::ranges::copy(bytes, static_cast<std::uint8_t*>(buffer.Data()));
  }
  operation.data = static_cast<std::uint8_t*>(buffer.Data()) + operation.offset;
  return operation.length == 0 || keep(env, buffer, function, operation.buffer);
}

// Queues an operation in the component and keeps what belongs to it as long as the component does.
void HandleObject::queue(Napi::Env env, Operations& operations, const Operation& operation, const Function& function,
                         const std::function<HRESULT(Operation* context)>& call) {
  Operation* const queued = operations.emplace_back(std::make_unique<Operation>(operation)).get();
  if (failed(env, call(queued), function)) {
    operations.pop_back();
    release(env, operation);
  }
}

Napi::Value HandleObject::send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::uint32_t type = 0;
  if (!toUint32(env, info[0], "type", type)) {
    return undefined(env);
  }
  const bool isClose = type == static_cast<std::uint32_t>(WEB_SOCKET_CLOSE_BUFFER_TYPE);
  const bool hasBuffer = !isNullish(env, info[1]);
  Napi::Value bytes = info[1];
  double status = 0;
  if (hasBuffer && isClose) {
    if (!info[1].IsObject()) {
      throwTypeError(env, "buffer of a CLOSE must be { status, reason }");
      return undefined(env);
    }
    const auto close = info[1].As<Napi::Object>();
    bytes = close.Get("reason");
    if (!toInteger(env, close.Get("status"), "status in the buffer of a CLOSE", 0, UINT16_MAX, status)) {
      return undefined(env);
    }
  }
  Operation operation;
  if (handle_ != nullptr &&
      ((!isNullish(env, bytes) && !takeBytes(env, bytes, isClose ? "reason" : "buffer", true, kSend, operation)) ||
       !keep(env, info[2], kSend, operation.context))) {
    release(env, operation);
    return undefined(env);
  }
  WEB_SOCKET_BUFFER buffer{};
  if (isClose) {
    buffer.CloseStatus = {operation.data, static_cast<ULONG>(operation.length), static_cast<USHORT>(status)};
  } else {
    buffer.Data = {operation.data, static_cast<ULONG>(operation.length)};
  }
  queue(env, sends_, operation, kSend, [&](Operation* context) {
    return WebSocketSend(handle_, static_cast<WEB_SOCKET_BUFFER_TYPE>(type), hasBuffer ? &buffer : nullptr, context);
  });
  return undefined(env);
}

Napi::Value HandleObject::sendControl(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::uint32_t type = 0;
  std::span<const std::uint8_t> payload;
  Operation operation;
  if (toUint32(env, info[0], "type", type) &&
      (isNullish(env, info[1]) || toUint8Array(env, info[1], "payload", payload)) &&
      keep(env, info[2], kSendControl, operation.context)) {
    queue(env, sends_, operation, kSendControl, [&](Operation* context) {
      return WebSocketSendControl(handle_, static_cast<WEB_SOCKET_BUFFER_TYPE>(type), payload.data(),
                                  static_cast<ULONG>(payload.size()), context);
    });
  }
  return undefined(env);
}

Napi::Value HandleObject::receive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const bool hasBuffer = !isNullish(env, info[0]);
  Operation operation;
  if ((hasBuffer && !takeBytes(env, info[0], "buffer", false, kReceive, operation)) ||
      !keep(env, info[1], kReceive, operation.context)) {
    release(env, operation);
    return undefined(env);
  }
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {operation.data, static_cast<ULONG>(operation.length)};
  queue(env, receives_, operation, kReceive,
        [&](Operation* context) { return WebSocketReceive(handle_, hasBuffer ? &buffer : nullptr, context); });
  return undefined(env);
}

Napi::Value HandleObject::injectReceivedBytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::span<const std::uint8_t> bytes;
  if (toUint8Array(env, info[0], "bytes", bytes)) {
    failed(env, WebSocketInjectReceivedBytes(handle_, bytes.data(), static_cast<ULONG>(bytes.size())),
           kInjectReceivedBytes);
  }
  return undefined(env);
}

// ---------------------------------------------------------------------------------------------------------------------
// Actions

// It is near the front, because operations are carried out in order.
const HandleObject::Operation* HandleObject::find(const Operations& operations, const void* context) {
  const auto found = std::ranges::find(operations, context, &std::unique_ptr<Operation>::get);
  return found == operations.end() ? nullptr : found->get();
}

// The operation is over.
void HandleObject::forget(Napi::Env env, Operations& operations, const Operation* operation) {
  const auto found = std::ranges::find(operations, operation, &std::unique_ptr<Operation>::get);
  if (found != operations.end()) {
    release(env, *operation);
    operations.erase(found);
  }
}

void HandleObject::release(Napi::Env env, const Operation& operation) {
  if (handle_ != nullptr) {
    kept_.remove(env, operation.context);
    kept_.remove(env, operation.buffer);
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
  if (data == nullptr || length == 0) {
    return Napi::Uint8Array::New(env, 0);
  }
  if (contains(memoryData_, memorySize_)) {
    return Napi::Uint8Array::New(env, length, kept_.get(env, memory_).As<Napi::ArrayBuffer>(),
                                 static_cast<std::size_t>(data - memoryData_));
  }
  if (operation != nullptr && contains(operation->data, operation->length)) {
    return Napi::Uint8Array::New(env, length, kept_.get(env, operation->buffer).As<Napi::ArrayBuffer>(),
                                 operation->offset + static_cast<std::size_t>(data - operation->data));
  }
  auto copy = Napi::Uint8Array::New(env, length);
  if (!copy.IsEmpty()) {  // where the environment is ending
    std::copy_n(data, length, copy.Data());
  }
  return copy;
}

Napi::Value HandleObject::getAction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr ULONG kUsualCapacity = 2;
  double queue = 0;
  double capacity = kUsualCapacity;
  if (!toInteger(env, info[0], "queue", WEB_SOCKET_SEND_ACTION_QUEUE, WEB_SOCKET_ALL_ACTION_QUEUE, queue) ||
      (!info[1].IsUndefined() &&
       !toInteger(env, info[1], "capacity", 1, std::numeric_limits<std::uint32_t>::max(), capacity)) ||
      !memoryIsSafe(env)) {
    return undefined(env);
  }
  std::array<WEB_SOCKET_BUFFER, kUsualCapacity> buffers{};
  auto count = static_cast<ULONG>(std::min<double>(capacity, buffers.size()));
  WEB_SOCKET_ACTION action = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID context = nullptr;
  PVOID actionContext = nullptr;
  const HRESULT status = WebSocketGetAction(handle_, static_cast<WEB_SOCKET_ACTION_QUEUE>(static_cast<int>(queue)),
                                            buffers.data(), &count, &action, &type, &context, &actionContext);
  if (FAILED(status)) {
    WEB_SOCKET_FAULT fault{};
    if (SUCCEEDED(WebSocketGetFault(handle_, &fault)) && fault.hrResult == status) {
      throwHResult(env, status, kGetAction.name, fault.pszReason);
    } else {
      failed(env, status, kGetAction);
    }
    return undefined(env);
  }

  const bool isReceive =
      action == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION || action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION;
  Operations& operations = isReceive ? receives_ : sends_;
  const Operation* const operation = context == nullptr ? nullptr : find(operations, context);
  const Napi::Value kept = operation == nullptr ? env.Undefined() : kept_.get(env, operation->context);
  std::array<Napi::Uint8Array, kUsualCapacity> views;
  std::uint64_t length = 0;
  for (std::uint32_t index = 0; index < count; ++index) {
    views.at(index) = view(env, buffers.at(index), operation);
    length += buffers.at(index).Data.ulBufferLength;
  }
  std::uint64_t number = 0;
  if (action != WEB_SOCKET_NO_ACTION) {
    number = ++env.GetInstanceData<AddonData>()->lastAction;
    outstanding_.push_back({number, actionContext, action, length});
  }
  if (operation != nullptr && isIndication(action)) {
    forget(env, operations, operation);
  }

  // From here on a setter on a built-in prototype may run any JavaScript.
  const bool isClose = action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION && type == WEB_SOCKET_CLOSE_BUFFER_TYPE;
  auto list = Napi::Array::New(env, count);
  for (std::uint32_t index = 0; index < count; ++index) {
    list.Set(index, views.at(index));
  }
  auto result = Napi::Object::New(env);
  result["action"] = Napi::Number::New(env, action);
  result["type"] = Napi::Number::New(env, static_cast<std::uint32_t>(type));
  result["buffers"] = list;
  result["closeStatus"] = Napi::Number::New(env, isClose && count != 0 ? buffers[0].CloseStatus.usStatus : 0);
  result["context"] = kept;
  result["actionContext"] = Napi::Number::New(env, static_cast<double>(number));
  return result;
}

Napi::Value HandleObject::completeAction(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  double number = 0;
  std::uint32_t bytes = 0;
  if (!toInteger(env, info[0], "actionContext", 0, kMaxSafeInteger, number) ||
      !toUint32(env, info[1], "bytesTransferred", bytes)) {
    return undefined(env);
  }
  if (number == 0) {  // NO_ACTION's
    return undefined(env);
  }
  const auto found = std::ranges::find(outstanding_, static_cast<std::uint64_t>(number), &Outstanding::number);
  if (found == outstanding_.end()) {
    throwRangeError(env, "actionContext must be that of an action of this handle that was not completed yet");
    return undefined(env);
  }
  double allowed = 0;
  const auto most = static_cast<double>(found->length);
  if (isIndication(found->kind) || toInteger(env, info[1], "bytesTransferred", 0, most, allowed)) {
    if (memoryIsSafe(env)) {
      const PVOID context = found->context;
      outstanding_.erase(found);
      WebSocketCompleteAction(handle_, context, bytes);
    }
  }
  return undefined(env);
}

}  // namespace websocket::binding

#include "driver_object.h"

#include <uv.h>

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "connection.h"
#include "hresult.h"

namespace websocket::binding {
namespace {

// The flags of send().
constexpr std::uint32_t kBinary = 1;
constexpr std::uint32_t kFin = 2;

BufferType typeOf(std::uint32_t flags) {
  if ((flags & kBinary) != 0) {
    return (flags & kFin) != 0 ? BufferType::BinaryMessage : BufferType::BinaryFragment;
  }
  return (flags & kFin) != 0 ? BufferType::Utf8Message : BufferType::Utf8Fragment;
}

bool readLimits(napi_env env, napi_value value, driver::SessionLimits& limits) {
  const auto property = [&](const char* name) {
    napi_value found = nullptr;
    return napi_get_named_property(env, value, name, &found) == napi_ok ? found : nullptr;
  };
  constexpr double kLargest = 9007199254740991;  // Number.MAX_SAFE_INTEGER
  double maxPayload = 0;
  double maxFragments = 0;
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) {
    return throwTypeError(env, "limits must be an object");
  }
  if (!toInteger(env, property("maxPayload"), "limits.maxPayload", 0, kLargest, maxPayload) ||
      !toInteger(env, property("maxFragments"), "limits.maxFragments", 0, kLargest, maxFragments) ||
      !toBoolean(env, property("skipUTF8Validation"), "limits.skipUTF8Validation", limits.skipUtf8Validation) ||
      !toBoolean(env, property("autoPong"), "limits.autoPong", limits.autoPong)) {
    return false;
  }
  constexpr double kNoLimit = 0;
  limits.maxPayload = static_cast<std::uint32_t>(maxPayload > UINT32_MAX ? kNoLimit : maxPayload);
  limits.maxFragments = static_cast<std::uint32_t>(maxFragments > UINT32_MAX ? kNoLimit : maxFragments);
  return true;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Life

napi_value DriverObject::start(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  try {
    std::unique_ptr<DriverObject> made(new DriverObject(env));
    if (!made->initialize(arguments[0])) {
      return nullptr;
    }
    return made.release()->makeObject();  // the cleanup hook owns it
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "E_OUTOFMEMORY", "startDriver: out of memory");
    return nullptr;
  }
}

bool DriverObject::initialize(napi_value callbacks) {
  napi_value onEvents = nullptr;
  napi_value onWrite = nullptr;
  napi_valuetype eventsType = napi_undefined;
  napi_valuetype writeType = napi_undefined;
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, callbacks, &type);
  if (type != napi_object || napi_get_named_property(env_, callbacks, "onEvents", &onEvents) != napi_ok ||
      napi_get_named_property(env_, callbacks, "onWrite", &onWrite) != napi_ok ||
      napi_typeof(env_, onEvents, &eventsType) != napi_ok || napi_typeof(env_, onWrite, &writeType) != napi_ok ||
      eventsType != napi_function || writeType != napi_function) {
    return throwTypeError(env_, "callbacks must be an object with the functions onEvents and onWrite");
  }
  uv_loop_t* loop = nullptr;
  napi_value name = nullptr;
  if (napi_get_uv_event_loop(env_, &loop) != napi_ok ||
      napi_create_string_utf8(env_, "WebSocket", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env_, nullptr, name, &context_) != napi_ok ||
      napi_create_reference(env_, onWrite, 1, &onWrite_) != napi_ok ||
      !delivery_.initialize(env_, onEvents, context_)) {
    return false;
  }
  driver_.emplace(loop, *this);
  napi_async_cleanup_hook_handle hook = nullptr;
  const auto onTeardown = [](napi_async_cleanup_hook_handle handle, void* data) {
    static_cast<DriverObject*>(data)->stop(handle);
  };
  if (napi_add_async_cleanup_hook(env_, onTeardown, this, &hook) != napi_ok) {
    driver_->stop(nullptr);
    return false;
  }
  return true;
}

// The environment ends: JavaScript does not run any more. The hook is removed when the loop has closed every handle.
void DriverObject::stop(napi_async_cleanup_hook_handle hook) {
  const std::unique_ptr<DriverObject> self(this);
  delivery_.release();
  napi_delete_reference(env_, onWrite_);
  napi_async_destroy(env_, context_);
  driver_->stop([hook] { napi_remove_async_cleanup_hook(hook); });
}

template <napi_value (DriverObject::*Method)(const Arguments&)>
napi_value DriverObject::invoke(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  try {
    return (static_cast<DriverObject*>(arguments.data())->*Method)(arguments);
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "E_OUTOFMEMORY", "out of memory");
    return nullptr;
  }
}

napi_value DriverObject::makeObject() {
  const auto method = [this](const char* name, napi_callback callback) {
    return napi_property_descriptor{name, nullptr, callback, nullptr, nullptr, nullptr, napi_default_method, this};
  };
  const std::array properties = {
      method("createOptions", &invoke<&DriverObject::createOptions>),
      method("acceptHandshake", &invoke<&DriverObject::acceptHandshake>),
      method("beginHandshake", &invoke<&DriverObject::beginHandshake>),
      method("endHandshake", &invoke<&DriverObject::endHandshake>),
      method("attachNative", &invoke<&DriverObject::attachNative>),
      method("attachStream", &invoke<&DriverObject::attachStream>),
      method("receive", &invoke<&DriverObject::receive>),
      method("written", &invoke<&DriverObject::written>),
      method("detach", &invoke<&DriverObject::detach>),
      method("send", &invoke<&DriverObject::send>),
      method("sendControl", &invoke<&DriverObject::sendControl>),
      method("sendClose", &invoke<&DriverObject::sendClose>),
      method("setPaused", &invoke<&DriverObject::setPaused>),
      method("bufferedAmount", &invoke<&DriverObject::bufferedAmount>),
      method("shutdown", &invoke<&DriverObject::shutdown>),
      method("destroy", &invoke<&DriverObject::destroy>),
      method("setRef", &invoke<&DriverObject::setRef>),
      method("flush", &invoke<&DriverObject::flush>),
      napi_property_descriptor{"lastId", nullptr, nullptr, &invoke<&DriverObject::lastId>, nullptr, nullptr,
                               napi_enumerable, this},
  };
  napi_value driver = nullptr;
  napi_value result = nullptr;
  if (napi_create_object(env_, &driver) != napi_ok ||
      napi_define_properties(env_, driver, properties.size(), properties.data()) != napi_ok ||
      napi_create_object(env_, &result) != napi_ok ||
      napi_set_named_property(env_, result, "driver", driver) != napi_ok ||
      napi_set_named_property(env_, result, "records", delivery_.records()) != napi_ok ||
      napi_set_named_property(env_, result, "cursor", delivery_.cursor()) != napi_ok) {
    return nullptr;
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------
// Helpers

// The connection that the first argument names; nullptr: it is gone. valid: the argument is a number.
driver::Connection* DriverObject::find(const Arguments& arguments, bool& valid) const {
  driver::ConnectionId id = 0;
  valid = toNumber(env_, arguments[0], "id", id);
  return valid ? driver_->find(id) : nullptr;
}

napi_value DriverObject::number(double value) const {
  napi_value result = nullptr;
  napi_create_double(env_, value, &result);
  return result;
}

napi_value DriverObject::headerList(std::span<const HeaderView> headers) const {
  napi_value list = nullptr;
  napi_create_array_with_length(env_, headers.size() * 2, &list);
  std::uint32_t index = 0;
  for (const HeaderView& header : headers) {
    for (const std::string_view text : {header.name, header.value}) {
      napi_value value = nullptr;
      napi_create_string_latin1(env_, text.data(), text.size(), &value);
      napi_set_element(env_, list, index++, value);
    }
  }
  return list;
}

// The payload bytes buffered, or the HRESULT as a negative number.
napi_value DriverObject::sendResult(Result result, const driver::Connection* connection) const {
  return number(result == Result::Ok ? static_cast<double>(connection->bufferedAmount())
                                     : static_cast<double>(static_cast<std::int32_t>(result)));
}

// ---------------------------------------------------------------------------------------------------------------------
// Handshakes

napi_value DriverObject::createOptions(const Arguments& arguments) {
  driver::SessionLimits limits;
  return readLimits(env_, arguments[0], limits) ? number(driver_->createOptions(limits)) : nullptr;
}

// A new connection with the options that the first argument names; nullptr: an exception is pending.
driver::Connection* DriverObject::create(const Arguments& arguments, Role role, bool zeroMask) {
  std::uint32_t options = 0;
  if (!toUint32(env_, arguments[0], "options", options)) {
    return nullptr;
  }
  if (options >= driver_->optionsCount()) {
    throwRangeError(env_, "options must be a number that createOptions returned");
    return nullptr;
  }
  driver::Connection* const connection = driver_->create(options, role, zeroMask);
  if (connection == nullptr) {
    napi_throw_error(env_, "E_OUTOFMEMORY", "there are too many connections");
    return nullptr;
  }
  return connection;
}

napi_value DriverObject::acceptHandshake(const Arguments& arguments) {
  StringList request;
  std::string subprotocol;
  if (!toHeaderList(env_, arguments[1], "rawHeaders", request) ||
      !toLatin1(env_, arguments[2], "subprotocol", subprotocol)) {
    return nullptr;
  }
  driver::Connection* const connection = create(arguments, Role::Server, false);
  if (connection == nullptr) {
    return nullptr;
  }
  std::span<const HeaderView> response;
  const Result result = connection->session().beginServerHandshake(subprotocol, {}, request.headers(), response);
  if (result != Result::Ok) {
    connection->close(0, false);
    throwHResult(env_, result, "WebSocketBeginServerHandshake");
    return nullptr;
  }
  lastId_ = connection->id();
  return headerList(response);
}

napi_value DriverObject::beginHandshake(const Arguments& arguments) {
  StringList subprotocols;
  bool mask = true;
  if (!subprotocols.read(env_, arguments[1], "subprotocols") || !toBoolean(env_, arguments[2], "mask", mask)) {
    return nullptr;
  }
  driver::Connection* const connection = create(arguments, Role::Client, !mask);
  if (connection == nullptr) {
    return nullptr;
  }
  std::span<const HeaderView> request;
  const Result result = connection->session().beginClientHandshake(subprotocols.views(), {}, request);
  if (result != Result::Ok) {
    connection->close(0, false);
    throwHResult(env_, result, "WebSocketBeginClientHandshake");
    return nullptr;
  }
  lastId_ = connection->id();
  return headerList(request);
}

napi_value DriverObject::endHandshake(const Arguments& arguments) {
  StringList response;
  bool valid = false;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toHeaderList(env_, arguments[1], "rawHeaders", response)) {
    return nullptr;
  }
  ClientSelection selection;
  const Result result = connection == nullptr ? Result::InvalidOperation
                                              : connection->session().endClientHandshake(response.headers(), selection);
  if (result != Result::Ok) {
    throwHResult(env_, result, "WebSocketEndClientHandshake");
    return nullptr;
  }
  return number(selection.subprotocol ? *selection.subprotocol : -1.0);
}

napi_value DriverObject::lastId(const Arguments& /*arguments*/) { return number(lastId_); }

// ---------------------------------------------------------------------------------------------------------------------
// Transports

napi_value DriverObject::attachNative(const Arguments& arguments) {
  double fd = 0;
  bool isPipe = false;
  bool valid = false;
  std::span<const std::uint8_t> preamble;
  std::span<const std::uint8_t> head;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toInteger(env_, arguments[1], "fd", INT32_MIN, INT32_MAX, fd) ||
      !toBoolean(env_, arguments[2], "isPipe", isPipe) || !toBytes(env_, arguments[3], "preamble", preamble) ||
      !toBytes(env_, arguments[4], "head", head)) {
    return nullptr;
  }
  if (connection == nullptr || connection->attached()) {
    return number(UV_EINVAL);
  }
  return number(driver_->attachNative(*connection, static_cast<int>(fd), isPipe, preamble, head));
}

napi_value DriverObject::attachStream(const Arguments& arguments) {
  bool valid = false;
  std::span<const std::uint8_t> head;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBytes(env_, arguments[1], "head", head) && connection != nullptr && !connection->attached() &&
      driver_->attachStream(*connection, head) != 0) {
    throwHResult(env_, Result::InvalidOperation, "attachStream");
  }
  return nullptr;
}

napi_value DriverObject::receive(const Arguments& arguments) {
  bool valid = false;
  std::span<const std::uint8_t> chunk;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBytes(env_, arguments[1], "chunk", chunk) && connection != nullptr && connection->isStream()) {
    try {
      connection->receive(chunk);
    } catch (const std::bad_alloc&) {
      connection->close(UV_ENOMEM, false);
    }
    driver_->deliverIfFull();
  }
  return nullptr;
}

napi_value DriverObject::written(const Arguments& arguments) {
  bool valid = false;
  bool ok = false;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "ok", ok) && connection != nullptr && connection->isStream()) {
    connection->written(ok ? 0 : UV_EPIPE);
  }
  return nullptr;
}

napi_value DriverObject::detach(const Arguments& arguments) {
  bool valid = false;
  if (driver::Connection* const connection = find(arguments, valid); connection != nullptr) {
    connection->close(0, false);
  }
  return nullptr;
}

void DriverObject::write(driver::ConnectionId id, std::span<const Buffer> bytes) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) {
    return;
  }
  std::size_t total = 0;
  for (const Buffer& buffer : bytes) {
    total += buffer.length;
  }
  void* memory = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  napi_value function = nullptr;
  napi_value number = nullptr;
  bool called = false;
  if (napi_create_arraybuffer(env_, total, &memory, &buffer) == napi_ok &&
      napi_create_typedarray(env_, napi_uint8_array, total, buffer, 0, &array) == napi_ok &&
      napi_get_reference_value(env_, onWrite_, &function) == napi_ok &&
      napi_create_uint32(env_, id, &number) == napi_ok) {
    auto* to = static_cast<std::uint8_t*>(memory);
    for (const Buffer& part : bytes) {
      std::memcpy(to, part.data, part.length);
      to += part.length;
    }
    const std::array arguments = {number, array};
    called = callFromLoop(env_, context_, function, arguments);
  }
  if (!called) {
    if (driver::Connection* const connection = driver_->find(id); connection != nullptr) {
      connection->written(UV_EPIPE);  // no effect when onWrite got as far as written()
    }
  }
  napi_close_handle_scope(env_, scope);
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

napi_value DriverObject::send(const Arguments& arguments) {
  bool valid = false;
  std::span<const std::uint8_t> payload;
  std::uint32_t flags = 0;
  std::uint32_t callback = 0;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toPayload(env_, arguments[1], "data", scratch_, payload) ||
      !toNumber(env_, arguments[2], "flags", flags) || !toNumber(env_, arguments[3], "callback", callback)) {
    return nullptr;
  }
  return sendResult(
      connection == nullptr ? Result::InvalidOperation : connection->send(typeOf(flags), payload, callback),
      connection);
}

napi_value DriverObject::sendControl(const Arguments& arguments) {
  bool valid = false;
  bool pong = false;
  std::span<const std::uint8_t> payload;
  std::uint32_t callback = 0;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toBoolean(env_, arguments[1], "pong", pong) ||
      !toPayload(env_, arguments[2], "data", scratch_, payload) ||
      !toNumber(env_, arguments[3], "callback", callback)) {
    return nullptr;
  }
  constexpr std::size_t kMaxPayload = 125;  // RFC 6455, 5.5
  if (payload.size() > kMaxPayload) {
    throwRangeError(env_, "data of a ping or pong must have at most 125 bytes");
    return nullptr;
  }
  const BufferType type = pong ? BufferType::UnsolicitedPong : BufferType::PingPong;
  return sendResult(connection == nullptr ? Result::InvalidOperation : connection->sendControl(type, payload, callback),
                    connection);
}

napi_value DriverObject::sendClose(const Arguments& arguments) {
  bool valid = false;
  double status = 0;
  std::span<const std::uint8_t> reason;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toInteger(env_, arguments[1], "status", 0, UINT16_MAX, status) ||
      !toPayload(env_, arguments[2], "reason", scratch_, reason)) {
    return nullptr;
  }
  return sendResult(connection == nullptr ? Result::InvalidOperation
                                          : connection->sendClose(static_cast<std::uint16_t>(status), reason),
                    connection);
}

napi_value DriverObject::bufferedAmount(const Arguments& arguments) {
  bool valid = false;
  const driver::Connection* const connection = find(arguments, valid);
  return valid ? number(connection == nullptr ? 0 : static_cast<double>(connection->bufferedAmount())) : nullptr;
}

napi_value DriverObject::flush(const Arguments& /*arguments*/) {
  driver_->flush();
  return nullptr;
}

// ---------------------------------------------------------------------------------------------------------------------
// The rest

napi_value DriverObject::setPaused(const Arguments& arguments) {
  bool valid = false;
  bool paused = false;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "paused", paused) && connection != nullptr) {
    connection->setPaused(paused);
  }
  return nullptr;
}

napi_value DriverObject::shutdown(const Arguments& arguments) {
  bool valid = false;
  if (driver::Connection* const connection = find(arguments, valid); connection != nullptr) {
    connection->shutdown();
  }
  return nullptr;
}

napi_value DriverObject::destroy(const Arguments& arguments) {
  bool valid = false;
  bool reset = false;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "reset", reset) && connection != nullptr) {
    connection->close(0, reset);
  }
  return nullptr;
}

napi_value DriverObject::setRef(const Arguments& arguments) {
  bool valid = false;
  bool ref = false;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "ref", ref) && connection != nullptr) {
    connection->setRef(ref);
  }
  return nullptr;
}

}  // namespace websocket::binding

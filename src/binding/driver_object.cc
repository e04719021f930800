#include "driver_object.h"

#include <uv.h>

#include <array>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "connection.h"
#include "deflate_argument.h"
#include "hresult.h"
#include "traffic_object.h"

namespace websocket::binding {
namespace {

bool readLimits(napi_env env, napi_value value, driver::SessionLimits& limits) {
  const auto property = [&](const char* name) {
    napi_value found = nullptr;
    return napi_get_named_property(env, value, name, &found) == napi_ok ? found : nullptr;
  };
  constexpr double kLargest = 9007199254740991;  // Number.MAX_SAFE_INTEGER
  double maxPayload = 0;
  double maxFragments = 0;
  double highWaterMark = 0;
  double maxBackpressure = 0;
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) {
    return throwTypeError(env, "limits must be an object");
  }
  if (!toInteger(env, property("maxPayload"), "limits.maxPayload", 0, kLargest, maxPayload) ||
      !toInteger(env, property("maxFragments"), "limits.maxFragments", 0, kLargest, maxFragments) ||
      !toInteger(env, property("highWaterMark"), "limits.highWaterMark", 0, kLargest, highWaterMark) ||
      !toInteger(env, property("maxBackpressure"), "limits.maxBackpressure", 0, kLargest, maxBackpressure) ||
      !toBoolean(env, property("skipUTF8Validation"), "limits.skipUTF8Validation", limits.skipUtf8Validation) ||
      !toBoolean(env, property("autoPong"), "limits.autoPong", limits.autoPong) ||
      !toDeflateLimits(env, property("deflate"), limits.deflate) ||
      !toBoolean(env, property("borrow"), "limits.borrow", limits.borrow) ||
      !toBoolean(env, property("fragments"), "limits.fragments", limits.fragments)) {
    return false;
  }
  constexpr double kNoLimit = 0;
  limits.maxPayload = static_cast<std::uint64_t>(maxPayload);
  limits.maxFragments = static_cast<std::uint32_t>(maxFragments > UINT32_MAX ? kNoLimit : maxFragments);
  limits.send.highWaterMark = static_cast<std::uint64_t>(highWaterMark);
  limits.send.maxBackpressure =
      maxBackpressure == 0 ? driver::SendLimits::kNone : static_cast<std::uint64_t>(maxBackpressure);
  return true;
}

// Its napi_async_destroy() cannot be called where the environment ends, so it gets no asynchronous context.
bool isDeno(napi_env env) {
  const napi_node_version* version = nullptr;
  return napi_get_node_version(env, &version) == napi_ok && std::string_view(version->release) == "Deno";
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
    DriverObject* const object = made.release();  // the cleanup hook owns it
    return object->makeObject();                  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)
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
      (!isDeno(env_) && napi_async_init(env_, nullptr, name, &context_) != napi_ok) ||
      !delivery_.initialize(env_, onEvents, context_) || !streamWrites_.initialize(env_, onWrite, context_)) {
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
  streamWrites_.release();
  if (context_ != nullptr) {
    napi_async_destroy(env_, context_);
  }
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
      method("createTraffic", &invoke<&DriverObject::createTraffic>),
      method("readTraffic", &invoke<&DriverObject::readTraffic>),
      method("acceptHandshake", &invoke<&DriverObject::acceptHandshake>),
      method("beginHandshake", &invoke<&DriverObject::beginHandshake>),
      method("endHandshake", &invoke<&DriverObject::endHandshake>),
      method("compresses", &invoke<&DriverObject::compresses>),
      method("attachNative", &invoke<&DriverObject::attachNative>),
      method("address", &invoke<&DriverObject::address>),
      method("attachStream", &invoke<&DriverObject::attachStream>),
      method("receive", &invoke<&DriverObject::receive>),
      method("written", &invoke<&DriverObject::written>),
      method("takeWrites", &invoke<&DriverObject::takeWrites>),
      method("detach", &invoke<&DriverObject::detach>),
      method("send", &invoke<&DriverObject::send>),
      method("prepare", &invoke<&DriverObject::prepare>),
      method("broadcast", &invoke<&DriverObject::broadcast>),
      method("sendControl", &invoke<&DriverObject::sendControl>),
      method("sendClose", &invoke<&DriverObject::sendClose>),
      method("sendRaw", &invoke<&DriverObject::sendRaw>),
      method("setPaused", &invoke<&DriverObject::setPaused>),
      method("bufferedAmount", &invoke<&DriverObject::bufferedAmount>),
      method("bytesRead", &invoke<&DriverObject::bytesRead>),
      method("bytesWritten", &invoke<&DriverObject::bytesWritten>),
      method("shutdown", &invoke<&DriverObject::shutdown>),
      method("destroy", &invoke<&DriverObject::destroy>),
      method("setRef", &invoke<&DriverObject::setRef>),
      method("setNoDelay", &invoke<&DriverObject::setNoDelay>),
      method("setKeepAlive", &invoke<&DriverObject::setKeepAlive>),
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
      napi_set_named_property(env_, result, "cursor", delivery_.cursor()) != napi_ok ||
      napi_set_named_property(env_, result, "writes", streamWrites_.records()) != napi_ok) {
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

// The head of a 101 response with these fields.
napi_value DriverObject::responseHead(std::span<const HeaderView> headers) const {
  std::string head = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const HeaderView& header : headers) {
    head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  head.append("\r\n");
  napi_value result = nullptr;
  napi_create_string_latin1(env_, head.data(), head.size(), &result);
  return result;
}

// Nothing, which is cheapest, or the wire bytes above the high-water mark, or the HRESULT as a negative number.
napi_value DriverObject::sendResult(Result result, const driver::Connection* connection) const {
  if (result != Result::Ok) {
    return number(static_cast<std::int32_t>(result));
  }
  return connection->isAboveHighWaterMark() ? number(static_cast<double>(connection->bufferedWireBytes())) : nullptr;
}

// ---------------------------------------------------------------------------------------------------------------------
// Handshakes

napi_value DriverObject::createOptions(const Arguments& arguments) {
  driver::SessionLimits limits;
  return readLimits(env_, arguments[0], limits) ? number(driver_->createOptions(limits)) : nullptr;
}

napi_value DriverObject::createTraffic(const Arguments& /*arguments*/) { return makeTrafficObject(env_); }

napi_value DriverObject::readTraffic(const Arguments& arguments) {
  std::shared_ptr<driver::Traffic> traffic;
  napi_value list = nullptr;
  if (!toTraffic(env_, arguments[0], "traffic", traffic) || traffic == nullptr ||
      napi_create_array(env_, &list) != napi_ok) {
    return nullptr;
  }
  std::uint32_t index = 0;
  for (const std::uint64_t count :
       {traffic->messagesReceived, traffic->messagesSent, traffic->bytesReceived, traffic->bytesSent}) {
    napi_set_element(env_, list, index++, number(static_cast<double>(count)));
  }
  return list;
}

// A new connection with the options that the first argument names; nullptr: an exception is pending.
driver::Connection* DriverObject::create(const Arguments& arguments, Role role,
                                         std::shared_ptr<driver::Traffic> traffic) {
  std::uint32_t options = 0;
  if (!toUint32(env_, arguments[0], "options", options)) {
    return nullptr;
  }
  if (options >= driver_->optionsCount()) {
    throwRangeError(env_, "options must be a number that createOptions returned");
    return nullptr;
  }
  driver::Connection* const connection = driver_->create(options, role, std::move(traffic));
  if (connection == nullptr) {
    napi_throw_error(env_, "E_OUTOFMEMORY", "there are too many connections");
    return nullptr;
  }
  return connection;
}

napi_value DriverObject::acceptHandshake(const Arguments& arguments) {
  StringList request;
  std::string subprotocol;
  std::shared_ptr<driver::Traffic> traffic;
  if (!toHeaderList(env_, arguments[1], "rawHeaders", request) ||
      !toLatin1(env_, arguments[2], "subprotocol", subprotocol) || !toTraffic(env_, arguments[3], "traffic", traffic)) {
    return nullptr;
  }
  driver::Connection* const connection = create(arguments, Role::Server, std::move(traffic));
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
  return responseHead(response);
}

napi_value DriverObject::beginHandshake(const Arguments& arguments) {
  StringList subprotocols;
  if (!subprotocols.read(env_, arguments[1], "subprotocols")) {
    return nullptr;
  }
  driver::Connection* const connection = create(arguments, Role::Client, nullptr);
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

napi_value DriverObject::compresses(const Arguments& arguments) {
  bool valid = false;
  driver::Connection* const connection = find(arguments, valid);
  napi_value result = nullptr;
  return valid && napi_get_boolean(env_, connection != nullptr && connection->session().deflate() != nullptr,
                                   &result) == napi_ok
             ? result
             : nullptr;
}

napi_value DriverObject::lastId(const Arguments& /*arguments*/) { return number(lastId_); }

}  // namespace websocket::binding

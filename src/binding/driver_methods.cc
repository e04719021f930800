// The methods of DriverObject that work on connections after their handshake.
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "connection.h"
#include "driver_object.h"
#include "hresult.h"
#include "prepared_message.h"

namespace websocket::binding {
namespace {

// The operation of send(): flags, and above them the callback number.
constexpr std::uint32_t kBinary = 1;
constexpr std::uint32_t kFin = 2;
constexpr std::uint32_t kCompress = 4;
constexpr std::uint32_t kOwnKey = 8;
constexpr unsigned kCallbackShift = 4;

BufferType typeOf(std::uint32_t flags) {
  if ((flags & kBinary) != 0) {
    return (flags & kFin) != 0 ? BufferType::BinaryMessage : BufferType::BinaryFragment;
  }
  return (flags & kFin) != 0 ? BufferType::Utf8Message : BufferType::Utf8Fragment;
}

Compression compressionOf(std::uint32_t flags) {
  return (flags & kCompress) != 0 ? Compression::FromThreshold : Compression::Off;
}

const MaskKey* addressOf(const std::optional<MaskKey>& key) { return key ? &*key : nullptr; }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Transports

napi_value DriverObject::attachNative(const Arguments& arguments) {
  double fd = 0;
  bool isPipe = false;
  bool valid = false;
  std::string preamble;
  std::span<const std::uint8_t> head;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toInteger(env_, arguments[1], "fd", INT32_MIN, INT32_MAX, fd) ||
      !toBoolean(env_, arguments[2], "isPipe", isPipe) || !toLatin1(env_, arguments[3], "preamble", preamble) ||
      !toBytes(env_, arguments[4], "head", head)) {
    return nullptr;
  }
  if (connection == nullptr || connection->attached()) {
    return number(UV_EINVAL);
  }
  const std::span preambleBytes(reinterpret_cast<const std::uint8_t*>(preamble.data()), preamble.size());
  return number(driver_->attachNative(*connection, static_cast<int>(fd), isPipe, preambleBytes, head));
}

napi_value DriverObject::address(const Arguments& arguments) {
  bool valid = false;
  bool ofPeer = false;
  driver::SocketAddress address;
  const driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toBoolean(env_, arguments[1], "ofPeer", ofPeer) || connection == nullptr ||
      !connection->address(ofPeer, address)) {
    return nullptr;
  }
  napi_value result = nullptr;
  napi_value text = nullptr;
  napi_value family = nullptr;
  if (napi_create_object(env_, &result) != napi_ok ||
      napi_create_string_utf8(env_, address.text.data(), NAPI_AUTO_LENGTH, &text) != napi_ok ||
      napi_create_string_utf8(env_, address.isIpv6 ? "IPv6" : "IPv4", NAPI_AUTO_LENGTH, &family) != napi_ok ||
      napi_set_named_property(env_, result, "address", text) != napi_ok ||
      napi_set_named_property(env_, result, "family", family) != napi_ok ||
      napi_set_named_property(env_, result, "port", number(address.port)) != napi_ok) {
    return nullptr;
  }
  return result;
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
  bool mayDeliver = false;
  bool keep = false;
  driver::Connection* connection = find(arguments, valid);
  std::int64_t left = 0;
  bool takesMore = true;
  if (valid && toBytes(env_, arguments[1], "chunk", chunk) && toBoolean(env_, arguments[2], "mayDeliver", mayDeliver) &&
      toBoolean(env_, arguments[3], "keep", keep) && connection != nullptr && connection->isStream()) {
    try {
      using Rest = driver::Connection::Rest;
      left = static_cast<std::int64_t>(connection->receive(chunk, keep ? Rest::Keep : Rest::Leave));
    } catch (const std::bad_alloc&) {
      connection->close(UV_ENOMEM, false);
    }
    if (mayDeliver) {
      driver_->deliverWaiting();
    }
    connection = find(arguments, valid);
    takesMore = connection == nullptr || (left == 0 && !connection->isWaiting());
  }
  napi_value result = nullptr;
  napi_create_int64(env_, takesMore ? -1 : left, &result);
  return result;
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

// JavaScript writes what a batch made it send before it returns, which saves a call from here.
napi_value DriverObject::takeWrites(const Arguments& /*arguments*/) {
  driver_->flushConnections();
  return streamWrites_.takeFirst(*driver_);
}

void DriverObject::deliver(driver::Batch& batch) {
  delivery_.deliver(batch);
  streamWrites_.finishTaken(*driver_);
}

napi_value DriverObject::detach(const Arguments& arguments) {
  bool valid = false;
  if (driver::Connection* const connection = find(arguments, valid); connection != nullptr) {
    connection->close(0, false);
  }
  return nullptr;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

napi_value DriverObject::send(const Arguments& arguments) {
  bool valid = false;
  PayloadArgument payload;
  std::uint32_t operation = 0;
  std::optional<MaskKey> key;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toPayload(env_, arguments[1], "data", scratch_, payload) ||
      !toNumber(env_, arguments[2], "operation", operation) ||
      ((operation & kOwnKey) != 0 && !toMaskKey(env_, arguments[3], "key", key))) {
    return nullptr;
  }
  const BufferType type = typeOf(operation);
  const std::uint32_t callback = operation >> kCallbackShift;
  const Compression compression = compressionOf(operation);
  Result result = Result::InvalidOperation;
  if (connection != nullptr && payload.prepared != nullptr) {
    result = connection->send(type, payload.prepared, callback, addressOf(key), compression);
  } else if (connection != nullptr) {
    result = connection->send(type, payload.bytes, callback, std::move(payload.owner), addressOf(key), compression);
  }
  return sendResult(result, connection);
}

napi_value DriverObject::prepare(const Arguments& arguments) {
  PayloadArgument payload;
  if (!toPayload(env_, arguments[1], "data", scratch_, payload) || !prepareMessage(env_, arguments[0], payload.bytes)) {
    return nullptr;
  }
  return number(static_cast<double>(payload.bytes.size()));
}

napi_value DriverObject::broadcast(const Arguments& arguments) {
  std::span<driver::ConnectionId> ids;
  PayloadArgument payload;
  std::uint32_t flags = 0;
  if (!toUint32Array(env_, arguments[0], "ids", ids) || !toPayload(env_, arguments[1], "data", scratch_, payload) ||
      !toNumber(env_, arguments[2], "flags", flags)) {
    return nullptr;
  }
  if (payload.prepared == nullptr && payload.owner == nullptr && payload.bytes.size() >= driver::kSharedSize) {
    std::shared_ptr<std::uint8_t[]> shared = std::make_unique_for_overwrite<std::uint8_t[]>(payload.bytes.size());
    std::ranges::copy(payload.bytes, shared.get());
    payload.bytes = {shared.get(), payload.bytes.size()};
    payload.owner = std::move(shared);
  }
  if (payload.prepared == nullptr) {
    payload.prepared = std::make_shared<driver::SharedMessage>(payload.bytes, std::move(payload.owner));
  }
  return number(driver_->broadcast(ids, typeOf(flags), payload.prepared, compressionOf(flags)));
}

napi_value DriverObject::sendControl(const Arguments& arguments) {
  bool valid = false;
  bool pong = false;
  PayloadArgument payload;
  std::uint32_t callback = 0;
  std::optional<MaskKey> key;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toBoolean(env_, arguments[1], "pong", pong) ||
      !toPayload(env_, arguments[2], "data", scratch_, payload) ||
      !toNumber(env_, arguments[3], "callback", callback) || !toMaskKey(env_, arguments[4], "key", key)) {
    return nullptr;
  }
  constexpr std::size_t kMaxPayload = 125;  // RFC 6455, 5.5
  if (payload.bytes.size() > kMaxPayload) {
    throwRangeError(env_, "data of a ping or pong must have at most 125 bytes");
    return nullptr;
  }
  const BufferType type = pong ? BufferType::UnsolicitedPong : BufferType::PingPong;
  return sendResult(connection == nullptr ? Result::InvalidOperation
                                          : connection->sendControl(type, payload.bytes, callback, addressOf(key)),
                    connection);
}

napi_value DriverObject::sendClose(const Arguments& arguments) {
  bool valid = false;
  double status = 0;
  PayloadArgument reason;
  std::optional<MaskKey> key;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toInteger(env_, arguments[1], "status", 0, UINT16_MAX, status) ||
      !toPayload(env_, arguments[2], "reason", scratch_, reason) || !toMaskKey(env_, arguments[3], "key", key)) {
    return nullptr;
  }
  return sendResult(connection == nullptr
                        ? Result::InvalidOperation
                        : connection->sendClose(static_cast<std::uint16_t>(status), reason.bytes, addressOf(key)),
                    connection);
}

napi_value DriverObject::sendRaw(const Arguments& arguments) {
  bool valid = false;
  PayloadArgument bytes;
  std::uint32_t callback = 0;
  driver::Connection* const connection = find(arguments, valid);
  if (!valid || !toPayload(env_, arguments[1], "bytes", scratch_, bytes) ||
      !toNumber(env_, arguments[2], "callback", callback)) {
    return nullptr;
  }
  return sendResult(connection == nullptr ? Result::InvalidOperation : connection->sendRaw(bytes.bytes, callback),
                    connection);
}

// A count of the connection, also when it has ended; 0 when its last event was delivered.
napi_value DriverObject::count(const Arguments& arguments, std::uint64_t (driver::Connection::*bytes)() const) const {
  driver::ConnectionId id = 0;
  if (!toNumber(env_, arguments[0], "id", id)) {
    return nullptr;
  }
  const driver::Connection* const connection = driver_->findEnded(id);
  return number(connection == nullptr ? 0 : static_cast<double>((connection->*bytes)()));
}

napi_value DriverObject::bufferedAmount(const Arguments& arguments) {
  return count(arguments, &driver::Connection::bufferedAmount);
}

napi_value DriverObject::bytesRead(const Arguments& arguments) {
  return count(arguments, &driver::Connection::bytesRead);
}

napi_value DriverObject::bytesWritten(const Arguments& arguments) {
  return count(arguments, &driver::Connection::bytesWritten);
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
  std::uint32_t readAhead = 0;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "paused", paused) &&
      toUint32(env_, arguments[2], "readAhead", readAhead) && connection != nullptr) {
    connection->setPaused(paused, readAhead);
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

napi_value DriverObject::setNoDelay(const Arguments& arguments) {
  bool valid = false;
  bool noDelay = false;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "noDelay", noDelay) && connection != nullptr) {
    connection->setNoDelay(noDelay);
  }
  return nullptr;
}

napi_value DriverObject::setKeepAlive(const Arguments& arguments) {
  bool valid = false;
  bool keepAlive = false;
  std::uint32_t idleSeconds = 0;
  driver::Connection* const connection = find(arguments, valid);
  if (valid && toBoolean(env_, arguments[1], "keepAlive", keepAlive) &&
      toUint32(env_, arguments[2], "idleSeconds", idleSeconds) && connection != nullptr) {
    connection->setKeepAlive(keepAlive, idleSeconds);
  }
  return nullptr;
}

}  // namespace websocket::binding

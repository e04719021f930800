// The JavaScript object `Driver` of types/native.d.ts: checks arguments, calls driver::Driver, and hands its events
// over. One for each startDriver() of an environment. It lives until the environment is torn down and the loop has
// closed its handles.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "arguments.h"
#include "delivery.h"
#include "driver.h"
#include "stream_writes.h"

namespace websocket::binding {

class DriverObject final : public driver::Delegate {
 public:
  // Implements startDriver(callbacks). Returns null when an exception is pending.
  static napi_value start(napi_env env, napi_callback_info info);

  DriverObject(const DriverObject&) = delete;
  DriverObject& operator=(const DriverObject&) = delete;
  ~DriverObject() override = default;

  void deliver(driver::Batch& batch) override;
  void gather(driver::ConnectionId id, std::span<const Buffer> bytes) override { streamWrites_.add(id, bytes); }
  void writeGathered() override { streamWrites_.write(*driver_); }

 private:
  explicit DriverObject(napi_env env) : env_(env) {}

  bool initialize(napi_value callbacks);
  napi_value makeObject();
  void stop(napi_async_cleanup_hook_handle hook);

  template <napi_value (DriverObject::*Method)(const Arguments&)>
  static napi_value invoke(napi_env env, napi_callback_info info);

  napi_value createOptions(const Arguments& arguments);
  napi_value createTraffic(const Arguments& arguments);
  napi_value readTraffic(const Arguments& arguments);
  napi_value acceptHandshake(const Arguments& arguments);
  napi_value beginHandshake(const Arguments& arguments);
  napi_value endHandshake(const Arguments& arguments);
  napi_value compresses(const Arguments& arguments);
  napi_value lastId(const Arguments& arguments);
  napi_value attachNative(const Arguments& arguments);
  napi_value address(const Arguments& arguments);
  napi_value attachStream(const Arguments& arguments);
  napi_value receive(const Arguments& arguments);
  napi_value written(const Arguments& arguments);
  napi_value takeWrites(const Arguments& arguments);
  napi_value detach(const Arguments& arguments);
  napi_value send(const Arguments& arguments);
  napi_value prepare(const Arguments& arguments);
  napi_value broadcast(const Arguments& arguments);
  napi_value sendControl(const Arguments& arguments);
  napi_value sendClose(const Arguments& arguments);
  napi_value sendRaw(const Arguments& arguments);
  napi_value setPaused(const Arguments& arguments);
  napi_value bufferedAmount(const Arguments& arguments);
  napi_value bytesRead(const Arguments& arguments);
  napi_value bytesWritten(const Arguments& arguments);
  napi_value shutdown(const Arguments& arguments);
  napi_value destroy(const Arguments& arguments);
  napi_value setRef(const Arguments& arguments);
  napi_value setNoDelay(const Arguments& arguments);
  napi_value setKeepAlive(const Arguments& arguments);
  napi_value flush(const Arguments& arguments);

  driver::Connection* find(const Arguments& arguments, bool& valid) const;
  driver::Connection* create(const Arguments& arguments, Role role, std::shared_ptr<driver::Traffic> traffic);
  napi_value count(const Arguments& arguments, std::uint64_t (driver::Connection::*bytes)() const) const;
  napi_value sendResult(Result result, const driver::Connection* connection) const;
  napi_value number(double value) const;
  napi_value headerList(std::span<const HeaderView> headers) const;
  napi_value responseHead(std::span<const HeaderView> headers) const;

  napi_env env_;
  napi_async_context context_ = nullptr;
  driver::ConnectionId lastId_ = 0;
  Utf8Scratch scratch_;
  Delivery delivery_;
  StreamWrites streamWrites_;
  std::optional<driver::Driver> driver_;
};

}  // namespace websocket::binding

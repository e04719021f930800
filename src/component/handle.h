// What a WEB_SOCKET_HANDLE points at, and how the C functions enter it: locked, and with no exception let out.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "lock.h"
#include "session.h"
#include "shared_receive_pool.h"
#include "websocket.h"

namespace websocket {

struct Handle {
  Handle(Role role, std::shared_ptr<const SessionOptions> options, SharedReceivePool* receivePool)
      : session(role, std::move(options)), pool(receivePool) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() = default;

  Lock lock;
  std::vector<WEB_SOCKET_HTTP_HEADER> headers;  // returned by Begin*Handshake
  Session session;
  SharedReceivePool* pool;  // of the RECEIVE_POOL property, or null
};

constexpr HRESULT toHresult(Result result) { return static_cast<HRESULT>(result); }

// Runs a function on the locked handle; an allocation that failed becomes E_OUTOFMEMORY.
template <typename Function>
HRESULT withHandle(WEB_SOCKET_HANDLE handle, Function&& function) noexcept {
  if (handle == nullptr) {
    return E_INVALIDARG;
  }
  try {
    auto& locked = *static_cast<Handle*>(handle);
    const std::lock_guard guard(locked.lock);
    return toHresult(function(locked));
  } catch (const std::bad_alloc&) {
    return E_OUTOFMEMORY;
  } catch (...) {
    return E_FAIL;
  }
}

}  // namespace websocket

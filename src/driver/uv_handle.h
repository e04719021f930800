// Ownership of libuv handles. A handle's memory must outlive uv_close() until the close callback, so its owner gives it
// up by closing it, and the callback frees it.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <utility>

namespace websocket::driver {

// Shared by all handles of a driver; when the driver and the last handle are gone, onEnd is called. That is how a
// driver's owner learns that the loop holds nothing of it any more.
struct HandleLifetime {
  HandleLifetime() = default;
  HandleLifetime(const HandleLifetime&) = delete;
  HandleLifetime& operator=(const HandleLifetime&) = delete;
  ~HandleLifetime() {
    if (onEnd) {
      onEnd();
    }
  }

  std::function<void()> onEnd;
};

// Base of a block of memory that holds a handle, and the requests on it. `Owner` is what the callbacks call.
template <class Owner>
struct HandleBlock {
  Owner* owner = nullptr;  // null once closed
  std::shared_ptr<HandleLifetime> lifetime;
};

// Closes the handle of a block and frees the block afterwards. Block has a member function base().
template <class Block>
struct CloseHandle {
  void operator()(Block* block) const {
    block->owner = nullptr;
    uv_close(block->base(), &CloseHandle::closed);
  }
  // For uv_close() and its like. Every block sets data of its handle to itself.
  static void closed(uv_handle_t* handle) { delete static_cast<Block*>(handle->data); }
};

template <class Block>
using UniqueHandle = std::unique_ptr<Block, CloseHandle<Block>>;

}  // namespace websocket::driver

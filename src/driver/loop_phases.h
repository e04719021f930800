// The driver's place in the loop: a callback before the loop polls (uv_prepare) and after it (uv_check), and a way to
// keep the loop from sleeping or ending while work waits (uv_idle). Deno's loop has no uv_prepare; there it is a
// callback that work asks for (uv_async).
#pragma once

#include <uv.h>

#include <memory>

#include "uv_handle.h"

namespace websocket::driver {

class Driver;

class LoopPhases {
 public:
  // The handles belong to the loop's thread. Throws std::bad_alloc.
  LoopPhases(uv_loop_t* loop, Driver& driver, const std::shared_ptr<HandleLifetime>& lifetime);

  // Work waits: the loop stays alive and does not sleep until rest() is called.
  void wake() {
    if (!awake_) {
      startIdle();
    }
  }
  void rest();

 private:
  template <class Handle>
  struct Block : HandleBlock<Driver> {
    uv_handle_t* base() { return reinterpret_cast<uv_handle_t*>(&handle); }
    Handle handle{};
  };
  template <class Handle>
  static UniqueHandle<Block<Handle>> make(Driver& driver, const std::shared_ptr<HandleLifetime>& lifetime);

  void startIdle();
  // Deno: there are no phases.
  void initializeWakeup(uv_loop_t* loop, Driver& driver, const std::shared_ptr<HandleLifetime>& lifetime);

  UniqueHandle<Block<uv_prepare_t>> prepare_;
  UniqueHandle<Block<uv_check_t>> check_;
  UniqueHandle<Block<uv_idle_t>> idle_;
  UniqueHandle<Block<uv_async_t>> wakeup_;  // null where there are phases
  bool awake_ = false;
};

}  // namespace websocket::driver

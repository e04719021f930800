#include "loop_phases.h"

#include "driver.h"

namespace websocket::driver {

// The uv_*_init and _start functions of these handles cannot fail.
template <class Handle>
UniqueHandle<LoopPhases::Block<Handle>> LoopPhases::make(Driver& driver,
                                                         const std::shared_ptr<HandleLifetime>& lifetime) {
  auto block = std::make_unique<Block<Handle>>();
  block->owner = &driver;
  block->lifetime = lifetime;
  block->handle.data = block.get();
  return UniqueHandle<Block<Handle>>(block.release());
}

LoopPhases::LoopPhases(uv_loop_t* loop, Driver& driver, const std::shared_ptr<HandleLifetime>& lifetime) {
  auto prepare = make<uv_prepare_t>(driver, lifetime);
  uv_prepare_init(loop, &prepare->handle);
  prepare_ = std::move(prepare);
  auto check = make<uv_check_t>(driver, lifetime);
  uv_check_init(loop, &check->handle);
  check_ = std::move(check);
  auto idle = make<uv_idle_t>(driver, lifetime);
  uv_idle_init(loop, &idle->handle);
  idle_ = std::move(idle);

  uv_prepare_start(&prepare_->handle,
                   [](uv_prepare_t* handle) { static_cast<Block<uv_prepare_t>*>(handle->data)->owner->beforePoll(); });
  uv_check_start(&check_->handle,
                 [](uv_check_t* handle) { static_cast<Block<uv_check_t>*>(handle->data)->owner->afterPoll(); });
  uv_unref(prepare_->base());
  uv_unref(check_->base());
}

void LoopPhases::startIdle() {
  uv_idle_start(&idle_->handle, [](uv_idle_t*) {});
  awake_ = true;
}

void LoopPhases::rest() {
  if (awake_) {
    uv_idle_stop(&idle_->handle);
    awake_ = false;
  }
}

}  // namespace websocket::driver

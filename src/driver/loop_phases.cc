#include "loop_phases.h"

#include "driver.h"

// Null in Deno.
#if defined(__ELF__)
#pragma weak uv_prepare_init
#pragma weak uv_prepare_start
#endif

namespace websocket::driver {
namespace {

bool hasPhases() {
#if defined(__ELF__)
  return uv_prepare_init != nullptr && uv_prepare_start != nullptr;
#else
  return true;
#endif
}

}  // namespace

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
  if (!hasPhases()) {
    initializeWakeup(loop, driver, lifetime);
    return;
  }
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

void LoopPhases::initializeWakeup(uv_loop_t* loop, Driver& driver, const std::shared_ptr<HandleLifetime>& lifetime) {
  auto wakeup = make<uv_async_t>(driver, lifetime);
  uv_async_init(loop, &wakeup->handle,
                [](uv_async_t* handle) { static_cast<Block<uv_async_t>*>(handle->data)->owner->afterWakeup(); });
  wakeup_ = std::move(wakeup);
  uv_unref(wakeup_->base());
}

void LoopPhases::startIdle() {
  awake_ = true;
  if (wakeup_ != nullptr) {
    uv_ref(wakeup_->base());
    uv_async_send(&wakeup_->handle);
  } else {
    uv_idle_start(&idle_->handle, [](uv_idle_t*) {});
  }
}

void LoopPhases::rest() {
  if (!awake_) {
    return;
  }
  awake_ = false;
  if (wakeup_ != nullptr) {
    uv_unref(wakeup_->base());
  } else {
    uv_idle_stop(&idle_->handle);
  }
}

}  // namespace websocket::driver

// The compression jobs of a loop. libuv's thread pool runs them, a few at a time, in the order in which they came.
// Several connections may wait for one job.
//
// Owned by the driver. One thread, the loop's; only DeflateJob::run() is called on others.
#pragma once

#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "event.h"
#include "extension/deflate_job.h"
#include "fifo.h"
#include "uv_handle.h"

namespace websocket::driver {

class Driver;

class DeflateQueue {
 public:
  DeflateQueue(uv_loop_t* loop, Driver& driver, std::shared_ptr<HandleLifetime> lifetime)
      : loop_(loop), driver_(driver), lifetime_(std::move(lifetime)) {}
  DeflateQueue(const DeflateQueue&) = delete;
  DeflateQueue& operator=(const DeflateQueue&) = delete;
  // Jobs that run are stopped, which takes them some milliseconds, and then thrown away.
  ~DeflateQueue();

  // So many jobs may run at a time, at least 1; of several values the largest counts.
  void allow(std::uint32_t jobs) { limit_ = std::max(limit_.value_or(1), jobs); }
  // Runs the job, unless it is in the queue already, and tells the connection, which awaits it, by Driver::deflated(),
  // later. A job that no connection awaits any more (Driver::awaits()) is not begun. Throws std::bad_alloc and changes
  // nothing then.
  void add(std::shared_ptr<DeflateJob> job, ConnectionId id);

 private:
  static constexpr std::uint32_t kUsualLimit = 10;  // as in ws

  struct Work {
    uv_work_t request{};
    DeflateQueue* owner = nullptr;  // null when the queue is gone
    std::shared_ptr<HandleLifetime> lifetime;
    std::shared_ptr<DeflateJob> job;
    std::vector<ConnectionId> waiting;
  };

  void startNext();
  void finish(Work& work);
  bool isAwaited(const Work& work) const;

  uv_loop_t* loop_;
  Driver& driver_;
  std::shared_ptr<HandleLifetime> lifetime_;
  std::optional<std::uint32_t> limit_;
  std::uint32_t running_ = 0;
  std::unordered_map<const DeflateJob*, std::unique_ptr<Work>> works_;
  Fifo<const DeflateJob*> order_;  // of those that have not begun
};

}  // namespace websocket::driver

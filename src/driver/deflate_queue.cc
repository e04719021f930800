#include "deflate_queue.h"

#include <algorithm>
#include <utility>

#include "driver.h"

// Deno's libuv does not have it: null then.
#if defined(__ELF__)
#pragma weak uv_cancel
#endif

namespace websocket::driver {
namespace {

// Unless a thread has begun the work.
void cancel(uv_work_t& request) {
#if defined(__ELF__)
  if (uv_cancel == nullptr) {
    return;
  }
#endif
  uv_cancel(reinterpret_cast<uv_req_t*>(&request));
}

}  // namespace

DeflateQueue::~DeflateQueue() {
  while (!order_.empty()) {
    works_.erase(order_.front());
    order_.pop();
  }
  for (auto& [job, work] : works_) {
    work->owner = nullptr;
    work->job->stop();
    cancel(work->request);
    static_cast<void>(work.release());  // the callback's now
  }
}

void DeflateQueue::add(std::shared_ptr<DeflateJob> job, ConnectionId id) {
  const DeflateJob* const key = job.get();
  if (const auto found = works_.find(key); found != works_.end()) {
    found->second->waiting.push_back(id);
    return;
  }
  auto work = std::make_unique<Work>();
  work->request.data = work.get();
  work->owner = this;
  work->lifetime = lifetime_;
  work->job = std::move(job);
  work->waiting.push_back(id);
  order_.push(key);
  try {
    works_.emplace(key, std::move(work));
  } catch (...) {
    order_.popBack();
    throw;
  }
  startNext();
}

bool DeflateQueue::isAwaited(const Work& work) const {
  return std::ranges::any_of(work.waiting, [&](ConnectionId id) { return driver_.awaits(id, *work.job); });
}

void DeflateQueue::startNext() {
  while (running_ < limit_.value_or(kUsualLimit) && !order_.empty()) {
    const auto next = works_.find(order_.front());
    order_.pop();
    Work& work = *next->second;
    if (!isAwaited(work)) {
      works_.erase(next);
      continue;
    }
    ++running_;
    uv_queue_work(  // cannot fail
        loop_, &work.request, [](uv_work_t* request) { static_cast<Work*>(request->data)->job->run(); },
        [](uv_work_t* request, int /*status*/) {
          Work& done = *static_cast<Work*>(request->data);
          if (done.owner == nullptr) {
            const std::unique_ptr<Work> last(&done);
          } else {
            done.owner->finish(done);
          }
        });
  }
}

void DeflateQueue::finish(Work& work) {
  const auto found = works_.find(work.job.get());
  const std::unique_ptr<Work> done = std::move(found->second);
  works_.erase(found);
  done->job->finish();
  --running_;
  for (const ConnectionId id : done->waiting) {
    driver_.deflated(id, *done->job);
  }
  startNext();
}

}  // namespace websocket::driver

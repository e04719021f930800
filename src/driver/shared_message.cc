#include "shared_message.h"

#include <algorithm>

namespace websocket::driver {

const std::shared_ptr<DeflateJob>& SharedMessage::job(const DeflaterSettings& settings,
                                                      const std::shared_ptr<DeflatePool>& pool) {
  const auto found = std::ranges::find(jobs_, settings, [](const auto& job) { return job->settings(); });
  return found != jobs_.end() ? *found
                              : jobs_.emplace_back(std::make_shared<DeflateJob>(payload_, owner_, pool, settings));
}

}  // namespace websocket::driver

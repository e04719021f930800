#include "random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <atomic>
#include <climits>

#ifndef _WIN32
#include <pthread.h>
#endif

namespace websocket {
namespace {

class SystemRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const std::size_t count = std::min<std::size_t>(bytes.size(), INT_MAX);
      if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1) return false;
      bytes = bytes.subspan(count);
    }
    return true;
  }
};

// Counts the forks between the first process and this one. A counter costs a load for each key; asking for the process
// id would cost a system call.
std::atomic<std::uint32_t> processGeneration{0};

// True when a fork will be noticed.
bool watchForks() {
#ifdef _WIN32
  return true;
#else
  static const bool watching =
      pthread_atfork(nullptr, nullptr, [] { processGeneration.fetch_add(1, std::memory_order_relaxed); }) == 0;
  return watching;
#endif
}

}  // namespace

RandomSource& systemRandom() {
  static SystemRandom source;
  return source;
}

bool PooledRandom::fill(std::span<std::uint8_t> bytes) {
  const bool forked = generation_ != processGeneration.load(std::memory_order_relaxed);
  if (forked || available_ < bytes.size()) {
    if (bytes.size() > kPoolSize || !watchForks()) return systemRandom().fill(bytes);
    if (!refill()) return false;
  }
  std::copy_n(pool_.end() - static_cast<std::ptrdiff_t>(available_), bytes.size(), bytes.begin());
  available_ -= bytes.size();
  return true;
}

bool PooledRandom::refill() {
  available_ = 0;
  generation_ = processGeneration.load(std::memory_order_relaxed);
  if (!systemRandom().fill(pool_)) return false;
  available_ = kPoolSize;
  return true;
}

RandomSource& threadRandom() {
  thread_local PooledRandom source;
  return source;
}

}  // namespace websocket

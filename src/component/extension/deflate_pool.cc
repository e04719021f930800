#include "extension/deflate_pool.h"

#include <algorithm>
#include <utility>

namespace websocket {
namespace {

// Takes the first context that fits, or nothing.
template <typename Waiting, typename Predicate>
auto takeFrom(Waiting& waiting, Predicate fits) {
  const auto found = std::ranges::find_if(waiting, [&](const auto& one) { return one != nullptr && fits(*one); });
  return found == waiting.end() ? typename Waiting::value_type() : std::move(*found);
}

// Puts a context where none waits, else in the place of another one: settings that nobody uses any more must not fill
// the places. Returns what has to be freed, so that this happens outside the lock.
template <typename Waiting>
auto putInto(Waiting& waiting, typename Waiting::value_type context) {
  const auto free = std::ranges::find_if(waiting, [](const auto& one) { return one == nullptr; });
  if (free == waiting.end()) {
    std::rotate(waiting.begin(), waiting.begin() + 1, waiting.end());
  }
  return std::exchange(free == waiting.end() ? waiting.back() : *free, std::move(context));
}

}  // namespace

std::unique_ptr<Deflater> DeflatePool::takeDeflater(const DeflaterSettings& settings) {
  std::unique_ptr<Deflater> deflater;
  {
    const std::scoped_lock lock(mutex_);
    deflater = takeFrom(deflaters_, [&](const Deflater& one) { return one.settings() == settings; });
  }
  if (deflater == nullptr) {
    return std::make_unique<Deflater>(settings, memory_);
  }
  deflater->reset();
  return deflater;
}

std::unique_ptr<Inflater> DeflatePool::takeInflater(std::uint8_t windowBits) {
  std::unique_ptr<Inflater> inflater;
  {
    const std::scoped_lock lock(mutex_);
    inflater = takeFrom(inflaters_, [&](const Inflater& one) { return one.windowBits() == windowBits; });
  }
  if (inflater == nullptr) {
    return std::make_unique<Inflater>(windowBits, memory_);
  }
  inflater->reset();
  return inflater;
}

void DeflatePool::give(std::unique_ptr<Deflater> deflater) {
  if (deflater != nullptr) {
    const std::scoped_lock lock(mutex_);
    deflater = putInto(deflaters_, std::move(deflater));
  }
}

void DeflatePool::give(std::unique_ptr<Inflater> inflater) {
  if (inflater != nullptr) {
    const std::scoped_lock lock(mutex_);
    inflater = putInto(inflaters_, std::move(inflater));
  }
}

void DeflatePool::trim() {
  Waiting<Deflater> deflaters;
  Waiting<Inflater> inflaters;
  const std::scoped_lock lock(mutex_);
  deflaters_.swap(deflaters);
  inflaters_.swap(inflaters);
}

}  // namespace websocket

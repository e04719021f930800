#include "extension/deflate_job.h"

#include <algorithm>
#include <new>
#include <utility>

namespace websocket {

namespace {

// Bytes that are compressed before stop() takes effect. Some milliseconds of work, and the 5 bytes that end each part
// of a message are nothing beside it.
constexpr std::size_t kPart = std::size_t{256} * 1024;

}  // namespace

void DeflateJob::run() noexcept {
  try {
    ByteBuffer output;
    if (!compress(output)) {
      context_.reset();
      return;
    }
    if (!takeover_) {
      pool_->give(std::move(context_));
      if (output.size() >= payload_.size()) {
        return;
      }
    }
    // Memory of its size: it may be kept for long.
    auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(output.size());
    std::ranges::copy(output.view(), memory.get());
    compressed_ = {memory.get(), output.size()};
    compressedOwner_ = std::move(memory);
    isCompressed_ = true;
  } catch (const std::bad_alloc&) {
    context_.reset();  // it may have seen a message that is not sent with it
  }
}

// False: it was stopped. Throws std::bad_alloc.
bool DeflateJob::compress(ByteBuffer& output) {
  if (context_ == nullptr) {
    context_ = pool_->takeDeflater(takeover_ ? settings_ : settings_.forMessage(payload_.size()));
  }
  std::span<const std::uint8_t> rest = payload_;
  ByteBuffer part;
  do {
    if (stopped_.load(std::memory_order_relaxed)) {
      return false;
    }
    const std::span<const std::uint8_t> next = rest.first(std::min(rest.size(), kPart));
    const bool first = rest.size() == payload_.size();
    rest = rest.subspan(next.size());
    context_->deflate(next, rest.empty(), first ? output : part);
    if (!first) {
      output.append(part.view());
    }
  } while (!rest.empty());
  return true;
}

}  // namespace websocket

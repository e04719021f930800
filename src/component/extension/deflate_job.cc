#include "extension/deflate_job.h"

#include <algorithm>
#include <new>
#include <utility>

namespace websocket {

void DeflateJob::run() noexcept {
  try {
    compress();
  } catch (const std::bad_alloc&) {
    context_.reset();  // it may have seen a message that is not sent with it
  }
}

void DeflateJob::compress() {
  if (context_ == nullptr) {
    context_ = pool_->takeDeflater(settings_);
  }
  ByteBuffer output;
  context_->deflate(payload_, true, output);
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
}

}  // namespace websocket

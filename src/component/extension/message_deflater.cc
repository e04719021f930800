#include "extension/message_deflater.h"

namespace websocket {

void MessageDeflater::deflate(std::span<const std::uint8_t> input, bool last, ByteBuffer& output) {
  if (deflater_ == nullptr) {
    const bool alone = last && !takeover_;
    deflater_ = pool_->takeDeflater(alone ? settings_.forMessage(input.size()) : settings_);
  }
  try {
    deflater_->deflate(input, last, output);
  } catch (...) {
    release();
    throw;
  }
  if (last && !takeover_) {
    release();
  }
}

}  // namespace websocket

#include "extension/message_deflater.h"

namespace websocket {

void MessageDeflater::deflate(std::span<const std::uint8_t> input, bool last, ByteBuffer& output) {
  if (deflater_ == nullptr) {
    deflater_ = pool_->takeDeflater(settings_);
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

#include "shared_message.h"

#include <algorithm>
#include <utility>

#include "extension/message_deflater.h"

namespace websocket::driver {

SharedMessage::SharedMessage(std::span<const std::uint8_t> payload, SharedBytes owner)
    : owner_(std::move(owner)), plain_{payload, payload.size() < kSharedSize ? nullptr : owner_, false} {}

const SharedMessage::Form& SharedMessage::compressed(const DeflaterSettings& settings,
                                                     const std::shared_ptr<DeflatePool>& pool) {
  const auto found = std::ranges::find(compressed_, settings, &Compressed::settings);
  if (found != compressed_.end()) {
    return found->form;
  }
  ByteBuffer output;
  MessageDeflater(pool, settings, false).deflate(plain_.bytes, true, output);
  Compressed& made = compressed_.emplace_back();
  made.settings = settings;
  if (output.size() >= plain_.bytes.size()) {
    made.form = plain_;
    return made.form;
  }
  // Memory of its size: it may be kept for long.
  auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(output.size());
  std::ranges::copy(output.view(), memory.get());
  made.form = {{memory.get(), output.size()}, nullptr, true};
  if (output.size() < kSharedSize) {
    made.memory = std::move(memory);
  } else {
    made.form.owner = std::move(memory);
  }
  return made.form;
}

}  // namespace websocket::driver

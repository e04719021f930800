// The part of Connection that belongs to permessage-deflate.
#include "connection.h"
#include "driver.h"

namespace websocket::driver {

// Contexts that are not taken over are in the driver's pool between messages.
void Connection::noteContexts() {
  if (const DeflateParameters* const agreed = session_.deflate();
      !agreed->serverNoContextTakeover || !agreed->clientNoContextTakeover) {
    driver_.usesContexts(*this);
  }
}

Result Connection::send(BufferType type, SharedMessage& message, std::uint32_t callback, const MaskKey* key,
                        Compression compression) {
  const DeflaterSettings* const settings =
      canSend() ? session_.sharedDeflater(type, message.plain().bytes, compression) : nullptr;
  if (settings == nullptr) {
    const SharedMessage::Form& plain = message.plain();
    return send(type, plain.bytes, callback, plain.owner, key, compression);
  }
  const SharedMessage::Form& form = message.compressed(*settings, driver_.deflatePool());
  return send(type, form.bytes, callback, form.owner, key, form.isCompressed ? Compression::Done : Compression::Off);
}

}  // namespace websocket::driver

// What a client may send, into a server handle.
#include "received_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  websocket::fuzz::receiveBytes({data, size}, true);
  return 0;
}

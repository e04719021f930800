// What a server may send, into a client handle.
#include "received_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  websocket::fuzz::receiveBytes({data, size}, false);
  return 0;
}

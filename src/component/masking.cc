#include "masking.h"

namespace websocket::masking {

void copyLong(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key) {
  copyWords(to, from, size, key);
}

}  // namespace websocket::masking

#include "masking.h"

#include "masking_kernels.h"

namespace websocket::masking {

void copyLong(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key) {
  static const auto copy = kernels().empty() ? copyWords : kernels().back().copy;
  copy(to, from, size, key);
}

}  // namespace websocket::masking

#include "utf8_kernels.h"

#include "cpu_features.h"

namespace websocket::utf8 {

#if WEBSOCKET_X86_64

std::span<const Kernel> kernels() {
  static constexpr Kernel kKernels[] = {{"SSSE3", validateBlocksSsse3}, {"AVX2", validateBlocksAvx2}};
  static const std::size_t count = hasAvx2() ? 2 : hasSsse3() ? 1 : 0;
  return std::span(kKernels).first(count);
}

#elif WEBSOCKET_ARM64

std::span<const Kernel> kernels() {
  static constexpr Kernel kKernels[] = {{"NEON", validateBlocksNeon}};
  return kKernels;
}

#else

std::span<const Kernel> kernels() { return {}; }

#endif

}  // namespace websocket::utf8

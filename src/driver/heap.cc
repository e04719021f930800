#include "heap.h"

#include <cstddef>
#include <cstdlib>

namespace websocket::driver {

// Payloads are freed by the hundred when JavaScript collects its garbage. glibc would give them back to the kernel
// then, because at first its heap keeps no more than 128 KiB, and every message would be written into fresh pages: for
// one of 16 MiB the page faults cost more than everything else together. Both thresholds adapt when a large block is
// freed, which any program with a large buffer causes sooner or later; this one, which is never touched and so takes no
// memory, causes it at once. Where they were set by mallopt() or the environment (MALLOC_TRIM_THRESHOLD_) nothing
// adapts.
void keepFreedMemory() {
#if defined(__GLIBC__)
  [[maybe_unused]] static const bool once = [] {
    // Just below the largest that glibc adapts to.
    constexpr std::size_t kSize = std::size_t{32} * 1024 * 1024 - std::size_t{64} * 1024;
    void* volatile block = std::malloc(kSize);  // volatile: a pair of malloc and free may otherwise be left out
    std::free(block);
    return true;
  }();
#endif
}

}  // namespace websocket::driver

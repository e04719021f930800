// Memory of compression contexts on huge pages (Linux: transparent huge pages, 2 MiB). A context for a window of 15
// bits is four blocks of 64 KiB that zlib reads here and there; with fifty busy ones the processor's table of small
// pages is too short, and compressing costs a seventh more (docs/architecture.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "extension/zlib_memory.h"

namespace websocket::driver {

// Takes blocks of about 64 KiB from regions of the size of a huge page, and others from the C++ heap. Any thread.
class HugePages final : public BlockSource {
 public:
  static constexpr std::size_t kRegionSize = std::size_t{2} * 1024 * 1024;
  // zlib's 64 KiB, and a line of the cache for what ZlibMemory puts before them.
  static constexpr std::size_t kSlotSize = std::size_t{64} * 1024 + 64;
  static constexpr std::size_t kSlots = kRegionSize / kSlotSize;
  // Smaller blocks would waste half of a slot.
  static constexpr std::size_t kLeastInSlot = kSlotSize / 2 + 1;

  HugePages() = default;
  HugePages(const HugePages&) = delete;
  HugePages& operator=(const HugePages&) = delete;
  ~HugePages() override = default;

  void* allocate(std::size_t bytes) noexcept override;
  void release(void* block, std::size_t bytes) noexcept override;

  // Regions that are held now. Of those without a block in use one is kept for the next.
  std::size_t regions() const;

 private:
  struct Free {
    void operator()(std::byte* bytes) const noexcept { ::operator delete (bytes, std::align_val_t{kRegionSize}); }
  };
  struct Region {
    std::unique_ptr<std::byte, Free> bytes;
    std::uint32_t used = 0;  // a bit for each slot
  };

  static_assert(kSlots < 32);
  static constexpr std::uint32_t kFull = (std::uint32_t{1} << kSlots) - 1;

  void* takeSlot() noexcept;
  bool giveSlot(void* block) noexcept;

  mutable std::mutex mutex_;
  std::vector<Region> regions_;
};

// What a pool of compression contexts takes its memory from: null, which means the heap, where the system has no huge
// pages that it gives without being set up for it.
std::unique_ptr<BlockSource> makeHugePages();

}  // namespace websocket::driver

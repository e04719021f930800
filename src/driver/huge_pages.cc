#include "huge_pages.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace websocket::driver {

void* HugePages::allocate(std::size_t bytes) noexcept {
  if (bytes >= kLeastInSlot && bytes <= kSlotSize) {
    if (void* const slot = takeSlot()) {
      return slot;
    }
  }
  return ::operator new(bytes, std::nothrow);
}

void HugePages::release(void* block, std::size_t bytes) noexcept {
  if (bytes < kLeastInSlot || bytes > kSlotSize || !giveSlot(block)) {
    ::operator delete(block);
  }
}

std::size_t HugePages::regions() const {
  const std::scoped_lock lock(mutex_);
  return regions_.size();
}

// From the fullest region, so that others become empty.
void* HugePages::takeSlot() noexcept {
  const std::scoped_lock lock(mutex_);
  Region* best = nullptr;
  for (Region& region : regions_) {
    if (region.used != kFull && (best == nullptr || std::popcount(region.used) > std::popcount(best->used))) {
      best = &region;
    }
  }
  if (best == nullptr) {
    Region region;
    region.bytes.reset(
        static_cast<std::byte*>(::operator new (kRegionSize, std::align_val_t{kRegionSize}, std::nothrow)));
    if (region.bytes == nullptr) {
      return nullptr;
    }
#if defined(__linux__)
    madvise(region.bytes.get(), kRegionSize, MADV_HUGEPAGE);  // without huge pages small ones do
#endif
    try {
      best = &regions_.emplace_back(std::move(region));
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  const int slot = std::countr_one(best->used);
  best->used |= std::uint32_t{1} << slot;
  return best->bytes.get() + static_cast<std::size_t>(slot) * kSlotSize;
}

// False when the block is none of a region.
bool HugePages::giveSlot(void* block) noexcept {
  const std::scoped_lock lock(mutex_);
  const auto* const at = static_cast<const std::byte*>(block);
  const std::less<> before;  // a total order, also between unrelated arrays
  const auto region = std::ranges::find_if(regions_, [&](const Region& one) {
    return !before(at, one.bytes.get()) && before(at, one.bytes.get() + kRegionSize);
  });
  if (region == regions_.end()) {
    return false;
  }
  const std::size_t slot = static_cast<std::size_t>(at - region->bytes.get()) / kSlotSize;
  region->used &= ~(std::uint32_t{1} << slot);
  const auto isEmpty = [](const Region& one) { return one.used == 0; };
  if (region->used == 0 && std::ranges::count_if(regions_, isEmpty) > 1) {
    *region = std::move(regions_.back());
    regions_.pop_back();
  }
  return true;
}

std::unique_ptr<BlockSource> makeHugePages() {
#if defined(__linux__)
  return std::make_unique<HugePages>();
#else
  return nullptr;
#endif
}

}  // namespace websocket::driver

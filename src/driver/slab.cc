#include "slab.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace websocket::driver {

std::span<std::uint8_t> Slab::rest() {
  if (blocks_.empty() || isLow()) {
    blocks_.emplace_back(std::make_unique_for_overwrite<std::uint8_t[]>(kBlockSize));
    used_ = 0;
  }
  return {blocks_.back().get() + used_, kBlockSize - used_};
}

std::span<std::uint8_t> Slab::leaseForInflating() {
  return !mayInflate_ || isLow() || elsewhere_ > kMostElsewhere ? std::span<std::uint8_t>() : rest().first(kLowSpace);
}

bool Slab::contains(const std::uint8_t* bytes) const {
  return std::ranges::any_of(blocks_, [bytes](const Block& block) {
    const std::less<> before;  // a total order, also between unrelated arrays
    return !before(bytes, block.get()) && before(bytes, block.get() + kBlockSize);
  });
}

std::span<const std::uint8_t> Slab::copy(std::span<const std::uint8_t> bytes) {
  const std::span<std::uint8_t> space = rest().first(bytes.size());
  std::ranges::copy(bytes, space.begin());
  used_ += bytes.size();
  return space;
}

bool Slab::append(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> more) {
  if (blocks_.empty()) {
    return false;
  }
  const std::less<> before;  // a total order, also between unrelated arrays
  std::uint8_t* const begin = blocks_.back().get();
  const std::uint8_t* const end = bytes.data() + bytes.size();
  if (before(bytes.data(), begin) || before(more.data(), end) || !before(more.data(), begin + kBlockSize)) {
    return false;
  }
  std::memmove(begin + (end - begin), more.data(), more.size());
  return true;
}

void Slab::handOver(std::vector<Block>& blocks) {
  blocks.swap(blocks_);
  used_ = 0;
  elsewhere_ = 0;
}

void Slab::recycle(std::vector<Block>& blocks) {
  if (blocks_.empty() && !blocks.empty()) {
    blocks_.push_back(std::move(blocks.front()));
    used_ = 0;
  }
  blocks.clear();
}

void Slab::reuse() {
  blocks_.resize(std::min<std::size_t>(blocks_.size(), 1));
  used_ = 0;
}

}  // namespace websocket::driver

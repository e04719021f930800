#include "huge_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "extension/deflate_pool.h"

namespace websocket::driver {
namespace {

constexpr std::size_t kBlock = std::size_t{64} * 1024 + 16;

// Blocks with a pattern of their own, so that two that overlap are noticed.
class Blocks {
 public:
  explicit Blocks(HugePages& pages) : pages_(pages) {}
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  ~Blocks() {
    while (!blocks_.empty()) release(0);
  }

  void allocate(std::size_t bytes) {
    void* const block = pages_.allocate(bytes);
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
    std::memset(block, ++pattern_, bytes);
    blocks_.push_back({static_cast<std::uint8_t*>(block), bytes, pattern_});
  }

  void release(std::size_t index) {
    const Block one = blocks_[index];
    for (std::size_t at = 0; at < one.bytes; at += 512) ASSERT_EQ(one.address[at], one.pattern);
    ASSERT_EQ(one.address[one.bytes - 1], one.pattern);
    pages_.release(one.address, one.bytes);
    std::swap(blocks_[index], blocks_.back());
    blocks_.pop_back();
  }

  std::size_t size() const { return blocks_.size(); }

 private:
  struct Block {
    std::uint8_t* address;
    std::size_t bytes;
    std::uint8_t pattern;
  };
  HugePages& pages_;
  std::vector<Block> blocks_;
  std::uint8_t pattern_ = 0;
};

TEST(HugePages, ARegionIsFullBeforeThereIsAnother) {
  HugePages pages;
  Blocks blocks(pages);
  for (std::size_t i = 0; i < HugePages::kSlots; ++i) blocks.allocate(kBlock);
  EXPECT_EQ(pages.regions(), 1U);
  blocks.allocate(kBlock);
  EXPECT_EQ(pages.regions(), 2U);
}

TEST(HugePages, OneEmptyRegionIsKept) {
  HugePages pages;
  {
    Blocks blocks(pages);
    for (std::size_t i = 0; i < 5 * HugePages::kSlots; ++i) blocks.allocate(kBlock);
    EXPECT_EQ(pages.regions(), 5U);
  }
  EXPECT_EQ(pages.regions(), 1U);
}

TEST(HugePages, WhatIsFreedIsUsedAgain) {
  HugePages pages;
  Blocks blocks(pages);
  for (std::size_t i = 0; i < 2 * HugePages::kSlots; ++i) blocks.allocate(kBlock);
  for (std::size_t i = 0; i < HugePages::kSlots; ++i) blocks.release((i * 7) % blocks.size());
  for (std::size_t i = 0; i < HugePages::kSlots; ++i) blocks.allocate(kBlock);
  EXPECT_EQ(pages.regions(), 2U);
}

TEST(HugePages, OtherSizesComeFromTheHeap) {
  HugePages pages;
  Blocks blocks(pages);
  for (const std::size_t bytes : {std::size_t{1}, HugePages::kLeastInSlot - 1, HugePages::kSlotSize + 1,
                                  HugePages::kRegionSize, HugePages::kRegionSize + 1}) {
    blocks.allocate(bytes);
  }
  EXPECT_EQ(pages.regions(), 0U);
  blocks.allocate(HugePages::kLeastInSlot);
  blocks.allocate(HugePages::kSlotSize);
  EXPECT_EQ(pages.regions(), 1U);
}

TEST(HugePages, ThreadsShareThem) {
  HugePages pages;
  const auto work = [&pages] {
    Blocks blocks(pages);
    for (std::size_t i = 0; i < 300; ++i) {
      blocks.allocate(kBlock);
      if (i % 3 == 2) blocks.release(i % blocks.size());
      if (blocks.size() == 20) {
        while (blocks.size() > 0) blocks.release(0);
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(pages.regions(), 1U);
}

TEST(HugePages, AContextLivesOnThem) {
  auto owned = std::make_unique<HugePages>();
  const HugePages& pages = *owned;
  DeflatePool pool(std::move(owned));
  const auto deflater = pool.takeDeflater({});
  EXPECT_EQ(pages.regions(), 1U);
  ByteBuffer output;
  const std::vector<std::uint8_t> text(1000, 'a');
  deflater->deflate(text, true, output);
  EXPECT_LT(output.size(), 30U);
}

}  // namespace
}  // namespace websocket::driver

#include "slab.h"

#include <gtest/gtest.h>

#include <string>

namespace websocket::driver {
namespace {

std::span<std::uint8_t> leaseAndUse(Slab& slab, std::uint32_t used) {
  const Slab::LeaseScope scope(slab);
  const std::span<std::uint8_t> space = slab.lease();
  slab.commit(space, used);
  return space;
}

TEST(Slab, HasNoSpaceOutsideALeaseScope) {
  Slab slab;
  EXPECT_TRUE(slab.lease().empty());
  {
    const Slab::LeaseScope scope(slab);
    EXPECT_EQ(slab.lease().size(), Slab::kBlockSize);
  }
  EXPECT_TRUE(slab.lease().empty());
}

TEST(Slab, LeasesWhatIsLeftBehindTheCommittedBytes) {
  Slab slab;
  const std::span<std::uint8_t> first = leaseAndUse(slab, 1000);
  const std::span<std::uint8_t> second = leaseAndUse(slab, 0);
  EXPECT_EQ(second.data(), first.data() + 1000);
  EXPECT_EQ(leaseAndUse(slab, 10).data(), second.data()) << "a commit of 0 gives the space back";
}

TEST(Slab, IsLowWhenLessThanARead) {
  Slab slab;
  EXPECT_FALSE(slab.isLow());
  leaseAndUse(slab, Slab::kBlockSize - Slab::kLowSpace);
  EXPECT_FALSE(slab.isLow());
  leaseAndUse(slab, 1);
  EXPECT_TRUE(slab.isLow());
}

TEST(Slab, GoesOnInAnotherBlockWhenLow) {
  Slab slab;
  const std::span<std::uint8_t> first = leaseAndUse(slab, Slab::kBlockSize - 10);
  const std::span<std::uint8_t> second = leaseAndUse(slab, 5);
  EXPECT_EQ(second.size(), Slab::kBlockSize);
  EXPECT_TRUE(slab.contains(first.data()));
  EXPECT_TRUE(slab.contains(second.data()));
}

TEST(Slab, UsesTheSameBlockAgainAfterADelivery) {
  Slab slab;
  const std::span<std::uint8_t> first = leaseAndUse(slab, 1000);
  std::vector<Slab::Block> blocks;
  slab.handOver(blocks);
  EXPECT_FALSE(slab.contains(first.data()));
  slab.recycle(blocks);
  EXPECT_EQ(leaseAndUse(slab, 1).data(), first.data());
}

TEST(Slab, KeepsHandedOverMemoryUntouchedWhileItIsUsedFurther) {
  Slab slab;
  const std::span<std::uint8_t> first = leaseAndUse(slab, 1000);
  std::vector<Slab::Block> blocks;
  slab.handOver(blocks);
  const std::span<std::uint8_t> second = leaseAndUse(slab, 1000);
  EXPECT_NE(second.data(), first.data());
  slab.recycle(blocks);
  EXPECT_TRUE(slab.contains(second.data()));
  EXPECT_TRUE(blocks.empty());
}

TEST(Slab, CopiesBytesThatLieElsewhere) {
  Slab slab;
  const std::string text = "reason";
  const std::span<const std::uint8_t> copy =
      slab.copy({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  EXPECT_TRUE(slab.contains(copy.data()));
  EXPECT_EQ(std::string(copy.begin(), copy.end()), text);
}

TEST(Slab, GivesSpaceForInflatingAgainWhenWhatItHeldIsNotNeeded) {
  Slab slab;
  slab.allowInflating(true);
  while (!slab.isLow()) {
    const std::span<std::uint8_t> space = slab.leaseForInflating();
    ASSERT_FALSE(space.empty());
    slab.commit(space, static_cast<std::uint32_t>(space.size()));
  }
  EXPECT_TRUE(slab.leaseForInflating().empty());
  slab.reuse();
  EXPECT_EQ(slab.leaseForInflating().size(), Slab::kLowSpace);
}

}  // namespace
}  // namespace websocket::driver

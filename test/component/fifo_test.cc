#include "fifo.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

namespace websocket {
namespace {

TEST(Fifo, KeepsTheOrderOfItemsThroughAnyMixOfPushesAndPops) {
  Fifo<std::unique_ptr<int>> fifo;
  std::deque<int> model;
  std::mt19937 random(1);  // a fixed seed: the same mix in each run
  for (int step = 0; step < 20000; ++step) {
    const bool grow = step < 10000;
    if (random() % 8 < (grow ? 5U : 3U)) {
      fifo.push(std::make_unique<int>(step));
      model.push_back(step);
    } else if (!model.empty()) {
      ASSERT_EQ(*fifo.front(), model.front());
      fifo.pop();
      model.pop_front();
    }
    ASSERT_EQ(fifo.size(), model.size());
    ASSERT_EQ(fifo.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(*fifo.back(), model.back());
      const std::size_t middle = model.size() / 2;
      ASSERT_EQ(*fifo[middle], model[middle]);
    }
  }
}

TEST(Fifo, ReleasesWhatAnItemOwnsWhenItIsPopped) {
  const auto shared = std::make_shared<int>(1);
  Fifo<std::shared_ptr<int>> fifo;
  fifo.push(shared);
  fifo.push(shared);
  fifo.pop();
  EXPECT_EQ(shared.use_count(), 2);
  fifo.popBack();
  EXPECT_EQ(shared.use_count(), 1);
  EXPECT_TRUE(fifo.empty());
}

}  // namespace
}  // namespace websocket

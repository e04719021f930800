#include "random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <vector>

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace websocket {
namespace {

using Key = std::array<std::uint8_t, 16>;

Key keyFrom(RandomSource& source) {
  Key key{};
  EXPECT_TRUE(source.fill(key));
  return key;
}

void expectNoRepetition(RandomSource& source) {
  std::set<Key> keys;
  for (int i = 0; i < 2000; ++i) keys.insert(keyFrom(source));  // several pools
  EXPECT_EQ(keys.size(), 2000U);
}

TEST(RandomSource, TheSystemSourceDoesNotRepeatItself) { expectNoRepetition(systemRandom()); }

TEST(RandomSource, APoolDoesNotRepeatItselfOverItsRefills) {
  PooledRandom pool;
  expectNoRepetition(pool);
}

TEST(RandomSource, APoolFillsEveryByteOfRequestsOfAnySize) {
  PooledRandom pool;
  for (const std::size_t size : {0U, 1U, 3U, 4U, 4095U, 4096U, 4097U, 100000U}) {
    // A byte that stays zero in eight fillings was not written (chance of error: 256^-8 for each byte).
    std::vector<std::uint8_t> seen(size);
    for (int round = 0; round < 8; ++round) {
      std::vector<std::uint8_t> bytes(size);
      ASSERT_TRUE(pool.fill(bytes));
      for (std::size_t i = 0; i < size; ++i) seen[i] |= bytes[i];
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0) << size;
  }
}

TEST(RandomSource, TwoPoolsDiffer) {
  PooledRandom a;
  PooledRandom b;
  EXPECT_NE(keyFrom(a), keyFrom(b));
}

TEST(RandomSource, EveryThreadHasItsOwnPool) {
  RandomSource* const mine = &threadRandom();
  RandomSource* theirs = nullptr;
  Key theirKey{};
  std::thread([&] {
    theirs = &threadRandom();
    theirKey = keyFrom(*theirs);
  }).join();
  EXPECT_NE(mine, theirs);
  EXPECT_NE(keyFrom(*mine), theirKey);
  EXPECT_EQ(mine, &threadRandom());
}

#ifndef _WIN32
TEST(RandomSource, AChildProcessDoesNotReuseItsParentsPool) {
  PooledRandom pool;
  keyFrom(pool);  // the pool holds bytes when the process forks
  int channel[2];
  ASSERT_EQ(pipe(channel), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Key key{};
    const bool sent = pool.fill(key) && write(channel[1], key.data(), key.size()) == static_cast<ssize_t>(key.size());
    _exit(sent ? 0 : 1);
  }
  close(channel[1]);
  Key childKey{};
  EXPECT_EQ(read(channel[0], childKey.data(), childKey.size()), static_cast<ssize_t>(childKey.size()));
  close(channel[0]);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(childKey, keyFrom(pool));
}
#endif

}  // namespace
}  // namespace websocket

#include "lock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

namespace websocket {
namespace {

TEST(Lock, LetsOneThreadInAtATime) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20000;
  Lock lock;
  int counter = 0;  // ThreadSanitizer sees an access without the lock
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const std::lock_guard guard(lock);
        ++counter;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(counter, kThreads * kRounds);
}

TEST(Lock, WakesAThreadThatWaits) {
  Lock lock;
  bool entered = false;
  lock.lock();
  std::thread waiting([&] {
    const std::lock_guard guard(lock);
    entered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that it sleeps by now, usually
  EXPECT_FALSE(entered);
  lock.unlock();
  waiting.join();
  EXPECT_TRUE(entered);
}

}  // namespace
}  // namespace websocket

// A loop inside of a program that has one of its own, as Electron's: the program polls the loop's descriptor on another
// thread, for as long as uv_backend_timeout() says, and then runs the loop once without waiting.
#include <poll.h>

#include <string>

#include "driver_fixture.h"

namespace websocket::driver {
namespace {

class EmbeddedLoopTest : public DriverTest {
 protected:
  // The handle with which the program wakes its polling thread; without one the loop would be at its end.
  void SetUp() override {
    DriverTest::SetUp();
    ASSERT_EQ(uv_async_init(&loop_, &wakeup_, nullptr), 0);
  }
  void TearDown() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&wakeup_), nullptr);
    DriverTest::TearDown();
  }

  // Turns of the loop, as long as it asks for them by a timeout of zero.
  void turn() {
    uv_run(&loop_, UV_RUN_NOWAIT);
    for (int turns = 1; uv_backend_timeout(&loop_) == 0; ++turns) {
      ASSERT_LT(turns, 10) << "the loop does not rest";
      uv_run(&loop_, UV_RUN_NOWAIT);
    }
  }

  // Waits for the loop's descriptor.
  void poll() {
    pollfd descriptor{uv_backend_fd(&loop_), POLLIN, 0};
    ASSERT_EQ(::poll(&descriptor, 1, 5000), 1) << "nothing wakes the program";
  }

 private:
  uv_async_t wakeup_{};
};

TEST_F(EmbeddedLoopTest, RestsBeforeAnythingHappens) {
  connectNative(Role::Server);
  turn();
  EXPECT_NE(uv_backend_timeout(&loop_), 0);
}

TEST_F(EmbeddedLoopTest, ASendOutsideOfTheLoopAsksForATurn) {
  Native native = connectNative(Role::Server);
  turn();
  EXPECT_EQ(sendText(native.id, "outside"), Result::Ok);
  EXPECT_EQ(uv_backend_timeout(&loop_), 0);  // Electron's libuv tells the polling thread of it
  turn();
  native.peer.read();
  EXPECT_EQ(native.peer.received, serverFrame(kText, "outside"));
}

TEST_F(EmbeddedLoopTest, WhatAPeerSendsArrivesInTheTurnThatItCauses) {
  Native native = connectNative(Role::Server);
  turn();
  for (const std::string text : {"first", "second"}) {
    delegate_.events.clear();
    native.peer.write(clientFrame(kText, text));
    poll();
    turn();
    ASSERT_EQ(delegate_.events.size(), 1U);
    EXPECT_EQ(delegate_.events[0].data, text);
  }
}

TEST_F(EmbeddedLoopTest, AnAnswerLeavesInTheSameTurn) {
  Native native = connectNative(Role::Server);
  delegate_.onEvent = [this](const SeenEvent& event) { EXPECT_EQ(sendText(event.connection, "answer"), Result::Ok); };
  turn();
  native.peer.write(clientFrame(kText, "question"));
  poll();
  turn();
  native.peer.read();
  EXPECT_EQ(native.peer.received, serverFrame(kText, "answer"));
}

TEST_F(EmbeddedLoopTest, ASendOnAStreamAsksForATurn) {
  const ConnectionId id = connectStream(Role::Server);
  turn();
  EXPECT_EQ(sendText(id, "outside"), Result::Ok);
  EXPECT_EQ(uv_backend_timeout(&loop_), 0);
  uv_run(&loop_, UV_RUN_NOWAIT);
  EXPECT_EQ(delegate_.streamOutput[id], serverFrame(kText, "outside"));
}

}  // namespace
}  // namespace websocket::driver

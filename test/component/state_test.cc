// The tables of the life cycle: what they say as a whole. The single cells are checked through the thirteen functions
// by contract_states_test.cc.
#include "state.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace websocket {
namespace {

template <typename Enum>
Enum at(std::size_t index) {
  return static_cast<Enum>(index);
}

TEST(State, EveryStateIsReachableFromCreated) {
  std::set<State> reached = {State::Created};
  for (std::size_t round = 0; round < kStateCount; ++round) {
    for (const State state : std::set<State>(reached)) {
      for (std::size_t event = 0; event < kEventCount; ++event) {
        reached.insert(nextState(state, at<Event>(event)));
      }
    }
  }
  EXPECT_EQ(reached.size(), kStateCount);
}

TEST(State, NothingLeavesAborted) {
  for (std::size_t event = 0; event < kEventCount; ++event) {
    EXPECT_EQ(nextState(State::Aborted, at<Event>(event)), State::Aborted);
  }
}

TEST(State, AnEventTwiceIsTheSameAsOnce) {
  for (std::size_t state = 0; state < kStateCount; ++state) {
    for (std::size_t event = 0; event < kEventCount; ++event) {
      const State once = nextState(at<State>(state), at<Event>(event));
      EXPECT_EQ(nextState(once, at<Event>(event)), once)
          << nameOf(at<State>(state)) << ", " << nameOf(at<Event>(event));
    }
  }
}

TEST(State, DataAndAnotherCloseAreIllegalOnceACloseWasSent) {
  for (const State state : {State::CloseSent, State::Closed, State::FaultedCloseSent, State::Aborted}) {
    EXPECT_EQ(verdict(Call::SendData, state), Verdict::Illegal) << nameOf(state);
    EXPECT_EQ(verdict(Call::SendClose, state), Verdict::Illegal) << nameOf(state);
  }
}

TEST(State, OnlyAServerThatIsShakingHandsOpensByADataFunction) {
  for (std::size_t call = 0; call < kCallCount; ++call) {
    for (std::size_t state = 0; state < kStateCount; ++state) {
      const bool opens = verdict(at<Call>(call), at<State>(state)) == Verdict::OpensServer;
      const bool dataFunction = at<Call>(call) >= Call::SendData;
      EXPECT_EQ(opens, dataFunction && at<State>(state) == State::Handshaking) << nameOf(at<Call>(call));
    }
  }
}

TEST(State, TheBitsOfAllowedCallsAreThoseOfTheTable) {
  for (std::size_t call = 0; call < kCallCount; ++call) {
    for (std::size_t state = 0; state < kStateCount; ++state) {
      const bool allowed = (allowedCalls(at<State>(state)) & bitOf(at<Call>(call))) != 0;
      EXPECT_EQ(allowed, verdict(at<Call>(call), at<State>(state)) == Verdict::Allowed) << nameOf(at<State>(state));
    }
  }
}

TEST(State, EveryNameIsDistinct) {
  std::set<std::string> names;
  for (std::size_t state = 0; state < kStateCount; ++state) {
    names.insert(nameOf(at<State>(state)));
  }
  EXPECT_EQ(names.size(), kStateCount);
}

}  // namespace
}  // namespace websocket

// What an idle connection costs: the size of a session is a promise (docs/architecture.md), so that it grows on purpose
// only.
#include <gtest/gtest.h>

#include "session.h"

namespace websocket {
namespace {

TEST(SessionSize, AnIdleSessionIsSmall) {
  if (sizeof(void*) == 8) {
    EXPECT_LE(sizeof(Session), 368U);
  }
}

}  // namespace
}  // namespace websocket

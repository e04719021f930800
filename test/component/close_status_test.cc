#include "close_status.h"

#include <gtest/gtest.h>

namespace websocket {
namespace {

struct StatusRange {
  std::uint32_t first;
  std::uint32_t last;
  bool sendable;        // contract 9.2
  bool receivable;      // contract 10.4
  bool strictlyOnWire;  // RFC 6455, 7.4, in both directions
};

constexpr StatusRange kRanges[] = {
    {0, 999, false, false, false},      // never used
    {1000, 1003, true, true, true},     // normal closure to unsupported data
    {1004, 1004, false, false, false},  // reserved
    {1005, 1006, false, false, false},  // must not be on the wire
    {1007, 1014, true, true, true},     // registered with IANA
    {1015, 1015, false, false, false},  // must not be on the wire
    {1016, 2999, true, false, false},   // unassigned, reserved for the protocol
    {3000, 4999, true, true, true},     // libraries and applications
    {5000, 65535, true, true, false},   // seen through the documented API (T75, T105)
};

TEST(CloseStatus, EveryStatusFollowsTheTablesOfTheContract) {
  std::uint32_t expectedFirst = 0;
  for (const StatusRange& range : kRanges) {
    ASSERT_EQ(range.first, expectedFirst) << "the table must have no hole";
    for (std::uint32_t value = range.first; value <= range.last; ++value) {
      const auto status = static_cast<std::uint16_t>(value);
      EXPECT_EQ(isSendableCloseStatus(status, false), range.sendable) << status;
      EXPECT_EQ(isReceivableCloseStatus(status, false), range.receivable) << status;
      EXPECT_EQ(isSendableCloseStatus(status, true), range.strictlyOnWire) << status;
      EXPECT_EQ(isReceivableCloseStatus(status, true), range.strictlyOnWire) << status;
    }
    expectedFirst = range.last + 1;
  }
  EXPECT_EQ(expectedFirst, 65536U);
}

}  // namespace
}  // namespace websocket

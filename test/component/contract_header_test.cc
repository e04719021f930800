// websocket.h in C11 and in C++11 (header_c11.c, header_cpp11.cc): that they compile is the check of the layout; here
// their calls run.
#include <gtest/gtest.h>

extern "C" int callFromC11(void);
int callFromCpp11();

namespace {

TEST(ContractHeader, Calls_written_in_C11_for_Windows_compile_and_work) { EXPECT_EQ(callFromC11(), 0); }

TEST(ContractHeader, Calls_written_in_Cpp11_for_Windows_compile_and_work) { EXPECT_EQ(callFromCpp11(), 0); }

}  // namespace

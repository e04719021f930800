#include "cpu_features.h"

#if WEBSOCKET_X86_64

#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#endif

namespace websocket {

#ifdef _MSC_VER
namespace {

// Intel SDM, volume 2, CPUID; volume 1, 14.3: a bit of register `index` (EAX 0 to EDX 3) of a leaf.
bool cpuidBit(int leaf, int index, int bit) {
  int registers[4];
  __cpuid(registers, 0);
  if (registers[0] < leaf) return false;
  __cpuidex(registers, leaf, 0);
  return ((registers[index] >> bit) & 1) != 0;
}

}  // namespace

bool hasSsse3() { return cpuidBit(1, 2, 9); }

bool hasAvx2() {
  const bool savesRegisters = cpuidBit(1, 2, 27) && (_xgetbv(0) & 6) == 6;
  return savesRegisters && cpuidBit(7, 1, 5);
}
#else
bool hasSsse3() { return __builtin_cpu_supports("ssse3") != 0; }

bool hasAvx2() { return __builtin_cpu_supports("avx2") != 0; }
#endif

}  // namespace websocket

#endif

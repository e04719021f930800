// Masking with vector instructions, one function for each instruction set. masking.cc uses the fastest, the tests
// compare all of them with the plain loop. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace websocket::masking {

struct Kernel {
  const char* name;  // of the instruction set
  // As copyWords in masking.h.
  void (*copy)(std::uint8_t* to, const std::uint8_t* from, std::size_t size, std::uint64_t key);
};

// Those that this processor can run, the fastest last; empty when there are none for the architecture. Static.
std::span<const Kernel> kernels();

}  // namespace websocket::masking

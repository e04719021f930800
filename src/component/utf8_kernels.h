// Validation of UTF-8 with vector instructions, one function for each instruction set. utf8.cc uses the fastest for the
// whole blocks of a text, the tests compare all of them with its byte-by-byte rules. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace websocket::utf8 {

constexpr std::size_t kBlockSize = 64;  // bytes

// True when no code point that begins and ends within the blocks is invalid, and none is cut short by another byte. The
// text begins with a code point; it may end inside one, and that last one is not judged beyond the pairs of bytes
// present.
using ValidateBlocks = bool (*)(const std::uint8_t* text, std::size_t blocks);

struct Kernel {
  const char* name;  // of the instruction set
  ValidateBlocks validate;
};

// Those that this processor can run, the fastest last; empty when there are none for the architecture. Static.
std::span<const Kernel> kernels();

// One file each; defined where the architecture can have the instructions.
bool validateBlocksSsse3(const std::uint8_t* text, std::size_t blocks);
bool validateBlocksAvx2(const std::uint8_t* text, std::size_t blocks);
bool validateBlocksNeon(const std::uint8_t* text, std::size_t blocks);

}  // namespace websocket::utf8

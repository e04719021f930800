#include "utf8.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "utf8_kernels.h"

namespace websocket {
namespace {

// Shorter texts are not worth the copy that makes a block of them. At least 3, because of openBytes().
constexpr std::ptrdiff_t kShortest = 4;

// The first byte from `at` on that is not ASCII, or end.
const std::uint8_t* skipAscii(const std::uint8_t* at, const std::uint8_t* end) {
  for (std::uint64_t word; end - at >= 8; at += 8) {
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  if (std::uint32_t word; end - at >= 4) {
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x80808080U) == 0) at += 4;
  }
  while (at != end && *at < 0x80) ++at;
  return at;
}

// How many of the last bytes before end belong to a code point that is not finished there, if the text is valid; at
// least three bytes precede.
std::ptrdiff_t openBytes(const std::uint8_t* end) {
  if (end[-1] >= 0xC0) return 1;
  if (end[-2] >= 0xE0) return 2;
  return end[-3] >= 0xF0 ? 3 : 0;
}

// Validates most of [at, end), which begins with a code point, by the fastest kernel, and moves `at` behind it, to
// where a code point begins. False when that part is invalid. The last unfinished code point stays, because the kernels
// judge pairs of bytes and some leads are wrong by themselves.
bool validateBlocks(const std::uint8_t*& at, const std::uint8_t* end) {
  static const utf8::ValidateBlocks validate = utf8::kernels().empty() ? nullptr : utf8::kernels().back().validate;
  if (validate == nullptr) return true;
  constexpr auto kBlock = static_cast<std::ptrdiff_t>(utf8::kBlockSize);
  if (const std::ptrdiff_t blocks = (end - at) / kBlock; blocks > 0) {
    if (!validate(at, static_cast<std::size_t>(blocks))) return false;
    at += blocks * kBlock;
    at -= openBytes(at);
  }
  at = skipAscii(at, end);
  if (const std::ptrdiff_t size = std::min(end - at, kBlock); size >= kShortest) {
    const std::ptrdiff_t whole = size - openBytes(at + size);
    std::array<std::uint8_t, utf8::kBlockSize> block{};  // filled up with zeros, which are ASCII
    std::copy_n(at, whole, block.begin());
    if (!validate(block.data(), 1)) return false;
    at += whole;
  }
  return true;
}

}  // namespace

bool Utf8Validator::feed(std::span<const std::uint8_t> bytes) {
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  while (!failed_ && remaining_ != 0 && at != end) feedContinuation(*at++);
  failed_ = failed_ || !validateBlocks(at, end);
  while (!failed_ && at != end) {
    if (remaining_ != 0) {
      feedContinuation(*at++);
    } else if ((at = skipAscii(at, end)) != end) {
      feedLead(*at++);
    }
  }
  return !failed_;
}

// RFC 3629, 4: the lead tells the length, and for some leads the second byte has a narrower range.
void Utf8Validator::feedLead(std::uint8_t byte) {
  lowest_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
  highest_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  if (byte >= 0xC2 && byte <= 0xDF) {
    remaining_ = 1;
  } else if (byte >= 0xE0 && byte <= 0xEF) {
    remaining_ = 2;
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    remaining_ = 3;
  } else {
    failed_ = true;
  }
}

void Utf8Validator::feedContinuation(std::uint8_t byte) {
  failed_ = byte < lowest_ || byte > highest_;
  lowest_ = 0x80;
  highest_ = 0xBF;
  --remaining_;
}

}  // namespace websocket

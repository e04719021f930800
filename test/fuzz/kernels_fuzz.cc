// Masking and UTF-8 validation by every instruction set of this processor, compared with the plain rules.
#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "masking.h"
#include "masking_kernels.h"
#include "reference_utf8.h"
#include "require.h"
#include "utf8.h"
#include "utf8_kernels.h"

namespace websocket::fuzz {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Memory of exactly this size at this distance from an aligned address.
class Memory {
 public:
  Memory(Bytes bytes, std::size_t offset) : memory_(new std::uint8_t[offset + bytes.size()]), offset_(offset) {
    std::copy(bytes.begin(), bytes.end(), data());
  }
  std::uint8_t* data() { return memory_.get() + offset_; }

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t offset_;
};

void mask(Bytes bytes, MaskKey key, std::size_t phase, std::size_t offset) {
  Memory expected(bytes, 0);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    expected.data()[i] = static_cast<std::uint8_t>(bytes[i] ^ key[(i + phase) % 4]);
  }
  const auto requireMasked = [&](const std::uint8_t* result) {
    REQUIRE(bytes.empty() || std::memcmp(result, expected.data(), bytes.size()) == 0);
  };
  Memory from(bytes, offset);
  Memory to(bytes, 7 - offset);
  copyMasked(to.data(), {from.data(), bytes.size()}, key, phase);
  requireMasked(to.data());
  applyMask({from.data(), bytes.size()}, key, phase);
  requireMasked(from.data());
  for (const masking::Kernel& kernel : masking::kernels()) {
    Memory inPlace(bytes, offset);
    kernel.copy(inPlace.data(), inPlace.data(), bytes.size(), masking::repeatKey(key, phase));
    requireMasked(inPlace.data());
  }
}

void validate(Bytes text, std::size_t split, std::size_t offset) {
  ReferenceUtf8 reference;
  const std::size_t cut = std::min(split, text.size());
  const bool firstIsValid = reference.feed(text.first(cut));
  const bool bothAreValid = reference.feed(text.subspan(cut));
  Memory memory(text, offset);
  const Bytes copy(memory.data(), text.size());
  Utf8Validator validator;
  REQUIRE(validator.feed(copy.first(cut)) == firstIsValid);
  REQUIRE(validator.feed(copy.subspan(cut)) == bothAreValid);
  REQUIRE(validator.complete() == reference.complete());

  // Kernels judge whole blocks; what a text that ends inside a code point is worth, the validator decides.
  const std::size_t blocks = text.size() / utf8::kBlockSize;
  ReferenceUtf8 ofBlocks;
  const bool blocksAreValid = ofBlocks.feed(text.first(blocks * utf8::kBlockSize));
  for (const utf8::Kernel& kernel : utf8::kernels()) {
    const bool valid = kernel.validate(memory.data(), blocks);
    if (ofBlocks.complete()) {
      REQUIRE(valid);
    } else if (valid && !blocksAreValid) {  // then only the last code point is wrong
      ReferenceUtf8 withoutIt;
      REQUIRE(withoutIt.feed(text.first(blocks * utf8::kBlockSize - 4)));
    }
  }
}

}  // namespace
}  // namespace websocket::fuzz

// Input: key, phase and offset, split, then the bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kChoices = 6;
  if (size < kChoices) {
    return 0;
  }
  const websocket::fuzz::Bytes bytes(data + kChoices, size - kChoices);
  websocket::MaskKey key;
  std::copy_n(data, key.size(), key.begin());
  const std::size_t offset = data[4] % 8U;
  websocket::fuzz::mask(bytes, key, data[4] / 8U, offset);
  websocket::fuzz::validate(bytes, data[5], offset);
  return 0;
}

#include "reply_checker.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace websocket::bench {
namespace {

constexpr std::size_t kKeyLength = 4;
constexpr std::size_t kBlock = 4096;  // of a payload: the first and the last are compared in full, the others in part
constexpr std::size_t kSample = 64;   // bytes at the start of the other blocks

[[noreturn]] void differs(std::size_t inFrame) {
  throw std::runtime_error("the echo differs from what was sent, near byte " + std::to_string(inFrame) + " of a frame");
}

}  // namespace

std::size_t ReplyChecker::accept(std::span<const std::uint8_t> bytes) {
  // Frames without blocks to skip and keys to learn are compared many at once.
  const bool isPlain = !unmasks_ && expected_->frameLength <= expected_->headerLength + kBlock;
  return isPlain ? acceptPlain(bytes) : acceptEach(bytes);
}

std::size_t ReplyChecker::acceptPlain(std::span<const std::uint8_t> bytes) {
  const auto& cycle = expected_->bytes;
  const std::size_t end = inFrame_ + bytes.size();
  while (!bytes.empty()) {
    const std::size_t length = std::min(bytes.size(), cycle.size() - position_);
    if (std::memcmp(bytes.data(), cycle.data() + position_, length) != 0) {
      const auto wrong = std::mismatch(bytes.begin(), bytes.end(), cycle.begin() + std::ptrdiff_t(position_)).first;
      differs((position_ + static_cast<std::size_t>(wrong - bytes.begin())) % expected_->frameLength);
    }
    position_ = (position_ + length) % cycle.size();
    bytes = bytes.subspan(length);
  }
  inFrame_ = end % expected_->frameLength;
  return end / expected_->frameLength;
}

std::size_t ReplyChecker::acceptEach(std::span<const std::uint8_t> bytes) {
  std::size_t frames = 0;
  while (!bytes.empty()) {
    const std::size_t length = std::min(bytes.size(), expected_->frameLength - inFrame_);
    compare(bytes.first(length));
    bytes = bytes.subspan(length);
    position_ = (position_ + length) % expected_->bytes.size();
    inFrame_ += length;
    if (inFrame_ == expected_->frameLength) {
      inFrame_ = 0;
      ++frames;
    }
  }
  return frames;
}

// Bytes of one frame, which begin at inFrame_.
void ReplyChecker::compare(std::span<const std::uint8_t> bytes) {
  const std::size_t headerLeft = expected_->headerLength - std::min(inFrame_, expected_->headerLength);
  const std::size_t inHeader = std::min(headerLeft, bytes.size());
  if (inHeader > 0) compareHeader(bytes.first(inHeader));
  if (inHeader < bytes.size()) comparePayload(bytes.subspan(inHeader));
}

void ReplyChecker::compareHeader(std::span<const std::uint8_t> bytes) {
  const std::size_t keyStart = unmasks_ ? expected_->headerLength - kKeyLength : expected_->headerLength;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t at = inFrame_ + i;
    if (at >= keyStart) {
      key_[at - keyStart] = bytes[i];
    } else if (bytes[i] != expected_->bytes[position_ + i]) {
      differs(at);
    }
  }
}

void ReplyChecker::comparePayload(std::span<const std::uint8_t> bytes) {
  const std::size_t header = expected_->headerLength;
  const std::size_t frameStart = position_ - inFrame_;
  const std::size_t begin = std::max(inFrame_, header) - header;  // of these bytes in the payload
  const std::uint8_t* payload = expected_->bytes.data() + frameStart + header;
  const std::uint8_t* plain = payload + begin;
  // The expected bytes are masked with a key of ours; both keys together give the peer's bytes.
  std::uint8_t both[kKeyLength] = {};
  if (unmasks_) {
    for (std::size_t i = 0; i < kKeyLength; ++i) both[i] = key_[i] ^ payload[i - kKeyLength];
  }
  const std::size_t lastBlock = (expected_->frameLength - header - 1) / kBlock;
  std::size_t i = 0;
  while (i < bytes.size()) {
    const std::size_t at = begin + i;
    const std::size_t block = at / kBlock;
    const std::size_t blockEnd = (block + 1) * kBlock;
    const std::size_t compared = block == 0 || block == lastBlock ? blockEnd : block * kBlock + kSample;
    if (at < compared) {
      const std::size_t length = std::min(compared - at, bytes.size() - i);
      if (unmasks_) {
        std::uint8_t difference = 0;
        for (std::size_t k = 0; k < length; ++k) {
          difference |= static_cast<std::uint8_t>(bytes[i + k] ^ plain[i + k] ^ both[(at + k) % kKeyLength]);
        }
        if (difference != 0) differs(header + at);
      } else if (std::memcmp(bytes.data() + i, plain + i, length) != 0) {
        differs(header + at);
      }
    }
    i += blockEnd - at;
  }
}

}  // namespace websocket::bench

// Incremental validation of UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF. Text may come in
// any split, also inside a code point. One thread at a time.
#pragma once

#include <cstdint>
#include <span>

namespace websocket {

class Utf8Validator {
 public:
  // Continues the text with bytes. False as soon as they hold a byte that no continuation could make valid, even if its
  // code point is unfinished; from then on false until reset().
  [[nodiscard]] bool feed(std::span<const std::uint8_t> bytes);

  // True when the text so far is valid and does not end inside a code point.
  bool complete() const { return remaining_ == 0 && !failed_; }

  // Starts a new text.
  void reset() { *this = Utf8Validator(); }

 private:
  void feedLead(std::uint8_t byte);
  void feedContinuation(std::uint8_t byte);

  std::uint8_t remaining_ = 0;  // bytes that the code point still needs
  std::uint8_t lowest_ = 0;     // smallest and largest allowed value of the next of them
  std::uint8_t highest_ = 0;
  bool failed_ = false;
};

}  // namespace websocket

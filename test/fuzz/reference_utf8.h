// UTF-8 (RFC 3629) one byte at a time, written from the table of its section 4 and from nothing in src/: what the
// validator and its kernels are compared with.
#pragma once

#include <cstdint>
#include <span>

namespace websocket::fuzz {

class ReferenceUtf8 {
 public:
  // False from the first byte on that no continuation can make valid.
  bool feed(std::uint8_t byte) {
    if (left_ == 0) {
      valid_ = valid_ && begin(byte);
    } else {
      valid_ = valid_ && byte >= low_ && byte <= high_;
      low_ = 0x80;
      high_ = 0xBF;
      --left_;
    }
    return valid_;
  }
  bool feed(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) {
      feed(byte);
    }
    return valid_;
  }
  bool complete() const { return valid_ && left_ == 0; }

 private:
  bool begin(std::uint8_t byte) {
    struct Row {
      std::uint8_t first, last;  // the lead
      int more;
      std::uint8_t low, high;  // of the second byte
    };
    static constexpr Row kRows[] = {
        {0x00, 0x7F, 0, 0x80, 0xBF}, {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF},
        {0xE1, 0xEC, 2, 0x80, 0xBF}, {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF},
        {0xF0, 0xF0, 3, 0x90, 0xBF}, {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F}};
    for (const Row& row : kRows) {
      if (byte >= row.first && byte <= row.last) {
        left_ = row.more;
        low_ = row.low;
        high_ = row.high;
        return true;
      }
    }
    return false;
  }

  bool valid_ = true;
  int left_ = 0;
  std::uint8_t low_ = 0;
  std::uint8_t high_ = 0;
};

}  // namespace websocket::fuzz

#include "utf8.h"

#include <cstring>

namespace websocket {

bool Utf8Validator::feed(std::span<const std::uint8_t> bytes) {
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  while (!failed_ && at != end) {
    if (remaining_ == 0) {
      std::uint64_t word;
      while (end - at >= 8) {
        std::memcpy(&word, at, sizeof word);
        if ((word & 0x8080808080808080U) != 0) break;
        at += 8;
      }
      while (at != end && *at < 0x80) ++at;
      if (at == end) break;
      const std::uint8_t lead = *at++;
      // RFC 3629, 4: the second byte of some code points has a narrower range.
      lowest_ = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
      highest_ = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
      if (lead >= 0xC2 && lead <= 0xDF) {
        remaining_ = 1;
      } else if (lead >= 0xE0 && lead <= 0xEF) {
        remaining_ = 2;
      } else if (lead >= 0xF0 && lead <= 0xF4) {
        remaining_ = 3;
      } else {
        failed_ = true;
      }
    } else {
      const std::uint8_t byte = *at++;
      failed_ = byte < lowest_ || byte > highest_;
      lowest_ = 0x80;
      highest_ = 0xBF;
      --remaining_;
    }
  }
  return !failed_;
}

}  // namespace websocket

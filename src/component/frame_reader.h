// Reads frame headers (RFC 6455, 5.2) out of a byte stream that may stop and resume at any byte, and checks all that a
// header alone can break. A wrong byte is reported as soon as it is there, before the header is complete.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "fault.h"
#include "frame.h"

namespace websocket {

struct FrameRules {
  bool mustBeMasked = false;     // the peer is a client
  bool mustNotBeMasked = false;  // the peer is a server
  bool rsvAllowed = false;       // an extension was negotiated: data frames may carry RSV bits
  bool rsv1Compressed = false;   // RSV1 belongs to permessage-deflate: of a message's first frame only (RFC 7692, 6)
  std::uint64_t maxLength = 0;   // payload bytes of a data frame; 0: no limit
};

class FrameReader {
 public:
  enum class Status : std::uint8_t { NeedMore, Complete, Fault };

  // Takes header bytes from the front of input, which it shortens; input is empty after NeedMore. messageOpen: a data
  // frame must be a continuation. After Complete, header() is the header; after Fault, fault() says why.
  Status read(std::span<std::uint8_t>& input, const FrameRules& rules, bool messageOpen);

  // The usual case in few steps: takes the header of a frame that is a whole text or binary message of less than 126
  // bytes, if all of it is in input and nothing is wrong with it. False: nothing happened, read() decides.
  bool readSmallMessage(std::span<std::uint8_t>& input, const FrameRules& rules, bool messageOpen,
                        FrameHeader& header) const {
    if (input.size() < 2 || heldCount_ != 0 || messageOpen) {
      return false;
    }
    const std::uint8_t firstByte = input[0];
    const bool masked = (input[1] & kMaskBit) != 0;
    const std::size_t length = input[1] & static_cast<std::uint8_t>(~kMaskBit);
    const std::size_t size = 2 + (masked ? kMaskKeySize : 0);
    if ((firstByte != firstByteOf(Opcode::Text, true) && firstByte != firstByteOf(Opcode::Binary, true)) ||
        (masked ? rules.mustNotBeMasked : rules.mustBeMasked) || length >= kLength16 || input.size() < size + length ||
        (rules.maxLength != 0 && length > rules.maxLength)) {
      return false;
    }
    header.firstByte = firstByte;
    header.masked = masked;
    header.length = length;
    if (masked) {
      std::memcpy(header.key.data(), &input[2], kMaskKeySize);
    }
    input = input.subspan(size);
    return true;
  }

  const FrameHeader& header() const { return header_; }
  FaultKind fault() const { return fault_; }
  // True when some, but not all, bytes of a header were taken.
  bool midHeader() const { return heldCount_ != 0; }

 private:
  Status parse(std::span<const std::uint8_t> bytes, const FrameRules& rules, bool messageOpen, std::size_t& size);
  Status readOn(std::span<std::uint8_t>& input, const FrameRules& rules, bool messageOpen);

  FrameHeader header_;
  FaultKind fault_ = FaultKind::None;
  std::uint8_t heldCount_ = 0;
  std::array<std::uint8_t, kMaxFrameHeaderSize> held_{};  // the beginning of a header that input ended in
};

}  // namespace websocket

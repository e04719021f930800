// Reads frame headers (RFC 6455, 5.2) out of a byte stream that may stop and resume at any byte, and checks all that a
// header alone can break. A wrong byte is reported as soon as it is there, before the header is complete.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "fault.h"
#include "frame.h"

namespace websocket {

struct FrameRules {
  bool mustBeMasked = false;     // the peer is a client
  bool mustNotBeMasked = false;  // the peer is a server
  bool rsvAllowed = false;       // an extension was negotiated: data frames may carry RSV bits
  std::uint64_t maxLength = 0;   // payload bytes of a data frame; 0: no limit
};

class FrameReader {
 public:
  enum class Status : std::uint8_t { NeedMore, Complete, Fault };

  // Takes header bytes from the front of input, which it shortens; input is empty after NeedMore. messageOpen: a data
  // frame must be a continuation. After Complete, header() is the header; after Fault, fault() says why.
  Status read(std::span<std::uint8_t>& input, const FrameRules& rules, bool messageOpen);

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

#include "frame_reader.h"

#include <algorithm>
#include <cstring>

namespace websocket {
namespace {

bool mayCarry(unsigned rsv, Opcode opcode, const FrameRules& rules) {
  if (isControl(opcode)) {
    return false;
  }
  if (rules.rsv1Compressed && (rsv & kRsv1Bit) != 0) {
    return opcode != Opcode::Continuation && (rsv == kRsv1Bit || rules.rsvAllowed);
  }
  return rules.rsvAllowed;
}

FaultKind checkFirstByte(std::uint8_t byte, const FrameRules& rules, bool messageOpen) {
  const auto opcode = static_cast<Opcode>(byte & kOpcodeBits);
  if ((byte & kRsvBits) != 0 && !mayCarry(byte & kRsvBits, opcode, rules)) {
    return (byte & kRsv1Bit) != 0 ? FaultKind::Rsv1Set : FaultKind::Rsv2Or3Set;
  }
  switch (opcode) {
    case Opcode::Continuation:
      return messageOpen ? FaultKind::None : FaultKind::UnexpectedContinuation;
    case Opcode::Text:
    case Opcode::Binary:
      return messageOpen ? FaultKind::ExpectedContinuation : FaultKind::None;
    case Opcode::Close:
    case Opcode::Ping:
    case Opcode::Pong:
      return (byte & kFinBit) != 0 ? FaultKind::None : FaultKind::FragmentedControlFrame;
  }
  return FaultKind::UnknownOpcode;
}

FaultKind checkSecondByte(std::uint8_t byte, Opcode opcode, const FrameRules& rules) {
  const bool masked = (byte & kMaskBit) != 0;
  if (masked && rules.mustNotBeMasked) {
    return FaultKind::MaskedFrame;
  }
  if (!masked && rules.mustBeMasked) {
    return FaultKind::UnmaskedFrame;
  }
  if (isControl(opcode) && static_cast<std::uint8_t>(byte & ~kMaskBit) > kMaxControlPayload) {
    return FaultKind::ControlFrameTooLong;
  }
  return FaultKind::None;
}

std::uint64_t readBigEndian(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | bytes[i];
  }
  return value;
}

FaultKind checkLength(std::uint64_t length, std::size_t lengthSize, const FrameHeader& header,
                      const FrameRules& rules) {
  if (lengthSize == 8 && length >> 63 != 0) {
    return FaultKind::LengthTooLarge;
  }
  if ((lengthSize == 2 && length < kLength16) || (lengthSize == 8 && length <= 0xFFFF)) {
    return FaultKind::NonMinimalLength;
  }
  if (rules.maxLength != 0 && length > rules.maxLength && !isControl(header.opcode())) {
    return FaultKind::FrameTooBig;
  }
  return FaultKind::None;
}

}  // namespace

// Fills header_ from bytes as far as they go; size: the header's bytes once it is Complete.
inline FrameReader::Status FrameReader::parse(std::span<const std::uint8_t> bytes, const FrameRules& rules,
                                              bool messageOpen, std::size_t& size) {
  if (bytes.empty()) {
    return Status::NeedMore;
  }
  header_.firstByte = bytes[0];
  fault_ = checkFirstByte(bytes[0], rules, messageOpen);
  if (fault_ != FaultKind::None) {
    return Status::Fault;
  }
  if (bytes.size() < 2) {
    return Status::NeedMore;
  }
  fault_ = checkSecondByte(bytes[1], header_.opcode(), rules);
  if (fault_ != FaultKind::None) {
    return Status::Fault;
  }
  header_.masked = (bytes[1] & kMaskBit) != 0;
  const auto length7 = static_cast<std::uint8_t>(bytes[1] & ~kMaskBit);
  const std::size_t lengthSize = length7 < kLength16 ? 0 : length7 == kLength16 ? 2 : 8;
  if (bytes.size() < 2 + lengthSize) {
    return Status::NeedMore;
  }
  header_.length = lengthSize == 0 ? length7 : readBigEndian(&bytes[2], lengthSize);
  fault_ = checkLength(header_.length, lengthSize, header_, rules);
  if (fault_ != FaultKind::None) {
    return Status::Fault;
  }
  size = 2 + lengthSize + (header_.masked ? kMaskKeySize : 0);
  if (bytes.size() < size) {
    return Status::NeedMore;
  }
  if (header_.masked) {
    std::memcpy(header_.key.data(), &bytes[2 + lengthSize], kMaskKeySize);
  }
  return Status::Complete;
}

FrameReader::Status FrameReader::read(std::span<std::uint8_t>& input, const FrameRules& rules, bool messageOpen) {
  if (heldCount_ != 0) {
    return readOn(input, rules, messageOpen);
  }
  std::size_t size = 0;
  const Status status = parse(input, rules, messageOpen, size);
  if (status == Status::Complete) {
    input = input.subspan(size);
  } else if (status == Status::NeedMore) {
    std::copy(input.begin(), input.end(), held_.begin());
    heldCount_ = static_cast<std::uint8_t>(input.size());
    input = {};
  }
  return status;
}

// The same for a header whose first bytes came before.
FrameReader::Status FrameReader::readOn(std::span<std::uint8_t>& input, const FrameRules& rules, bool messageOpen) {
  std::size_t size = 0;
  const std::size_t taken = std::min(input.size(), held_.size() - heldCount_);
  std::memcpy(&held_[heldCount_], input.data(), taken);
  const Status status = parse(std::span(held_).first(heldCount_ + taken), rules, messageOpen, size);
  if (status == Status::Complete) {
    input = input.subspan(size - heldCount_);
    heldCount_ = 0;
  } else if (status == Status::NeedMore) {
    heldCount_ = static_cast<std::uint8_t>(heldCount_ + taken);
    input = input.subspan(taken);
  }
  return status;
}

}  // namespace websocket

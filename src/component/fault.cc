#include "fault.h"

#include <array>
#include <cstddef>

namespace websocket {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kInvalidPayload = 1007;
constexpr std::uint16_t kPolicyViolation = 1008;
constexpr std::uint16_t kMessageTooBig = 1009;
constexpr std::uint16_t kInternalError = 1011;

// Malformed bytes are FORMAT, frames in an impossible order are OPERATION.
constexpr std::array kFaults = {
    Fault{FaultKind::None, Result::Ok, 0, ""},
    Fault{FaultKind::Rsv1Set, Result::InvalidFormat, kProtocolError, "RSV1 must be clear"},
    Fault{FaultKind::Rsv2Or3Set, Result::InvalidFormat, kProtocolError, "RSV2 and RSV3 must be clear"},
    Fault{FaultKind::UnknownOpcode, Result::InvalidFormat, kProtocolError, "the opcode is unknown"},
    Fault{FaultKind::UnexpectedContinuation, Result::InvalidOperation, kProtocolError,
          "a continuation frame came without a message to continue"},
    Fault{FaultKind::ExpectedContinuation, Result::InvalidOperation, kProtocolError,
          "a new message began inside a fragmented message"},
    Fault{FaultKind::FragmentedControlFrame, Result::InvalidFormat, kProtocolError,
          "a control frame must not be fragmented"},
    Fault{FaultKind::ControlFrameTooLong, Result::InvalidFormat, kProtocolError,
          "a control frame's payload must not exceed 125 bytes"},
    Fault{FaultKind::UnmaskedFrame, Result::InvalidFormat, kProtocolError, "a client's frame must be masked"},
    Fault{FaultKind::MaskedFrame, Result::InvalidFormat, kProtocolError, "a server's frame must not be masked"},
    Fault{FaultKind::NonMinimalLength, Result::InvalidFormat, kProtocolError,
          "the payload length is not in its shortest form"},
    Fault{FaultKind::LengthTooLarge, Result::InvalidFormat, kProtocolError,
          "the payload length has its most significant bit set"},
    Fault{FaultKind::FrameTooBig, Result::InvalidFormat, kMessageTooBig, "the frame exceeds the maximum frame size"},
    Fault{FaultKind::MessageTooBig, Result::InvalidFormat, kMessageTooBig,
          "the message exceeds the maximum message size"},
    Fault{FaultKind::TooManyFragments, Result::InvalidFormat, kPolicyViolation,
          "the message exceeds the maximum number of fragments"},
    Fault{FaultKind::InvalidUtf8, Result::InvalidFormat, kInvalidPayload, "the text is not valid UTF-8"},
    Fault{FaultKind::InvalidClosePayload, Result::InvalidFormat, kProtocolError,
          "a Close frame's payload must be empty or at least 2 bytes"},
    Fault{FaultKind::InvalidCloseStatus, Result::InvalidFormat, kProtocolError, "the close status is not allowed"},
    Fault{FaultKind::InvalidCompressedData, Result::InvalidFormat, kInvalidPayload, "the compressed data is not valid"},
    Fault{FaultKind::OutOfMemory, Result::OutOfMemory, kInternalError, "out of memory"},
};

constexpr bool rowsAreInOrder() {
  for (std::size_t i = 0; i < kFaults.size(); ++i) {
    if (static_cast<std::size_t>(kFaults[i].kind) != i) {
      return false;
    }
  }
  return kFaults.size() == static_cast<std::size_t>(FaultKind::OutOfMemory) + 1;
}
static_assert(rowsAreInOrder());

}  // namespace

const Fault& faultOf(FaultKind kind) { return kFaults[static_cast<std::size_t>(kind)]; }

}  // namespace websocket

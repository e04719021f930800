// What a peer can do wrong on the wire, as one table: the result code that WebSocketGetAction reports (contract 10.7)
// and the status that a Close frame should tell the peer (RFC 6455, 7.4.1).
#pragma once

#include <cstdint>

#include "protocol.h"

namespace websocket {

enum class FaultKind : std::uint8_t {
  None,
  Rsv1Set,
  Rsv2Or3Set,
  UnknownOpcode,
  UnexpectedContinuation,
  ExpectedContinuation,
  FragmentedControlFrame,
  ControlFrameTooLong,
  UnmaskedFrame,
  MaskedFrame,
  NonMinimalLength,
  LengthTooLarge,
  FrameTooBig,
  MessageTooBig,
  TooManyFragments,
  InvalidUtf8,
  InvalidClosePayload,
  InvalidCloseStatus,
  InvalidCompressedData,
  OutOfMemory,
};

struct Fault {
  FaultKind kind = FaultKind::None;
  Result result = Result::Ok;
  std::uint16_t closeStatus = 0;
  const char* reason = "";  // static, English, one clause without a full stop
};

// The table's row for a kind.
const Fault& faultOf(FaultKind kind);

}  // namespace websocket

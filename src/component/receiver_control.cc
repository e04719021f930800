// The part of Receiver that ends control frames (RFC 6455, 5.5): pings, pongs and Close frames.
#include <algorithm>
#include <cstring>
#include <new>

#include "close_status.h"
#include "receiver.h"

namespace websocket {

void Receiver::makeRoomForExpectedPong() {
  if (expectedPong_ == nullptr) {
    expectedPong_ = std::make_unique<ExpectedPong>();
  }
}

void Receiver::expectPong(std::span<const std::uint8_t> payload) {
  std::ranges::copy(payload, expectedPong_->payload.begin());
  expectedPong_->length = static_cast<std::uint8_t>(payload.size());
  expectedPong_->armed = true;
}

// A control frame's payload must stay together, but shared memory cannot be kept. False: out of memory.
bool Receiver::spillControl() {
  if (options_.pool == nullptr || chunkLength_ == 0 || (spill_ != nullptr && chunk_ == spill_->data())) {
    return true;
  }
  if (spill_ == nullptr) {
    spill_.reset(new (std::nothrow) ControlPayload);
  }
  if (spill_ == nullptr) {
    return false;
  }
  std::memcpy(spill_->data(), chunk_, chunkLength_);
  chunk_ = spill_->data();
  return true;
}

ReceiveStep Receiver::endControl(std::span<std::uint8_t> payload) {
  switch (reader_.header().opcode()) {
    case Opcode::Ping:
      pingLength_ = static_cast<std::uint8_t>(payload.size());
      if (options_.indicatePings) {
        indicate(BufferType::Ping, payload);
      }
      return ReceiveStep::Ping;
    case Opcode::Pong:
      if (answersPing(payload)) {
        indicate(BufferType::PingPong, payload);
        return ReceiveStep::Indicate;
      }
      if (options_.indicateUnsolicitedPongs) {
        indicate(BufferType::UnsolicitedPong, payload);
        return ReceiveStep::Indicate;
      }
      return ReceiveStep::Idle;
    default:
      return endClose(payload);
  }
}

// Contract 10.4.
ReceiveStep Receiver::endClose(std::span<std::uint8_t> payload) {
  constexpr std::uint16_t kNoStatus = 1005;
  if (payload.empty()) {
    indicate(BufferType::Close, {}, kNoStatus);
    return ReceiveStep::Indicate;
  }
  if (payload.size() < kCloseStatusSize) {
    return fault(FaultKind::InvalidClosePayload);
  }
  const auto status = static_cast<std::uint16_t>(payload[0] << 8 | payload[1]);
  if (!isReceivableCloseStatus(status, options_.strictCloseCodes)) {
    return fault(FaultKind::InvalidCloseStatus);
  }
  const std::span<std::uint8_t> reason = payload.subspan(kCloseStatusSize);
  if (!options_.disableUtf8Verification) {
    Utf8Validator validator;
    if (!validator.feed(reason) || !validator.complete()) {
      return fault(FaultKind::InvalidUtf8);
    }
  }
  indicate(BufferType::Close, reason, status);
  return ReceiveStep::Indicate;
}

bool Receiver::answersPing(std::span<const std::uint8_t> payload) {
  if (expectedPong_ == nullptr || !expectedPong_->armed ||
      !std::ranges::equal(payload, std::span(expectedPong_->payload).first(expectedPong_->length))) {
    return false;
  }
  expectedPong_.reset();
  return true;
}

}  // namespace websocket

#include "received_check.h"

#include <algorithm>

#include "require.h"

namespace websocket::fuzz {
namespace {

constexpr std::uint32_t kCustomFin = 0x100;  // FIN, the top bit of a frame's first byte, shifted left by one

// The type that the last part of the message will have.
std::uint32_t messageTypeOf(std::uint32_t type, bool& last) {
  if ((type & 0x80000000) == 0) {
    last = (type & kCustomFin) != 0;
    return type | kCustomFin;
  }
  last = type % 2 == 0;  // UTF8_MESSAGE, BINARY_MESSAGE
  return type & ~1U;
}

}  // namespace

ReceiveOperation* ReceivedCheck::add(ULONG memorySize) {
  auto operation = std::make_unique<ReceiveOperation>();
  if (memorySize != 0) {
    operation->memory.reset(new std::uint8_t[memorySize]);
    operation->length = memorySize;
  }
  operations_.push_back(std::move(operation));
  return operations_.back().get();
}

void ReceivedCheck::indicated(WEB_SOCKET_BUFFER_TYPE type, const WEB_SOCKET_BUFFER& buffer) {
  const std::span<const std::uint8_t> bytes(buffer.Data.pbBuffer, buffer.Data.ulBufferLength);
  const Bytes payload(bytes.begin(), bytes.end());
  switch (static_cast<std::uint32_t>(type)) {
    case static_cast<std::uint32_t>(WEB_SOCKET_CLOSE_BUFFER_TYPE):
      REQUIRE((buffer.CloseStatus.pbReason == nullptr) == (buffer.CloseStatus.usStatus == 1005));
      events_.push_back({EventKind::Close, 0, payload, buffer.CloseStatus.usStatus});
      break;
    case static_cast<std::uint32_t>(WEB_SOCKET_PING_PONG_BUFFER_TYPE):
    case static_cast<std::uint32_t>(WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE):
      events_.push_back({EventKind::Pong, 0, payload, 0});
      break;
    case static_cast<std::uint32_t>(WEB_SOCKET_PING_BUFFER_TYPE):
      events_.push_back({EventKind::Ping, 0, payload, 0});
      break;
    default:
      message(type, bytes);
  }
}

void ReceivedCheck::message(WEB_SOCKET_BUFFER_TYPE type, std::span<const std::uint8_t> bytes) {
  bool last = false;
  const std::uint32_t messageType = messageTypeOf(static_cast<std::uint32_t>(type), last);
  REQUIRE(!openType_.has_value() || *openType_ == messageType);
  openType_ = messageType;
  partial_.insert(partial_.end(), bytes.begin(), bytes.end());
  if (last) {
    events_.push_back({EventKind::Message, messageType, std::move(partial_), 0});
    partial_.clear();
    openType_.reset();
  }
}

void ReceivedCheck::compare(const ReadStream& expected, const IndicationRules& rules, bool everything) const {
  auto next = expected.events.begin();
  const auto skipSilent = [&](const Event* actual) {
    for (; next != expected.events.end(); ++next) {
      const bool silentPing = next->kind == EventKind::Ping && !rules.pings;
      const bool silentPong =
          next->kind == EventKind::Pong && !rules.unsolicitedPongs && (actual == nullptr || *next != *actual);
      if (!silentPing && !silentPong) {
        return;
      }
    }
  };
  for (const Event& event : events_) {
    skipSilent(&event);
    REQUIRE(next != expected.events.end());
    REQUIRE(event == *next);
    ++next;
  }
  skipSilent(nullptr);
  if (everything) {
    REQUIRE(next == expected.events.end());
  }
  // Control events may stand between the parts of a message, so its end is looked for.
  const auto end =
      std::find_if(next, expected.events.end(), [](const Event& e) { return e.kind == EventKind::Message; });
  const Bytes& whole = end == expected.events.end() ? expected.partial : end->payload;
  REQUIRE(partial_.size() <= whole.size());
  REQUIRE(std::equal(partial_.begin(), partial_.end(), whole.begin()));
}

void requireReplies(const std::vector<Bytes>& replies, const ReadStream& received, bool newest) {
  std::vector<Bytes> pings;
  for (const Event& event : received.events) {
    if (event.kind == EventKind::Ping) {
      pings.push_back(event.payload);
    }
  }
  auto ping = pings.begin();
  for (const Bytes& reply : replies) {
    ping = std::find(ping, pings.end(), reply);
    REQUIRE(ping != pings.end());
    ++ping;
  }
  REQUIRE(!newest || pings.empty() || (!replies.empty() && replies.back() == pings.back()));
}

}  // namespace websocket::fuzz

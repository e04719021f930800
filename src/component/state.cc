#include "state.h"

#include <array>

namespace websocket {
namespace {

template <typename Enum>
constexpr std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

constexpr auto kNo = Verdict::Illegal;
constexpr auto kYes = Verdict::Allowed;
constexpr auto kNoEffect = Verdict::NoEffect;
constexpr auto kOpens = Verdict::OpensServer;

// clang-format off
// Contract 5.2, a row for each call.
constexpr std::array<std::array<Verdict, kStateCount>, kCallCount> kVerdicts = {{
    //                   Created Handshaking Open       CloseSent  CloseRecvd Closed     Faulted    FaultedCS  Aborted
    /* BeginHandshake */ {kYes,  kNo,        kNo,       kNo,       kNo,       kNo,       kNo,       kNo,       kNo},
    /* EndClient      */ {kNo,   kYes,       kNo,       kNo,       kNo,       kNo,       kNo,       kNo,       kNo},
    /* EndServer      */ {kNo,   kYes,       kNoEffect, kNoEffect, kNoEffect, kNoEffect, kNoEffect, kNoEffect, kNo},
    /* SendData       */ {kNo,   kOpens,     kYes,      kNo,       kYes,      kNo,       kYes,      kNo,       kNo},
    /* SendControl    */ {kNo,   kOpens,     kYes,      kYes,      kYes,      kYes,      kYes,      kYes,      kNo},
    /* SendClose      */ {kNo,   kOpens,     kYes,      kNo,       kYes,      kNo,       kYes,      kNo,       kNo},
    /* Receive        */ {kNo,   kOpens,     kYes,      kYes,      kNo,       kNo,       kNo,       kNo,       kNo},
    /* GetAction      */ {kNo,   kOpens,     kYes,      kYes,      kYes,      kYes,      kYes,      kYes,      kYes},
}};

// A row for each state.
constexpr std::array<std::array<State, kEventCount>, kStateCount> kTransitions = {{
    // HandshakeBegun          Opened                    CloseSent                 CloseReceived             Faulted                   Aborted
    {State::Handshaking,       State::Open,              State::Created,           State::Created,           State::Created,           State::Created},
    {State::Handshaking,       State::Open,              State::Handshaking,       State::Handshaking,       State::Handshaking,       State::Handshaking},
    {State::Open,              State::Open,              State::CloseSent,         State::CloseReceived,     State::Faulted,           State::Aborted},
    {State::CloseSent,         State::CloseSent,         State::CloseSent,         State::Closed,            State::FaultedCloseSent,  State::Aborted},
    {State::CloseReceived,     State::CloseReceived,     State::Closed,            State::CloseReceived,     State::CloseReceived,     State::Aborted},
    {State::Closed,            State::Closed,            State::Closed,            State::Closed,            State::Closed,            State::Aborted},
    {State::Faulted,           State::Faulted,           State::FaultedCloseSent,  State::Faulted,           State::Faulted,           State::Aborted},
    {State::FaultedCloseSent,  State::FaultedCloseSent,  State::FaultedCloseSent,  State::FaultedCloseSent,  State::FaultedCloseSent,  State::Aborted},
    {State::Aborted,           State::Aborted,           State::Aborted,           State::Aborted,           State::Aborted,           State::Aborted},
}};
// clang-format on

static_assert(kCallCount <= 8);
constexpr std::array<std::uint8_t, kStateCount> kAllowedCalls = [] {
  std::array<std::uint8_t, kStateCount> allowed{};
  for (std::size_t call = 0; call < kCallCount; ++call) {
    for (std::size_t state = 0; state < kStateCount; ++state) {
      if (kVerdicts[call][state] == Verdict::Allowed) {
        allowed[state] |= bitOf(static_cast<Call>(call));
      }
    }
  }
  return allowed;
}();

constexpr std::array<const char*, kStateCount> kStateNames = {
    "CREATED",         "HANDSHAKING",         "OPEN",
    "OPEN+close_sent", "OPEN+close_received", "OPEN+close_sent+close_received",
    "FAULTED",         "FAULTED+close_sent",  "ABORTED"};
constexpr std::array<const char*, kCallCount> kCallNames = {
    "Begin*Handshake", "EndClientHandshake", "EndServerHandshake", "Send data", "Send ping / pong", "Send CLOSE",
    "Receive",         "GetAction"};
constexpr std::array<const char*, kEventCount> kEventNames = {"handshake begun", "opened", "close sent",
                                                              "close received",  "fault",  "abort"};

}  // namespace

Verdict verdict(Call call, State state) { return kVerdicts[index(call)][index(state)]; }
std::uint8_t allowedCalls(State state) { return kAllowedCalls[index(state)]; }
State nextState(State state, Event event) { return kTransitions[index(state)][index(event)]; }
const char* nameOf(State state) { return kStateNames[index(state)]; }
const char* nameOf(Call call) { return kCallNames[index(call)]; }
const char* nameOf(Event event) { return kEventNames[index(event)]; }

}  // namespace websocket

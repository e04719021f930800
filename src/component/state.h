// The life cycle of a session (contract, section 5) as two tables: which call is legal in which state, and which event
// leads from one state to the next. Nothing else decides legality.
#pragma once

#include <cstddef>
#include <cstdint>

namespace websocket {

enum class State : std::uint8_t {
  Created,           // no handshake yet
  Handshaking,       // Begin*Handshake succeeded
  Open,              //
  CloseSent,         // a Close frame was accepted for sending
  CloseReceived,     // a Close frame was indicated to the application
  Closed,            // both
  Faulted,           // the peer broke the protocol: nothing is received any more, sending goes on
  FaultedCloseSent,  // and a Close frame was accepted for sending
  Aborted,           // queued operations come back as complete, nothing else happens
};
inline constexpr std::size_t kStateCount = 9;

enum class Call : std::uint8_t {
  BeginHandshake,
  EndClientHandshake,
  EndServerHandshake,
  SendData,
  SendControl,  // a ping or a pong
  SendClose,
  Receive,
  GetAction,
};
inline constexpr std::size_t kCallCount = 8;

enum class Verdict : std::uint8_t {
  Illegal,      // E_INVALID_PROTOCOL_OPERATION
  Allowed,      //
  NoEffect,     // S_OK, nothing happens
  OpensServer,  // a server opens and the call is allowed; a client's call is illegal
};

enum class Event : std::uint8_t { HandshakeBegun, Opened, CloseSent, CloseReceived, Faulted, Aborted };
inline constexpr std::size_t kEventCount = 6;

Verdict verdict(Call call, State state);

// The calls that are Allowed in a state, a bit for each: the check that every call makes.
std::uint8_t allowedCalls(State state);
constexpr std::uint8_t bitOf(Call call) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(call)); }

// The state after an event. An event that means nothing in a state leaves it.
State nextState(State state, Event event);

const char* nameOf(State state);
const char* nameOf(Call call);
const char* nameOf(Event event);

}  // namespace websocket

// The vocabulary of the component: the enumerations of websocket.h and RFC 6455 as C++ types, and the plain structures
// that its parts hand to each other. Values equal those of websocket.h (asserted in websocket.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace websocket {

enum class Role : std::uint8_t { Client, Server };

// Result codes; see websocket.h for the meaning of each.
enum class [[nodiscard]] Result : std::int32_t{
    Ok = 0,
    Fail = static_cast<std::int32_t>(0x80004005),
    OutOfMemory = static_cast<std::int32_t>(0x8007000E),
    InvalidArgument = static_cast<std::int32_t>(0x80070057),
    InsufficientBuffer = static_cast<std::int32_t>(0x8007007A),
    InvalidOperation = static_cast<std::int32_t>(0x83760001),
    InvalidFormat = static_cast<std::int32_t>(0x83760002),
    ExtensionsNotSupported = static_cast<std::int32_t>(0x83760003),
    SubprotocolNotSupported = static_cast<std::int32_t>(0x83760004),
    VersionNotSupported = static_cast<std::int32_t>(0x83760005),
};

// RFC 6455, 5.2.
enum class Opcode : std::uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

constexpr bool isControl(Opcode opcode) { return (static_cast<std::uint8_t>(opcode) & 0x8) != 0; }

// WEB_SOCKET_BUFFER_TYPE. A value whose top bit is clear is a custom type: the first byte of the frame, shifted left by
// one (contract 13.2, R1).
enum class BufferType : std::uint32_t {
  None = 0,
  Utf8Message = 0x80000000,
  Utf8Fragment = 0x80000001,
  BinaryMessage = 0x80000002,
  BinaryFragment = 0x80000003,
  Close = 0x80000004,
  PingPong = 0x80000005,
  UnsolicitedPong = 0x80000006,
  Ping = 0x80001000,  // addition (R9): a received ping, indicated when asked for
};

constexpr bool isCustom(BufferType type) { return (static_cast<std::uint32_t>(type) & 0x80000000U) == 0; }

// WEB_SOCKET_ACTION.
enum class ActionKind : std::uint8_t {
  None = 0,
  SendToNetwork = 1,
  IndicateSendComplete = 2,
  ReceiveFromNetwork = 3,
  IndicateReceiveComplete = 4,
};

// WEB_SOCKET_ACTION_QUEUE: a set of two bits.
enum class ActionQueue : std::uint8_t { Send = 1, Receive = 2, All = 3 };

constexpr bool includesSend(ActionQueue queue) { return (static_cast<std::uint8_t>(queue) & 1) != 0; }
constexpr bool includesReceive(ActionQueue queue) { return (static_cast<std::uint8_t>(queue) & 2) != 0; }

// WEB_SOCKET_BUFFER: bytes to write or to fill, a received payload, or (with closeStatus) a received Close frame.
struct Buffer {
  std::uint8_t* data = nullptr;
  std::uint32_t length = 0;  // bytes
  std::uint16_t closeStatus = 0;
};

// Names an outstanding action; 0 names none.
using ActionId = std::uintptr_t;

// What Session::getAction hands out. count entries of the caller's buffers were filled.
struct Action {
  ActionKind kind = ActionKind::None;
  BufferType type = BufferType::None;
  std::uint32_t count = 0;
  void* context = nullptr;  // the application's, of the operation that the action belongs to
  ActionId id = 0;
};

// One HTTP header field, borrowed.
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

}  // namespace websocket

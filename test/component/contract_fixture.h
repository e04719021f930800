// What the contract tests share: bytes and wire frames built by hand, an action with all its outputs, and Endpoint, an
// open handle whose transport is the test itself. Predicates return a gtest AssertionResult, so that a failure is shown
// at the line of the test. No threads.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iomanip>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "contract_handshake.h"
#include "defined.h"
#include "websocket.h"

namespace websocket::contract {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;
using namespace std::string_view_literals;

constexpr auto kHello = "Hello World"sv;  // the message of the worked sequences, 11 bytes
constexpr std::array<std::uint8_t, 4> kMaskingKey{0x37, 0xFA, 0x21, 0x3D};  // k of the worked sequences
constexpr std::string_view kMaskingKeyText{"\x37\xFA\x21\x3D", 4};          // the same, for Options::randomBytes
constexpr auto kNoType = static_cast<WEB_SOCKET_BUFFER_TYPE>(0);

// Application contexts: three distinct addresses.
inline std::array<char, 3> contextMarks{};
inline const PVOID kA = &contextMarks[0];
inline const PVOID kB = &contextMarks[1];
inline const PVOID kC = &contextMarks[2];

inline BytesView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline Bytes copy(BytesView bytes) { return {bytes.begin(), bytes.end()}; }
inline Bytes copy(std::string_view text) { return copy(view(text)); }

// "81 0B" as bytes.
inline Bytes hex(const std::string& text) {
  Bytes bytes;
  std::istringstream stream(text);
  stream >> std::hex;
  for (unsigned value = 0; stream >> value;) bytes.push_back(static_cast<std::uint8_t>(value));
  return bytes;
}

inline std::string toHex(BytesView bytes) {
  std::ostringstream stream;
  stream << std::hex << std::setfill('0') << std::uppercase;
  for (const std::uint8_t byte : bytes) stream << std::setw(2) << unsigned{byte} << ' ';
  return stream.str();
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// `length` bytes of printable text that do not repeat with a small period.
inline Bytes text(std::size_t length) {
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::uint8_t>('!' + (i * 7 + i / 89) % 90);
  return bytes;
}

inline Bytes masked(BytesView payload, BytesView key = kMaskingKey) {
  Bytes bytes = copy(payload);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ key[i % 4]);
  return bytes;
}

// A frame header with the shortest length encoding and no key (RFC 6455, 5.2).
inline Bytes frameHeader(std::uint8_t first, std::size_t length, std::uint8_t maskBit) {
  Bytes bytes{first};
  const auto put = [&](int octets) {
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(length >> shift));
  };
  if (length < 126) {
    bytes.push_back(static_cast<std::uint8_t>(maskBit | length));
  } else if (length <= 0xFFFF) {
    bytes.push_back(maskBit | 126);
    put(2);
  } else {
    bytes.push_back(maskBit | 127);
    put(8);
  }
  return bytes;
}

// A frame as a client sends it, masked with k.
inline Bytes clientFrame(std::uint8_t first, BytesView payload) {
  return joined({frameHeader(first, payload.size(), 0x80), copy(kMaskingKey), masked(payload)});
}
inline Bytes clientFrame(std::uint8_t first, std::string_view payload) { return clientFrame(first, view(payload)); }

// A frame as a server sends it.
inline Bytes serverFrame(std::uint8_t first, BytesView payload) {
  return joined({frameHeader(first, payload.size(), 0), copy(payload)});
}
inline Bytes serverFrame(std::uint8_t first, std::string_view payload) { return serverFrame(first, view(payload)); }

// A frame as the peer of this side sends it.
inline Bytes peerFrame(Side side, std::uint8_t first, BytesView payload) {
  return side == Side::Server ? clientFrame(first, payload) : serverFrame(first, payload);
}

// The payload of a Close frame.
inline Bytes closePayload(unsigned status, std::string_view reason = {}) {
  return joined({{static_cast<std::uint8_t>(status >> 8), static_cast<std::uint8_t>(status)}, copy(reason)});
}

// A frame of at most 125 bytes that a client wrote, with its mask taken off: first byte, length, payload.
inline Bytes unmaskedFrame(BytesView wire) {
  if (wire.size() < 6 || (wire[1] & 0x80) == 0) return {};
  return joined({{wire[0], static_cast<std::uint8_t>(wire[1] & 0x7F)}, masked(wire.subspan(6), wire.subspan(2, 4))});
}

// All that one call of WebSocketGetAction gave.
struct Action {
  HRESULT result = S_OK;
  WEB_SOCKET_ACTION kind = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type = kNoType;
  ULONG count = 0;
  std::array<WEB_SOCKET_BUFFER, 2> buffers{};
  PVOID context = nullptr;  // the application's
  PVOID id = nullptr;       // the action's

  // The bytes of all buffers, in array order.
  Bytes bytes() const {
    Bytes all;
    for (ULONG i = 0; i < count && i < buffers.size(); ++i) {
      const BytesView part(buffers[i].Data.pbBuffer, buffers[i].Data.ulBufferLength);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }
  ULONG total() const {
    ULONG sum = 0;
    for (ULONG i = 0; i < count && i < buffers.size(); ++i) sum += buffers[i].Data.ulBufferLength;
    return sum;
  }
};

inline std::ostream& operator<<(std::ostream& stream, const Action& action) {
  return stream << "{result 0x" << std::hex << static_cast<std::uint32_t>(action.result) << " action " << action.kind
                << " type 0x" << static_cast<std::uint32_t>(action.type) << std::dec << " count " << action.count
                << " context " << action.context << " id " << action.id << '}';
}

inline testing::AssertionResult check(bool holds, const Action& action, const char* expected) {
  if (holds) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected " << expected << ", got " << action;
}

inline testing::AssertionResult isNoAction(const Action& a) {
  return check(a.result == S_OK && a.kind == WEB_SOCKET_NO_ACTION && a.count == 0 && a.type == kNoType &&
                   a.context == nullptr && a.id == nullptr,
               a, "NO_ACTION, count 0, type 0, contexts NULL");
}

// A failed WebSocketGetAction: NO_ACTION, nothing to complete.
inline testing::AssertionResult isFailure(const Action& a, HRESULT result) {
  return check(a.result == result && a.kind == WEB_SOCKET_NO_ACTION && a.count == 0 && a.id == nullptr, a,
               "a failure with NO_ACTION, count 0, action context NULL");
}

inline testing::AssertionResult isSend(const Action& a, WEB_SOCKET_BUFFER_TYPE type, PVOID context) {
  return check(a.result == S_OK && a.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION && a.type == type && a.count >= 1 &&
                   a.count <= 2 && a.context == context && a.id != nullptr,
               a, "SEND_TO_NETWORK of this type and context");
}

// The reply to a ping: no application context.
inline testing::AssertionResult isReply(const Action& a) {
  return isSend(a, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr);
}

inline testing::AssertionResult isSendComplete(const Action& a, PVOID context) {
  return check(a.result == S_OK && a.kind == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION && a.count == 0 &&
                   a.context == context && a.id != nullptr,
               a, "INDICATE_SEND_COMPLETE, count 0, of this context");
}

inline testing::AssertionResult isRead(const Action& a, PVOID context) {
  return check(a.result == S_OK && a.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION && a.count == 1 &&
                   a.buffers[0].Data.pbBuffer != nullptr && a.buffers[0].Data.ulBufferLength > 0 &&
                   a.context == context && a.id != nullptr,
               a, "RECEIVE_FROM_NETWORK, one buffer, of this context");
}

inline testing::AssertionResult isReceived(const Action& a, WEB_SOCKET_BUFFER_TYPE type, BytesView payload,
                                           PVOID context = nullptr) {
  if (const auto result = check(a.result == S_OK && a.kind == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION &&
                                    a.type == type && a.count == 1 && a.context == context && a.id != nullptr,
                                a, "INDICATE_RECEIVE_COMPLETE, count 1, of this type and context");
      !result) {
    return result;
  }
  if (a.bytes() == copy(payload)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "expected payload " << toHex(payload) << ", got " << toHex(a.bytes());
}
inline testing::AssertionResult isReceived(const Action& a, WEB_SOCKET_BUFFER_TYPE type, std::string_view payload,
                                           PVOID context = nullptr) {
  return isReceived(a, type, view(payload), context);
}

inline testing::AssertionResult isClose(const Action& a, unsigned status, std::string_view reason, PVOID context) {
  if (const auto result = isReceived(a, WEB_SOCKET_CLOSE_BUFFER_TYPE, reason, context); !result) return result;
  const auto& close = a.buffers[0].CloseStatus;
  return check(close.usStatus == status && close.ulReasonLength == reason.size(), a, "this close status");
}

// A receive that ended without data.
inline testing::AssertionResult isEmptyReceive(const Action& a, PVOID context) {
  return check(a.result == S_OK && a.kind == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION && a.count == 0 &&
                   a.type == kNoType && a.context == context && a.id != nullptr,
               a, "INDICATE_RECEIVE_COMPLETE, count 0, type 0, of this context");
}

// An open handle. The test is its transport.
class Endpoint {
 public:
  explicit Endpoint(Side side, const Options& options = {}, PCSTR extension = nullptr)
      : side_(side), handle_(side, options) {
    open(side, handle_.get(), extension);
  }

  Side side() const { return side_; }
  WEB_SOCKET_HANDLE handle() const { return handle_.get(); }

  // The payload is referenced until its INDICATE: pass memory that lives as long.
  HRESULT send(WEB_SOCKET_BUFFER_TYPE type, BytesView payload, PVOID context = nullptr) {
    WEB_SOCKET_BUFFER buffer{.Data = {const_cast<PBYTE>(payload.data()), static_cast<ULONG>(payload.size())}};
    return WebSocketSend(handle(), type, &buffer, context);
  }
  HRESULT send(WEB_SOCKET_BUFFER_TYPE type, std::string_view payload, PVOID context = nullptr) {
    return send(type, view(payload), context);
  }
  HRESULT send(WEB_SOCKET_BUFFER_TYPE type, Bytes&& payload, PVOID context = nullptr) = delete;
  // A control frame without a buffer.
  HRESULT sendControl(WEB_SOCKET_BUFFER_TYPE type, PVOID context = nullptr) {
    return WebSocketSend(handle(), type, nullptr, context);
  }
  HRESULT sendClose(unsigned status, std::string_view reason = {}, PVOID context = nullptr) {
    WEB_SOCKET_BUFFER buffer{.CloseStatus = {const_cast<PBYTE>(view(reason).data()), static_cast<ULONG>(reason.size()),
                                             static_cast<USHORT>(status)}};
    return WebSocketSend(handle(), WEB_SOCKET_CLOSE_BUFFER_TYPE, &buffer, context);
  }
  HRESULT receive(PVOID context = nullptr) { return WebSocketReceive(handle(), nullptr, context); }
  HRESULT receiveInto(std::span<std::uint8_t> memory, PVOID context = nullptr) {
    WEB_SOCKET_BUFFER buffer{.Data = {memory.data(), static_cast<ULONG>(memory.size())}};
    return WebSocketReceive(handle(), &buffer, context);
  }

  // WebSocketGetAction. The outputs are pre-set, so that one that was not written shows.
  Action take(WEB_SOCKET_ACTION_QUEUE queue, ULONG capacity = 2) {
    Action action;
    action.kind = WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION;
    action.context = &action;
    action.id = &action;
    action.count = capacity;
    action.result = WebSocketGetAction(handle(), queue, action.buffers.data(), &action.count, &action.kind,
                                       &action.type, &action.context, &action.id);
    if (action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) {
      for (const auto& buffer : std::span(action.buffers).first(std::min<std::size_t>(action.count, 2)))
        checkDefined(buffer.Data.pbBuffer, buffer.Data.ulBufferLength);
    }
    return action;
  }
  Action takeSend(ULONG capacity = 2) { return take(WEB_SOCKET_SEND_ACTION_QUEUE, capacity); }
  Action takeReceive(ULONG capacity = 1) { return take(WEB_SOCKET_RECEIVE_ACTION_QUEUE, capacity); }
  Action takeAll(ULONG capacity = 2) { return take(WEB_SOCKET_ALL_ACTION_QUEUE, capacity); }

  void complete(const Action& action, ULONG transferred) { WebSocketCompleteAction(handle(), action.id, transferred); }
  // Completes as a driver does whose write succeeded, or an INDICATE.
  void finish(const Action& action) {
    complete(action, action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION ? action.total() : 0);
  }

  // Supplies all bytes through RECEIVE_FROM_NETWORK, in pieces as large as the space. Anything else is a failure.
  void feed(BytesView bytes) {
    while (!bytes.empty()) {
      const Action read = takeReceive();
      if (read.kind != WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION || read.total() == 0) {
        ADD_FAILURE() << "RECEIVE_FROM_NETWORK expected with " << bytes.size() << " bytes left, got " << read;
        return;
      }
      bytes = bytes.subspan(fill(read, bytes));
    }
  }
  void feed(const std::string& hexBytes) { feed(hex(hexBytes)); }

  // Runs the RECEIVE queue on the network's bytes, shortening it, until something else than a read is to be done.
  // Returns that; or the read itself, not completed, when no bytes are left.
  Action pump(BytesView& network) {
    for (;;) {
      const Action action = takeReceive();
      if (action.kind != WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION || network.empty()) return action;
      network = network.subspan(fill(action, network));
    }
  }

  // Queues a receive, feeds and returns the action that follows.
  Action receiveNow(BytesView bytes, PVOID context = nullptr) {
    EXPECT_EQ(receive(context), S_OK);
    feed(bytes);
    return takeReceive();
  }

  // Runs the SEND queue to NO_ACTION and returns the bytes written.
  Bytes flush(ULONG capacity = 2) {
    Bytes wire;
    for (;;) {
      const Action action = takeSend(capacity);
      if (action.kind == WEB_SOCKET_NO_ACTION) return wire;
      if (action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) wire = joined({wire, action.bytes()});
      finish(action);
    }
  }

 private:
  // Completes a read with as many bytes as fit and returns their number.
  std::size_t fill(const Action& read, BytesView bytes) {
    const std::size_t length = std::min<std::size_t>(read.total(), bytes.size());
    std::memcpy(read.buffers[0].Data.pbBuffer, bytes.data(), length);
    complete(read, static_cast<ULONG>(length));
    return length;
  }

  Side side_;
  Handle handle_;
};

inline Endpoint openServer(const Options& options = {}) { return Endpoint(Side::Server, options); }
inline Endpoint openClient(const Options& options = {}) { return Endpoint(Side::Client, options); }

}  // namespace websocket::contract

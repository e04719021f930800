// The calls of Endpoint: drawn from the input, made, and their results compared with the rules of the contract.
#include <algorithm>
#include <array>
#include <cstring>

#include "endpoint.h"
#include "require.h"

namespace websocket::fuzz {
namespace {

constexpr std::size_t kMaxControlPayload = 125;
constexpr ULONG kMaxReason = WEB_SOCKET_MAX_CLOSE_REASON_LENGTH;

// Memory of exactly this size, so that a read beyond it is seen.
std::unique_ptr<std::uint8_t[]> copyOf(const Bytes& bytes) {
  std::unique_ptr<std::uint8_t[]> memory(new std::uint8_t[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), memory.get());
  return memory;
}

constexpr std::size_t kMostBytes = 65545;  // more than a 16-bit length can say

// Printable text that does not repeat with a small period.
const Bytes& sampleText() {
  static const Bytes text = [] {
    Bytes bytes(kMostBytes + 256);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>('!' + (i * 7 + i / 89) % 90);
    }
    return bytes;
  }();
  return text;
}

Bytes drawPayload(Choices& choices, std::uint8_t salt) {
  const auto how = choices.ConsumeIntegral<std::uint8_t>();
  if (how < 32) {  // anything, not always UTF-8
    return choices.ConsumeBytes<std::uint8_t>(choices.ConsumeIntegralInRange<std::size_t>(0, 40));
  }
  std::size_t size = 0;
  if (how < 160) {
    size = choices.ConsumeIntegralInRange<std::size_t>(0, 140);
  } else if (how < 254) {
    size = choices.ConsumeIntegralInRange<std::size_t>(0, 2000);
  } else {
    size = choices.ConsumeIntegralInRange<std::size_t>(65530, kMostBytes);
  }
  const auto begin = sampleText().begin() + salt;
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

WEB_SOCKET_BUFFER bufferOf(const SendOperation& operation) {
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {operation.memory.get(), static_cast<ULONG>(operation.original.size())};
  return buffer;
}

}  // namespace

void Endpoint::queue(std::unique_ptr<SendOperation> operation, HRESULT result, HRESULT expected) {
  const bool noKey = result == E_FAIL && expected == S_OK && settings_.gather && mayFailForRandom();
  REQUIRE(result == expected || noKey);
  if (result == S_OK) {
    sent_.add(std::move(operation));
  }
}

// What WebSocketSend must answer to a data type, and the frame's first byte (contract 9.1, 13.2, R1).
HRESULT Endpoint::judgeData(std::uint32_t type, std::uint8_t& firstByte, Message& next) const {
  const bool closed = aborted_ || closeSent_;
  if (type >= 0x80000000U) {
    const bool text = type < 0x80000002U;
    const bool last = type % 2 == 0;
    const Message message = text ? Message::Text : Message::Binary;
    const unsigned opcode = sending_ != Message::None ? 0 : text ? 1 : 2;
    firstByte = static_cast<std::uint8_t>(opcode | (last ? 0x80U : 0U));
    next = last ? Message::None : message;
    return closed || (sending_ != Message::None && sending_ != message) ? E_INVALID_PROTOCOL_OPERATION : S_OK;
  }
  const std::uint32_t byte = type >> 1;
  const std::uint32_t opcode = byte & 15;
  if (type % 2 != 0 || byte > 255 || opcode > 2) {
    return E_INVALIDARG;
  }
  firstByte = static_cast<std::uint8_t>(byte);
  next = byte >= 128 ? Message::None : Message::Custom;
  const bool rsv = (byte & 0x70) != 0;
  const bool inPlace = sending_ == Message::None ? opcode != 0 : sending_ == Message::Custom && opcode == 0;
  return closed || (rsv && !extension_) || !inPlace ? E_INVALID_PROTOCOL_OPERATION : S_OK;
}

void Endpoint::send(Choices& choices) {
  const auto how = choices.ConsumeIntegral<std::uint8_t>();
  const std::uint32_t type =
      how < 224 ? 0x80000000U | (how & 3U) : choices.ConsumeIntegralInRange<std::uint32_t>(0, 0x1FF);
  auto operation = std::make_unique<SendOperation>();
  operation->type = static_cast<WEB_SOCKET_BUFFER_TYPE>(type);
  operation->payload = drawPayload(choices, ++salt_);
  operation->original = operation->payload;
  operation->memory = copyOf(operation->original);
  Message next = Message::None;
  const HRESULT expected = judgeData(type, operation->firstByte, next);
  WEB_SOCKET_BUFFER buffer = bufferOf(*operation);
  const HRESULT result = WebSocketSend(handle(), operation->type, &buffer, operation.get());
  queue(std::move(operation), result, expected);
  if (result == S_OK) {
    sending_ = next;
  }
}

void Endpoint::sendControl(Choices& choices) {
  const bool ping = choices.ConsumeBool();
  auto operation = std::make_unique<SendOperation>();
  operation->type = ping ? WEB_SOCKET_PING_PONG_BUFFER_TYPE : WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE;
  operation->firstByte = ping ? 0x89 : 0x8A;
  const HRESULT expected = aborted_ ? E_INVALID_PROTOCOL_OPERATION : S_OK;
  HRESULT result = S_OK;
  if (choices.ConsumeBool()) {
    result = WebSocketSend(handle(), operation->type, nullptr, operation.get());
  } else {
    operation->payload.assign(choices.ConsumeIntegralInRange<std::size_t>(1, kMaxControlPayload), ++salt_);
    operation->payload[0] = ping ? 'p' : 'u';
    const auto memory = copyOf(operation->payload);  // gone after the call
    result = WebSocketSendControl(handle(), operation->type, memory.get(),
                                  static_cast<ULONG>(operation->payload.size()), operation.get());
  }
  if (result == S_OK && ping) {
    sent_.pingQueued(operation->payload);
  }
  queue(std::move(operation), result, expected);
}

void Endpoint::sendClose(Choices& choices) {
  static constexpr std::array<USHORT, 12> kStatuses = {1000,  1001, 1000, 3000, 4999, 5000,
                                                       65535, 0,    1005, 999,  1006, 2000};
  const USHORT status = choices.PickValueInArray(kStatuses);
  auto operation = std::make_unique<SendOperation>();
  operation->type = WEB_SOCKET_CLOSE_BUFFER_TYPE;
  operation->firstByte = 0x88;
  operation->original.assign(choices.ConsumeIntegralInRange<std::size_t>(0, kMaxReason + 1), 'r');
  operation->memory = copyOf(operation->original);
  const bool none = status == 0 || status == 1005;
  const bool refused = settings_.strictCloseCodes ? status < 1000 || (status > 1003 && status < 3000) || status > 4999
                                                  : status < 1000 || (status >= 1004 && status <= 1006);
  const bool badArgument = operation->original.size() > kMaxReason || (none ? !operation->original.empty() : refused);
  const HRESULT expected = badArgument ? E_INVALIDARG : aborted_ || closeSent_ ? E_INVALID_PROTOCOL_OPERATION : S_OK;
  if (!none) {
    operation->payload = operation->original;
    operation->payload.insert(operation->payload.begin(),
                              {static_cast<std::uint8_t>(status >> 8), static_cast<std::uint8_t>(status)});
  }
  WEB_SOCKET_BUFFER buffer = bufferOf(*operation);
  buffer.CloseStatus.usStatus = status;
  const bool omit = none && operation->original.empty() && choices.ConsumeBool();
  const HRESULT result = WebSocketSend(handle(), operation->type, omit ? nullptr : &buffer, operation.get());
  queue(std::move(operation), result, expected);
  closeSent_ = closeSent_ || result == S_OK;
}

void Endpoint::receive(Choices& choices) {
  const auto how = choices.ConsumeIntegral<std::uint8_t>();
  ReceiveOperation* const operation =
      received_.add(how < 160 ? 0 : choices.ConsumeIntegralInRange<ULONG>(1, how < 230 ? 60 : 3000));
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {operation->memory.get(), operation->length};
  const HRESULT result = WebSocketReceive(handle(), operation->length == 0 ? nullptr : &buffer, operation);
  const bool refused = aborted_ || closeReceived_ || fault_ != S_OK;
  REQUIRE(result == (refused ? E_INVALID_PROTOCOL_OPERATION : S_OK));
  if (result != S_OK) {
    received_.dropNewest();
  }
}

void Endpoint::inject(Choices& choices) {
  const bool reading = std::ranges::any_of(
      outstanding_, [](const Action& action) { return action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION; });
  if (reading || aborted_) {
    return;  // which bytes come first would be the driver's mistake
  }
  const auto waiting = in_.waiting();
  const Bytes bytes(waiting.begin(),
                    waiting.begin() + static_cast<std::ptrdiff_t>(choices.ConsumeIntegralInRange<std::size_t>(
                                          0, std::min<std::size_t>(waiting.size(), 1000))));
  const auto memory = copyOf(bytes);
  REQUIRE(WebSocketInjectReceivedBytes(handle(), memory.get(), static_cast<ULONG>(bytes.size())) == S_OK);
  in_.taken += bytes.size();
}

void Endpoint::breakRandom(Choices& choices) { handle_->breakRandom(settings_.ownRandom && choices.ConsumeBool()); }

void Endpoint::releasePayload(Choices& choices) {
  if (!held_.empty()) {
    release(choices.ConsumeIntegralInRange<std::size_t>(0, held_.size() - 1));
  }
}

void Endpoint::abort() {
  WebSocketAbortHandle(handle());
  aborted_ = true;
  sent_.giveUp();
}

// Calls that must fail, or do nothing, and leave everything as it was.
void Endpoint::callIllegally(Choices& choices) {
  BYTE byte = 0;
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {&byte, 1};
  WEB_SOCKET_BUFFER null{};
  null.Data.ulBufferLength = 1;
  WEB_SOCKET_BUFFER empty{};
  empty.Data.pbBuffer = &byte;
  WEB_SOCKET_ACTION kind{};
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID id = &byte;
  ULONG count = choices.ConsumeBool() ? 1 : 0;
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  const HRESULT wrongState = E_INVALID_PROTOCOL_OPERATION;
  const auto anyType = [](std::uint32_t value) { return static_cast<WEB_SOCKET_BUFFER_TYPE>(value); };
  switch (choices.ConsumeIntegralInRange<int>(0, 17)) {
    case 0:
      REQUIRE(WebSocketSend(handle(), WEB_SOCKET_PING_PONG_BUFFER_TYPE, &buffer, nullptr) == E_INVALIDARG);
      break;
    case 1:
      REQUIRE(WebSocketSend(handle(), anyType(0x80000007 + count), &buffer, nullptr) == E_INVALIDARG);
      break;
    case 2:
      REQUIRE(WebSocketSend(handle(), WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, nullptr, nullptr) == E_INVALIDARG);
      break;
    case 3:
      REQUIRE(WebSocketSend(handle(), WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &null, nullptr) == E_INVALIDARG);
      break;
    case 4:
      null.CloseStatus.usStatus = 1000;
      REQUIRE(WebSocketSend(handle(), WEB_SOCKET_CLOSE_BUFFER_TYPE, &null, nullptr) == E_INVALIDARG);
      break;
    case 5:
      REQUIRE(WebSocketReceive(handle(), count == 0 ? &null : &empty, nullptr) == E_INVALIDARG);
      break;
    case 6:
      count = 1;
      REQUIRE(WebSocketGetAction(handle(), static_cast<WEB_SOCKET_ACTION_QUEUE>(choices.ConsumeBool() ? 0 : 4), &buffer,
                                 &count, &kind, &type, nullptr, &id) == E_INVALIDARG);
      REQUIRE(kind == WEB_SOCKET_NO_ACTION && count == 0 && id == nullptr);
      break;
    case 7:
      count = 0;
      REQUIRE(WebSocketGetAction(handle(), WEB_SOCKET_ALL_ACTION_QUEUE, &buffer, &count, &kind, &type, nullptr, &id) ==
              E_INVALIDARG);
      break;
    case 8:
      REQUIRE(WebSocketGetAction(handle(), WEB_SOCKET_ALL_ACTION_QUEUE, nullptr, nullptr, nullptr, nullptr, nullptr,
                                 nullptr) == E_INVALIDARG);
      break;
    case 9:
      REQUIRE(WebSocketSendControl(handle(), WEB_SOCKET_PING_PONG_BUFFER_TYPE, &byte, 126, nullptr) == E_INVALIDARG);
      break;
    case 10:
      REQUIRE(WebSocketSendControl(handle(), WEB_SOCKET_CLOSE_BUFFER_TYPE, &byte, 1, nullptr) == E_INVALIDARG);
      break;
    case 11:
      WebSocketCompleteAction(handle(), nullptr, 7);
      break;
    case 12:
      WebSocketCompleteAction(handle(), staleId_, choices.ConsumeIntegral<ULONG>());
      break;
    case 13:
      WebSocketCompleteAction(handle(), &byte, 1);
      break;
    case 14:
      REQUIRE(WebSocketOpenWithoutHandshake(handle()) == wrongState);
      break;
    case 15:
      REQUIRE(WebSocketBeginClientHandshake(handle(), nullptr, 0, nullptr, 0, nullptr, 0, &headers, &count) ==
              (settings_.server ? E_INVALIDARG : wrongState));
      break;
    case 16:
      REQUIRE(WebSocketEndServerHandshake(handle()) == (!settings_.server ? E_INVALIDARG
                                                        : aborted_        ? wrongState
                                                                          : S_OK));
      break;
    default:
      REQUIRE(WebSocketInjectReceivedBytes(handle(), nullptr, 1) == E_INVALIDARG);
  }
}

}  // namespace websocket::fuzz

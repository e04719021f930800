// The additions of websocket_ext.h through the C face: each off by default, each doing what it says. Gather actions and
// receive pools are tested closer to the session in gather_test.cc and pool_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "defined.h"
#include "websocket_ext.h"

namespace {

using std::string_literals::operator""s;

BOOL WINAPI fillWithKey(PVOID context, PBYTE buffer, ULONG length) {
  ++*static_cast<int*>(context);
  constexpr std::array<BYTE, 4> kKey = {0x37, 0xFA, 0x21, 0x3D};
  for (ULONG i = 0; i < length; ++i) {
    buffer[i] = kKey[i % kKey.size()];
  }
  return TRUE;
}

class Properties {
 public:
  template <typename T>
  Properties& set(int type, T value) {
    auto& bytes = values_.emplace_back(sizeof(T));
    std::memcpy(bytes.data(), &value, sizeof(T));
    properties_.push_back({static_cast<WEB_SOCKET_PROPERTY_TYPE>(type), bytes.data(), sizeof(T)});
    return *this;
  }
  Properties& enable(int type) { return set<BOOL>(type, TRUE); }
  Properties& setAllocatedBuffer(PBYTE* address, ULONG size) {
    properties_.push_back({WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, static_cast<PVOID>(address), size});
    return *this;
  }
  HRESULT create(bool server, WEB_SOCKET_HANDLE& handle) {
    const auto make = server ? WebSocketCreateServerHandle : WebSocketCreateClientHandle;
    return make(properties_.data(), static_cast<ULONG>(properties_.size()), &handle);
  }

 private:
  std::vector<std::vector<std::uint8_t>> values_;
  std::vector<WEB_SOCKET_PROPERTY> properties_;
};

struct Taken {
  HRESULT result = S_OK;
  WEB_SOCKET_ACTION action = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type{};
  std::vector<WEB_SOCKET_BUFFER> buffers;
  PVOID context = nullptr;
  PVOID id = nullptr;

  std::string bytes() const {
    std::string all;
    for (const WEB_SOCKET_BUFFER& buffer : buffers) {
      all.append(reinterpret_cast<const char*>(buffer.Data.pbBuffer), buffer.Data.ulBufferLength);
    }
    return all;
  }
};

// An open handle without masking, so that frames in the tests stay readable.
class Endpoint {
 public:
  explicit Endpoint(Properties properties, bool server = true) {
    properties.enable(WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE);
    EXPECT_EQ(properties.create(server, handle), S_OK);
    EXPECT_EQ(WebSocketOpenWithoutHandshake(handle), S_OK);
  }
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint() { WebSocketDeleteHandle(handle); }

  Taken take(WEB_SOCKET_ACTION_QUEUE queue, ULONG capacity = 2) const {
    Taken taken;
    taken.buffers.resize(capacity);
    taken.result = WebSocketGetAction(handle, queue, taken.buffers.data(), &capacity, &taken.action, &taken.type,
                                      &taken.context, &taken.id);
    taken.buffers.resize(capacity);
    if (taken.action == WEB_SOCKET_SEND_TO_NETWORK_ACTION) {
      for (const auto& buffer : taken.buffers)
        websocket::checkDefined(buffer.Data.pbBuffer, buffer.Data.ulBufferLength);
    }
    return taken;
  }
  void complete(const Taken& taken, std::size_t bytes = 0) const {
    WebSocketCompleteAction(handle, taken.id, static_cast<ULONG>(bytes));
  }
  HRESULT send(WEB_SOCKET_BUFFER_TYPE type, std::string& payload, PVOID context = nullptr) const {
    WEB_SOCKET_BUFFER buffer{};
    buffer.Data = {reinterpret_cast<PBYTE>(payload.data()), static_cast<ULONG>(payload.size())};
    return WebSocketSend(handle, type, &buffer, context);
  }
  // Everything that leaves the send queue, completed in full; contexts of what was indicated.
  std::string drainSends(std::vector<PVOID>* contexts = nullptr, ULONG capacity = 2) const {
    std::string wire;
    while (true) {
      const Taken taken = take(WEB_SOCKET_SEND_ACTION_QUEUE, capacity);
      if (taken.action == WEB_SOCKET_NO_ACTION) {
        return wire;
      }
      if (taken.action == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION && contexts != nullptr) {
        contexts->push_back(taken.context);
      }
      wire += taken.bytes();
      complete(taken, taken.bytes().size());
    }
  }
  // Queues a receive if none is pending, gives it the bytes, and returns what follows the read.
  Taken feed(std::string_view wire) const {
    EXPECT_EQ(WebSocketReceive(handle, nullptr, nullptr), S_OK);
    const Taken read = take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
    EXPECT_EQ(read.action, WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION);
    EXPECT_GE(read.buffers.at(0).Data.ulBufferLength, wire.size());
    std::memcpy(read.buffers[0].Data.pbBuffer, wire.data(), wire.size());
    complete(read, wire.size());
    return take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
  }
  WEB_SOCKET_FAULT fault() const {
    WEB_SOCKET_FAULT fault{};
    EXPECT_EQ(WebSocketGetFault(handle, &fault), S_OK);
    return fault;
  }

  WEB_SOCKET_HANDLE handle = nullptr;
};

TEST(Additions, AHandleOpensWithoutAHandshakeOnce) {
  WEB_SOCKET_HANDLE handle = nullptr;
  ASSERT_EQ(WebSocketCreateClientHandle(nullptr, 0, &handle), S_OK);
  EXPECT_EQ(WebSocketOpenWithoutHandshake(handle), S_OK);
  EXPECT_EQ(WebSocketOpenWithoutHandshake(handle), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(WebSocketSend(handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, nullptr), S_OK);
  WebSocketDeleteHandle(handle);
  EXPECT_EQ(WebSocketOpenWithoutHandshake(nullptr), E_INVALIDARG);
}

TEST(Additions, LimitsFaultWithTheStatusToTellThePeer) {
  struct Case {
    const char* name;
    Properties properties;
    std::string wire;
    USHORT closeStatus;
  };
  std::vector<Case> cases;
  cases.push_back({"message size", {}, "\x82\x0B"s, 1009});
  cases.back().properties.set<ULONGLONG>(WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE, 10);
  cases.push_back({"frame size", {}, "\x02\x0B"s, 1009});
  cases.back().properties.set<ULONGLONG>(WEB_SOCKET_MAX_FRAME_SIZE_PROPERTY_TYPE, 10);
  cases.push_back({"fragments", {}, "\x82\x00\x02\x00\x00\x00\x00\x00"s, 1008});
  cases.back().properties.set<ULONG>(WEB_SOCKET_MAX_FRAGMENTS_PROPERTY_TYPE, 2);
  cases.push_back({"malformed", {}, "\x83"s, 1002});
  cases.push_back({"UTF-8", {}, "\x81\x01\xFF"s, 1007});
  for (Case& test : cases) {
    const Endpoint endpoint(test.properties);
    EXPECT_EQ(endpoint.fault().hrResult, S_OK) << test.name;
    Taken taken = endpoint.feed(test.wire);
    while (taken.action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION) {
      endpoint.complete(taken);
      ASSERT_EQ(WebSocketReceive(endpoint.handle, nullptr, nullptr), S_OK);
      taken = endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
    }
    EXPECT_EQ(taken.result, E_INVALID_PROTOCOL_FORMAT) << test.name;
    EXPECT_EQ(endpoint.fault().hrResult, taken.result) << test.name;
    EXPECT_EQ(endpoint.fault().usCloseStatus, test.closeStatus) << test.name;
    EXPECT_STRNE(endpoint.fault().pszReason, "") << test.name;
  }
}

TEST(Additions, AMessageOfExactlyTheLimitPasses) {
  const Endpoint endpoint(Properties().set<ULONGLONG>(WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE, 10));
  EXPECT_EQ(endpoint.feed("\x82\x0A"s + "0123456789").bytes(), "0123456789");
}

TEST(Additions, ACloseIsEchoedWithItsStatusAndReasonAndWithoutAnIndication) {
  for (const bool server : {true, false}) {
    const Endpoint endpoint(Properties().enable(WEB_SOCKET_AUTO_CLOSE_ECHO_PROPERTY_TYPE), server);
    const Taken taken = endpoint.feed("\x88\x05\x03\xE9"s + "bye");
    EXPECT_EQ(taken.type, WEB_SOCKET_CLOSE_BUFFER_TYPE);
    endpoint.complete(taken);
    std::vector<PVOID> contexts;
    EXPECT_EQ(endpoint.drainSends(&contexts),
              server ? "\x88\x05\x03\xE9"s + "bye" : "\x88\x85\0\0\0\0\x03\xE9"s + "bye");
    EXPECT_TRUE(contexts.empty());
    EXPECT_EQ(WebSocketSend(endpoint.handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, nullptr, nullptr),
              E_INVALID_PROTOCOL_OPERATION);
  }
}

TEST(Additions, PingsAndPongsCarryAPayload) {
  const Endpoint endpoint(Properties{});
  const std::array<BYTE, 125> payload{};
  EXPECT_EQ(WebSocketSendControl(endpoint.handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, payload.data(), 2, nullptr), S_OK);
  EXPECT_EQ(
      WebSocketSendControl(endpoint.handle, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE, payload.data(), 125, nullptr),
      S_OK);
  EXPECT_EQ(endpoint.drainSends(), "\x89\x02\0\0\x8A\x7D"s + std::string(125, '\0'));
  EXPECT_EQ(WebSocketSendControl(endpoint.handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, payload.data(), 126, nullptr),
            E_INVALIDARG);
  EXPECT_EQ(WebSocketSendControl(endpoint.handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, 1, nullptr), E_INVALIDARG);
  EXPECT_EQ(WebSocketSendControl(endpoint.handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, nullptr, 0, nullptr), E_INVALIDARG);

  const Taken pong = endpoint.feed("\x8A\x02\0\0"s);
  EXPECT_EQ(pong.type, WEB_SOCKET_PING_PONG_BUFFER_TYPE);
  EXPECT_EQ(pong.bytes(), "\0\0"s);
}

TEST(Additions, ReceivedPingsAreIndicatedAndStillAnswered) {
  const Endpoint endpoint(Properties().enable(WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE));
  const Taken reply = endpoint.feed("\x89\x02Hi"s);
  EXPECT_EQ(reply.action, WEB_SOCKET_SEND_TO_NETWORK_ACTION);
  EXPECT_EQ(reply.bytes(), "\x8A\x02Hi"s);
  endpoint.complete(reply, 4);
  const Taken ping = endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
  EXPECT_EQ(ping.action, WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION);
  EXPECT_EQ(ping.type, WEB_SOCKET_PING_BUFFER_TYPE);
  EXPECT_EQ(ping.bytes(), "Hi");
}

TEST(Additions, PingsAreNotAnsweredWhenThatIsDisabled) {
  const Endpoint endpoint(
      Properties().enable(WEB_SOCKET_DISABLE_AUTO_PONG_PROPERTY_TYPE).enable(WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE));
  EXPECT_EQ(endpoint.feed("\x89\x02Hi"s).type, WEB_SOCKET_PING_BUFFER_TYPE);
  EXPECT_EQ(endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE).action, WEB_SOCKET_NO_ACTION);
}

TEST(Additions, UnsolicitedPongsAreIndicatedWhenAskedFor) {
  const Endpoint endpoint(Properties().enable(WEB_SOCKET_INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE));
  EXPECT_EQ(endpoint.feed("\x8A\x01x"s).type, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE);
}

TEST(Additions, StrictCloseCodesHoldInBothDirections) {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{1000, 1014, 1016, 2999, 3000, 4999, 5000, 65535}) {
    const bool allowed = status <= 1014 || (status >= 3000 && status <= 4999);
    const Endpoint strict(Properties().enable(WEB_SOCKET_STRICT_CLOSE_CODES_PROPERTY_TYPE));
    WEB_SOCKET_BUFFER buffer{};
    buffer.CloseStatus.usStatus = status;
    EXPECT_EQ(WebSocketSend(strict.handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, &buffer, nullptr),
              allowed ? S_OK : E_INVALIDARG)
        << status;
    const Taken taken = strict.feed("\x88\x02"s + static_cast<char>(status >> 8) + static_cast<char>(status & 0xFF));
    EXPECT_EQ(taken.result, allowed ? S_OK : E_INVALID_PROTOCOL_FORMAT) << status;
  }
}

TEST(Additions, PingsOvertakeDataThatHasNotStartedButNoClose) {
  const Endpoint endpoint(Properties().enable(WEB_SOCKET_CONTROL_FIRST_PROPERTY_TYPE));
  std::string one = "one";
  std::string two = "two";
  std::array<int, 5> marks{};
  EXPECT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, one, &marks[0]), S_OK);
  const Taken started = endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE, 1);
  EXPECT_EQ(started.bytes(), "\x81\x03"s);
  EXPECT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, two, &marks[1]), S_OK);
  EXPECT_EQ(WebSocketSend(endpoint.handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, nullptr, &marks[2]), S_OK);
  EXPECT_EQ(WebSocketSend(endpoint.handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, &marks[3]), S_OK);
  EXPECT_EQ(WebSocketSend(endpoint.handle, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE, nullptr, &marks[4]), S_OK);
  endpoint.complete(started, 2);
  std::vector<PVOID> contexts;
  EXPECT_EQ(endpoint.drainSends(&contexts), "one\x89\x00\x8A\x00\x81\x03two\x88\x00"s);
  EXPECT_EQ(contexts, (std::vector<PVOID>{&marks[0], &marks[3], &marks[4], &marks[1], &marks[2]}));
}

TEST(Additions, SmallServerSendsShareOneAction) {
  const Endpoint endpoint(Properties()
                              .enable(WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE)
                              .set<ULONG>(WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 64));
  std::string small = "small";
  std::string large(100, 'x');
  std::array<int, 4> marks{};
  EXPECT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, small, &marks[0]), S_OK);
  EXPECT_EQ(WebSocketSend(endpoint.handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, &marks[1]), S_OK);
  EXPECT_EQ(endpoint.send(WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, large, &marks[2]), S_OK);
  EXPECT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, small, &marks[3]), S_OK);
  const Taken first = endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE);
  EXPECT_EQ(first.bytes(), "\x81\x05small\x89\x00"s);
  EXPECT_EQ(first.buffers.size(), 1U);
  endpoint.complete(first, first.bytes().size());
  std::vector<PVOID> contexts;
  EXPECT_EQ(endpoint.drainSends(&contexts), "\x82\x64"s + large + "\x81\x05small");
  EXPECT_EQ(contexts, (std::vector<PVOID>{&marks[0], &marks[1], &marks[2], &marks[3]}));
}

TEST(Additions, AShortCountCancelsEveryCoalescedOperation) {
  const Endpoint endpoint(Properties()
                              .enable(WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE)
                              .set<ULONG>(WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 64));
  std::string text = "text";
  std::array<int, 2> marks{};
  EXPECT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, text, &marks[0]), S_OK);
  EXPECT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, text, &marks[1]), S_OK);
  endpoint.complete(endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE), 3);
  std::vector<PVOID> contexts;
  EXPECT_EQ(endpoint.drainSends(&contexts), "");
  EXPECT_EQ(contexts, (std::vector<PVOID>{&marks[0], &marks[1]}));
}

TEST(Additions, AGatherActionFillsAsManyBuffersAsTheCallerHas) {
  const Endpoint endpoint(Properties().enable(WEB_SOCKET_GATHER_PROPERTY_TYPE));
  std::string payload(3000, 'x');
  std::array<int, 3> marks{};
  for (int& mark : marks) {
    EXPECT_EQ(endpoint.send(WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, payload, &mark), S_OK);
  }
  const Taken taken = endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE, 16);
  EXPECT_EQ(taken.buffers.size(), 6U);
  EXPECT_EQ(taken.buffers[1].Data.pbBuffer, reinterpret_cast<PBYTE>(payload.data()));
  endpoint.complete(taken, 3004 + 1);
  std::vector<PVOID> contexts;
  EXPECT_EQ(endpoint.drainSends(&contexts, 16).size(), std::size_t{2 * 3004 - 1});
  EXPECT_EQ(contexts, (std::vector<PVOID>{&marks[0], &marks[1], &marks[2]}));
}

TEST(Additions, InjectedBytesComeBeforeTheNetworks) {
  const Endpoint endpoint(Properties{});
  const std::string head = "\x81\x03one\x81\x03t"s;
  EXPECT_EQ(WebSocketInjectReceivedBytes(endpoint.handle, reinterpret_cast<const BYTE*>(head.data()),
                                         static_cast<ULONG>(head.size())),
            S_OK);
  EXPECT_EQ(WebSocketInjectReceivedBytes(endpoint.handle, nullptr, 1), E_INVALIDARG);
  ASSERT_EQ(WebSocketReceive(endpoint.handle, nullptr, nullptr), S_OK);
  const Taken first = endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
  EXPECT_EQ(first.bytes(), "one");
  endpoint.complete(first);
  EXPECT_EQ(endpoint.feed("wo").bytes(), "two");
}

TEST(Additions, APoolIsSharedAndItsPayloadsLastUntilTheyAreReleased) {
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  ASSERT_EQ(WebSocketCreateReceivePool(4096, 2, &pool), S_OK);
  {
    const Endpoint first(Properties().set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool));
    const Endpoint second(Properties().set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool));
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 0U) << "idle handles own no buffer";
    const Taken one = first.feed("\x81\x03one\x81\x03two"s);
    first.complete(one);
    EXPECT_EQ(one.bytes(), "one") << "valid beyond WebSocketCompleteAction";
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 4096U);
    ASSERT_EQ(WebSocketReceive(first.handle, nullptr, nullptr), S_OK);
    const Taken two = first.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
    first.complete(two);
    EXPECT_EQ(two.bytes(), "two");

    const Taken three = second.feed("\x81\x05three"s);
    second.complete(three);
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 8192U);
    ASSERT_EQ(WebSocketReceive(second.handle, nullptr, nullptr), S_OK);
    EXPECT_EQ(second.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE).action, WEB_SOCKET_NO_ACTION) << "all buffers are in use";

    WebSocketReleasePoolPayload(pool, one.buffers[0].Data.pbBuffer);
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 8192U) << "the second message is still held";
    WebSocketReleasePoolPayload(pool, two.buffers[0].Data.pbBuffer);
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 4096U);
    EXPECT_EQ(three.bytes(), "three");
    const Taken read = second.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
    EXPECT_EQ(read.action, WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION);
    second.complete(read, 0);
    WebSocketReleasePoolPayload(pool, three.buffers[0].Data.pbBuffer);
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 0U);
    WebSocketReleasePoolPayload(pool, reinterpret_cast<const BYTE*>("elsewhere"));
  }
  EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 0U);
  WebSocketDeleteReceivePool(pool);
}

TEST(Additions, AHandleThatIsDeletedInTheMiddleGivesItsPoolBufferBack) {
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  ASSERT_EQ(WebSocketCreateReceivePool(4096, 0, &pool), S_OK);
  {
    const Endpoint reading(Properties().set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool));
    ASSERT_EQ(WebSocketReceive(reading.handle, nullptr, nullptr), S_OK);
    EXPECT_EQ(reading.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE).action, WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION);
    const Endpoint unread(Properties().set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool));
    const Taken taken = unread.feed("\x81\x03one\x81\x03two"s);
    WebSocketReleasePoolPayload(pool, taken.buffers[0].Data.pbBuffer);
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 8192U);
  }
  EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 0U);
  WebSocketDeleteReceivePool(pool);
}

TEST(Additions, APingAmongInjectedBytesIsAnsweredBeforeWhatIsWrongBehindIt) {
  const Endpoint endpoint{Properties()};
  const std::string wire = "\x89\x01p\x83"s;
  ASSERT_EQ(WebSocketInjectReceivedBytes(endpoint.handle, reinterpret_cast<const BYTE*>(wire.data()),
                                         static_cast<ULONG>(wire.size())),
            S_OK);
  ASSERT_EQ(WebSocketReceive(endpoint.handle, nullptr, nullptr), S_OK);
  const Taken reply = endpoint.take(WEB_SOCKET_ALL_ACTION_QUEUE);
  EXPECT_EQ(reply.bytes(), "\x8A\x01p");
  endpoint.complete(reply, 3);
  EXPECT_EQ(endpoint.take(WEB_SOCKET_ALL_ACTION_QUEUE).result, E_INVALID_PROTOCOL_FORMAT);
}

TEST(Additions, InjectedBytesLieInAPoolBufferThatIsGivenBack) {
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  ASSERT_EQ(WebSocketCreateReceivePool(4096, 1, &pool), S_OK);
  {
    const Endpoint endpoint(Properties().set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool));
    for (const std::string& wire : {"\x81\x03one"s, "\x8A\x00"s}) {  // the pong is not indicated
      ASSERT_EQ(WebSocketInjectReceivedBytes(endpoint.handle, reinterpret_cast<const BYTE*>(wire.data()),
                                             static_cast<ULONG>(wire.size())),
                S_OK);
      ASSERT_EQ(WebSocketReceive(endpoint.handle, nullptr, nullptr), S_OK);
      const Taken taken = endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
      endpoint.complete(taken);
      if (taken.action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION) {
        EXPECT_EQ(taken.bytes(), "one");
        EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 4096U);
        WebSocketReleasePoolPayload(pool, taken.buffers[0].Data.pbBuffer);
      }
      EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 0U);
    }
  }
  WebSocketDeleteReceivePool(pool);
}

TEST(Additions, APoolBufferStaysWhileItsIndicationWaitsBehindASend) {
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  ASSERT_EQ(WebSocketCreateReceivePool(4096, 1, &pool), S_OK);
  {
    const Endpoint endpoint(Properties().set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool));
    ASSERT_EQ(WebSocketReceive(endpoint.handle, nullptr, nullptr), S_OK);
    const Taken read = endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
    const std::string wire = "\x81\x03one"s;
    std::memcpy(read.buffers.at(0).Data.pbBuffer, wire.data(), wire.size());
    endpoint.complete(read, wire.size());
    std::string payload = "sent first";
    ASSERT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, payload), S_OK);
    EXPECT_EQ(endpoint.take(WEB_SOCKET_ALL_ACTION_QUEUE).action, WEB_SOCKET_SEND_TO_NETWORK_ACTION);
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 4096U) << "another handle must not get it";
    EXPECT_EQ(endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE).bytes(), "one");
  }
  WebSocketDeleteReceivePool(pool);
}

TEST(Additions, AnEmptyControlPayloadDoesNotPointIntoTheApplicationsMemory) {
  const Endpoint endpoint(Properties().enable(WEB_SOCKET_INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE));
  std::array<BYTE, 8> memory{};
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {memory.data(), static_cast<ULONG>(memory.size())};
  ASSERT_EQ(WebSocketReceive(endpoint.handle, &buffer, nullptr), S_OK);
  const Taken message = endpoint.feed("\x81\x03one\x8A\x00"s);
  EXPECT_EQ(message.buffers.at(0).Data.pbBuffer, memory.data());
  endpoint.complete(message);
  const Taken pong = endpoint.take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
  EXPECT_EQ(pong.type, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE);
  EXPECT_NE(pong.buffers.at(0).Data.pbBuffer, memory.data()) << "where the last payload was";
  EXPECT_NE(pong.buffers.at(0).Data.pbBuffer, memory.data() + 3);
}

TEST(Additions, CopiedControlPayloadsAreSentFromTheAllocatedBuffer) {
  for (const bool server : {true, false}) {
    alignas(8) std::array<BYTE, 256 + 16 + 144> block{};
    PBYTE address = block.data();
    Properties properties;
    properties.set<ULONG>(WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, 256);
    properties.set<ULONG>(WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 16);
    properties.setAllocatedBuffer(&address, static_cast<ULONG>(block.size()));
    const Endpoint endpoint(properties, server);
    const std::string payload(125, 'p');
    ASSERT_EQ(WebSocketSendControl(endpoint.handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE,
                                   reinterpret_cast<const BYTE*>(payload.data()), 125, nullptr),
              S_OK);
    for (Taken taken = endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE, 1); taken.action != WEB_SOCKET_NO_ACTION;
         taken = endpoint.take(WEB_SOCKET_SEND_ACTION_QUEUE, 1)) {
      for (const WEB_SOCKET_BUFFER& part : taken.buffers) {
        EXPECT_GE(part.Data.pbBuffer, block.data());
        EXPECT_LE(part.Data.pbBuffer + part.Data.ulBufferLength, block.data() + block.size());
      }
      endpoint.complete(taken, taken.bytes().size());
    }
  }
}

TEST(Additions, KeysComeFromTheGivenRandomSource) {
  int calls = 0;
  WEB_SOCKET_HANDLE handle = nullptr;
  ASSERT_EQ(Properties()
                .set(WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE, WEB_SOCKET_RANDOM_SOURCE{fillWithKey, &calls})
                .create(false, handle),
            S_OK);
  ASSERT_EQ(WebSocketOpenWithoutHandshake(handle), S_OK);
  std::string text = "Hello World";
  WEB_SOCKET_BUFFER buffer{};
  buffer.Data = {reinterpret_cast<PBYTE>(text.data()), static_cast<ULONG>(text.size())};
  ASSERT_EQ(WebSocketSend(handle, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, nullptr), S_OK);
  std::array<WEB_SOCKET_BUFFER, 2> buffers{};
  ULONG count = 2;
  WEB_SOCKET_ACTION action{};
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID id = nullptr;
  ASSERT_EQ(
      WebSocketGetAction(handle, WEB_SOCKET_SEND_ACTION_QUEUE, buffers.data(), &count, &action, &type, nullptr, &id),
      S_OK);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(buffers[0].Data.pbBuffer), buffers[0].Data.ulBufferLength),
            "\x81\x8B\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58\xDA\x76\x52\x45\x96\x45"s);
  EXPECT_EQ(calls, 1);
  WebSocketDeleteHandle(handle);
}

TEST(Additions, PropertiesThatDoNotFitAreRefused) {
  WEB_SOCKET_HANDLE handle = nullptr;
  EXPECT_EQ(Properties().set<ULONG>(WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE, 1).create(true, handle), E_INVALIDARG);
  EXPECT_EQ(Properties().set<ULONG>(0x100D, 1).create(true, handle), E_INVALIDARG);
  EXPECT_EQ(Properties().set<PVOID>(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, nullptr).create(true, handle), E_INVALIDARG);
  EXPECT_EQ(Properties().set(WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE, WEB_SOCKET_RANDOM_SOURCE{}).create(true, handle),
            E_INVALIDARG);
  EXPECT_EQ(Properties()
                .enable(WEB_SOCKET_GATHER_PROPERTY_TYPE)
                .enable(WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE)
                .create(true, handle),
            E_INVALIDARG);
  EXPECT_EQ(handle, nullptr);
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  EXPECT_EQ(WebSocketCreateReceivePool(255, 0, &pool), E_INVALIDARG);
  EXPECT_EQ(WebSocketCreateReceivePool(256, 0, nullptr), E_INVALIDARG);
  EXPECT_EQ(WebSocketGetFault(nullptr, nullptr), E_INVALIDARG);
}

}  // namespace

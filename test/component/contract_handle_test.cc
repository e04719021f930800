// Contract, sections 2, 6 and 13.1: handles, properties, layouts and the global properties (T01-T14, T121-T125).
#include <cstddef>
#include <cstdlib>
#include <limits>

#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr std::array kSides{Side::Client, Side::Server};

// The result of creating a handle with one property.
HRESULT createWith(Side side, WEB_SOCKET_PROPERTY_TYPE type, PVOID value, ULONG size) {
  const WEB_SOCKET_PROPERTY property{type, value, size};
  Handle handle;
  return create(side, std::span(&property, 1), handle.out());
}

HRESULT createWithSize(Side side, WEB_SOCKET_PROPERTY_TYPE type, ULONG size) {
  return createWith(side, type, &size, sizeof(size));
}

TEST(Contract, T01_CreateClientHandle_without_properties_gives_a_handle) {
  WEB_SOCKET_HANDLE handle = nullptr;
  EXPECT_EQ(WebSocketCreateClientHandle(nullptr, 0, &handle), S_OK);
  EXPECT_NE(handle, nullptr);
  WebSocketDeleteHandle(handle);
}

TEST(Contract, T02_CreateServerHandle_and_DeleteHandle_leave_nothing_behind) {
  for (int round = 0; round < 100; ++round) {  // the leak check of the sanitizer build looks at this
    WEB_SOCKET_HANDLE handle = nullptr;
    ASSERT_EQ(WebSocketCreateServerHandle(nullptr, 0, &handle), S_OK);
    ASSERT_NE(handle, nullptr);
    WebSocketDeleteHandle(handle);
  }
}

TEST(Contract, T03_Create_with_a_NULL_output_is_E_INVALIDARG) {
  EXPECT_EQ(WebSocketCreateClientHandle(nullptr, 0, nullptr), E_INVALIDARG);
  EXPECT_EQ(WebSocketCreateServerHandle(nullptr, 0, nullptr), E_INVALIDARG);
}

TEST(Contract, T04_Create_with_a_count_but_no_array_is_E_INVALIDARG_and_the_handle_NULL) {
  int mark = 0;
  WEB_SOCKET_HANDLE handle = &mark;
  EXPECT_EQ(WebSocketCreateClientHandle(nullptr, 1, &handle), E_INVALIDARG);
  EXPECT_EQ(handle, nullptr);
  handle = &mark;
  EXPECT_EQ(WebSocketCreateServerHandle(nullptr, 1, &handle), E_INVALIDARG);
  EXPECT_EQ(handle, nullptr);
}

TEST(Contract, T05_The_receive_buffer_has_at_least_256_bytes) {
  for (const Side side : kSides) {
    EXPECT_EQ(createWithSize(side, WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, 256), S_OK);
    EXPECT_EQ(createWithSize(side, WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, 255), E_INVALIDARG);
    EXPECT_EQ(createWithSize(side, WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, 0), E_INVALIDARG);
  }
}

TEST(Contract, T06_A_server_takes_a_send_buffer_of_16_bytes) {
  EXPECT_EQ(createWithSize(Side::Server, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 16), S_OK);
}

TEST(Contract, T07_A_client_takes_a_send_buffer_of_16_bytes_but_not_of_15) {
  EXPECT_EQ(createWithSize(Side::Client, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 16), S_OK);
  EXPECT_EQ(createWithSize(Side::Client, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 15), E_INVALIDARG);
  EXPECT_EQ(createWithSize(Side::Server, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 15), E_INVALIDARG);
}

TEST(Contract, T08_The_global_properties_are_not_for_handles) {
  for (const Side side : kSides) {
    EXPECT_EQ(createWithSize(side, WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE, 30000), E_INVALIDARG);
    EXPECT_EQ(createWithSize(side, WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE, 13), E_INVALIDARG);
  }
}

constexpr ULONG kSmallReceive = 256;
constexpr ULONG kSmallSend = 16;
constexpr std::size_t kOverhead = 144;

// Checks that every buffer of an action lies inside the allocated memory or inside the payload being sent, and that
// what lies inside the memory is at most as long as the larger buffer (contract, 6.2).
void expectInside(const Action& action, BytesView memory, BytesView payload = {}) {
  const auto within = [](const WEB_SOCKET_BUFFER& b, BytesView range) {
    return b.Data.pbBuffer >= range.data() && b.Data.pbBuffer + b.Data.ulBufferLength <= range.data() + range.size();
  };
  for (ULONG i = 0; i < action.count; ++i) {
    if (!payload.empty() && within(action.buffers[i], payload)) continue;
    EXPECT_TRUE(within(action.buffers[i], memory)) << "buffer " << i << " of " << action;
    EXPECT_LE(action.buffers[i].Data.ulBufferLength, kSmallReceive);
  }
}

TEST(Contract, T09_With_an_allocated_buffer_every_returned_pointer_lies_inside_it) {
  for (const Side side : kSides) {
    alignas(8) std::array<std::uint8_t, kSmallReceive + kSmallSend + kOverhead> memory{};
    Endpoint endpoint(side,
                      {.receiveBufferSize = kSmallReceive, .sendBufferSize = kSmallSend, .allocatedBuffer = memory});
    const auto run = [&](WEB_SOCKET_ACTION_QUEUE queue, BytesView network, BytesView payload, ULONG capacity) {
      for (;;) {
        const Action action = endpoint.take(queue, capacity);
        ASSERT_EQ(action.result, S_OK);
        expectInside(action, memory, payload);
        if (action.kind == WEB_SOCKET_NO_ACTION) return;
        if (action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
          const auto length = std::min<std::size_t>(action.total(), network.size());
          std::memcpy(action.buffers[0].Data.pbBuffer, network.data(), length);
          network = network.subspan(length);
          endpoint.complete(action, static_cast<ULONG>(length));
        } else {
          endpoint.finish(action);
        }
      }
    };
    const Bytes payload = text(1000);
    for (const ULONG capacity : {1U, 2U}) {
      ASSERT_EQ(endpoint.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, payload), S_OK);
      run(WEB_SOCKET_SEND_ACTION_QUEUE, {}, payload, capacity);
      ASSERT_EQ(endpoint.sendControl(WEB_SOCKET_PING_PONG_BUFFER_TYPE), S_OK);
      run(WEB_SOCKET_SEND_ACTION_QUEUE, {}, {}, capacity);

      // A ping with the longest payload, a message longer than the buffer, and the pong.
      Bytes network = joined({peerFrame(side, 0x89, text(125)), peerFrame(side, 0x82, text(700))});
      for (int receives = 0; receives < 10; ++receives) ASSERT_EQ(endpoint.receive(), S_OK);
      network = joined({network, peerFrame(side, 0x8A, {})});
      run(WEB_SOCKET_RECEIVE_ACTION_QUEUE, network, {}, capacity);
    }
    const std::string reason(WEB_SOCKET_MAX_CLOSE_REASON_LENGTH, 'r');
    ASSERT_EQ(endpoint.sendClose(1000, reason), S_OK);
    run(WEB_SOCKET_SEND_ACTION_QUEUE, {}, view(reason), 2);
    ASSERT_EQ(endpoint.receive(), S_OK);
    run(WEB_SOCKET_RECEIVE_ACTION_QUEUE, peerFrame(side, 0x88, closePayload(1000, reason)), {}, 1);
  }
}

TEST(Contract, T10_An_allocated_buffer_one_byte_too_small_is_E_INVALIDARG) {
  for (const Side side : kSides) {
    alignas(8) std::array<std::uint8_t, kSmallReceive + kSmallSend + kOverhead - 1> memory{};
    Handle handle;
    EXPECT_EQ(
        create(side, {.receiveBufferSize = kSmallReceive, .sendBufferSize = kSmallSend, .allocatedBuffer = memory},
               handle.out()),
        E_INVALIDARG);
  }
}

TEST(Contract, T11_An_allocated_buffer_that_is_not_8_byte_aligned_is_E_INVALIDARG) {
  for (const Side side : kSides) {
    alignas(8) std::array<std::uint8_t, 4 + kSmallReceive + kSmallSend + kOverhead> memory{};
    Handle handle;
    EXPECT_EQ(create(side,
                     {.receiveBufferSize = kSmallReceive,
                      .sendBufferSize = kSmallSend,
                      .allocatedBuffer = std::span(memory).subspan(4)},
                     handle.out()),
              E_INVALIDARG);
  }
}

TEST(Contract, T12_A_value_of_the_wrong_size_is_E_INVALIDARG) {
  for (const Side side : kSides) {
    std::array<ULONG, 2> value{4096, 0};
    for (const auto type :
         {WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE,
          WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE, WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE}) {
      EXPECT_EQ(createWith(side, type, value.data(), 8), E_INVALIDARG);
      EXPECT_EQ(createWith(side, type, value.data(), 2), E_INVALIDARG);
      EXPECT_EQ(createWith(side, type, nullptr, 4), E_INVALIDARG);
      EXPECT_EQ(createWith(side, type, value.data(), 4), S_OK);
    }
  }
}

TEST(Contract, T13_The_structures_have_the_documented_layout) {
  // header_c11.c and header_cpp11.cc assert every offset at compile time, also for 32 bits.
  constexpr bool k64 = sizeof(void*) == 8;
  EXPECT_EQ(sizeof(WEB_SOCKET_PROPERTY), k64 ? 24U : 12U);
  EXPECT_EQ(sizeof(WEB_SOCKET_HTTP_HEADER), k64 ? 32U : 16U);
  EXPECT_EQ(sizeof(WEB_SOCKET_BUFFER), k64 ? 16U : 12U);
  EXPECT_EQ(offsetof(WEB_SOCKET_BUFFER, CloseStatus.usStatus), k64 ? 12U : 8U);
  EXPECT_EQ(offsetof(WEB_SOCKET_PROPERTY, ulValueSize), k64 ? 16U : 8U);
  EXPECT_EQ(offsetof(WEB_SOCKET_HTTP_HEADER, ulValueLength), k64 ? 24U : 12U);
}

TEST(Contract, T14_The_enumerations_have_the_documented_values) {
  const std::vector<std::pair<std::int64_t, std::uint32_t>> table{
      {WEB_SOCKET_NO_ACTION, 0},
      {WEB_SOCKET_SEND_TO_NETWORK_ACTION, 1},
      {WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION, 2},
      {WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION, 3},
      {WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION, 4},
      {WEB_SOCKET_SEND_ACTION_QUEUE, 1},
      {WEB_SOCKET_RECEIVE_ACTION_QUEUE, 2},
      {WEB_SOCKET_ALL_ACTION_QUEUE, 3},
      {WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, 0x80000000},
      {WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE, 0x80000001},
      {WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, 0x80000002},
      {WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE, 0x80000003},
      {WEB_SOCKET_CLOSE_BUFFER_TYPE, 0x80000004},
      {WEB_SOCKET_PING_PONG_BUFFER_TYPE, 0x80000005},
      {WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE, 0x80000006},
      {WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, 0},
      {WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, 1},
      {WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE, 2},
      {WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, 3},
      {WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE, 4},
      {WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE, 5},
      {WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE, 6},
      {WEB_SOCKET_SUCCESS_CLOSE_STATUS, 1000},
      {WEB_SOCKET_ENDPOINT_UNAVAILABLE_CLOSE_STATUS, 1001},
      {WEB_SOCKET_PROTOCOL_ERROR_CLOSE_STATUS, 1002},
      {WEB_SOCKET_INVALID_DATA_TYPE_CLOSE_STATUS, 1003},
      {WEB_SOCKET_EMPTY_CLOSE_STATUS, 1005},
      {WEB_SOCKET_ABORTED_CLOSE_STATUS, 1006},
      {WEB_SOCKET_INVALID_PAYLOAD_CLOSE_STATUS, 1007},
      {WEB_SOCKET_POLICY_VIOLATION_CLOSE_STATUS, 1008},
      {WEB_SOCKET_MESSAGE_TOO_BIG_CLOSE_STATUS, 1009},
      {WEB_SOCKET_UNSUPPORTED_EXTENSIONS_CLOSE_STATUS, 1010},
      {WEB_SOCKET_SERVER_ERROR_CLOSE_STATUS, 1011},
      {WEB_SOCKET_SECURE_HANDSHAKE_ERROR_CLOSE_STATUS, 1015},
      {WEB_SOCKET_MAX_CLOSE_REASON_LENGTH, 123},
      {E_INVALID_PROTOCOL_OPERATION, 0x83760001},
      {E_INVALID_PROTOCOL_FORMAT, 0x83760002},
      {E_UNSUPPORTED_EXTENSION, 0x83760003},
      {E_UNSUPPORTED_SUBPROTOCOL, 0x83760004},
      {E_PROTOCOL_VERSION_NOT_SUPPORTED, 0x83760005},
  };
  for (const auto& [value, expected] : table) EXPECT_EQ(static_cast<std::uint32_t>(value), expected);
}

TEST(ContractProperties, The_last_of_a_repeated_property_wins) {
  ULONG large = 4096;
  ULONG small = 300;
  const std::array properties{WEB_SOCKET_PROPERTY{WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &large, sizeof(large)},
                              WEB_SOCKET_PROPERTY{WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &small, sizeof(small)}};
  Handle handle;
  ASSERT_EQ(create(Side::Server, properties, handle.out()), S_OK);
  open(Side::Server, handle.get());
  ASSERT_EQ(WebSocketReceive(handle.get(), nullptr, nullptr), S_OK);
  WEB_SOCKET_BUFFER buffer{};
  ULONG count = 1;
  WEB_SOCKET_ACTION action{};
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID id = nullptr;
  ASSERT_EQ(
      WebSocketGetAction(handle.get(), WEB_SOCKET_ALL_ACTION_QUEUE, &buffer, &count, &action, &type, nullptr, &id),
      S_OK);
  EXPECT_EQ(action, WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION);
  EXPECT_LE(buffer.Data.ulBufferLength, 300U);
}

TEST(ContractProperties, The_size_of_an_allocated_buffer_is_judged_after_all_properties) {
  alignas(8) std::array<std::uint8_t, kSmallReceive + kSmallSend + kOverhead> memory{};
  PBYTE address = memory.data();
  ULONG receiveSize = kSmallReceive;
  ULONG sendSize = kSmallSend;
  std::array properties{WEB_SOCKET_PROPERTY{WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, static_cast<PVOID>(&address),
                                            static_cast<ULONG>(memory.size())},
                        WEB_SOCKET_PROPERTY{WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &receiveSize, 4},
                        WEB_SOCKET_PROPERTY{WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, &sendSize, 4}};
  Handle fits;
  EXPECT_EQ(create(Side::Client, properties, fits.out()), S_OK);
  Handle defaults;
  EXPECT_EQ(create(Side::Client, std::span(properties).first(1), defaults.out()), E_INVALIDARG) << "4096 by default";
  address = nullptr;
  Handle none;
  EXPECT_EQ(create(Side::Client, properties, none.out()), E_INVALIDARG);
}

TEST(ContractProperties, An_unknown_property_is_E_INVALIDARG) {
  EXPECT_EQ(createWithSize(Side::Client, static_cast<WEB_SOCKET_PROPERTY_TYPE>(7), 1), E_INVALIDARG);
}

TEST(ContractProperties, A_size_above_2_to_the_31_less_1_or_a_sum_above_32_bits_is_E_INVALIDARG) {
  constexpr ULONG kMost = std::numeric_limits<std::int32_t>::max();
  Handle a;
  Handle b;
  Handle c;
  Handle d;
  EXPECT_EQ(create(Side::Server, {.receiveBufferSize = kMost}, a.out()), S_OK);
  EXPECT_EQ(create(Side::Server, {.receiveBufferSize = kMost + 1}, b.out()), E_INVALIDARG);
  EXPECT_EQ(create(Side::Client, {.sendBufferSize = kMost + 1}, c.out()), E_INVALIDARG);
  EXPECT_EQ(create(Side::Client, {.receiveBufferSize = kMost, .sendBufferSize = kMost}, d.out()), E_INVALIDARG);
}

constexpr const char* kKeepAliveVariable = "WEBSOCKET_COMPONENT_KEEPALIVE_INTERVAL";

// Sets the process-wide setting, or removes it.
void setKeepAlive(const char* setting) {
#ifdef _WIN32
  _putenv_s(kKeepAliveVariable, setting == nullptr ? "" : setting);
#else
  setting == nullptr ? unsetenv(kKeepAliveVariable) : setenv(kKeepAliveVariable, setting, 1);
#endif
}

// The keep-alive interval with the process-wide setting at this value, or without it.
ULONG keepAliveWith(const char* setting) {
  setKeepAlive(setting);
  ULONG value = 0;
  ULONG size = sizeof(value);
  EXPECT_EQ(WebSocketGetGlobalProperty(WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE, &value, &size), S_OK);
  EXPECT_EQ(size, sizeof(value));
  setKeepAlive(nullptr);
  return value;
}

TEST(Contract, T121_The_keep_alive_interval_is_30_seconds) { EXPECT_EQ(keepAliveWith(nullptr), 30000U); }

TEST(Contract, T122_A_configured_keep_alive_interval_is_at_least_15_seconds) {
  EXPECT_EQ(keepAliveWith("1000"), 15000U);
  EXPECT_EQ(keepAliveWith("15000"), 15000U);
  EXPECT_EQ(keepAliveWith("45000"), 45000U);
}

TEST(Contract, T123_The_supported_versions_are_13) {
  std::array<ULONG, 4> versions{};
  ULONG size = sizeof(versions);
  EXPECT_EQ(WebSocketGetGlobalProperty(WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE, versions.data(), &size), S_OK);
  EXPECT_EQ(size, 4U);
  EXPECT_EQ(versions, (std::array<ULONG, 4>{13, 0, 0, 0}));
}

TEST(Contract, T124_Too_little_room_gives_the_needed_size) {
  for (const auto type : {WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE, WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE}) {
    ULONG value = 0;
    ULONG size = 2;
    EXPECT_EQ(WebSocketGetGlobalProperty(type, &value, &size), kInsufficientBuffer);
    EXPECT_EQ(size, 4U);
    EXPECT_EQ(value, 0U);
    size = 0;
    EXPECT_EQ(WebSocketGetGlobalProperty(type, nullptr, &size), kInsufficientBuffer);
    EXPECT_EQ(size, 4U);
  }
}

TEST(Contract, T125_Any_other_property_is_not_global) {
  for (const auto type : {WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE,
                          WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE, WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE,
                          WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE}) {
    ULONG value = 0;
    ULONG size = sizeof(value);
    EXPECT_EQ(WebSocketGetGlobalProperty(type, &value, &size), E_INVALIDARG);
  }
  ULONG value = 0;
  EXPECT_EQ(WebSocketGetGlobalProperty(WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE, &value, nullptr), E_INVALIDARG);
}

}  // namespace
}  // namespace websocket::contract

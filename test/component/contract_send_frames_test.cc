// Contract, sections 9 and 13.2: fragments, control frames, Close frames and custom types on the way out (T63-T75,
// T130), and the arguments that WebSocketSend refuses.
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kTextFragment = WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE;
constexpr auto kBinary = WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;
constexpr auto kBinaryFragment = WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE;
constexpr auto kPing = WEB_SOCKET_PING_PONG_BUFFER_TYPE;
constexpr auto kPong = WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE;
constexpr auto kClose = WEB_SOCKET_CLOSE_BUFFER_TYPE;

TEST(Contract, T63_Fragments_continue_the_message_and_the_message_type_ends_it) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kTextFragment, "a"sv), S_OK);
  ASSERT_EQ(server.send(kTextFragment, "b"sv), S_OK);
  ASSERT_EQ(server.send(kText, "c"sv), S_OK);
  ASSERT_EQ(server.send(kText, "d"sv), S_OK);
  EXPECT_EQ(server.flush(), joined({serverFrame(0x01, "a"sv), serverFrame(0x00, "b"sv), serverFrame(0x80, "c"sv),
                                    serverFrame(0x81, "d"sv)}));
}

TEST(Contract, T64_A_message_of_the_other_type_inside_a_fragment_sequence_is_refused) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kBinaryFragment, "a"sv), S_OK);
  EXPECT_EQ(server.send(kText, "b"sv), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(server.send(kTextFragment, "b"sv), E_INVALID_PROTOCOL_OPERATION);
  ASSERT_EQ(server.send(kBinary, "c"sv), S_OK);
  ASSERT_EQ(server.send(kTextFragment, "d"sv), S_OK);
  EXPECT_EQ(server.send(kBinary, "e"sv), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(server.flush(), joined({serverFrame(0x02, "a"sv), serverFrame(0x80, "c"sv), serverFrame(0x01, "d"sv)}))
      << "what was refused was not queued";
}

TEST(Contract, T65_Control_frames_may_stand_between_fragments) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kBinaryFragment, "a"sv), S_OK);
  ASSERT_EQ(server.sendControl(kPing), S_OK);
  ASSERT_EQ(server.send(kBinary, "b"sv), S_OK);
  EXPECT_EQ(server.flush(), joined({serverFrame(0x02, "a"sv), hex("89 00"), serverFrame(0x80, "b"sv)}));
}

TEST(Contract, T66_A_ping_of_a_server_is_empty) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendControl(kPing, kA), S_OK);
  const Action send = server.takeSend();
  EXPECT_TRUE(isSend(send, kPing, kA));
  EXPECT_EQ(send.bytes(), hex("89 00"));
  server.finish(send);
  EXPECT_TRUE(isSendComplete(server.takeSend(), kA));
}

TEST(Contract, T67_An_unsolicited_pong_of_a_client_has_a_key_although_it_is_empty) {
  Endpoint client = openClient();
  ASSERT_EQ(client.sendControl(kPong, kA), S_OK);
  const Action send = client.takeSend();
  EXPECT_TRUE(isSend(send, kPong, kA));
  const Bytes wire = send.bytes();
  ASSERT_EQ(wire.size(), 6U);
  EXPECT_EQ(toHex(BytesView(wire).first(2)), "8A 80 ");
  client.finish(send);
  EXPECT_TRUE(isSendComplete(client.takeSend(), kA));
}

TEST(Contract, T68_A_ping_or_pong_with_a_buffer_is_E_INVALIDARG) {
  Endpoint server = openServer();
  EXPECT_EQ(server.send(kPing, kHello), E_INVALIDARG);
  EXPECT_EQ(server.send(kPong, kHello), E_INVALIDARG);
  EXPECT_EQ(server.send(kPing, BytesView{}), E_INVALIDARG);
  EXPECT_TRUE(isNoAction(server.takeSend()));
}

TEST(Contract, T69_A_close_without_a_buffer_is_empty) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendControl(kClose), S_OK);
  EXPECT_EQ(server.flush(), hex("88 00"));
  Endpoint client = openClient();
  ASSERT_EQ(client.sendControl(kClose), S_OK);
  EXPECT_EQ(unmaskedFrame(client.flush()), hex("88 00"));
}

TEST(Contract, T70_A_close_has_status_and_reason) {
  for (const ULONG capacity : {1U, 2U}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.sendClose(1000, "bye"), S_OK);
    EXPECT_EQ(server.flush(capacity), hex("88 05 03 E8 62 79 65"));
    Endpoint client = openClient();
    ASSERT_EQ(client.sendClose(1000, "bye"), S_OK);
    EXPECT_EQ(unmaskedFrame(client.flush(capacity)), hex("88 05 03 E8 62 79 65"));
  }
}

TEST(Contract, T71_A_close_reason_has_at_most_123_bytes) {
  const std::string reason(124, 'r');
  for (const Side side : {Side::Server, Side::Client}) {
    Endpoint endpoint(side);
    EXPECT_EQ(endpoint.sendClose(1000, reason), E_INVALIDARG);
    EXPECT_EQ(endpoint.sendClose(1000, std::string_view(reason).substr(0, 123)), S_OK);
    const Bytes wire = endpoint.flush();
    const Bytes frame = side == Side::Client ? unmaskedFrame(wire) : wire;
    EXPECT_EQ(frame, serverFrame(0x88, closePayload(1000, reason.substr(0, 123))));
  }
}

TEST(Contract, T72_A_close_may_have_a_status_and_a_non_NULL_empty_reason) {
  Endpoint server = openServer();
  std::uint8_t any = 0;
  WEB_SOCKET_BUFFER buffer{.CloseStatus = {&any, 0, 1001}};
  ASSERT_EQ(WebSocketSend(server.handle(), kClose, &buffer, nullptr), S_OK);
  EXPECT_EQ(server.flush(), hex("88 02 03 E9"));
}

TEST(Contract, T73_After_a_close_data_and_a_second_close_are_refused) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendClose(1000), S_OK);
  for (const auto type : {kText, kTextFragment, kBinary, kBinaryFragment}) {
    EXPECT_EQ(server.send(type, kHello), E_INVALID_PROTOCOL_OPERATION);
  }
  EXPECT_EQ(server.sendClose(1000), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(server.flush(), hex("88 02 03 E8"));
}

TEST(Contract, T74_After_a_close_pings_and_pongs_are_allowed) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendClose(1000), S_OK);
  EXPECT_EQ(server.sendControl(kPing), S_OK);
  EXPECT_EQ(server.sendControl(kPong), S_OK);
  EXPECT_EQ(server.flush(), hex("88 02 03 E8 89 00 8A 00"));
}

TEST(Contract, T75_The_close_status_65535_is_sent_as_given) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendClose(65535), S_OK);
  EXPECT_EQ(server.flush(), hex("88 02 FF FF"));
}

TEST(Contract, T130_A_custom_type_with_reserved_bits_needs_an_extension) {
  Endpoint server = openServer();
  EXPECT_EQ(server.send(static_cast<WEB_SOCKET_BUFFER_TYPE>(0x182), kHello), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_TRUE(isNoAction(server.takeSend()));
}

TEST(ContractSendFrames, Close_statuses_that_may_not_be_sent_are_E_INVALIDARG) {
  for (const unsigned status : {1U, 999U, 1004U, 1006U, 1015U}) {
    Endpoint server = openServer();
    EXPECT_EQ(server.sendClose(status), E_INVALIDARG) << status;
    EXPECT_EQ(server.sendClose(status, "why"), E_INVALIDARG) << status;
    EXPECT_EQ(server.sendClose(1000), S_OK) << "the refused close was not counted as sent";
  }
  for (const unsigned status : {1000U, 1001U, 1002U, 1003U, 1007U, 1014U, 1016U, 2999U, 3000U, 4999U, 5000U}) {
    Endpoint server = openServer();
    EXPECT_EQ(server.sendClose(status), S_OK) << status;
    EXPECT_EQ(server.flush(), serverFrame(0x88, closePayload(status)));
  }
}

TEST(ContractSendFrames, A_close_with_the_status_0_or_1005_is_empty) {
  for (const unsigned status : {0U, 1005U}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.sendClose(status), S_OK) << status;
    EXPECT_EQ(server.flush(), hex("88 00")) << status;
  }
}

TEST(ContractSendFrames, Empty_payloads_are_legal_also_at_the_end_of_fragments) {
  for (const Side side : {Side::Server, Side::Client}) {
    Endpoint endpoint(side, {.disableMasking = true});
    ASSERT_EQ(endpoint.send(kTextFragment, "a"sv), S_OK);
    ASSERT_EQ(endpoint.send(kTextFragment, BytesView{}), S_OK);
    ASSERT_EQ(endpoint.send(kText, BytesView{}, kA), S_OK);
    EXPECT_EQ(endpoint.flush(),
              side == Side::Server ? hex("01 01 61 00 00 80 00") : hex("01 81 0 0 0 0 61 00 80 0 0 0 0 80 80 0 0 0 0"));
  }
}

TEST(ContractSendFrames, Bad_arguments_are_E_INVALIDARG_and_queue_nothing) {
  Endpoint server = openServer();
  for (const auto type : {kText, kTextFragment, kBinary, kBinaryFragment}) {
    EXPECT_EQ(server.sendControl(type), E_INVALIDARG) << "a data type without a buffer";
    WEB_SOCKET_BUFFER noMemory{.Data = {nullptr, 5}};
    EXPECT_EQ(WebSocketSend(server.handle(), type, &noMemory, nullptr), E_INVALIDARG);
  }
  WEB_SOCKET_BUFFER noReason{.CloseStatus = {nullptr, 5, 1000}};
  EXPECT_EQ(WebSocketSend(server.handle(), kClose, &noReason, nullptr), E_INVALIDARG);
  EXPECT_EQ(server.send(static_cast<WEB_SOCKET_BUFFER_TYPE>(kPong + 1), kHello), E_INVALIDARG) << "0x80000007";
  EXPECT_EQ(server.send(static_cast<WEB_SOCKET_BUFFER_TYPE>(-1), kHello), E_INVALIDARG);
  EXPECT_TRUE(isNoAction(server.takeSend()));
}

TEST(ContractSendFrames, Outgoing_text_is_not_verified) {
  Endpoint server = openServer();
  const Bytes bad = hex("C3 28");
  ASSERT_EQ(server.send(kText, bad), S_OK);
  EXPECT_EQ(server.flush(), hex("81 02 C3 28"));
}

}  // namespace
}  // namespace websocket::contract

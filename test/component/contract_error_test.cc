// Contract, sections 10.4, 10.6 and 10.7: what a peer must not send, and the state after it (T103, T104, T106,
// T108-T116).
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kTextFragment = WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE;
constexpr auto kBinary = WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;
constexpr HRESULT kFormat = E_INVALID_PROTOCOL_FORMAT;
constexpr HRESULT kOperation = E_INVALID_PROTOCOL_OPERATION;

// Supplies the bytes to a new handle, receiving whatever comes, until WebSocketGetAction fails. S_OK if it never does.
HRESULT faultOf(Side side, BytesView network, const Options& options = {}) {
  Endpoint endpoint(side, options);
  while (endpoint.receive(kA) == S_OK) {  // after a Close frame it is refused
    const Action action = endpoint.pump(network);
    if (FAILED(action.result)) {
      EXPECT_TRUE(isFailure(action, action.result));
      EXPECT_TRUE(isNoAction(endpoint.takeSend())) << "nothing is sent on a protocol error";
      return action.result;
    }
    if (action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) return S_OK;
    endpoint.finish(action);
  }
  return S_OK;
}

// The same frame sent to a server (masked) and to a client.
void expectFault(HRESULT expected, std::uint8_t first, BytesView payload, const Options& options = {}) {
  for (const Side side : {Side::Server, Side::Client}) {
    EXPECT_EQ(faultOf(side, peerFrame(side, first, payload), options), expected)
        << (side == Side::Server ? "server: " : "client: ") << toHex(Bytes{first}) << toHex(payload);
  }
}

TEST(Contract, T103_A_close_payload_of_1_byte_is_malformed) {
  expectFault(kFormat, 0x88, hex("03"));
  // The byte behind the frame does not make it the status 1000.
  EXPECT_EQ(faultOf(Side::Client, hex("88 01 03 E8"), {.disableUtf8Verification = true}), kFormat);
}

TEST(Contract, T104_Close_codes_that_must_not_be_sent_are_malformed) {
  for (const unsigned status : {999U, 1004U, 1005U, 1006U, 1015U}) expectFault(kFormat, 0x88, closePayload(status));
  for (const unsigned status : {0U, 1U, 1016U, 1100U, 2000U, 2999U}) expectFault(kFormat, 0x88, closePayload(status));
}

TEST(Contract, T106_Invalid_UTF8_in_a_text_message_is_malformed) {
  expectFault(kFormat, 0x81, hex("C3 28"));
  expectFault(S_OK, 0x82, hex("C3 28"));
}

TEST(Contract, T108_A_message_that_ends_inside_a_code_point_is_malformed) {
  for (const char* bytes : {"E2 82", "E2", "F0 9F 98", "61 C3"}) expectFault(kFormat, 0x81, hex(bytes));
  EXPECT_EQ(faultOf(Side::Server, joined({clientFrame(0x01, hex("E2")), clientFrame(0x80, hex("82"))})), kFormat);
  EXPECT_EQ(faultOf(Side::Server, joined({clientFrame(0x01, hex("E2")), clientFrame(0x80, hex(""))})), kFormat);
}

TEST(Contract, T109_Invalid_UTF8_is_delivered_when_verification_is_off) {
  const Bytes bad = hex("C3 28");
  for (const Side side : {Side::Server, Side::Client}) {
    Endpoint endpoint(side, {.disableUtf8Verification = true});
    EXPECT_TRUE(isReceived(endpoint.receiveNow(peerFrame(side, 0x81, bad), kA), kText, bad, kA));
  }
}

TEST(Contract, T110_Reserved_bits_and_unknown_opcodes_are_malformed) {
  for (const int bits : {0x40, 0x20, 0x10, 0x70}) {
    expectFault(kFormat, static_cast<std::uint8_t>(0x81 | bits), view("x"));
    expectFault(kFormat, static_cast<std::uint8_t>(0x89 | bits), view("x"));
  }
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    expectFault(kFormat, static_cast<std::uint8_t>(0x80 | opcode), view("x"));
  }
}

TEST(Contract, T111_An_unmasked_frame_is_malformed_for_a_server_unless_masking_is_disabled) {
  EXPECT_EQ(faultOf(Side::Server, serverFrame(0x81, kHello)), kFormat);
  Endpoint server = openServer({.disableMasking = true});
  const Action unmasked = server.receiveNow(serverFrame(0x81, kHello), kA);
  EXPECT_TRUE(isReceived(unmasked, kText, kHello, kA));
  server.finish(unmasked);
  EXPECT_TRUE(isReceived(server.receiveNow(clientFrame(0x82, kHello), kA), kBinary, kHello, kA))
      << "masked ones still are";
}

TEST(Contract, T112_A_masked_frame_is_malformed_for_a_client) {
  EXPECT_EQ(faultOf(Side::Client, clientFrame(0x81, kHello)), kFormat);
  EXPECT_EQ(faultOf(Side::Client, clientFrame(0x81, kHello), {.disableMasking = true}), kFormat);
}

TEST(Contract, T113_Frames_out_of_order_are_an_invalid_operation) {
  expectFault(kOperation, 0x80, view("x"));
  expectFault(kOperation, 0x00, view("x"));
  for (const std::uint8_t second : hex("81 01 82 02")) {
    for (const Side side : {Side::Server, Side::Client}) {
      EXPECT_EQ(faultOf(side, joined({peerFrame(side, 0x01, view("a")), peerFrame(side, second, view("b"))})),
                kOperation);
    }
  }
  EXPECT_EQ(
      faultOf(Side::Server, joined({clientFrame(0x01, "a"sv), clientFrame(0x80, "b"sv), clientFrame(0x80, "c"sv)})),
      kOperation);
}

TEST(Contract, T114_Bad_control_frames_and_lengths_are_malformed) {
  expectFault(kFormat, 0x09, view("x"));  // a fragmented ping
  expectFault(kFormat, 0x0A, view("x"));
  expectFault(kFormat, 0x08, {});
  expectFault(kFormat, 0x89, text(126));
  expectFault(kFormat, 0x8A, text(126));
  expectFault(kFormat, 0x88, joined({closePayload(1000), text(124)}));
  const Bytes key = copy(kMaskingKey);
  for (const char* header : {"81 FE 00 05", "81 FE 00 7D", "81 FF 00 00 00 00 00 00 00 05",
                             "81 FF 00 00 00 00 00 00 FF FF", "82 FF 80 00 00 00 00 00 00 00"}) {
    EXPECT_EQ(faultOf(Side::Server, joined({hex(header), key, masked(text(5))})), kFormat) << header;
  }
  EXPECT_EQ(faultOf(Side::Client, joined({hex("81 7E 00 05"), text(5)})), kFormat);
  EXPECT_EQ(faultOf(Side::Client, joined({hex("82 7F 80 00 00 00 00 00 00 00"), text(5)})), kFormat);
}

// A server whose peer sent invalid UTF-8; the receive with context kA is unfinished.
Endpoint faulted() {
  Endpoint server = openServer();
  EXPECT_TRUE(isFailure(server.receiveNow(hex("81 82 37 FA 21 3D F4 D2"), kA), kFormat));
  return server;
}

TEST(Contract, T115_After_an_error_there_is_nothing_to_send) {
  Endpoint server = faulted();
  EXPECT_TRUE(isNoAction(server.takeSend()));
}

TEST(Contract, T116_After_an_error_the_application_may_send_a_close) {
  Endpoint server = faulted();
  ASSERT_EQ(server.sendClose(1002, "", kB), S_OK);
  const Action send = server.takeSend();
  EXPECT_TRUE(isSend(send, WEB_SOCKET_CLOSE_BUFFER_TYPE, kB));
  EXPECT_EQ(send.bytes(), hex("88 02 03 EA"));
  server.finish(send);
  EXPECT_TRUE(isSendComplete(server.takeSend(), kB));
}

TEST(ContractErrors, The_error_is_repeated_on_RECEIVE_and_ALL_until_the_abort) {
  Endpoint server = faulted();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(isFailure(server.takeReceive(), kFormat));
    EXPECT_TRUE(isFailure(server.takeAll(), kFormat));
  }
  EXPECT_EQ(server.receive(kB), kOperation);
  WebSocketAbortHandle(server.handle());
  const Action ended = server.takeReceive();
  EXPECT_TRUE(isEmptyReceive(ended, kA));
  server.finish(ended);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractErrors, ALL_gives_pending_send_actions_before_the_error) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed("83 82 37 FA 21 3D F4 D2");
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action send = server.takeAll();
  EXPECT_TRUE(isSend(send, kText, kB));
  server.finish(send);
  const Action done = server.takeAll();
  EXPECT_TRUE(isSendComplete(done, kB));
  server.finish(done);
  EXPECT_TRUE(isFailure(server.takeAll(), kFormat));
  ASSERT_EQ(server.sendClose(1002, "", kC), S_OK);
  EXPECT_TRUE(isSend(server.takeAll(), WEB_SOCKET_CLOSE_BUFFER_TYPE, kC));
}

TEST(ContractErrors, An_operation_error_is_repeated_with_its_own_code) {
  Endpoint server = openServer();
  EXPECT_TRUE(isFailure(server.receiveNow(clientFrame(0x80, "x"sv), kA), kOperation));
  EXPECT_TRUE(isFailure(server.takeReceive(), kOperation));
  EXPECT_TRUE(isFailure(server.takeAll(), kOperation));
}

TEST(ContractErrors, Messages_before_the_bad_frame_are_delivered) {
  Endpoint server = openServer();
  const Action message = server.receiveNow(joined({clientFrame(0x81, kHello), clientFrame(0x83, "x"sv)}), kA);
  EXPECT_TRUE(isReceived(message, kText, kHello, kA));
  server.finish(message);
  ASSERT_EQ(server.receive(kB), S_OK);
  EXPECT_TRUE(isFailure(server.takeReceive(), kFormat));
}

TEST(ContractErrors, Invalid_UTF8_fails_at_the_first_bad_byte_inside_a_frame) {
  Endpoint server = openServer();
  const Bytes payload = joined({hex("61 C3 28"), text(97)});
  const Bytes wire = clientFrame(0x81, payload);
  EXPECT_TRUE(isFailure(server.receiveNow(BytesView(wire).first(6 + 3), kA), kFormat));
}

TEST(ContractErrors, Invalid_UTF8_in_a_later_fragment_or_chunk_is_found) {
  Endpoint byFrames = openServer();
  const Action first = byFrames.receiveNow(joined({clientFrame(0x01, hex("E2 82")), clientFrame(0x80, hex("28"))}), kA);
  EXPECT_TRUE(isReceived(first, kTextFragment, hex("E2 82"), kA));
  byFrames.finish(first);
  ASSERT_EQ(byFrames.receive(kB), S_OK);
  EXPECT_TRUE(isFailure(byFrames.takeReceive(), kFormat));
}

TEST(ContractErrors, UTF8_is_judged_as_RFC_3629_says) {
  for (const char* good : {"00", "7F", "C2 80", "DF BF", "E0 A0 80", "ED 9F BF", "EE 80 80", "EF BF BF", "F0 90 80 80",
                           "F4 8F BF BF", "EF BB BF", "61 E2 82 AC 62 F0 9F 98 80 63"}) {
    expectFault(S_OK, 0x81, hex(good));
  }
  for (const char* bad :
       {"80", "BF", "C0 80", "C1 BF", "E0 9F BF", "ED A0 80", "ED BF BF", "F0 8F BF BF", "F4 90 80 80", "F5 80 80 80",
        "FE", "FF", "C2", "C2 41", "E2 82 41", "61 62 63 64 65 66 67 68 69 FF"}) {
    expectFault(kFormat, 0x81, hex(bad));
  }
}

TEST(ContractErrors, A_fault_is_found_at_every_split_of_the_bytes) {
  const Bytes wire = joined({clientFrame(0x81, kHello), clientFrame(0x09, "x"sv)});
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    Endpoint server = openServer();
    for (int i = 0; i < 2; ++i) ASSERT_EQ(server.receive(kA), S_OK);
    server.feed(BytesView(wire).first(std::min<std::size_t>(cut, 16)));
    BytesView rest = BytesView(wire).subspan(std::min<std::size_t>(cut, 16));
    const Action message = server.pump(rest);
    EXPECT_TRUE(isReceived(message, kText, kHello, kA)) << "cut after " << cut;
    server.finish(message);
    EXPECT_TRUE(isFailure(server.pump(rest), kFormat)) << "cut after " << cut;
  }
}

}  // namespace
}  // namespace websocket::contract

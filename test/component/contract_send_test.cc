// Contract, sections 8 and 9: the SEND queue and how an operation becomes bytes (T47-T62).
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kBinary = WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;

TEST(Contract, T47_An_open_handle_without_operations_has_no_action) {
  Endpoint server = openServer();
  EXPECT_TRUE(isNoAction(server.takeAll()));
  Endpoint client = openClient();
  EXPECT_TRUE(isNoAction(client.takeAll()));
}

TEST(Contract, T48_Completing_no_action_has_no_effect) {
  Endpoint server = openServer();
  const Action none = server.takeAll();
  server.complete(none, 0);
  WebSocketCompleteAction(server.handle(), nullptr, 17);
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  const Action send = server.takeSend();
  EXPECT_TRUE(isSend(send, kText, kA));
  server.complete(none, 0);
  EXPECT_TRUE(isNoAction(server.takeSend())) << "the send is still outstanding";
  server.finish(send);
  EXPECT_TRUE(isSendComplete(server.takeSend(), kA));
}

TEST(Contract, T49_A_server_send_with_capacity_two_gives_header_and_application_pointer) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  const Action send = server.takeSend(2);
  ASSERT_TRUE(isSend(send, kText, kA));
  ASSERT_EQ(send.count, 2U);
  EXPECT_EQ(toHex({send.buffers[0].Data.pbBuffer, send.buffers[0].Data.ulBufferLength}), "81 0B ");
  EXPECT_EQ(send.buffers[1].Data.pbBuffer, view(kHello).data()) << "the application's memory, not a copy";
  EXPECT_EQ(send.buffers[1].Data.ulBufferLength, 11U);
}

TEST(Contract, T50_A_completed_send_is_indicated_with_its_context) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  server.complete(server.takeSend(), 13);
  const Action done = server.takeSend();
  EXPECT_TRUE(isSendComplete(done, kA));
  EXPECT_EQ(done.type, kText);
  server.finish(done);
  EXPECT_TRUE(isNoAction(server.takeSend()));
}

TEST(Contract, T51_With_capacity_one_header_and_payload_are_successive_actions) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  const Action header = server.takeSend(1);
  ASSERT_TRUE(isSend(header, kText, kA));
  EXPECT_EQ(header.count, 1U);
  EXPECT_EQ(toHex(header.bytes()), "81 0B ");
  server.complete(header, 2);
  const Action payload = server.takeSend(1);
  ASSERT_TRUE(isSend(payload, kText, kA));
  EXPECT_EQ(payload.count, 1U);
  EXPECT_EQ(payload.bytes(), copy(kHello));
  server.complete(payload, 11);
  const Action done = server.takeSend(1);
  EXPECT_TRUE(isSendComplete(done, kA));
  server.finish(done);
  EXPECT_TRUE(isNoAction(server.takeSend(1)));
}

TEST(Contract, T52_While_a_send_action_is_outstanding_there_is_no_other) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action send = server.takeSend();
  EXPECT_TRUE(isNoAction(server.takeSend()));
  EXPECT_TRUE(isNoAction(server.takeAll()));
  server.finish(send);
  EXPECT_TRUE(isSendComplete(server.takeSend(), kA));
}

TEST(Contract, T53_Any_other_byte_count_cancels_the_operation) {
  for (const ULONG transferred : {5U, 0U, 12U, 14U, 4096U}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
    server.complete(server.takeSend(), transferred);
    EXPECT_TRUE(isSendComplete(server.takeSend(), kA)) << transferred << " bytes";
  }
}

TEST(Contract, T54_The_handle_stays_usable_after_a_cancelled_send) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  server.complete(server.takeSend(), 5);
  ASSERT_EQ(server.send(kBinary, kHello, kB), S_OK);
  server.finish(server.takeSend());
  const Action next = server.takeSend();
  EXPECT_TRUE(isSend(next, kBinary, kB));
  EXPECT_EQ(next.bytes(), serverFrame(0x82, kHello));
}

TEST(Contract, T55_A_second_send_waits_until_the_first_is_complete) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, "first"sv, kA), S_OK);
  ASSERT_EQ(server.send(kText, "second"sv, kB), S_OK);
  const Action first = server.takeSend();
  EXPECT_TRUE(isSend(first, kText, kA));
  server.finish(first);
  const Action firstDone = server.takeSend();
  EXPECT_TRUE(isSendComplete(firstDone, kA));
  server.finish(firstDone);
  const Action second = server.takeSend();
  EXPECT_TRUE(isSend(second, kText, kB));
  EXPECT_EQ(second.bytes(), serverFrame(0x81, "second"sv));
}

TEST(Contract, T56_A_fetched_indication_holds_the_queue_until_it_is_completed) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  server.finish(server.takeSend());
  const Action done = server.takeSend();
  ASSERT_TRUE(isSendComplete(done, kA));
  EXPECT_TRUE(isNoAction(server.takeSend()));
  server.finish(done);
  EXPECT_TRUE(isSend(server.takeSend(), kText, kB));
}

TEST(Contract, T57_Sends_are_no_actions_of_the_RECEIVE_queue) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  EXPECT_TRUE(isSend(server.takeSend(), kText, kA));
}

TEST(Contract, T58_Receives_are_no_actions_of_the_SEND_queue) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  EXPECT_TRUE(isNoAction(server.takeSend()));
  EXPECT_TRUE(isRead(server.takeReceive(), kA));
}

TEST(Contract, T59_Server_headers_use_the_shortest_length_encoding) {
  const std::vector<std::pair<std::size_t, std::string>> table{{0, "81 00 "},
                                                               {125, "81 7D "},
                                                               {126, "81 7E 00 7E "},
                                                               {65535, "81 7E FF FF "},
                                                               {65536, "81 7F 00 00 00 00 00 01 00 00 "}};
  for (const auto& [length, header] : table) {
    Endpoint server = openServer();
    const Bytes payload = text(length);
    ASSERT_EQ(server.send(kText, payload, kA), S_OK);
    const Action send = server.takeSend(2);
    ASSERT_TRUE(isSend(send, kText, kA)) << length;
    EXPECT_EQ(toHex({send.buffers[0].Data.pbBuffer, send.buffers[0].Data.ulBufferLength}), header);
    EXPECT_EQ(send.count, length == 0 ? 1U : 2U);
    EXPECT_EQ(send.bytes(), serverFrame(0x81, payload));
    server.finish(send);
    EXPECT_TRUE(isSendComplete(server.takeSend(), kA)) << "one operation, one frame, one action";
  }
}

TEST(Contract, T60_A_client_send_is_a_masked_copy) {
  Endpoint client = openClient({.randomBytes = kMaskingKeyText});
  const Bytes payload = copy(kHello);
  ASSERT_EQ(client.send(kText, payload, kA), S_OK);
  const Action send = client.takeSend();
  ASSERT_TRUE(isSend(send, kText, kA));
  EXPECT_EQ(send.count, 1U);
  EXPECT_EQ(send.bytes(), hex("81 8B 37 FA 21 3D 7F 9F 4D 51 58 DA 76 52 45 96 45"));
  EXPECT_EQ(payload, copy(kHello)) << "the application's memory is unchanged";
  client.finish(send);
  EXPECT_TRUE(isSendComplete(client.takeSend(), kA));

  Endpoint random = openClient();
  ASSERT_EQ(random.send(kText, payload), S_OK);
  const Bytes wire = random.flush();
  ASSERT_EQ(wire.size(), 17U);
  EXPECT_EQ(unmaskedFrame(wire), serverFrame(0x81, kHello)) << "with the random key that the frame carries";
  EXPECT_EQ(payload, copy(kHello));
}

TEST(Contract, T61_With_DISABLE_MASKING_a_client_keeps_the_mask_bit_and_uses_a_zero_key) {
  Endpoint client = openClient({.disableMasking = true});
  ASSERT_EQ(client.send(kText, kHello), S_OK);
  EXPECT_EQ(client.flush(), joined({hex("81 8B 00 00 00 00"), copy(kHello)}));
  ASSERT_EQ(client.sendControl(WEB_SOCKET_PING_PONG_BUFFER_TYPE), S_OK);
  EXPECT_EQ(client.flush(), hex("89 80 00 00 00 00"));
}

TEST(Contract, T62_A_client_message_larger_than_the_send_buffer_is_one_frame_in_chunks) {
  for (const ULONG sendBufferSize : {16U, 17U, 1000U, 4096U}) {
    for (const ULONG capacity : {1U, 2U}) {
      Endpoint client = openClient({.sendBufferSize = sendBufferSize});
      const Bytes payload = text(3 * sendBufferSize);
      ASSERT_EQ(client.send(kBinary, payload, kA), S_OK);
      Bytes wire;
      Action action = client.takeSend(capacity);
      int chunks = 0;
      for (; action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION; action = client.takeSend(capacity)) {
        EXPECT_TRUE(isSend(action, kBinary, kA));
        EXPECT_LE(action.total(), sendBufferSize);
        wire = joined({wire, action.bytes()});
        client.finish(action);
        ++chunks;
      }
      EXPECT_TRUE(isSendComplete(action, kA));
      EXPECT_GE(chunks, 4);
      const Bytes header = frameHeader(0x82, payload.size(), 0x80);
      ASSERT_EQ(wire.size(), header.size() + 4 + payload.size());
      const BytesView bytes(wire);
      EXPECT_EQ(copy(bytes.first(header.size())), header);
      EXPECT_EQ(masked(bytes.subspan(header.size() + 4), bytes.subspan(header.size(), 4)), payload);
      EXPECT_EQ(payload, text(3 * sendBufferSize));
    }
  }
}

TEST(ContractSend, Every_client_frame_has_a_fresh_masking_key) {
  Endpoint client = openClient();
  std::vector<Bytes> keys;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(client.sendControl(WEB_SOCKET_PING_PONG_BUFFER_TYPE), S_OK);
    const Bytes wire = client.flush();
    ASSERT_EQ(wire.size(), 6U);
    keys.emplace_back(wire.begin() + 2, wire.end());
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_GE(std::unique(keys.begin(), keys.end()) - keys.begin(), 199) << "32 random bits hardly ever repeat";
}

TEST(ContractSend, The_buffer_structure_is_read_during_the_call_only) {
  Endpoint server = openServer();
  auto buffer = std::make_unique<WEB_SOCKET_BUFFER>();
  buffer->Data = {const_cast<PBYTE>(view(kHello).data()), 11};
  ASSERT_EQ(WebSocketSend(server.handle(), kText, buffer.get(), kA), S_OK);
  buffer.reset();
  EXPECT_EQ(server.flush(), serverFrame(0x81, kHello));
}

TEST(ContractSend, A_client_send_cancelled_in_the_middle_of_its_chunks_is_indicated_at_once) {
  Endpoint client = openClient({.sendBufferSize = 16});
  const Bytes payload = text(100);
  ASSERT_EQ(client.send(kText, payload, kA), S_OK);
  client.finish(client.takeSend());
  client.complete(client.takeSend(), 0);
  const Action done = client.takeSend();
  EXPECT_TRUE(isSendComplete(done, kA));
  client.finish(done);
  EXPECT_TRUE(isNoAction(client.takeSend()));
}

TEST(ContractSend, A_send_cancelled_between_header_and_payload_is_indicated_at_once) {
  for (const ULONG transferred : {0U, 1U, 3U, 13U}) {  // 2 would be the header's length
    Endpoint server = openServer();
    ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
    server.complete(server.takeSend(1), transferred);
    EXPECT_TRUE(isSendComplete(server.takeSend(1), kA)) << transferred << " bytes";
  }
}

TEST(ContractSend, Any_count_completes_an_indication) {
  for (const ULONG transferred : {0U, 11U, 13U, 0xFFFFFFFFU}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
    server.finish(server.takeSend());
    server.complete(server.takeSend(), transferred);
    EXPECT_TRUE(isNoAction(server.takeSend()));
  }
}

TEST(ContractSend, A_thousand_queued_operations_of_all_kinds_keep_their_order) {
  Endpoint server = openServer();
  Bytes expected;
  std::vector<Bytes> payloads;
  for (int i = 0; i < 1000; ++i) payloads.push_back(copy(std::to_string(i)));
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    ASSERT_EQ(server.send(kText, payloads[i], kA), S_OK);
    expected = joined({expected, serverFrame(0x81, payloads[i])});
    if (i % 10 == 0) {
      ASSERT_EQ(
          server.sendControl(i % 20 == 0 ? WEB_SOCKET_PING_PONG_BUFFER_TYPE : WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE),
          S_OK);
      expected = joined({expected, serverFrame(i % 20 == 0 ? 0x89 : 0x8A, ""sv)});
    }
  }
  EXPECT_EQ(server.flush(), expected);
}

}  // namespace
}  // namespace websocket::contract

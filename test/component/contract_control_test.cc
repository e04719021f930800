// Contract, sections 10.3 to 10.5: received pings, pongs and Close frames (T88-T102, T105).
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kTextFragment = WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE;
constexpr auto kPing = WEB_SOCKET_PING_PONG_BUFFER_TYPE;
constexpr std::array kSides{Side::Server, Side::Client};

const Bytes kPingHi = hex("89 82 37 FA 21 3D 7F 93");

// A server with a pending receive (context kA) that has just read a ping "Hi".
Endpoint pinged() {
  Endpoint server = openServer();
  EXPECT_EQ(server.receive(kA), S_OK);
  server.feed(kPingHi);
  return server;
}

TEST(Contract, T88_A_ping_is_answered_on_the_RECEIVE_queue_while_the_receive_stays_pending) {
  Endpoint server = pinged();
  const Action reply = server.takeReceive(2);
  EXPECT_TRUE(isReply(reply));
  EXPECT_EQ(reply.bytes(), hex("8A 02 48 69"));
  server.finish(reply);
  EXPECT_TRUE(isRead(server.takeReceive(), kA));
  Endpoint client = openClient();
  const Action masked = client.receiveNow(hex("89 02 48 69"), kA);
  EXPECT_TRUE(isReply(masked));
  Bytes wire = masked.bytes();
  client.finish(masked);
  // With capacity 1 the component may hand out the reply in two actions.
  for (Action rest = client.takeReceive(); rest.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION;
       rest = client.takeReceive()) {
    wire = joined({wire, rest.bytes()});
    client.finish(rest);
  }
  EXPECT_EQ(unmaskedFrame(wire), hex("8A 02 48 69"));
}

TEST(Contract, T89_While_a_reply_is_outstanding_no_application_send_is_issued) {
  Endpoint server = pinged();
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action reply = server.takeReceive(2);
  ASSERT_TRUE(isReply(reply));
  EXPECT_TRUE(isNoAction(server.takeSend()));
  server.finish(reply);
  EXPECT_TRUE(isSend(server.takeSend(), kText, kB));
}

TEST(Contract, T90_After_the_reply_the_receive_goes_on_and_nothing_is_indicated_for_it) {
  Endpoint server = pinged();
  const Action reply = server.takeReceive(2);
  ASSERT_TRUE(isReply(reply));
  server.complete(reply, 4);
  EXPECT_TRUE(isNoAction(server.takeSend()));
  EXPECT_TRUE(isRead(server.takeReceive(), kA));
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(Contract, T91_A_reply_has_no_application_context) {
  Endpoint server = pinged();
  EXPECT_EQ(server.takeAll().context, nullptr);
}

TEST(Contract, T92_A_ping_of_125_bytes_is_echoed_and_one_of_126_is_malformed) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    const Bytes payload = text(125);
    ASSERT_EQ(endpoint.receive(kA), S_OK);
    endpoint.feed(peerFrame(side, 0x89, payload));
    Bytes wire;
    Action action = endpoint.takeReceive();
    for (; action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION; action = endpoint.takeReceive()) {
      wire = joined({wire, action.bytes()});
      endpoint.finish(action);
    }
    EXPECT_TRUE(isRead(action, kA));
    EXPECT_EQ(side == Side::Client ? unmaskedFrame(wire) : wire, serverFrame(0x8A, payload));

    Endpoint longer(side);
    EXPECT_TRUE(isFailure(longer.receiveNow(peerFrame(side, 0x89, text(126)), kA), E_INVALID_PROTOCOL_FORMAT));
  }
}

TEST(Contract, T93_A_ping_between_fragments_leaves_the_message_alone) {
  Endpoint server = openServer();
  const Action first = server.receiveNow(joined({clientFrame(0x01, "Hel"sv), kPingHi, clientFrame(0x80, "lo"sv)}), kA);
  EXPECT_TRUE(isReceived(first, kTextFragment, "Hel"sv, kA));
  server.finish(first);
  ASSERT_EQ(server.receive(kB), S_OK);
  const Action reply = server.takeReceive(2);
  EXPECT_TRUE(isReply(reply));
  EXPECT_EQ(reply.bytes(), hex("8A 02 48 69"));
  server.finish(reply);
  EXPECT_TRUE(isReceived(server.takeReceive(), kText, "lo"sv, kB));
}

TEST(Contract, T94_Pings_during_an_application_send_never_stall_the_receive_and_the_newest_is_answered) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action send = server.takeSend();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x89, "1"sv));
  server.feed(clientFrame(0x89, "2"sv));
  const Action read = server.takeReceive();
  EXPECT_TRUE(isRead(read, kA)) << "the deferred reply must not stop the receive";
  server.finish(send);
  // The driver is blocked in its read: the deferred reply comes on SEND, before the next operation.
  ASSERT_EQ(server.send(kText, kHello, kC), S_OK);
  std::vector<Bytes> replies;
  bool nextBegan = false;
  for (Action a = server.takeSend(); a.kind != WEB_SOCKET_NO_ACTION; a = server.takeSend()) {
    if (a.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION && a.context == nullptr) {
      EXPECT_TRUE(isReply(a));
      EXPECT_FALSE(nextBegan);
      replies.push_back(a.bytes());
    }
    nextBegan = nextBegan || a.context == kC;
    server.finish(a);
  }
  EXPECT_TRUE(nextBegan);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.back(), serverFrame(0x8A, "2"sv));
  EXPECT_LE(replies.size(), 2U);
}

TEST(Contract, T95_The_pong_that_answers_an_application_ping_completes_a_receive) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    ASSERT_EQ(endpoint.sendControl(kPing), S_OK);
    endpoint.flush();
    const Action pong = endpoint.receiveNow(peerFrame(side, 0x8A, {}), kA);
    EXPECT_TRUE(isReceived(pong, kPing, ""sv, kA));
    endpoint.finish(pong);
    EXPECT_TRUE(isReceived(endpoint.receiveNow(peerFrame(side, 0x81, view(kHello)), kB), kText, kHello, kB));
  }
}

TEST(Contract, T96_An_unsolicited_pong_is_consumed_silently) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    ASSERT_EQ(endpoint.receive(kA), S_OK);
    endpoint.feed(peerFrame(side, 0x8A, {}));
    endpoint.feed(peerFrame(side, 0x8A, view("any")));
    EXPECT_TRUE(isNoAction(endpoint.takeSend()));
    endpoint.feed(peerFrame(side, 0x81, view(kHello)));
    EXPECT_TRUE(isReceived(endpoint.takeReceive(), kText, kHello, kA));
  }
}

TEST(Contract, T97_An_empty_close_is_indicated_as_1005_without_a_reason) {
  Endpoint server = openServer();
  const Action close = server.receiveNow(hex("88 80 37 FA 21 3D"), kA);
  EXPECT_TRUE(isClose(close, 1005, "", kA));
  EXPECT_EQ(close.buffers[0].CloseStatus.pbReason, nullptr);
}

TEST(Contract, T98_A_close_with_a_status_alone_has_a_non_NULL_empty_reason) {
  Endpoint server = openServer();
  const Action close = server.receiveNow(clientFrame(0x88, closePayload(1001)), kA);
  EXPECT_TRUE(isClose(close, 1001, "", kA));
  EXPECT_NE(close.buffers[0].CloseStatus.pbReason, nullptr);
}

TEST(Contract, T99_A_close_with_status_and_reason_is_indicated_with_both) {
  Endpoint server = openServer();
  EXPECT_TRUE(isClose(server.receiveNow(clientFrame(0x88, closePayload(1000, "bye")), kA), 1000, "bye", kA));
  Endpoint client = openClient();
  const std::string longest(123, 'r');
  EXPECT_TRUE(isClose(client.receiveNow(serverFrame(0x88, closePayload(4999, longest)), kA), 4999, longest, kA));
}

// A handle that has had an empty Close indicated.
Endpoint closedByPeer(Side side) {
  Endpoint endpoint(side);
  const Action close = endpoint.receiveNow(peerFrame(side, 0x88, {}), kA);
  EXPECT_TRUE(isClose(close, 1005, "", kA));
  endpoint.finish(close);
  return endpoint;
}

TEST(Contract, T100_A_close_is_not_echoed) {
  for (const Side side : kSides) EXPECT_TRUE(isNoAction(closedByPeer(side).takeAll()));
}

TEST(Contract, T101_After_a_received_close_data_may_still_be_sent) {
  Endpoint server = closedByPeer(Side::Server);
  ASSERT_EQ(server.send(kText, kHello), S_OK);
  ASSERT_EQ(server.sendClose(1000), S_OK);
  EXPECT_EQ(server.flush(), joined({serverFrame(0x81, kHello), hex("88 02 03 E8")}));
}

TEST(Contract, T102_After_a_received_close_a_receive_is_refused) {
  for (const Side side : kSides) EXPECT_EQ(closedByPeer(side).receive(), E_INVALID_PROTOCOL_OPERATION);
}

TEST(Contract, T105_Close_codes_that_are_allowed_are_indicated) {
  for (const unsigned status : {65535U, 1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U,
                                1014U, 3000U, 3999U, 4000U, 4999U, 5000U}) {
    Endpoint server = openServer();
    EXPECT_TRUE(isClose(server.receiveNow(clientFrame(0x88, closePayload(status)), kA), status, "", kA));
  }
}

TEST(ContractControl, Control_results_do_not_use_the_applications_memory) {
  std::array<std::uint8_t, 200> memory{};
  const auto inMemory = [&](const Action& a) {
    return a.buffers[0].Data.pbBuffer >= memory.data() && a.buffers[0].Data.pbBuffer < memory.data() + memory.size();
  };
  Endpoint server = openServer();
  ASSERT_EQ(server.receiveInto(memory, kA), S_OK);
  server.feed(clientFrame(0x88, closePayload(1000, "bye")));
  const Action close = server.takeReceive();
  EXPECT_TRUE(isClose(close, 1000, "bye", kA));
  EXPECT_FALSE(inMemory(close));

  Endpoint pingedServer = openServer();
  ASSERT_EQ(pingedServer.receiveInto(memory, kA), S_OK);
  pingedServer.feed(kPingHi);
  const Action reply = pingedServer.takeReceive(2);
  EXPECT_TRUE(isReply(reply));
  EXPECT_FALSE(inMemory(reply));
  pingedServer.finish(reply);
  pingedServer.feed(clientFrame(0x81, kHello));
  EXPECT_TRUE(isReceived(pingedServer.takeReceive(), kText, kHello, kA));
}

TEST(ContractControl, A_ping_inside_a_data_frames_fragments_does_not_split_what_was_received_so_far) {
  // The final frame is cut by the ping: the receive goes on where it was.
  Endpoint server = openServer();
  const Bytes wire = clientFrame(0x81, kHello);
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(joined({kPingHi, {wire.begin(), wire.begin() + 9}}));
  const Action reply = server.takeReceive(2);
  ASSERT_TRUE(isReply(reply));
  server.finish(reply);
  server.feed(BytesView(wire).subspan(9));
  EXPECT_TRUE(isReceived(server.takeReceive(), kText, kHello, kA));
}

TEST(ContractControl, A_short_count_drops_a_reply_and_the_receive_goes_on) {
  for (const ULONG transferred : {0U, 1U, 3U}) {
    Endpoint server = pinged();
    const Action reply = server.takeReceive(2);
    ASSERT_TRUE(isReply(reply));
    server.complete(reply, transferred);
    EXPECT_TRUE(isNoAction(server.takeSend()));
    server.feed(clientFrame(0x81, kHello));
    EXPECT_TRUE(isReceived(server.takeReceive(), kText, kHello, kA));
  }
}

TEST(ContractControl, Replies_are_still_made_after_a_close_was_sent) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendClose(1000), S_OK);
  server.flush();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(kPingHi);
  EXPECT_TRUE(isReply(server.takeReceive(2)));
}

TEST(ContractControl, Nothing_is_read_after_a_close_frame) {
  Endpoint server = openServer();
  const Action close =
      server.receiveNow(joined({clientFrame(0x88, closePayload(1000)), kPingHi, clientFrame(0x81, kHello)}), kA);
  EXPECT_TRUE(isClose(close, 1000, "", kA));
  EXPECT_TRUE(isNoAction(server.takeSend()));
  server.finish(close);
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractControl, A_pong_that_matches_no_ping_is_consumed_silently) {
  Endpoint server = openServer();
  ASSERT_EQ(server.sendControl(kPing), S_OK);
  server.flush();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x8A, "other"sv));
  server.feed(clientFrame(0x8A, ""sv));
  EXPECT_TRUE(isReceived(server.takeReceive(), kPing, ""sv, kA));
}

TEST(ContractControl, Close_reasons_are_verified_unless_verification_is_off) {
  const Bytes wire = clientFrame(0x88, joined({closePayload(1000), hex("C3 28")}));
  Endpoint strict = openServer();
  EXPECT_TRUE(isFailure(strict.receiveNow(wire, kA), E_INVALID_PROTOCOL_FORMAT));
  Endpoint lax = openServer({.disableUtf8Verification = true});
  EXPECT_TRUE(isClose(lax.receiveNow(wire, kA), 1000, "\xC3\x28", kA));
}

}  // namespace
}  // namespace websocket::contract

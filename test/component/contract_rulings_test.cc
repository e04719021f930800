// Contract, section 18: the rulings R1 to R5 for points that the sources leave open.
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kTextFragment = WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE;
constexpr auto kBinary = WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;
constexpr auto kPing = WEB_SOCKET_PING_PONG_BUFFER_TYPE;
constexpr std::array kSides{Side::Server, Side::Client};

// The custom type of a frame with this first byte.
constexpr WEB_SOCKET_BUFFER_TYPE custom(unsigned first) { return static_cast<WEB_SOCKET_BUFFER_TYPE>(first << 1); }

// An open handle that has negotiated an extension.
Endpoint extended(Side side, const Options& options = {}) { return Endpoint(side, options, "x-test"); }

TEST(ContractRulings, R1_A_custom_type_is_the_first_byte_of_the_frame) {
  Endpoint server = extended(Side::Server);
  ASSERT_EQ(server.send(custom(0xC1), "whole"sv, kA), S_OK);
  EXPECT_EQ(server.takeSend().type, custom(0xC1));
  Endpoint other = extended(Side::Server);
  ASSERT_EQ(other.send(custom(0xC1), "whole"sv), S_OK);
  ASSERT_EQ(other.send(custom(0x42), "first"sv), S_OK);
  ASSERT_EQ(other.send(custom(0x00), "next"sv), S_OK);
  ASSERT_EQ(other.sendControl(kPing), S_OK);
  ASSERT_EQ(other.send(custom(0x80), "last"sv), S_OK);
  ASSERT_EQ(other.send(kText, "plain"sv), S_OK);
  EXPECT_EQ(other.flush(),
            joined({serverFrame(0xC1, "whole"sv), serverFrame(0x42, "first"sv), serverFrame(0x00, "next"sv),
                    hex("89 00"), serverFrame(0x80, "last"sv), serverFrame(0x81, "plain"sv)}));
}

TEST(ContractRulings, R1_A_custom_continuation_is_legal_only_inside_a_custom_sequence) {
  Endpoint server = extended(Side::Server);
  EXPECT_EQ(server.send(custom(0x00), "x"sv), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(server.send(custom(0x80), "x"sv), E_INVALID_PROTOCOL_OPERATION);
  ASSERT_EQ(server.send(kTextFragment, "text"sv), S_OK);
  EXPECT_EQ(server.send(custom(0x00), "x"sv), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(server.send(custom(0xC1), "x"sv), E_INVALID_PROTOCOL_OPERATION);
  ASSERT_EQ(server.send(kText, "end"sv), S_OK);
  ASSERT_EQ(server.send(custom(0x41), "custom"sv), S_OK);
  EXPECT_EQ(server.send(kText, "x"sv), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(server.send(custom(0xC1), "x"sv), E_INVALID_PROTOCOL_OPERATION) << "a new message inside the sequence";
  ASSERT_EQ(server.send(custom(0x80), "end"sv), S_OK);
  EXPECT_EQ(server.flush(), joined({serverFrame(0x01, "text"sv), serverFrame(0x80, "end"sv),
                                    serverFrame(0x41, "custom"sv), serverFrame(0x80, "end"sv)}));
}

TEST(ContractRulings, R1_A_custom_type_of_another_opcode_is_E_INVALIDARG) {
  Endpoint server = extended(Side::Server);
  for (const unsigned first : {0xC3U, 0xC8U, 0x89U, 0x8AU, 0x4FU}) {
    EXPECT_EQ(server.send(custom(first), "x"sv), E_INVALIDARG) << first;
  }
  EXPECT_EQ(server.send(static_cast<WEB_SOCKET_BUFFER_TYPE>(0x183), "x"sv), E_INVALIDARG) << "bit 0 is the mask's";
  EXPECT_EQ(server.send(static_cast<WEB_SOCKET_BUFFER_TYPE>(0x382), "x"sv), E_INVALIDARG) << "more than nine bits";
  EXPECT_TRUE(isNoAction(server.takeSend()));
}

TEST(ContractRulings, R1_A_received_custom_message_repeats_its_first_byte_with_FIN_on_the_last_chunk_only) {
  for (const Side side : kSides) {
    Endpoint endpoint = extended(side, {.receiveBufferSize = 256});
    const Bytes large = text(600);
    const Bytes wire =
        joined({peerFrame(side, 0x41, large), peerFrame(side, 0x00, view("b")), peerFrame(side, 0x80, view("c")),
                peerFrame(side, 0xC2, view("d")), peerFrame(side, 0x81, view("e"))});
    BytesView network(wire);
    std::vector<WEB_SOCKET_BUFFER_TYPE> types;
    Bytes first;
    while (types.empty() || types.back() != kText) {
      ASSERT_EQ(endpoint.receive(kA), S_OK);
      const Action a = endpoint.pump(network);
      ASSERT_EQ(a.kind, WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION) << a;
      types.push_back(a.type);
      if (first.size() < large.size()) first = joined({first, a.bytes()});
      endpoint.finish(a);
    }
    EXPECT_EQ(first, large);
    ASSERT_GE(types.size(), 7U);
    // ... 0x41 for the chunks and the middle frame, 0xC1 for the last, 0xC2 for the next message, then plain text.
    for (std::size_t i = 0; i + 3 < types.size(); ++i) EXPECT_EQ(types[i], custom(0x41)) << i;
    EXPECT_EQ(types[types.size() - 3], custom(0xC1));
    EXPECT_EQ(types[types.size() - 2], custom(0xC2));
  }
}

TEST(ContractRulings, R1_All_three_reserved_bits_are_reported) {
  for (const unsigned bits : {0x40U, 0x20U, 0x10U, 0x70U}) {
    Endpoint client = extended(Side::Client);
    const Bytes wire = serverFrame(static_cast<std::uint8_t>(0x82 | bits), "x"sv);
    EXPECT_TRUE(isReceived(client.receiveNow(wire, kA), custom(0x82 | bits), "x"sv, kA));
  }
}

TEST(ContractRulings, R1_Custom_messages_are_binary_to_the_UTF8_check) {
  Endpoint server = extended(Side::Server);
  const Bytes bad = hex("C3 28");
  const Action message = server.receiveNow(clientFrame(0xC1, bad), kA);
  EXPECT_TRUE(isReceived(message, custom(0xC1), bad, kA));
  server.finish(message);
  EXPECT_TRUE(isFailure(server.receiveNow(clientFrame(0x81, bad), kA), E_INVALID_PROTOCOL_FORMAT));
}

TEST(ContractRulings, R1_Reserved_bits_on_control_frames_and_continuations_stay_malformed) {
  Endpoint control = extended(Side::Server);
  EXPECT_TRUE(isFailure(control.receiveNow(clientFrame(0xC9, "x"sv), kA), E_INVALID_PROTOCOL_FORMAT));
}

TEST(ContractRulings, R2_A_reply_taken_on_RECEIVE_or_ALL_stops_that_queue_until_it_is_completed) {
  for (const auto queue : {WEB_SOCKET_RECEIVE_ACTION_QUEUE, WEB_SOCKET_ALL_ACTION_QUEUE}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.receive(kA), S_OK);
    server.feed(clientFrame(0x89, "Hi"sv));
    ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
    const Action reply = server.take(queue);
    ASSERT_TRUE(isReply(reply));
    EXPECT_TRUE(isNoAction(server.takeReceive()));
    EXPECT_TRUE(isNoAction(server.takeAll()));
    EXPECT_TRUE(isNoAction(server.takeSend()));
    server.finish(reply);
    EXPECT_TRUE(isRead(server.takeReceive(), kA));
    EXPECT_TRUE(isSend(server.takeSend(), kText, kB));
  }
}

TEST(ContractRulings, R2_While_a_reply_taken_on_SEND_is_outstanding_receiving_goes_on_and_a_newer_ping_waits) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    ASSERT_EQ(endpoint.send(kText, kHello, kB), S_OK);
    ASSERT_EQ(endpoint.receive(kA), S_OK);
    const Action send = endpoint.takeSend();
    endpoint.feed(peerFrame(side, 0x89, view("1")));
    const Action read = endpoint.takeReceive();
    ASSERT_TRUE(isRead(read, kA));
    endpoint.finish(send);
    Action next = endpoint.takeSend();
    if (next.kind == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION) {  // the order of the two is open
      endpoint.finish(next);
      next = endpoint.takeSend();
    }
    const Action reply = next;
    ASSERT_TRUE(isReply(reply));
    const Bytes first = reply.bytes();

    // Two newer pings, the longest allowed, while the first reply is being written.
    const Bytes newest = text(125);
    const Bytes wire = joined({peerFrame(side, 0x89, text(124)), peerFrame(side, 0x89, newest)});
    std::memcpy(read.buffers[0].Data.pbBuffer, wire.data(), wire.size());
    endpoint.complete(read, static_cast<ULONG>(wire.size()));
    EXPECT_TRUE(isRead(endpoint.takeReceive(), kA)) << "receiving goes on";
    EXPECT_EQ(reply.bytes(), first) << "the reply being written is not touched";
    endpoint.finish(reply);

    const Bytes rest = endpoint.flush();
    EXPECT_EQ(side == Side::Client ? unmaskedFrame(rest) : rest, serverFrame(0x8A, newest));
  }
}

TEST(ContractRulings, R3_Receives_behind_the_one_that_delivered_the_close_end_without_data) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    for (const PVOID context : {kA, kB, kC}) ASSERT_EQ(endpoint.receive(context), S_OK);
    endpoint.feed(peerFrame(side, 0x88, closePayload(1000)));
    const Action close = endpoint.takeReceive();
    EXPECT_TRUE(isClose(close, 1000, "", kA));
    endpoint.finish(close);
    for (const PVOID context : {kB, kC}) {
      const Action ended = endpoint.takeReceive();
      EXPECT_TRUE(isEmptyReceive(ended, context));
      endpoint.finish(ended);
    }
    EXPECT_TRUE(isNoAction(endpoint.takeReceive()));
  }
}

TEST(ContractRulings, R4_A_close_with_the_status_0_or_1005_and_a_reason_is_E_INVALIDARG) {
  for (const unsigned status : {0U, 1005U}) {
    Endpoint server = openServer();
    EXPECT_EQ(server.sendClose(status, "why"), E_INVALIDARG);
    EXPECT_EQ(server.sendClose(status), S_OK) << "without one it is an empty close";
  }
}

TEST(ContractRulings, R5_One_pong_answers_the_newest_ping_and_the_earlier_ones_are_forgotten) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    for (int i = 0; i < 3; ++i) ASSERT_EQ(endpoint.sendControl(kPing), S_OK);
    endpoint.flush();
    const Action pong = endpoint.receiveNow(peerFrame(side, 0x8A, {}), kA);
    EXPECT_TRUE(isReceived(pong, kPing, ""sv, kA));
    endpoint.finish(pong);
    ASSERT_EQ(endpoint.receive(kB), S_OK);
    endpoint.feed(peerFrame(side, 0x8A, {}));
    endpoint.feed(peerFrame(side, 0x8A, {}));
    endpoint.feed(peerFrame(side, 0x82, view(kHello)));
    EXPECT_TRUE(isReceived(endpoint.takeReceive(), kBinary, kHello, kB)) << "later pongs answer nothing";
  }
}

}  // namespace
}  // namespace websocket::contract

// Contract, section 10: how bytes become received messages (T76-T87, T107).
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kTextFragment = WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE;
constexpr auto kBinary = WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;
constexpr auto kBinaryFragment = WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE;
constexpr std::array kSides{Side::Server, Side::Client};

// One received part of a message.
struct Part {
  WEB_SOCKET_BUFFER_TYPE type;
  Bytes payload;
};

// Receives into component memory until the bytes are used up and no more can be indicated.
std::vector<Part> receiveAll(Endpoint& endpoint, BytesView network) {
  std::vector<Part> parts;
  for (;;) {
    EXPECT_EQ(endpoint.receive(kA), S_OK);
    const Action action = endpoint.pump(network);
    if (action.kind != WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION) {
      EXPECT_TRUE(isRead(action, kA));
      endpoint.complete(action, 0);
      endpoint.finish(endpoint.takeReceive());
      return parts;
    }
    EXPECT_EQ(action.count, 1U);
    EXPECT_EQ(action.context, kA);
    parts.push_back({action.type, action.bytes()});
    endpoint.finish(action);
  }
}

TEST(Contract, T76_A_receive_asks_for_bytes_from_the_network) {
  for (const Side side : kSides) {
    Endpoint endpoint(side, {.receiveBufferSize = 512});
    ASSERT_EQ(endpoint.receive(kA), S_OK);
    const Action read = endpoint.takeReceive();
    EXPECT_TRUE(isRead(read, kA));
    EXPECT_LE(read.total(), 512U);
    EXPECT_EQ(read.type, kNoType);
    EXPECT_TRUE(isNoAction(endpoint.takeReceive())) << "while it is outstanding";
  }
}

TEST(Contract, T77_A_text_frame_is_received_as_a_message) {
  Endpoint server = openServer();
  const Action message = server.receiveNow(clientFrame(0x81, kHello), kA);
  EXPECT_TRUE(isReceived(message, kText, kHello, kA));
  server.finish(message);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  Endpoint client = openClient();
  EXPECT_TRUE(isReceived(client.receiveNow(serverFrame(0x82, kHello), kB), kBinary, kHello, kB));
}

TEST(Contract, T78_A_frame_may_arrive_byte_by_byte) {
  for (const Side side : kSides) {
    for (const std::size_t length : {11U, 300U, 70000U}) {
      Endpoint endpoint(side, {.receiveBufferSize = 80000});
      const Bytes payload = text(length);
      const Bytes wire = peerFrame(side, 0x81, payload);
      ASSERT_EQ(endpoint.receive(kA), S_OK);
      for (const std::uint8_t byte : wire) {
        const Action read = endpoint.takeReceive();
        ASSERT_TRUE(isRead(read, kA));
        read.buffers[0].Data.pbBuffer[0] = byte;
        endpoint.complete(read, 1);
      }
      EXPECT_TRUE(isReceived(endpoint.takeReceive(), kText, payload, kA));
    }
  }
}

TEST(Contract, T79_Bytes_of_a_following_frame_serve_the_next_receive_without_the_network) {
  Endpoint server = openServer();
  const Action first = server.receiveNow(joined({clientFrame(0x81, "one"sv), clientFrame(0x82, "two"sv)}), kA);
  EXPECT_TRUE(isReceived(first, kText, "one"sv, kA));
  server.finish(first);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  ASSERT_EQ(server.receive(kB), S_OK);
  EXPECT_TRUE(isReceived(server.takeReceive(), kBinary, "two"sv, kB));
}

TEST(Contract, T80_A_receive_may_be_queued_before_the_indication_is_completed) {
  Endpoint server = openServer();
  const Action first = server.receiveNow(joined({clientFrame(0x81, "one"sv), clientFrame(0x82, "two"sv)}), kA);
  ASSERT_TRUE(isReceived(first, kText, "one"sv, kA));
  ASSERT_EQ(server.receive(kB), S_OK);
  EXPECT_EQ(first.bytes(), copy("one"sv)) << "the payload is valid until the indication is completed";
  EXPECT_TRUE(isNoAction(server.takeReceive())) << "the indication is still outstanding";
  server.finish(first);
  EXPECT_TRUE(isReceived(server.takeReceive(), kBinary, "two"sv, kB));
}

TEST(Contract, T81_A_frame_larger_than_the_receive_buffer_arrives_as_fragments) {
  for (const Side side : kSides) {
    Endpoint endpoint(side, {.receiveBufferSize = 256});
    const Bytes payload = text(1000);
    const std::vector<Part> parts = receiveAll(endpoint, peerFrame(side, 0x81, payload));
    ASSERT_GE(parts.size(), 4U);
    Bytes all;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].type, i + 1 < parts.size() ? kTextFragment : kText);
      EXPECT_LE(parts[i].payload.size(), 256U);
      all = joined({all, parts[i].payload});
    }
    EXPECT_EQ(all, payload);
  }
}

TEST(Contract, T82_An_application_buffer_too_small_for_the_message_gets_fragments) {
  Endpoint server = openServer();
  std::array<std::uint8_t, 8> memory{};
  ASSERT_EQ(server.receiveInto(memory, kA), S_OK);
  server.feed(clientFrame(0x81, kHello));
  const Action first = server.takeReceive();
  EXPECT_TRUE(isReceived(first, kTextFragment, "Hello Wo"sv, kA));
  EXPECT_EQ(first.buffers[0].Data.pbBuffer, memory.data());
  server.finish(first);
  ASSERT_EQ(server.receiveInto(memory, kB), S_OK);
  const Action second = server.takeReceive();
  EXPECT_TRUE(isReceived(second, kText, "rld"sv, kB));
  EXPECT_EQ(second.buffers[0].Data.pbBuffer, memory.data());
}

TEST(Contract, T83_Two_wire_frames_of_one_message_keep_its_type) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    const Bytes wire = joined({peerFrame(side, 0x01, view("Hel")), peerFrame(side, 0x80, view("lo"))});
    const Action first = endpoint.receiveNow(wire, kA);
    EXPECT_TRUE(isReceived(first, kTextFragment, "Hel"sv, kA));
    endpoint.finish(first);
    ASSERT_EQ(endpoint.receive(kB), S_OK);
    const Action second = endpoint.takeReceive();
    EXPECT_TRUE(isReceived(second, kText, "lo"sv, kB));
    endpoint.finish(second);
    // The next message has a type of its own.
    const Action next = endpoint.receiveNow(peerFrame(side, 0x02, view("x")), kA);
    EXPECT_TRUE(isReceived(next, kBinaryFragment, "x"sv, kA));
  }
}

TEST(Contract, T84_A_frame_that_is_not_final_completes_a_receive_at_once) {
  Endpoint server = openServer();
  EXPECT_TRUE(isReceived(server.receiveNow(clientFrame(0x02, kHello), kA), kBinaryFragment, kHello, kA));
}

TEST(Contract, T85_Empty_messages_and_empty_final_frames_are_messages_of_length_0) {
  for (const Side side : kSides) {
    Endpoint endpoint(side);
    const Action empty = endpoint.receiveNow(peerFrame(side, 0x81, {}), kA);
    EXPECT_TRUE(isReceived(empty, kText, ""sv, kA));
    endpoint.finish(empty);
    const Bytes wire = joined({peerFrame(side, 0x01, view("abc")), peerFrame(side, 0x80, {})});
    const Action first = endpoint.receiveNow(wire, kA);
    EXPECT_TRUE(isReceived(first, kTextFragment, "abc"sv, kA));
    endpoint.finish(first);
    ASSERT_EQ(endpoint.receive(kB), S_OK);
    EXPECT_TRUE(isReceived(endpoint.takeReceive(), kText, ""sv, kB));
  }
}

TEST(Contract, T86_A_read_of_0_bytes_ends_the_receive_without_data) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.complete(server.takeReceive(), 0);
  const Action ended = server.takeReceive();
  EXPECT_TRUE(isEmptyReceive(ended, kA));
  server.finish(ended);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  // The component does not treat this as an abort.
  EXPECT_TRUE(isReceived(server.receiveNow(clientFrame(0x81, kHello), kB), kText, kHello, kB));
}

TEST(Contract, T87_Any_count_completes_a_receive_indication) {
  Endpoint server = openServer();
  for (const ULONG transferred : {11U, 0U, 0xFFFFFFFFU}) {
    const Action message = server.receiveNow(clientFrame(0x81, kHello), kA);
    EXPECT_TRUE(isReceived(message, kText, kHello, kA));
    server.complete(message, transferred);
  }
  EXPECT_TRUE(isNoAction(server.takeReceive()));
}

TEST(Contract, T107_A_code_point_may_be_split_over_frames_and_chunks) {
  const Bytes euro = hex("E2 82 AC");
  for (std::size_t cut = 1; cut < euro.size(); ++cut) {
    const BytesView bytes(euro);
    Endpoint byFrames = openServer();
    const auto parts =
        receiveAll(byFrames, joined({clientFrame(0x01, bytes.first(cut)), clientFrame(0x80, bytes.subspan(cut))}));
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0].type, kTextFragment);
    EXPECT_EQ(parts[0].payload, copy(bytes.first(cut)));
    EXPECT_EQ(parts[1].type, kText);
    EXPECT_EQ(parts[1].payload, copy(bytes.subspan(cut)));

    Endpoint byReads = openServer();
    const Bytes wire = clientFrame(0x81, euro);
    ASSERT_EQ(byReads.receive(kA), S_OK);
    byReads.feed(BytesView(wire).first(6 + cut));
    byReads.feed(BytesView(wire).subspan(6 + cut));
    EXPECT_TRUE(isReceived(byReads.takeReceive(), kText, euro, kA));

    Endpoint byChunks = openServer();
    std::vector<std::uint8_t> memory(cut);
    ASSERT_EQ(byChunks.receiveInto(memory, kA), S_OK);
    byChunks.feed(wire);
    const Action first = byChunks.takeReceive();
    EXPECT_TRUE(isReceived(first, kTextFragment, bytes.first(cut), kA));
    byChunks.finish(first);
    ASSERT_EQ(byChunks.receive(kB), S_OK);
    EXPECT_TRUE(isReceived(byChunks.takeReceive(), kText, bytes.subspan(cut), kB));
  }
}

TEST(ContractReceive, A_read_of_0_bytes_inside_a_frame_gives_the_data_so_far_as_a_fragment) {
  Endpoint server = openServer();
  const Bytes wire = clientFrame(0x82, kHello);
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(BytesView(wire).first(6 + 5));
  server.complete(server.takeReceive(), 0);
  EXPECT_TRUE(isReceived(server.takeReceive(), kBinaryFragment, "Hello"sv, kA));
}

TEST(ContractReceive, A_frame_that_fits_waits_for_its_end) {
  Endpoint server = openServer();
  std::array<std::uint8_t, 64> memory{};
  const Bytes wire = clientFrame(0x81, kHello);
  for (const bool intoApplication : {false, true}) {
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
      ASSERT_EQ(intoApplication ? server.receiveInto(memory, kA) : server.receive(kA), S_OK);
      server.feed(BytesView(wire).first(cut));
      server.feed(BytesView(wire).subspan(cut));
      const Action message = server.takeReceive();
      EXPECT_TRUE(isReceived(message, kText, kHello, kA)) << "cut after " << cut;
      EXPECT_EQ(message.buffers[0].Data.pbBuffer == memory.data(), intoApplication);
      server.finish(message);
    }
  }
}

TEST(ContractReceive, An_application_buffer_of_exactly_the_frames_size_gets_the_message) {
  Endpoint server = openServer();
  std::array<std::uint8_t, 11> memory{};
  ASSERT_EQ(server.receiveInto(memory, kA), S_OK);
  server.feed(clientFrame(0x81, kHello));
  EXPECT_TRUE(isReceived(server.takeReceive(), kText, kHello, kA));
}

TEST(ContractReceive, A_large_application_buffer_gets_a_message_larger_than_the_receive_buffer_whole) {
  Endpoint server = openServer({.receiveBufferSize = 256});
  const Bytes payload = text(5000);
  std::vector<std::uint8_t> memory(6000);
  ASSERT_EQ(server.receiveInto(memory, kA), S_OK);
  server.feed(clientFrame(0x82, payload));
  EXPECT_TRUE(isReceived(server.takeReceive(), kBinary, payload, kA));
}

TEST(ContractReceive, Empty_or_missing_application_memory_is_E_INVALIDARG) {
  Endpoint server = openServer();
  std::uint8_t byte = 0;
  for (const WEB_SOCKET_BUFFER& bad : {WEB_SOCKET_BUFFER{.Data = {&byte, 0}}, {.Data = {nullptr, 8}}, {.Data = {}}}) {
    WEB_SOCKET_BUFFER buffer = bad;
    EXPECT_EQ(WebSocketReceive(server.handle(), &buffer, kA), E_INVALIDARG);
  }
  EXPECT_TRUE(isNoAction(server.takeReceive()));
}

TEST(ContractReceive, The_first_receives_bytes_never_go_to_a_later_one) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  ASSERT_EQ(server.receive(kB), S_OK);
  server.feed(joined({clientFrame(0x81, "one"sv), clientFrame(0x81, "two"sv)}));
  const Action first = server.takeReceive();
  EXPECT_TRUE(isReceived(first, kText, "one"sv, kA));
  server.finish(first);
  const Action second = server.takeReceive();
  EXPECT_TRUE(isReceived(second, kText, "two"sv, kB));
  server.finish(second);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
}

}  // namespace
}  // namespace websocket::contract

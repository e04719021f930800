// The three driver patterns that run in production against the Windows component (T127-T129). The programs under
// examples/component/ show the same patterns in C.
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;

// The console sample's loop: ALL, whatever comes is done, and every turn ends with CompleteAction, NO_ACTION's too.
// Bytes to send go to `out`; bytes to receive come from `in`. Returns the message that was indicated last.
Bytes runAllLoop(Endpoint& endpoint, Bytes& out, Bytes& in) {
  Bytes message;
  Action action;
  do {
    action = endpoint.takeAll();
    EXPECT_EQ(action.result, S_OK);
    ULONG transferred = 0;
    switch (action.kind) {
      case WEB_SOCKET_SEND_TO_NETWORK_ACTION:
        out = joined({out, action.bytes()});
        transferred = action.total();
        break;
      case WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION:
        transferred = static_cast<ULONG>(std::min<std::size_t>(action.total(), in.size()));
        if (transferred == 0) ADD_FAILURE() << "the sample would block in its read";
        std::memcpy(action.buffers[0].Data.pbBuffer, in.data(), transferred);
        in.erase(in.begin(), in.begin() + transferred);
        break;
      case WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION:
        EXPECT_EQ(action.count, 1U) << "the sample treats anything else as impossible";
        message = action.bytes();
        break;
      default:
        break;
    }
    endpoint.complete(action, transferred);
  } while (action.kind != WEB_SOCKET_NO_ACTION && !testing::Test::HasFailure());
  return message;
}

TEST(Contract, T127_The_console_samples_exchange_works) {
  Endpoint client = openClient();
  Endpoint server = openServer();
  Bytes toServer;
  Bytes toClient;
  ASSERT_EQ(client.send(kText, kHello), S_OK);
  runAllLoop(client, toServer, toClient);
  EXPECT_EQ(unmaskedFrame(toServer), serverFrame(0x81, kHello));
  ASSERT_EQ(server.receive(), S_OK);
  EXPECT_EQ(runAllLoop(server, toClient, toServer), copy(kHello));
  EXPECT_TRUE(toServer.empty());

  // And back.
  ASSERT_EQ(server.send(kText, "Hi there"sv), S_OK);
  runAllLoop(server, toClient, toServer);
  ASSERT_EQ(client.receive(), S_OK);
  EXPECT_EQ(runAllLoop(client, toServer, toClient), copy("Hi there"sv));
  EXPECT_TRUE(isNoAction(client.takeAll()));
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(Contract, T128_Completing_every_write_with_0_keeps_the_stream_intact_and_INDICATEs_come_first) {
  Endpoint server = openServer();
  const std::array contexts{kA, kB, kC};
  std::vector<Bytes> payloads;
  for (std::size_t i = 0; i < 30; ++i) payloads.push_back(text(i * 37));
  Bytes wire;
  Bytes expected;
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    ASSERT_EQ(server.send(kText, payloads[i], contexts[i % 3]), S_OK);
    Action action = server.takeSend(2);
    if (i > 0) {  // what the previous round left unfetched
      EXPECT_TRUE(isSendComplete(action, contexts[(i - 1) % 3]));
      server.complete(action, 0);
      action = server.takeSend(2);
    }
    ASSERT_TRUE(isSend(action, kText, contexts[i % 3]));
    wire = joined({wire, action.bytes()});  // everything was written ...
    server.complete(action, 0);             // ... and nothing is reported
    expected = joined({expected, serverFrame(0x81, payloads[i])});
  }
  EXPECT_EQ(wire, expected);
  EXPECT_TRUE(isSendComplete(server.takeSend(2), contexts[(payloads.size() - 1) % 3]));
}

// What .NET checks of each buffer: inside its block, or inside the payload of the current send; not longer than the
// larger of the two buffers, the payload excepted. It looks at every element of its array, not only at the count.
void checkPointers(const Action& action, BytesView block, BytesView payload, std::size_t longest) {
  for (const WEB_SOCKET_BUFFER& buffer : action.buffers) {
    if (buffer.Data.pbBuffer == nullptr) continue;
    const auto inside = [&](BytesView range) {
      return buffer.Data.pbBuffer >= range.data() &&
             buffer.Data.pbBuffer + buffer.Data.ulBufferLength <= range.data() + range.size();
    };
    if (!payload.empty() && inside(payload)) continue;
    EXPECT_TRUE(inside(block)) << action;
    EXPECT_LE(buffer.Data.ulBufferLength, longest) << action;
  }
}

TEST(Contract, T129_The_dotnet_pattern_passes_its_pointer_checks) {
  constexpr ULONG kReceive = 16384;
  constexpr ULONG kSend = 16;
  struct alignas(8) Block {
    std::array<std::uint8_t, kReceive + kSend + 144> bytes{};
  };
  auto block = std::make_unique<Block>();
  Endpoint server =
      openServer({.receiveBufferSize = kReceive, .sendBufferSize = kSend, .allocatedBuffer = block->bytes});

  Bytes wire;
  const auto sendLoop = [&](BytesView payload) {
    for (;;) {
      const Action action = server.takeSend(2);
      ASSERT_EQ(action.result, S_OK);
      checkPointers(action, block->bytes, payload, kReceive);
      if (action.kind == WEB_SOCKET_NO_ACTION) return;
      ASSERT_NE(action.id, nullptr);
      if (action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) wire = joined({wire, action.bytes()});
      server.complete(action, action.total());
    }
  };
  const auto receiveLoop = [&](BytesView network) {
    Bytes received;
    EXPECT_EQ(server.receive(), S_OK);
    for (;;) {
      const Action action = server.takeReceive(1);
      EXPECT_EQ(action.result, S_OK);
      EXPECT_NE(action.id, nullptr);
      checkPointers(action, block->bytes, {}, kReceive);
      if (action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
        const std::size_t length = std::min<std::size_t>({action.total(), network.size(), 1000});
        if (length == 0) {
          ADD_FAILURE() << "the message did not end with its bytes";
          return received;
        }
        std::memcpy(action.buffers[0].Data.pbBuffer, network.data(), length);
        network = network.subspan(length);
        server.complete(action, static_cast<ULONG>(length));
      } else if (action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) {
        wire = joined({wire, action.bytes()});
        server.complete(action, action.total());
      } else {
        received = joined({received, action.bytes()});
        const bool last = action.kind != WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION || action.type == kText;
        server.complete(action, action.total());  // .NET passes the bytes that it copied
        if (last) return received;
        EXPECT_EQ(server.receive(), S_OK);
      }
    }
  };

  const Bytes large = text(40000);
  const Bytes small = copy(kHello);
  EXPECT_EQ(receiveLoop(joined({clientFrame(0x89, text(125)), clientFrame(0x81, large)})), large);
  EXPECT_EQ(wire, serverFrame(0x8A, text(125)));
  wire.clear();
  ASSERT_EQ(server.send(kText, large), S_OK);
  sendLoop(large);
  ASSERT_EQ(server.send(kText, small), S_OK);
  sendLoop(small);
  ASSERT_EQ(server.sendControl(WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE), S_OK);  // its keep-alive
  sendLoop({});
  EXPECT_EQ(receiveLoop(clientFrame(0x81, kHello)), small);
  const auto reason = "done"sv;
  ASSERT_EQ(server.sendClose(1000, reason), S_OK);
  sendLoop(view(reason));
  EXPECT_EQ(wire, joined({serverFrame(0x81, large), serverFrame(0x81, small), hex("8A 00"),
                          serverFrame(0x88, closePayload(1000, reason))}));
}

}  // namespace
}  // namespace websocket::contract

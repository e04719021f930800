// The nine worked sequences of the contract (section 15), step by step. The comments repeat the contract's rows.
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kTextFragment = WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE;
constexpr auto kClose = WEB_SOCKET_CLOSE_BUFFER_TYPE;
constexpr HRESULT kOperation = E_INVALID_PROTOCOL_OPERATION;

// The message "Hello World" as a client sends it with the key 37 FA 21 3D.
const Bytes kHelloFrame = hex("81 8B 37 FA 21 3D 7F 9F 4D 51 58 DA 76 52 45 96 45");

// Puts bytes into a RECEIVE_FROM_NETWORK action, as a driver's read does, and completes it.
void supply(Endpoint& endpoint, const Action& read, const Bytes& bytes) {
  ASSERT_GE(read.total(), bytes.size());
  std::memcpy(read.buffers[0].Data.pbBuffer, bytes.data(), bytes.size());
  endpoint.complete(read, static_cast<ULONG>(bytes.size()));
}

TEST(Sequences, S15_1_Handshake_both_ends) {
  // 1. Create both handles.
  const Handle client(Side::Client, {.randomBytes = "the sample nonce"});
  const Handle server(Side::Server);
  // 2. BeginClientHandshake(C, {"chat","json"}).
  Headers request;
  ASSERT_EQ(beginClient(client.get(), {"chat", "json"}, {}, &request), S_OK);
  EXPECT_EQ(request, (Headers{{"Connection", "Upgrade"},
                              {"Upgrade", "websocket"},
                              {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                              {"Sec-WebSocket-Version", "13"},
                              {"Sec-WebSocket-Protocol", "chat, json"}}));
  // 3. The driver adds Host.
  const Headers onTheWire = plus(request, "Host", "localhost");
  // 4. BeginServerHandshake(S, "json").
  Headers response;
  ASSERT_EQ(beginServer(server.get(), onTheWire, &response, "json"), S_OK);
  EXPECT_EQ(response, (Headers{{"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
                               {"Connection", "Upgrade"},
                               {"Upgrade", "websocket"},
                               {"Sec-WebSocket-Protocol", "json"}}));
  // 5. The driver sends 101. 6. EndServerHandshake.
  EXPECT_EQ(WebSocketEndServerHandshake(server.get()), S_OK);
  // 7. EndClientHandshake.
  ULONG index = 99;
  EXPECT_EQ(endClient(client.get(), response, &index), S_OK);
  EXPECT_EQ(index, 1U);
}

TEST(Sequences, S15_2_Text_message_of_a_server_with_capacity_2) {
  Endpoint server = openServer();
  // 1. WebSocketSend: nothing moves yet.
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  // 2. SEND_TO_NETWORK: header from the component, payload from the application.
  const Action send = server.takeSend(2);
  ASSERT_TRUE(isSend(send, kText, kA));
  ASSERT_EQ(send.count, 2U);
  EXPECT_EQ(send.buffers[0].Data.ulBufferLength, 2U);
  EXPECT_EQ(send.buffers[1].Data.pbBuffer, view(kHello).data());
  EXPECT_EQ(send.buffers[1].Data.ulBufferLength, 11U);
  EXPECT_EQ(send.bytes(), joined({hex("81 0B"), copy(kHello)}));
  // 3. CA(13). 4. INDICATE_SEND_COMPLETE.
  server.complete(send, 13);
  const Action done = server.takeSend(2);
  EXPECT_TRUE(isSendComplete(done, kA));
  // 5. CA(0): the operation is removed. 6. NO_ACTION.
  server.complete(done, 0);
  EXPECT_TRUE(isNoAction(server.takeSend(2)));
}

TEST(Sequences, S15_2_Text_message_of_a_server_with_capacity_1_and_of_a_client) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  const Action header = server.takeSend(1);
  EXPECT_EQ(header.bytes(), hex("81 0B"));
  server.complete(header, 2);
  const Action payload = server.takeSend(1);
  EXPECT_EQ(payload.bytes(), copy(kHello));
  server.complete(payload, 11);
  EXPECT_TRUE(isSendComplete(server.takeSend(1), kA));

  Endpoint client = openClient({.randomBytes = kMaskingKeyText});
  ASSERT_EQ(client.send(kText, kHello, kA), S_OK);
  const Action masked = client.takeSend(2);
  ASSERT_TRUE(isSend(masked, kText, kA));
  EXPECT_EQ(masked.count, 1U);
  EXPECT_EQ(masked.bytes(), kHelloFrame);
  client.complete(masked, 17);
  EXPECT_TRUE(isSendComplete(client.takeSend(2), kA));

  Endpoint zeroKey = openClient({.disableMasking = true});
  ASSERT_EQ(zeroKey.send(kText, kHello, kA), S_OK);
  EXPECT_EQ(zeroKey.takeSend(2).bytes(), joined({hex("81 8B 00 00 00 00"), copy(kHello)}));
}

TEST(Sequences, S15_3_Receive_in_one_piece) {
  Endpoint server = openServer();
  // 1. WebSocketReceive(S, NULL, ctx).
  ASSERT_EQ(server.receive(kA), S_OK);
  // 2. RECEIVE_FROM_NETWORK with 4096 writable bytes.
  const Action read = server.takeReceive();
  ASSERT_TRUE(isRead(read, kA));
  EXPECT_EQ(read.total(), 4096U);
  // 3. The driver reads 17 bytes.
  supply(server, read, kHelloFrame);
  // 4. INDICATE_RECEIVE_COMPLETE, unmasked.
  const Action message = server.takeReceive();
  EXPECT_TRUE(isReceived(message, kText, kHello, kA));
  // 5. CA(0). 6. NO_ACTION: a new WebSocketReceive is needed.
  server.complete(message, 0);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
}

TEST(Sequences, S15_3_Receive_in_one_piece_with_a_split_read) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  supply(server, server.takeReceive(), {kHelloFrame.begin(), kHelloFrame.begin() + 5});
  const Action more = server.takeReceive();
  ASSERT_TRUE(isRead(more, kA));
  supply(server, more, {kHelloFrame.begin() + 5, kHelloFrame.end()});
  EXPECT_TRUE(isReceived(server.takeReceive(), kText, kHello, kA));
}

TEST(Sequences, S15_4_Receive_in_fragments) {
  Endpoint server = openServer();
  std::array<std::uint8_t, 8> memory{};
  // 1. WebSocketReceive(S, {app,8}, a), read 17.
  ASSERT_EQ(server.receiveInto(memory, kA), S_OK);
  supply(server, server.takeReceive(), kHelloFrame);
  // 2. UTF8_FRAGMENT.
  const Action first = server.takeReceive();
  EXPECT_TRUE(isReceived(first, kTextFragment, "Hello Wo"sv, kA));
  EXPECT_EQ(first.buffers[0].Data.pbBuffer, memory.data());
  // 3. CA(0), WebSocketReceive(S, {app,8}, b).
  server.complete(first, 0);
  ASSERT_EQ(server.receiveInto(memory, kB), S_OK);
  // 4. UTF8_MESSAGE without a network read.
  const Action second = server.takeReceive();
  EXPECT_TRUE(isReceived(second, kText, "rld"sv, kB));
  EXPECT_EQ(second.buffers[0].Data.pbBuffer, memory.data());
  // 5. CA(0).
  server.complete(second, 0);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
}

TEST(Sequences, S15_5_Ping_received_while_receiving) {
  Endpoint server = openServer();
  // 1. A receive is pending; the ping "Hi" is read.
  ASSERT_EQ(server.receive(kA), S_OK);
  supply(server, server.takeReceive(), hex("89 82 37 FA 21 3D 7F 93"));
  // 2. SEND_TO_NETWORK with the reply.
  const Action reply = server.takeReceive(2);
  EXPECT_TRUE(isReply(reply));
  EXPECT_EQ(reply.bytes(), hex("8A 02 48 69"));
  // 3. Meanwhile a queued send is blocked.
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  EXPECT_TRUE(isNoAction(server.takeSend()));
  // 4. CA(4). 5. The receive goes on.
  server.complete(reply, 4);
  EXPECT_TRUE(isRead(server.takeReceive(), kA));
}

TEST(Sequences, S15_6_Application_initiated_close) {
  Endpoint server = openServer();
  // 1. WebSocketSend(S, CLOSE, {"bye",3,1000}).
  ASSERT_EQ(server.sendClose(1000, "bye", kA), S_OK);
  // 2. SEND_TO_NETWORK, CLOSE.
  const Action send = server.takeSend();
  ASSERT_TRUE(isSend(send, kClose, kA));
  EXPECT_EQ(send.bytes(), hex("88 05 03 E8 62 79 65"));
  // 3. CA(7), INDICATE, CA(0).
  server.complete(send, 7);
  const Action done = server.takeSend();
  EXPECT_TRUE(isSendComplete(done, kA));
  server.complete(done, 0);
  // 4. Data is refused now.
  EXPECT_EQ(server.send(kText, kHello), kOperation);
  // 5. The peer's close is read. 6. INDICATE_RECEIVE_COMPLETE, CLOSE.
  ASSERT_EQ(server.receive(kB), S_OK);
  supply(server, server.takeReceive(), hex("88 82 37 FA 21 3D 34 12"));
  const Action close = server.takeReceive();
  EXPECT_TRUE(isClose(close, 1000, "", kB));
  EXPECT_NE(close.buffers[0].CloseStatus.pbReason, nullptr);
  // 7. CA(0); the driver closes the transport.
  server.complete(close, 0);
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(Sequences, S15_7_Peer_initiated_close) {
  Endpoint client = openClient({.randomBytes = kMaskingKeyText});
  // 1. The empty close is read. 2. INDICATE_RECEIVE_COMPLETE, CLOSE.
  ASSERT_EQ(client.receive(kA), S_OK);
  supply(client, client.takeReceive(), hex("88 00"));
  const Action close = client.takeReceive();
  EXPECT_TRUE(isClose(close, 1005, "", kA));
  EXPECT_EQ(close.buffers[0].CloseStatus.pbReason, nullptr);
  // 3. No echo was generated.
  client.complete(close, 0);
  EXPECT_TRUE(isNoAction(client.takeAll()));
  // 4. Data may still be sent.
  ASSERT_EQ(client.send(kText, kHello), S_OK);
  EXPECT_EQ(unmaskedFrame(client.flush()), serverFrame(0x81, kHello));
  // 5. The application answers. 6. CA(6), INDICATE, CA(0).
  ASSERT_EQ(client.sendControl(kClose, kB), S_OK);
  const Action answer = client.takeSend();
  ASSERT_TRUE(isSend(answer, kClose, kB));
  EXPECT_EQ(answer.bytes(), hex("88 80 37 FA 21 3D"));
  client.complete(answer, 6);
  const Action done = client.takeSend();
  EXPECT_TRUE(isSendComplete(done, kB));
  client.complete(done, 0);
  // 7. No further receive.
  EXPECT_EQ(client.receive(), kOperation);
}

TEST(Sequences, S15_8_Abort_in_the_middle_of_a_send) {
  Endpoint server = openServer();
  // 1. Send(a), Send(b), Receive(c); a's action is outstanding.
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  ASSERT_EQ(server.receive(kC), S_OK);
  const Action send = server.takeSend();
  ASSERT_TRUE(isSend(send, kText, kA));
  // 2. WebSocketAbortHandle. 3. Send and Receive fail.
  WebSocketAbortHandle(server.handle());
  EXPECT_EQ(server.send(kText, kHello), kOperation);
  EXPECT_EQ(server.receive(), kOperation);
  // 4. a's action is still outstanding. 5. The write failed.
  EXPECT_TRUE(isNoAction(server.takeSend()));
  server.complete(send, 0);
  // 6. and 7. INDICATE for a, then for b, which never started.
  for (const PVOID context : {kA, kB}) {
    const Action done = server.takeSend();
    EXPECT_TRUE(isSendComplete(done, context));
    server.complete(done, 0);
  }
  // 8. INDICATE for c.
  const Action ended = server.takeReceive();
  EXPECT_TRUE(isEmptyReceive(ended, kC));
  server.complete(ended, 0);
  // 9. Drained: DeleteHandle is legal.
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(Sequences, S15_9_Protocol_error_received) {
  Endpoint server = openServer();
  // 1. Text C3 28 is read.
  ASSERT_EQ(server.receive(kC), S_OK);
  supply(server, server.takeReceive(), hex("81 82 37 FA 21 3D F4 D2"));
  // 2. GA fails; nothing is queued for sending.
  EXPECT_TRUE(isFailure(server.takeReceive(), E_INVALID_PROTOCOL_FORMAT));
  EXPECT_TRUE(isNoAction(server.takeSend()));
  // 3. The application may tell the peer.
  ASSERT_EQ(server.sendClose(1007), S_OK);
  EXPECT_EQ(server.flush(), hex("88 02 03 EF"));
  // 4. Abort and drain.
  WebSocketAbortHandle(server.handle());
  const Action ended = server.takeReceive();
  EXPECT_TRUE(isEmptyReceive(ended, kC));
  server.complete(ended, 0);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  // 5. DeleteHandle, by the Endpoint.
}

}  // namespace
}  // namespace websocket::contract

// Contract, sections 11 and 12: abort, drain and delete (T117-T120).
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;

TEST(Contract, T117_Abort_makes_every_queued_operation_an_indication_in_order) {
  for (const ULONG capacity : {1U, 2U}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
    ASSERT_EQ(server.sendControl(WEB_SOCKET_PING_PONG_BUFFER_TYPE, kB), S_OK);
    ASSERT_EQ(server.receive(kC), S_OK);
    ASSERT_EQ(server.receive(kA), S_OK);
    WebSocketAbortHandle(server.handle());
    for (const PVOID context : {kA, kB}) {
      const Action sent = server.takeSend(capacity);
      EXPECT_TRUE(isSendComplete(sent, context));
      server.complete(sent, 0);
    }
    EXPECT_TRUE(isNoAction(server.takeSend(capacity)));
    for (const PVOID context : {kC, kA}) {
      const Action received = server.takeReceive(capacity);
      EXPECT_TRUE(isEmptyReceive(received, context));
      server.complete(received, 0);
    }
    EXPECT_TRUE(isNoAction(server.takeReceive(capacity)));
    EXPECT_TRUE(isNoAction(server.takeAll(capacity)));
  }
}

TEST(Contract, T118_An_action_outstanding_at_the_abort_stays_so_until_it_is_completed) {
  for (const ULONG transferred : {0U, 13U, 5U}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
    const Action send = server.takeSend();
    WebSocketAbortHandle(server.handle());
    EXPECT_TRUE(isNoAction(server.takeSend()));
    EXPECT_TRUE(isNoAction(server.takeAll()));
    server.complete(send, transferred);
    const Action sent = server.takeSend();
    EXPECT_TRUE(isSendComplete(sent, kA)) << transferred << " bytes";
    server.finish(sent);
    EXPECT_TRUE(isNoAction(server.takeSend()));
  }
}

TEST(Contract, T119_After_the_abort_Send_and_Receive_fail) {
  for (const Side side : {Side::Server, Side::Client}) {
    Endpoint endpoint(side);
    WebSocketAbortHandle(endpoint.handle());
    EXPECT_EQ(endpoint.send(kText, kHello), E_INVALID_PROTOCOL_OPERATION);
    EXPECT_EQ(endpoint.sendControl(WEB_SOCKET_PING_PONG_BUFFER_TYPE), E_INVALID_PROTOCOL_OPERATION);
    EXPECT_EQ(endpoint.sendControl(WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE), E_INVALID_PROTOCOL_OPERATION);
    EXPECT_EQ(endpoint.sendClose(1000), E_INVALID_PROTOCOL_OPERATION);
    EXPECT_EQ(endpoint.receive(), E_INVALID_PROTOCOL_OPERATION);
    EXPECT_TRUE(isNoAction(endpoint.takeAll()));
  }
}

TEST(Contract, T120_Abort_twice_and_delete_without_draining_are_safe) {
  Endpoint twice = openServer();
  ASSERT_EQ(twice.send(kText, kHello, kA), S_OK);
  WebSocketAbortHandle(twice.handle());
  WebSocketAbortHandle(twice.handle());
  EXPECT_TRUE(isSendComplete(twice.takeSend(), kA)) << "one indication, not two";
  WebSocketAbortHandle(twice.handle());
  EXPECT_TRUE(isNoAction(twice.takeSend())) << "the indication is outstanding";

  Endpoint undrained = openServer();
  ASSERT_EQ(undrained.send(kText, kHello, kA), S_OK);
  ASSERT_EQ(undrained.send(kText, kHello, kB), S_OK);
  ASSERT_EQ(undrained.receive(kC), S_OK);
  EXPECT_TRUE(isRead(undrained.takeReceive(), kC));
  EXPECT_TRUE(isSend(undrained.takeSend(), kText, kA));
  WebSocketAbortHandle(undrained.handle());  // and the Endpoint deletes it
}

TEST(ContractAbort, A_read_outstanding_at_the_abort_ends_without_data_whatever_was_read) {
  for (const bool withData : {false, true}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.receive(kA), S_OK);
    const Action read = server.takeReceive();
    const Bytes wire = clientFrame(0x81, kHello);
    std::memcpy(read.buffers[0].Data.pbBuffer, wire.data(), wire.size());
    WebSocketAbortHandle(server.handle());
    EXPECT_TRUE(isNoAction(server.takeReceive()));
    server.complete(read, withData ? static_cast<ULONG>(wire.size()) : 0);
    const Action ended = server.takeReceive();
    EXPECT_TRUE(isEmptyReceive(ended, kA));
    server.finish(ended);
    EXPECT_TRUE(isNoAction(server.takeReceive()));
  }
}

TEST(ContractAbort, Received_data_not_yet_indicated_is_dropped) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x81, kHello));
  WebSocketAbortHandle(server.handle());
  EXPECT_TRUE(isEmptyReceive(server.takeReceive(), kA));
}

TEST(ContractAbort, A_message_found_while_ALL_gave_a_send_is_dropped) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x81, kHello));
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action send = server.takeAll();
  ASSERT_TRUE(isSend(send, kText, kB));
  WebSocketAbortHandle(server.handle());
  EXPECT_TRUE(isEmptyReceive(server.takeReceive(), kA));
}

TEST(ContractAbort, A_deferred_ping_reply_is_dropped) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action send = server.takeSend();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x89, "Hi"sv));
  const Action read = server.takeReceive();
  ASSERT_TRUE(isRead(read, kA));
  WebSocketAbortHandle(server.handle());
  server.finish(send);
  const Action sent = server.takeSend();
  EXPECT_TRUE(isSendComplete(sent, kB));
  server.finish(sent);
  EXPECT_TRUE(isNoAction(server.takeSend()));
  EXPECT_TRUE(isNoAction(server.takeReceive())) << "the read is outstanding";
  server.complete(read, 0);
  const Action ended = server.takeReceive();
  EXPECT_TRUE(isEmptyReceive(ended, kA));
  server.finish(ended);
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractAbort, An_unsent_ping_reply_is_dropped) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x89, "Hi"sv));
  WebSocketAbortHandle(server.handle());
  const Action ended = server.takeAll();
  EXPECT_TRUE(isEmptyReceive(ended, kA));
  server.finish(ended);
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractAbort, An_outstanding_ping_reply_stays_so_until_it_is_completed) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x89, "Hi"sv));
  const Action reply = server.takeReceive(2);
  ASSERT_TRUE(isReply(reply));
  WebSocketAbortHandle(server.handle());
  server.complete(reply, 0);
  const Action ended = server.takeReceive();
  EXPECT_TRUE(isEmptyReceive(ended, kA));
  server.finish(ended);
  const Action sent = server.takeSend();
  EXPECT_TRUE(isSendComplete(sent, kB));
  server.finish(sent);
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractAbort, Indications_outstanding_at_the_abort_are_completed_once) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  server.finish(server.takeSend());
  const Action sent = server.takeSend();
  ASSERT_TRUE(isSendComplete(sent, kA));
  const Action received = server.receiveNow(clientFrame(0x81, kHello), kB);
  ASSERT_TRUE(isReceived(received, kText, kHello, kB));
  WebSocketAbortHandle(server.handle());
  EXPECT_EQ(received.bytes(), copy(kHello)) << "the payload stays readable until the indication is completed";
  EXPECT_TRUE(isNoAction(server.takeAll()));
  server.finish(sent);
  server.finish(received);
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractAbort, Both_queues_can_be_drained_through_ALL) {
  Endpoint client = openClient();
  for (const PVOID context : {kA, kB}) {
    ASSERT_EQ(client.send(kText, kHello, context), S_OK);
    ASSERT_EQ(client.receive(context), S_OK);
  }
  WebSocketAbortHandle(client.handle());
  std::vector<PVOID> sent;
  std::vector<PVOID> received;
  for (Action a = client.takeAll(1); a.kind != WEB_SOCKET_NO_ACTION; a = client.takeAll(1)) {
    EXPECT_EQ(a.result, S_OK);
    EXPECT_EQ(a.count, 0U);
    (a.kind == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION ? sent : received).push_back(a.context);
    client.complete(a, 0);
  }
  EXPECT_EQ(sent, (std::vector<PVOID>{kA, kB}));
  EXPECT_EQ(received, (std::vector<PVOID>{kA, kB}));
}

TEST(ContractDelete, A_handle_may_be_deleted_in_any_state) {
  for (const Side side : {Side::Server, Side::Client}) {
    const Handle created(side);
    const Handle begun(side);
    EXPECT_EQ(side == Side::Client ? beginClient(begun.get(), {"a"}, {"b"}) : beginServer(begun.get(), dummyRequest()),
              S_OK);
    const Endpoint opened(side);
    Endpoint busy(side);
    EXPECT_EQ(busy.send(kText, kHello), S_OK);
    EXPECT_EQ(busy.receive(), S_OK);
    EXPECT_EQ(busy.takeSend().kind, WEB_SOCKET_SEND_TO_NETWORK_ACTION);
    EXPECT_EQ(busy.takeReceive().kind, WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION);
  }
}

TEST(ContractDelete, Contexts_and_memory_of_queued_operations_are_not_written) {
  const Bytes payload = text(100);
  std::array<std::uint8_t, 64> memory{};
  int context = 4711;
  {
    Endpoint client = openClient();
    EXPECT_EQ(client.send(kText, payload, &context), S_OK);
    EXPECT_EQ(client.receiveInto(memory, &context), S_OK);
    WebSocketAbortHandle(client.handle());
  }
  EXPECT_EQ(context, 4711);
  EXPECT_EQ(payload, text(100));
  EXPECT_EQ(memory, (std::array<std::uint8_t, 64>{}));
}

}  // namespace
}  // namespace websocket::contract

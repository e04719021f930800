// Contract, sections 8.2, 8.3, 8.5 and 10.5: the arguments of WebSocketGetAction, what it writes, priorities, and the
// completion of actions in any order.
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr auto kText = WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
constexpr auto kPing = WEB_SOCKET_PING_PONG_BUFFER_TYPE;

TEST(ContractActions, Missing_outputs_a_capacity_of_0_and_an_unknown_queue_are_E_INVALIDARG) {
  Endpoint server = openServer();
  std::array<WEB_SOCKET_BUFFER, 2> buffers{};
  ULONG count = 2;
  ULONG none = 0;
  WEB_SOCKET_ACTION action{};
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID context = nullptr;
  PVOID id = nullptr;
  const auto all = WEB_SOCKET_ALL_ACTION_QUEUE;
  const auto get = [&](WEB_SOCKET_ACTION_QUEUE queue, WEB_SOCKET_BUFFER* b, ULONG* n, WEB_SOCKET_ACTION* a,
                       WEB_SOCKET_BUFFER_TYPE* t,
                       PVOID* i) { return WebSocketGetAction(server.handle(), queue, b, n, a, t, &context, i); };
  EXPECT_EQ(get(all, nullptr, &count, &action, &type, &id), E_INVALIDARG);
  count = 2;
  EXPECT_EQ(get(all, buffers.data(), nullptr, &action, &type, &id), E_INVALIDARG);
  EXPECT_EQ(get(all, buffers.data(), &none, &action, &type, &id), E_INVALIDARG);
  count = 2;
  EXPECT_EQ(get(all, buffers.data(), &count, nullptr, &type, &id), E_INVALIDARG);
  count = 2;
  EXPECT_EQ(get(all, buffers.data(), &count, &action, nullptr, &id), E_INVALIDARG);
  count = 2;
  EXPECT_EQ(get(all, buffers.data(), &count, &action, &type, nullptr), E_INVALIDARG);
  count = 2;
  EXPECT_EQ(get(static_cast<WEB_SOCKET_ACTION_QUEUE>(0), buffers.data(), &count, &action, &type, &id), E_INVALIDARG);
  EXPECT_EQ(action, WEB_SOCKET_NO_ACTION);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(id, nullptr);
  count = 2;
  EXPECT_EQ(WebSocketGetAction(server.handle(), all, buffers.data(), &count, &action, &type, nullptr, &id), S_OK)
      << "the application context is optional";
}

TEST(ContractActions, Unused_buffers_are_left_untouched) {
  // .NET looks at all elements of its array, not only at the returned count.
  const auto takeMarked = [](Endpoint& endpoint, WEB_SOCKET_ACTION_QUEUE queue) {
    Action a;
    for (auto& buffer : a.buffers) buffer.Data = {static_cast<PBYTE>(kA), 4711};
    a.count = 2;
    a.result =
        WebSocketGetAction(endpoint.handle(), queue, a.buffers.data(), &a.count, &a.kind, &a.type, &a.context, &a.id);
    for (std::size_t i = a.count; i < a.buffers.size(); ++i) {
      EXPECT_EQ(a.buffers[i].Data.pbBuffer, kA) << a;
      EXPECT_EQ(a.buffers[i].Data.ulBufferLength, 4711U) << a;
    }
    return a;
  };
  Endpoint client = openClient();
  EXPECT_TRUE(isNoAction(takeMarked(client, WEB_SOCKET_ALL_ACTION_QUEUE)));
  ASSERT_EQ(client.send(kText, kHello, kB), S_OK);
  client.finish(takeMarked(client, WEB_SOCKET_SEND_ACTION_QUEUE));
  client.finish(takeMarked(client, WEB_SOCKET_SEND_ACTION_QUEUE));
  ASSERT_EQ(client.receive(kB), S_OK);
  const Action read = takeMarked(client, WEB_SOCKET_RECEIVE_ACTION_QUEUE);
  EXPECT_TRUE(isRead(read, kB));
  client.complete(read, 0);
  EXPECT_TRUE(isEmptyReceive(takeMarked(client, WEB_SOCKET_RECEIVE_ACTION_QUEUE), kB));
}

TEST(ContractActions, Under_ALL_a_ping_reply_goes_before_sends_and_sends_before_receives) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  server.feed(clientFrame(0x89, "Hi"sv));
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  const Action reply = server.takeAll();
  EXPECT_TRUE(isReply(reply));
  server.finish(reply);
  const Action send = server.takeAll();
  EXPECT_TRUE(isSend(send, kText, kB));
  server.finish(send);
  const Action sent = server.takeAll();
  EXPECT_TRUE(isSendComplete(sent, kB));
  server.finish(sent);
  EXPECT_TRUE(isRead(server.takeAll(), kA));
}

TEST(ContractActions, Under_ALL_an_outstanding_send_does_not_hide_the_receive) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  ASSERT_EQ(server.receive(kA), S_OK);
  const Action send = server.takeAll();
  EXPECT_TRUE(isSend(send, kText, kB));
  const Action read = server.takeAll();
  EXPECT_TRUE(isRead(read, kA));
  EXPECT_TRUE(isNoAction(server.takeAll()));
}

TEST(ContractActions, A_send_and_a_receive_action_may_be_completed_in_either_order) {
  for (const bool sendFirst : {true, false}) {
    Endpoint server = openServer();
    ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
    ASSERT_EQ(server.receive(kA), S_OK);
    const Action send = server.takeSend();
    const Action read = server.takeReceive();
    EXPECT_NE(send.id, read.id);
    const Bytes wire = clientFrame(0x81, kHello);
    std::memcpy(read.buffers[0].Data.pbBuffer, wire.data(), wire.size());
    if (sendFirst) server.finish(send);
    server.complete(read, static_cast<ULONG>(wire.size()));
    if (!sendFirst) server.finish(send);
    EXPECT_TRUE(isSendComplete(server.takeSend(), kB));
    EXPECT_TRUE(isReceived(server.takeReceive(), kText, kHello, kA));
  }
}

TEST(ContractActions, Stale_and_unknown_contexts_are_ignored) {
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kA), S_OK);
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  ASSERT_EQ(server.receive(kC), S_OK);
  const Action send = server.takeSend();
  server.finish(send);
  server.finish(send);  // twice: the second has no effect
  const Action sent = server.takeSend();
  EXPECT_TRUE(isSendComplete(sent, kA));
  server.finish(send);
  EXPECT_TRUE(isNoAction(server.takeSend())) << "a stale context did not complete the indication";
  server.finish(sent);
  const Action next = server.takeSend();
  EXPECT_TRUE(isSend(next, kText, kB));
  server.complete(sent, 0);
  server.complete(send, 0);
  WebSocketCompleteAction(server.handle(), &server, 3);
  EXPECT_TRUE(isNoAction(server.takeSend()));
  const Action read = server.takeReceive();
  EXPECT_TRUE(isRead(read, kC));
  server.complete(send, 0);
  EXPECT_TRUE(isNoAction(server.takeReceive()));
  server.finish(next);
  EXPECT_TRUE(isSendComplete(server.takeSend(), kB));
}

#ifdef NDEBUG  // a debug build may assert
TEST(ContractActions, More_bytes_than_the_space_count_as_a_failed_read) {
  Endpoint server = openServer();
  ASSERT_EQ(server.receive(kA), S_OK);
  const Action read = server.takeReceive();
  server.complete(read, read.total() + 1);
  EXPECT_TRUE(isEmptyReceive(server.takeReceive(), kA));
}
#endif

TEST(ContractActions, A_ping_reply_waits_for_the_application_frame_being_written_and_comes_on_RECEIVE_too) {
  // Capacity 1: header and payload are two actions, and the reply must not come between them.
  Endpoint server = openServer();
  ASSERT_EQ(server.send(kText, kHello, kB), S_OK);
  ASSERT_EQ(server.receive(kA), S_OK);
  const Action header = server.takeSend(1);
  EXPECT_EQ(header.bytes(), hex("81 0B"));
  server.feed(clientFrame(0x89, "Hi"sv));
  const Action read = server.takeReceive(2);
  EXPECT_TRUE(isRead(read, kA));
  server.finish(header);
  const Action payload = server.takeSend(1);
  EXPECT_TRUE(isSend(payload, kText, kB));
  EXPECT_EQ(payload.bytes(), copy(kHello));
  server.finish(payload);
  const Bytes more = clientFrame(0x8A, ""sv);  // an unsolicited pong ends the read and completes nothing
  std::memcpy(read.buffers[0].Data.pbBuffer, more.data(), more.size());
  server.complete(read, static_cast<ULONG>(more.size()));
  const Action reply = server.takeReceive(2);
  EXPECT_TRUE(isReply(reply));
  EXPECT_EQ(reply.bytes(), serverFrame(0x8A, "Hi"sv));
}

TEST(ContractActions, A_ping_reply_never_stands_between_the_chunks_of_a_client_frame) {
  Endpoint client = openClient({.sendBufferSize = 16});
  const Bytes payload = text(100);
  ASSERT_EQ(client.send(kText, payload, kB), S_OK);
  ASSERT_EQ(client.receive(kA), S_OK);
  const Action first = client.takeSend();
  client.feed(serverFrame(0x89, "Hi"sv));
  Bytes wire = first.bytes();
  client.finish(first);
  // Between two chunks no action is outstanding, and still the frame is not finished: both queues are asked.
  Bytes reply;
  for (int idle = 0; idle < 2;) {
    idle = 0;
    for (const auto queue : {WEB_SOCKET_RECEIVE_ACTION_QUEUE, WEB_SOCKET_SEND_ACTION_QUEUE}) {
      const Action a = client.take(queue);
      ASSERT_EQ(a.result, S_OK);
      if (a.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION && a.context == nullptr) {
        EXPECT_EQ(wire.size(), 2 + 4 + payload.size()) << "inside the frame";
        reply = joined({reply, a.bytes()});
      } else if (a.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) {
        wire = joined({wire, a.bytes()});
      }
      if (a.kind == WEB_SOCKET_NO_ACTION || a.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
        ++idle;  // a read stays outstanding
      } else {
        client.finish(a);
      }
    }
  }
  EXPECT_EQ(unmaskedFrame(wire), serverFrame(0x81, payload));
  EXPECT_EQ(unmaskedFrame(reply), serverFrame(0x8A, "Hi"sv));
}

TEST(ContractActions, Nothing_is_parsed_without_a_receive) {
  Endpoint server = openServer();
  const Action message = server.receiveNow(joined({clientFrame(0x81, kHello), clientFrame(0x89, "Hi"sv)}), kA);
  EXPECT_TRUE(isReceived(message, kText, kHello, kA));
  server.finish(message);
  EXPECT_TRUE(isNoAction(server.takeAll())) << "the ping is answered when the application receives";
  ASSERT_EQ(server.receive(kB), S_OK);
  const Action reply = server.takeAll();
  EXPECT_TRUE(isReply(reply));
  server.finish(reply);
  EXPECT_TRUE(isRead(server.takeAll(), kB));
}

TEST(ContractActions, A_reply_with_capacity_one_is_written_completely) {
  for (const Side side : {Side::Server, Side::Client}) {
    Endpoint endpoint(side, {.sendBufferSize = 16});
    const Bytes payload = text(125);
    ASSERT_EQ(endpoint.receive(kA), S_OK);
    endpoint.feed(peerFrame(side, 0x89, payload));
    Bytes wire;
    Action a = endpoint.takeAll(1);
    for (; a.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION; a = endpoint.takeAll(1)) {
      EXPECT_EQ(a.count, 1U);
      EXPECT_EQ(a.type, kPing);
      wire = joined({wire, a.bytes()});
      endpoint.finish(a);
    }
    EXPECT_TRUE(isRead(a, kA));
    EXPECT_EQ(side == Side::Client ? unmaskedFrame(wire) : wire, serverFrame(0x8A, payload));
  }
}

}  // namespace
}  // namespace websocket::contract

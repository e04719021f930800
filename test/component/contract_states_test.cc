// Contract, section 5.2: every call in every state, as one table; then roles and NULL handles.
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

constexpr HRESULT kOp = E_INVALID_PROTOCOL_OPERATION;
constexpr HRESULT kAny = 1;  // the contract leaves this cell open

enum class Call { Begin, EndClient, EndServer, SendData, SendPing, SendPong, SendClose, Receive, GetAction };

struct Row {
  const char* state;
  Side side;
  void (*reach)(WEB_SOCKET_HANDLE);  // takes a new handle into the state
  HRESULT begin, endClient, endServer, sendData, sendPing, sendPong, sendClose, receive, getAction;
};

HRESULT getAction(WEB_SOCKET_HANDLE handle, WEB_SOCKET_ACTION_QUEUE queue) {
  std::array<WEB_SOCKET_BUFFER, 2> buffers{};
  ULONG count = 2;
  WEB_SOCKET_ACTION action = WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION;
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID context = nullptr;
  PVOID id = &count;
  const HRESULT result = WebSocketGetAction(handle, queue, buffers.data(), &count, &action, &type, &context, &id);
  if (FAILED(result)) {
    EXPECT_EQ(action, WEB_SOCKET_NO_ACTION);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(id, nullptr);
  } else {
    WebSocketCompleteAction(handle, id, 0);
  }
  return result;
}

HRESULT perform(Call call, Side side, WEB_SOCKET_HANDLE handle) {
  WEB_SOCKET_BUFFER data{.Data = {const_cast<PBYTE>(view(kHello).data()), 11}};
  switch (call) {
    case Call::Begin:
      return side == Side::Client ? beginClient(handle, {}, {}) : beginServer(handle, dummyRequest());
    case Call::EndClient:
      return endClient(handle, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", "x"}});
    case Call::EndServer:
      return WebSocketEndServerHandshake(handle);
    case Call::SendData:
      return WebSocketSend(handle, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &data, nullptr);
    case Call::SendPing:
      return WebSocketSend(handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, nullptr);
    case Call::SendPong:
      return WebSocketSend(handle, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE, nullptr, nullptr);
    case Call::SendClose:
      return WebSocketSend(handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, nullptr, nullptr);
    case Call::Receive:
      return WebSocketReceive(handle, nullptr, nullptr);
    case Call::GetAction:
      return getAction(handle, WEB_SOCKET_SEND_ACTION_QUEUE);
  }
  return E_FAIL;
}

// Supplies bytes to an open handle and completes what they give.
void feedAndFinish(WEB_SOCKET_HANDLE handle, const Bytes& bytes) {
  EXPECT_EQ(WebSocketReceive(handle, nullptr, nullptr), S_OK);
  WEB_SOCKET_BUFFER buffer{};
  WEB_SOCKET_ACTION action{};
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID id = nullptr;
  for (int step = 0; step < 2; ++step) {
    ULONG count = 1;
    const HRESULT result =
        WebSocketGetAction(handle, WEB_SOCKET_RECEIVE_ACTION_QUEUE, &buffer, &count, &action, &type, nullptr, &id);
    if (FAILED(result)) return;
    if (action == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
      std::memcpy(buffer.Data.pbBuffer, bytes.data(), bytes.size());
      WebSocketCompleteAction(handle, id, static_cast<ULONG>(bytes.size()));
    } else {
      WebSocketCompleteAction(handle, id, 0);
    }
  }
}

void stay(WEB_SOCKET_HANDLE) {}
void beginAsClient(WEB_SOCKET_HANDLE handle) { EXPECT_EQ(beginClient(handle, {}, {}), S_OK); }
void beginAsServer(WEB_SOCKET_HANDLE handle) { EXPECT_EQ(beginServer(handle, dummyRequest()), S_OK); }
void openClientHandle(WEB_SOCKET_HANDLE handle) { open(Side::Client, handle); }
void openServerHandle(WEB_SOCKET_HANDLE handle) { open(Side::Server, handle); }

template <Side side>
void openIt(WEB_SOCKET_HANDLE handle) {
  side == Side::Client ? openClientHandle(handle) : openServerHandle(handle);
}
template <Side side>
void sendClose(WEB_SOCKET_HANDLE handle) {
  openIt<side>(handle);
  EXPECT_EQ(WebSocketSend(handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, nullptr, nullptr), S_OK);
}
template <Side side>
void receiveClose(WEB_SOCKET_HANDLE handle) {
  openIt<side>(handle);
  feedAndFinish(handle, peerFrame(side, 0x88, {}));
}
template <Side side>
void close(WEB_SOCKET_HANDLE handle) {
  sendClose<side>(handle);
  feedAndFinish(handle, peerFrame(side, 0x88, {}));
}
template <Side side>
void fault(WEB_SOCKET_HANDLE handle) {
  openIt<side>(handle);
  feedAndFinish(handle, peerFrame(side, 0x83, {}));
  EXPECT_EQ(getAction(handle, WEB_SOCKET_RECEIVE_ACTION_QUEUE), E_INVALID_PROTOCOL_FORMAT);
}
template <Side side>
void abort(WEB_SOCKET_HANDLE handle) {
  openIt<side>(handle);
  WebSocketAbortHandle(handle);
}

constexpr Side C = Side::Client;
constexpr Side S = Side::Server;

// EndClientHandshake is asked of clients only and EndServerHandshake of servers only; the wrong role has a test below.
const std::vector<Row> kTable{
    // state, side, reach,         Begin EndC  EndS  data  ping  pong  close recv  GetAction
    {"CREATED", C, stay, S_OK, kOp, kAny, kOp, kOp, kOp, kOp, kOp, kOp},
    {"CREATED", S, stay, S_OK, kAny, kOp, kOp, kOp, kOp, kOp, kOp, kOp},
    {"HANDSHAKING", C, beginAsClient, kOp, E_INVALID_PROTOCOL_FORMAT, kAny, kOp, kOp, kOp, kOp, kOp, kOp},
    {"HANDSHAKING", S, beginAsServer, kOp, kAny, S_OK, S_OK, S_OK, S_OK, S_OK, S_OK, S_OK},
    {"OPEN", C, openIt<C>, kOp, kOp, kAny, S_OK, S_OK, S_OK, S_OK, S_OK, S_OK},
    {"OPEN", S, openIt<S>, kOp, kAny, S_OK, S_OK, S_OK, S_OK, S_OK, S_OK, S_OK},
    {"OPEN+close_sent", C, sendClose<C>, kOp, kAny, kAny, kOp, S_OK, S_OK, kOp, S_OK, S_OK},
    {"OPEN+close_sent", S, sendClose<S>, kOp, kAny, S_OK, kOp, S_OK, S_OK, kOp, S_OK, S_OK},
    {"OPEN+close_received", C, receiveClose<C>, kOp, kAny, kAny, S_OK, S_OK, S_OK, S_OK, kOp, S_OK},
    {"OPEN+close_received", S, receiveClose<S>, kOp, kAny, S_OK, S_OK, S_OK, S_OK, S_OK, kOp, S_OK},
    {"OPEN+both", C, close<C>, kOp, kAny, kAny, kOp, S_OK, S_OK, kOp, kOp, S_OK},
    {"OPEN+both", S, close<S>, kOp, kAny, S_OK, kOp, S_OK, S_OK, kOp, kOp, S_OK},
    {"FAULTED", C, fault<C>, kOp, kAny, kAny, S_OK, S_OK, S_OK, S_OK, kOp, S_OK},
    {"FAULTED", S, fault<S>, kOp, kAny, S_OK, S_OK, S_OK, S_OK, S_OK, kOp, S_OK},
    {"ABORTED", C, abort<C>, kOp, kOp, kAny, kOp, kOp, kOp, kOp, kOp, S_OK},
    {"ABORTED", S, abort<S>, kOp, kAny, kOp, kOp, kOp, kOp, kOp, kOp, S_OK},
};

TEST(ContractStates, Every_call_in_every_state_has_the_result_of_the_table) {
  for (const Row& row : kTable) {
    const std::array<std::pair<Call, HRESULT>, 9> cells{{{Call::Begin, row.begin},
                                                         {Call::EndClient, row.endClient},
                                                         {Call::EndServer, row.endServer},
                                                         {Call::SendData, row.sendData},
                                                         {Call::SendPing, row.sendPing},
                                                         {Call::SendPong, row.sendPong},
                                                         {Call::SendClose, row.sendClose},
                                                         {Call::Receive, row.receive},
                                                         {Call::GetAction, row.getAction}}};
    for (const auto& [call, expected] : cells) {
      if (expected == kAny) continue;
      const Handle handle(row.side);
      row.reach(handle.get());
      EXPECT_EQ(perform(call, row.side, handle.get()), expected)
          << row.state << (row.side == C ? " client" : " server") << ", call " << static_cast<int>(call);
    }
  }
}

TEST(ContractStates, CompleteAction_without_an_action_and_AbortHandle_are_safe_in_every_state) {
  for (const Row& row : kTable) {
    const Handle handle(row.side);
    row.reach(handle.get());
    WebSocketCompleteAction(handle.get(), nullptr, 0);
    WebSocketCompleteAction(handle.get(), nullptr, 5);
    WebSocketAbortHandle(handle.get());
    WebSocketAbortHandle(handle.get());
  }
}

TEST(ContractStates, A_call_for_the_other_role_is_E_INVALIDARG) {
  const Handle client(C);
  const Handle server(S);
  EXPECT_EQ(beginServer(client.get(), dummyRequest()), E_INVALIDARG);
  EXPECT_EQ(WebSocketEndServerHandshake(client.get()), E_INVALIDARG);
  EXPECT_EQ(beginClient(server.get(), {}, {}), E_INVALIDARG);
  EXPECT_EQ(endClient(server.get(), dummyRequest()), E_INVALIDARG);
  // The refused calls changed nothing.
  handshake(client.get(), server.get());
  EXPECT_EQ(WebSocketEndServerHandshake(client.get()), E_INVALIDARG);
  EXPECT_EQ(endClient(server.get(), dummyRequest()), E_INVALIDARG);
}

TEST(ContractStates, A_NULL_handle_is_E_INVALIDARG_or_has_no_effect) {
  for (const Call call : {Call::EndClient, Call::EndServer, Call::SendData, Call::SendPing, Call::SendPong,
                          Call::SendClose, Call::Receive, Call::GetAction}) {
    EXPECT_EQ(perform(call, S, nullptr), E_INVALIDARG) << static_cast<int>(call);
  }
  EXPECT_EQ(perform(Call::Begin, S, nullptr), E_INVALIDARG);
  EXPECT_EQ(perform(Call::Begin, C, nullptr), E_INVALIDARG);
  WebSocketCompleteAction(nullptr, nullptr, 0);
  WebSocketCompleteAction(nullptr, kA, 5);
  WebSocketAbortHandle(nullptr);
  WebSocketDeleteHandle(nullptr);
}

}  // namespace
}  // namespace websocket::contract

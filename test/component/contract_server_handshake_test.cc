// Contract, sections 7.4 and 7.5: the server's handshake (T22-T32, T44, T46).
#include "contract_fixture.h"

namespace websocket::contract {
namespace {

const Headers kRequest{{"Host", "server.example.com"},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                       {"Sec-WebSocket-Version", "13"}};

// The result of a new server handle for this request.
HRESULT serve(const Headers& request, Headers* response = nullptr, PCSTR subprotocol = nullptr,
              const Strings& extensions = {}) {
  const Handle server(Side::Server);
  return beginServer(server.get(), request, response, subprotocol, extensions);
}

TEST(Contract, T22_The_dummy_request_of_dotnet_is_accepted) {
  Headers response;
  EXPECT_EQ(serve(dummyRequest(), &response), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Accept"), "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
}

TEST(Contract, T23_The_accept_value_is_the_digest_of_the_key) {
  Headers response;
  EXPECT_EQ(serve(kRequest, &response), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(serve(with(kRequest, "Sec-WebSocket-Key", "2onFzTWu2gdaaB2qJBVF6w=="), &response), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Accept"), "4VXbyKjRjv+1EdqmmujUgKvJ5jY=");
}

TEST(Contract, T24_Without_a_selection_the_response_is_Accept_Connection_Upgrade_in_this_order) {
  Headers response;
  EXPECT_EQ(serve(kRequest, &response), S_OK);
  EXPECT_EQ(response, (Headers{{"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
                               {"Connection", "Upgrade"},
                               {"Upgrade", "websocket"}}));
}

TEST(Contract, T25_Names_and_tokens_are_case_insensitive_and_Connection_may_be_a_list) {
  const Headers request{{"host", "h"},
                        {"upgrade", "WebSocket"},
                        {"connection", "keep-alive, Upgrade"},
                        {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                        {"sec-websocket-version", "13"}};
  EXPECT_EQ(serve(request), S_OK);
}

TEST(Contract, T26_A_request_without_one_of_the_five_headers_is_malformed) {
  for (const auto& [name, value] : kRequest) {
    EXPECT_EQ(serve(without(kRequest, name)), E_INVALID_PROTOCOL_FORMAT) << "without " << name;
  }
}

TEST(Contract, T27_A_key_that_is_not_16_bytes_in_base64_or_stands_twice_is_malformed) {
  for (const char* key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ=!",
                          "dGhlIHNhbX!sZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA=",
                          "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "dGhl IHNhbXBsZSBub25jZ=="}) {
    EXPECT_EQ(serve(with(kRequest, "Sec-WebSocket-Key", key)), E_INVALID_PROTOCOL_FORMAT) << '"' << key << '"';
  }
  EXPECT_EQ(serve(plus(kRequest, "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")), E_INVALID_PROTOCOL_FORMAT);
  EXPECT_EQ(serve(plus(kRequest, "sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")), E_INVALID_PROTOCOL_FORMAT);
}

TEST(Contract, T28_Another_version_has_a_result_of_its_own) {
  EXPECT_EQ(serve(with(kRequest, "Sec-WebSocket-Version", "8")), E_PROTOCOL_VERSION_NOT_SUPPORTED);
}

TEST(Contract, T29_Any_other_headers_are_ignored) {
  Headers request = plus(plus(kRequest, "Cookie", "a=b"), "Origin", "http://example.com");
  for (int i = 0; i < 60; ++i) request = plus(request, "X-Header-" + std::to_string(i), std::string(100, 'v'));
  EXPECT_EQ(serve(request), S_OK);
}

TEST(Contract, T30_A_selected_subprotocol_has_to_be_offered) {
  EXPECT_EQ(serve(kRequest, nullptr, "chat"), E_SUBPROTOCOL_NOT_SUPPORTED);
  const Headers offering = plus(kRequest, "Sec-WebSocket-Protocol", "soap, wamp");
  EXPECT_EQ(serve(offering, nullptr, "chat"), E_SUBPROTOCOL_NOT_SUPPORTED);
  EXPECT_EQ(serve(offering, nullptr, "Wamp"), E_SUBPROTOCOL_NOT_SUPPORTED);
  Headers response;
  EXPECT_EQ(serve(offering, &response, "wamp"), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Protocol"), "wamp");
}

TEST(Contract, T31_A_server_may_select_no_subprotocol) {
  Headers response;
  EXPECT_EQ(serve(plus(kRequest, "Sec-WebSocket-Protocol", "chat"), &response), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Protocol"), std::nullopt);
}

TEST(Contract, T32_An_empty_selected_subprotocol_is_none) {
  Headers response;
  EXPECT_EQ(serve(plus(kRequest, "Sec-WebSocket-Protocol", "chat"), &response, ""), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Protocol"), std::nullopt);
  EXPECT_EQ(response.size(), 3U);
}

TEST(Contract, T44_The_first_data_function_opens_a_server) {
  const Handle byReceive(Side::Server);
  ASSERT_EQ(beginServer(byReceive.get(), kRequest), S_OK);
  EXPECT_EQ(WebSocketReceive(byReceive.get(), nullptr, nullptr), S_OK);

  const Handle bySend(Side::Server);
  ASSERT_EQ(beginServer(bySend.get(), kRequest), S_OK);
  EXPECT_EQ(WebSocketSend(bySend.get(), WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, nullptr), S_OK);
  EXPECT_EQ(WebSocketEndServerHandshake(bySend.get()), S_OK) << "no effect once open";

  const Handle byGetAction(Side::Server);
  ASSERT_EQ(beginServer(byGetAction.get(), kRequest), S_OK);
  WEB_SOCKET_BUFFER buffer{};
  ULONG count = 1;
  WEB_SOCKET_ACTION action{};
  WEB_SOCKET_BUFFER_TYPE type{};
  PVOID id = nullptr;
  EXPECT_EQ(
      WebSocketGetAction(byGetAction.get(), WEB_SOCKET_ALL_ACTION_QUEUE, &buffer, &count, &action, &type, nullptr, &id),
      S_OK);
  EXPECT_EQ(action, WEB_SOCKET_NO_ACTION);
}

TEST(Contract, T46_Abort_before_the_end_of_the_handshake_has_no_effect) {
  const Handle client(Side::Client);
  const Handle server(Side::Server);
  WebSocketAbortHandle(client.get());  // CREATED
  WebSocketAbortHandle(server.get());
  Headers request;
  Headers response;
  ASSERT_EQ(beginClient(client.get(), {}, {}, &request), S_OK);
  ASSERT_EQ(beginServer(server.get(), plus(request, "Host", ""), &response), S_OK);
  WebSocketAbortHandle(client.get());  // HANDSHAKING
  WebSocketAbortHandle(server.get());
  EXPECT_EQ(WebSocketEndServerHandshake(server.get()), S_OK);
  EXPECT_EQ(endClient(client.get(), response), S_OK);
  for (WEB_SOCKET_HANDLE handle : {client.get(), server.get()}) {
    EXPECT_EQ(WebSocketSend(handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, nullptr), S_OK);
    EXPECT_EQ(WebSocketReceive(handle, nullptr, nullptr), S_OK);
  }
}

TEST(ContractServerHandshake, A_selected_extension_has_to_be_offered_by_name) {
  EXPECT_EQ(serve(kRequest, nullptr, nullptr, {"a"}), E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED);
  const Headers offering = plus(plus(kRequest, "Sec-WebSocket-Extensions", "a; p=1"), "Sec-WebSocket-Extensions", "b");
  EXPECT_EQ(serve(offering, nullptr, nullptr, {"a", "c"}), E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED);
  Headers response;
  EXPECT_EQ(serve(offering, &response, nullptr, {"a; q=2", "b"}), S_OK);
  EXPECT_EQ(valueOf(response, "Sec-WebSocket-Extensions"), "a; q=2, b");
}

TEST(ContractServerHandshake, A_subprotocol_may_be_offered_in_several_header_fields) {
  const Headers offering = plus(plus(kRequest, "Sec-WebSocket-Protocol", "a"), "Sec-WebSocket-Protocol", "b , c");
  EXPECT_EQ(serve(offering, nullptr, "c"), S_OK);
}

TEST(ContractServerHandshake, Malformed_values_are_refused) {
  const std::vector<std::pair<std::string, Headers>> table{
      {"Upgrade without websocket", with(kRequest, "Upgrade", "h2c")},
      {"Upgrade with a longer token", with(kRequest, "Upgrade", "websocket2")},
      {"Connection without upgrade", with(kRequest, "Connection", "close")},
      {"Connection with a longer token", with(kRequest, "Connection", "Upgraded")},
      {"two versions", plus(kRequest, "Sec-WebSocket-Version", "13")},
  };
  for (const auto& [name, request] : table) EXPECT_EQ(serve(request), E_INVALID_PROTOCOL_FORMAT) << name;
  EXPECT_EQ(serve(with(kRequest, "Upgrade", "h2c, websocket")), S_OK);
}

TEST(ContractServerHandshake, A_refused_request_leaves_the_handle_ready_for_another) {
  const Handle server(Side::Server);
  EXPECT_EQ(beginServer(server.get(), without(kRequest, "Host")), E_INVALID_PROTOCOL_FORMAT);
  EXPECT_EQ(WebSocketEndServerHandshake(server.get()), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(beginServer(server.get(), kRequest), S_OK);
  EXPECT_EQ(WebSocketEndServerHandshake(server.get()), S_OK);
}

TEST(ContractServerHandshake, Missing_arguments_are_E_INVALIDARG) {
  const Handle server(Side::Server);
  const auto array = pointersInto(kRequest);
  const auto count = static_cast<ULONG>(array.size());
  PWEB_SOCKET_HTTP_HEADER response = nullptr;
  ULONG responseCount = 0;
  EXPECT_EQ(
      WebSocketBeginServerHandshake(server.get(), nullptr, nullptr, 1, array.data(), count, &response, &responseCount),
      E_INVALIDARG);
  EXPECT_EQ(WebSocketBeginServerHandshake(server.get(), nullptr, nullptr, 0, nullptr, count, &response, &responseCount),
            E_INVALIDARG);
  EXPECT_EQ(
      WebSocketBeginServerHandshake(server.get(), nullptr, nullptr, 0, array.data(), count, nullptr, &responseCount),
      E_INVALIDARG);
  EXPECT_EQ(WebSocketBeginServerHandshake(server.get(), nullptr, nullptr, 0, array.data(), count, &response, nullptr),
            E_INVALIDARG);
}

}  // namespace
}  // namespace websocket::contract

// Contract, sections 7.2 and 7.3: the client's handshake (T15-T21, T33-T43, T45).
#include <set>

#include "contract_fixture.h"

namespace websocket::contract {
namespace {

// A client that has begun its handshake with these offers, and the headers that it wants to send.
struct Started {
  explicit Started(const Strings& subprotocols = {}, const Strings& extensions = {}) {
    EXPECT_EQ(beginClient(client.get(), subprotocols, extensions, &request), S_OK);
  }
  Headers accepted() const { return minimalResponse(request); }

  Handle client{Side::Client};
  Headers request;
};

// Whether WebSocketSend works, which tells OPEN from HANDSHAKING.
bool isOpen(WEB_SOCKET_HANDLE handle) {
  return WebSocketSend(handle, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE, nullptr, nullptr) == S_OK;
}

TEST(Contract, T15_The_client_headers_hold_the_upgrade_version_and_a_key_of_16_bytes) {
  const Started started;
  EXPECT_GE(started.request.size(), 4U);
  EXPECT_EQ(valueOf(started.request, "Connection"), "Upgrade");
  EXPECT_EQ(valueOf(started.request, "Upgrade"), "websocket");
  EXPECT_EQ(valueOf(started.request, "Sec-WebSocket-Version"), "13");
  const std::string key = valueOf(started.request, "Sec-WebSocket-Key").value_or("");
  ASSERT_EQ(key.size(), 24U);
  EXPECT_EQ(key.substr(22), "==");
  std::array<std::uint8_t, 18> decoded{};
  ASSERT_EQ(EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(key.data()), 24), 18);
  EXPECT_EQ(base64(std::span(decoded).first(16)), key);
}

TEST(Contract, T16_Every_client_handle_has_a_key_of_its_own) {
  std::set<std::string> keys;
  for (int i = 0; i < 50; ++i) keys.insert(valueOf(Started().request, "Sec-WebSocket-Key").value_or(""));
  EXPECT_EQ(keys.size(), 50U);
}

TEST(Contract, T17_Initial_headers_without_Host_are_enough) {
  const Handle client(Side::Client);
  Headers headers;
  EXPECT_EQ(beginClient(client.get(), {}, {}, &headers, {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}), S_OK);
  EXPECT_EQ(valueOf(headers, "Sec-WebSocket-Version"), "13");
  EXPECT_EQ(valueOf(headers, "Connection"), "Upgrade") << "the full set is returned always";
  EXPECT_EQ(valueOf(headers, "Upgrade"), "websocket");
}

TEST(Contract, T18_Offered_subprotocols_are_listed_in_order) {
  EXPECT_EQ(valueOf(Started({"a", "b"}).request, "Sec-WebSocket-Protocol"), "a, b");
  EXPECT_EQ(valueOf(Started({}, {"a; p=1", "b"}).request, "Sec-WebSocket-Extensions"), "a; p=1, b");
}

TEST(Contract, T19_Without_offers_there_is_no_header_for_them) {
  const Started started;
  EXPECT_EQ(valueOf(started.request, "Sec-WebSocket-Protocol"), std::nullopt);
  EXPECT_EQ(valueOf(started.request, "Sec-WebSocket-Extensions"), std::nullopt);
}

TEST(Contract, T20_A_count_without_an_array_is_E_INVALIDARG) {
  const Handle client(Side::Client);
  PWEB_SOCKET_HTTP_HEADER array = nullptr;
  ULONG count = 0;
  const auto begin = [&](ULONG subprotocols, ULONG extensions, ULONG initial, PWEB_SOCKET_HTTP_HEADER* out, ULONG* n) {
    return WebSocketBeginClientHandshake(client.get(), nullptr, subprotocols, nullptr, extensions, nullptr, initial,
                                         out, n);
  };
  EXPECT_EQ(begin(1, 0, 0, &array, &count), E_INVALIDARG);
  EXPECT_EQ(begin(0, 1, 0, &array, &count), E_INVALIDARG);
  EXPECT_EQ(begin(0, 0, 1, &array, &count), E_INVALIDARG);
  EXPECT_EQ(begin(0, 0, 0, nullptr, &count), E_INVALIDARG);
  EXPECT_EQ(begin(0, 0, 0, &array, nullptr), E_INVALIDARG);
  EXPECT_EQ(begin(0, 0, 0, &array, &count), S_OK) << "the failures left the handle as it was";
}

TEST(Contract, T21_The_offers_may_be_freed_after_Begin) {
  const Handle client(Side::Client);
  Headers request;
  {
    const std::array<std::string, 3> names{std::string(40, 'x'), std::string(40, 'y'), std::string(40, 'z')};
    ASSERT_EQ(beginClient(client.get(), {names[0].c_str(), names[1].c_str()}, {names[2].c_str()}, &request), S_OK);
  }
  ULONG subprotocol = 99;
  ULONG extension = 99;
  ULONG extensions = 1;
  const Headers response = plus(plus(minimalResponse(request), "Sec-WebSocket-Protocol", std::string(40, 'y')),
                                "Sec-WebSocket-Extensions", std::string(40, 'z'));
  const auto array = pointersInto(response);
  EXPECT_EQ(WebSocketEndClientHandshake(client.get(), array.data(), static_cast<ULONG>(array.size()), &extension,
                                        &extensions, &subprotocol),
            S_OK);
  EXPECT_EQ(subprotocol, 1U);
  EXPECT_EQ(extensions, 1U);
  EXPECT_EQ(extension, 0U);
}

TEST(Contract, T33_A_client_and_a_server_handle_shake_hands_with_each_others_arrays) {
  const Handle client(Side::Client);
  const Handle server(Side::Server);
  PWEB_SOCKET_HTTP_HEADER additional = nullptr;
  ULONG additionalCount = 0;
  ASSERT_EQ(
      WebSocketBeginClientHandshake(client.get(), nullptr, 0, nullptr, 0, nullptr, 0, &additional, &additionalCount),
      S_OK);
  std::vector<WEB_SOCKET_HTTP_HEADER> request(additional, additional + additionalCount);
  std::string host = "Host";
  std::string localhost = "localhost";
  request.push_back({host.data(), 4, localhost.data(), 9});
  PWEB_SOCKET_HTTP_HEADER response = nullptr;
  ULONG responseCount = 0;
  ASSERT_EQ(WebSocketBeginServerHandshake(server.get(), nullptr, nullptr, 0, request.data(),
                                          static_cast<ULONG>(request.size()), &response, &responseCount),
            S_OK);
  EXPECT_EQ(WebSocketEndClientHandshake(client.get(), response, responseCount, nullptr, nullptr, nullptr), S_OK);
  EXPECT_EQ(WebSocketEndServerHandshake(server.get()), S_OK);
  EXPECT_TRUE(isOpen(client.get()));
  EXPECT_TRUE(isOpen(server.get()));
}

TEST(Contract, T34_A_wrong_accept_value_is_refused) {
  const Started started;
  const Headers wrong = with(started.accepted(), "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(endClient(started.client.get(), wrong), E_INVALID_PROTOCOL_FORMAT);
  EXPECT_EQ(endClient(started.client.get(), started.accepted()), S_OK) << "a corrected call is possible";
}

TEST(Contract, T35_The_accept_value_is_case_sensitive) {
  const Started started;
  std::string accept = valueOf(started.accepted(), "Sec-WebSocket-Accept").value_or("");
  const auto letter = std::find_if(accept.begin(), accept.end(), [](char c) { return c >= 'A' && c != '='; });
  ASSERT_NE(letter, accept.end());
  *letter = static_cast<char>(*letter ^ 0x20);
  EXPECT_EQ(endClient(started.client.get(), with(started.accepted(), "Sec-WebSocket-Accept", accept)),
            E_INVALID_PROTOCOL_FORMAT);
}

TEST(Contract, T36_Connection_Upgrade_and_Accept_are_enough) {
  const Started started;
  EXPECT_EQ(started.accepted().size(), 3U);
  EXPECT_EQ(endClient(started.client.get(), started.accepted()), S_OK);
  EXPECT_TRUE(isOpen(started.client.get()));
}

TEST(Contract, T37_The_selected_subprotocol_is_an_index_of_the_offers) {
  const Started started({"x", "y"});
  ULONG index = 99;
  EXPECT_EQ(endClient(started.client.get(), plus(started.accepted(), "Sec-WebSocket-Protocol", "y"), &index), S_OK);
  EXPECT_EQ(index, 1U);
}

TEST(Contract, T38_A_subprotocol_that_was_not_offered_is_refused) {
  const Started started({"x"});
  for (const char* selected : {"z", "X"}) {
    EXPECT_EQ(endClient(started.client.get(), plus(started.accepted(), "Sec-WebSocket-Protocol", selected)),
              E_SUBPROTOCOL_NOT_SUPPORTED);
  }
  const Started none;
  EXPECT_EQ(endClient(none.client.get(), plus(none.accepted(), "Sec-WebSocket-Protocol", "z")),
            E_SUBPROTOCOL_NOT_SUPPORTED);
}

TEST(Contract, T39_No_subprotocol_although_some_were_offered_is_refused) {
  const Started started({"x"});
  EXPECT_EQ(endClient(started.client.get(), started.accepted()), E_SUBPROTOCOL_NOT_SUPPORTED);
  EXPECT_FALSE(isOpen(started.client.get()));
}

// Ends the handshake with room for `capacity` extension indices; the indices are filled on success.
HRESULT endWithExtensions(const Started& started, const Headers& response, ULONG capacity,
                          std::vector<ULONG>& indices) {
  const auto array = pointersInto(response);
  indices.assign(capacity, 99);
  const HRESULT result = WebSocketEndClientHandshake(
      started.client.get(), array.data(), static_cast<ULONG>(array.size()), indices.data(), &capacity, nullptr);
  if (SUCCEEDED(result)) indices.resize(capacity);
  return result;
}

TEST(Contract, T40_The_selected_extensions_are_indices_of_the_offers_in_the_servers_order) {
  const Started started({}, {"a; p=1", "b"});
  std::vector<ULONG> indices;
  EXPECT_EQ(endWithExtensions(started, plus(started.accepted(), "Sec-WebSocket-Extensions", "b, a; q=2"), 2, indices),
            S_OK);
  EXPECT_EQ(indices, (std::vector<ULONG>{1, 0}));
}

TEST(Contract, T41_An_extension_that_was_not_offered_is_refused) {
  const Started started({}, {"a"});
  EXPECT_EQ(endClient(started.client.get(), plus(started.accepted(), "Sec-WebSocket-Extensions", "a, c")),
            E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED);
  const Started none;
  EXPECT_EQ(endClient(none.client.get(), plus(none.accepted(), "Sec-WebSocket-Extensions", "a")),
            E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED);
}

TEST(Contract, T42_No_extension_although_some_were_offered_is_a_success) {
  const Started started({}, {"a", "b"});
  std::vector<ULONG> indices;
  EXPECT_EQ(endWithExtensions(started, started.accepted(), 2, indices), S_OK);
  EXPECT_EQ(indices, std::vector<ULONG>{});
}

TEST(Contract, T43_Too_little_room_for_the_extensions_is_E_INVALIDARG_without_a_change_of_state) {
  const Started started({}, {"a", "b"});
  const Headers response = plus(started.accepted(), "Sec-WebSocket-Extensions", "a");
  std::vector<ULONG> indices;
  EXPECT_EQ(endWithExtensions(started, response, 1, indices), E_INVALIDARG);
  EXPECT_FALSE(isOpen(started.client.get()));
  EXPECT_EQ(endWithExtensions(started, response, 2, indices), S_OK);
  EXPECT_EQ(indices, std::vector<ULONG>{0});
}

TEST(Contract, T45_A_client_cannot_use_data_functions_before_the_end_of_the_handshake) {
  const Started started;
  WEB_SOCKET_BUFFER buffer{.Data = {const_cast<PBYTE>(view(kHello).data()), 11}};
  EXPECT_EQ(WebSocketSend(started.client.get(), WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, nullptr),
            E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(WebSocketReceive(started.client.get(), nullptr, nullptr), E_INVALID_PROTOCOL_OPERATION);
}

TEST(ContractClientHandshake, An_offer_can_be_selected_once_so_that_the_outputs_have_room_for_all) {
  const Started once({}, {"a"});
  std::vector<ULONG> indices;
  EXPECT_EQ(endWithExtensions(once, plus(once.accepted(), "Sec-WebSocket-Extensions", "a, a"), 1, indices),
            E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED);
  const Started twice({}, {"a; p=1", "b", "a"});
  EXPECT_EQ(endWithExtensions(twice, plus(twice.accepted(), "Sec-WebSocket-Extensions", "a; p=1, A"), 3, indices),
            S_OK);
  EXPECT_EQ(indices, (std::vector<ULONG>{0, 2}));
}

TEST(ContractClientHandshake, Only_one_of_the_two_extension_outputs_is_E_INVALIDARG) {
  const Started started({}, {"a"});
  const Headers response = started.accepted();
  const auto array = pointersInto(response);
  const auto count = static_cast<ULONG>(array.size());
  ULONG value = 1;
  EXPECT_EQ(WebSocketEndClientHandshake(started.client.get(), array.data(), count, &value, nullptr, nullptr),
            E_INVALIDARG);
  EXPECT_EQ(WebSocketEndClientHandshake(started.client.get(), array.data(), count, nullptr, &value, nullptr),
            E_INVALIDARG);
  EXPECT_EQ(WebSocketEndClientHandshake(started.client.get(), nullptr, count, nullptr, nullptr, nullptr), E_INVALIDARG);
  EXPECT_EQ(endClient(started.client.get(), response), S_OK);
}

TEST(ContractClientHandshake, The_subprotocol_output_is_left_alone_when_none_was_negotiated) {
  const Started started;
  ULONG index = 77;
  EXPECT_EQ(endClient(started.client.get(), started.accepted(), &index), S_OK);
  EXPECT_EQ(index, 77U);
}

TEST(ContractClientHandshake, The_returned_headers_stay_valid_until_the_handshake_ends) {
  const Handle client(Side::Client);
  PWEB_SOCKET_HTTP_HEADER array = nullptr;
  ULONG count = 0;
  ASSERT_EQ(WebSocketBeginClientHandshake(client.get(), nullptr, 0, nullptr, 0, nullptr, 0, &array, &count), S_OK);
  const Headers before = copyOf(array, count);
  EXPECT_EQ(beginClient(client.get(), {"a"}, {}), E_INVALID_PROTOCOL_OPERATION);
  EXPECT_EQ(endClient(client.get(), without(minimalResponse(before), "Upgrade")), E_INVALID_PROTOCOL_FORMAT);
  WebSocketAbortHandle(client.get());
  EXPECT_EQ(copyOf(array, count), before);
  EXPECT_EQ(endClient(client.get(), minimalResponse(before)), S_OK);
}

TEST(ContractClientHandshake, Bad_offers_are_E_INVALIDARG) {
  const Handle client(Side::Client);
  for (const Strings& subprotocols :
       {Strings{""}, {"a b"}, {"a,b"}, {"a\x7F"}, {"\xC3\xA4"}, {"x", "y", "x"}, {"a/b"}}) {
    EXPECT_EQ(beginClient(client.get(), subprotocols, {}), E_INVALIDARG) << subprotocols[0];
  }
  for (PCSTR extension : {"", "; p=1", "a b", "\"a\""}) {
    EXPECT_EQ(beginClient(client.get(), {}, {extension}), E_INVALIDARG) << extension;
  }
  EXPECT_EQ(beginClient(client.get(), {nullptr}, {}), E_INVALIDARG);
  EXPECT_EQ(beginClient(client.get(), {"a"}, {"b; p=\"1\""}), S_OK);
}

TEST(ContractClientHandshake, Response_headers_are_checked_as_RFC_6455_4_1_asks) {
  const auto changed = [](const Headers& good) -> std::vector<std::pair<std::string, Headers>> {
    const std::string accept = valueOf(good, "Sec-WebSocket-Accept").value_or("");
    return {{"no Upgrade", without(good, "Upgrade")},
            {"another Upgrade", with(good, "Upgrade", "h2c")},
            {"two Upgrade fields", plus(good, "Upgrade", "websocket")},
            {"no Connection", without(good, "Connection")},
            {"Connection without upgrade", with(good, "Connection", "keep-alive")},
            {"Connection with another token", with(good, "Connection", "upgraded")},
            {"no Accept", without(good, "Sec-WebSocket-Accept")},
            {"two Accept fields", plus(good, "Sec-WebSocket-Accept", accept)},
            {"no headers", {}}};
  };
  const Started started;
  for (const auto& [name, response] : changed(started.accepted())) {
    EXPECT_EQ(endClient(started.client.get(), response), E_INVALID_PROTOCOL_FORMAT) << name;
  }
  const std::string accept = valueOf(started.accepted(), "Sec-WebSocket-Accept").value_or("");
  EXPECT_EQ(endClient(started.client.get(), {{"upgrade", " WebSocket\t"},
                                             {"connection", "keep-alive"},
                                             {"CONNECTION", "foo , UPGRADE"},
                                             {"sec-websocket-accept", " " + accept + " "},
                                             {"Server", "any"}}),
            S_OK);
}

}  // namespace
}  // namespace websocket::contract

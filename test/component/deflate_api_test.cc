// permessage-deflate through the C functions: the property, the handshake of two handles, sends and pools.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "contract_fixture.h"
#include "websocket_ext.h"

namespace websocket::contract {
namespace {

WEB_SOCKET_HANDLE create(Side side, const std::vector<WEB_SOCKET_PROPERTY>& properties, HRESULT expected = S_OK) {
  WEB_SOCKET_HANDLE handle = nullptr;
  const auto make = side == Side::Server ? WebSocketCreateServerHandle : WebSocketCreateClientHandle;
  EXPECT_EQ(make(properties.data(), static_cast<ULONG>(properties.size()), &handle), expected);
  return handle;
}

WEB_SOCKET_PROPERTY deflateProperty(WEB_SOCKET_DEFLATE_OPTIONS& options) {
  return {static_cast<WEB_SOCKET_PROPERTY_TYPE>(WEB_SOCKET_PERMESSAGE_DEFLATE_PROPERTY_TYPE), &options,
          sizeof(options)};
}

// A client and a server that have shaken hands.
class DeflateApi : public testing::Test {
 protected:
  void connect(WEB_SOCKET_DEFLATE_OPTIONS clientOptions, WEB_SOCKET_DEFLATE_OPTIONS serverOptions) {
    client = create(Side::Client, {deflateProperty(clientOptions)});
    server = create(Side::Server, {deflateProperty(serverOptions)});
    PWEB_SOCKET_HTTP_HEADER headers = nullptr;
    ULONG count = 0;
    ASSERT_EQ(WebSocketBeginClientHandshake(client, nullptr, 0, nullptr, 0, nullptr, 0, &headers, &count), S_OK);
    std::vector<WEB_SOCKET_HTTP_HEADER> request(headers, headers + count);
    std::string host = "Host";
    request.push_back({host.data(), 4, host.data(), 4});
    ASSERT_EQ(WebSocketBeginServerHandshake(server, nullptr, nullptr, 0, request.data(),
                                            static_cast<ULONG>(request.size()), &headers, &count),
              S_OK);
    response.assign(headers[count - 1].pcValue, headers[count - 1].ulValueLength);
    ULONG selected = 0;
    std::array<ULONG, 1> indices{7};
    ASSERT_EQ(WebSocketEndClientHandshake(client, headers, count, indices.data(), &selected, nullptr), S_OK)
        << "no offer of the program";
  }
  void TearDown() override {
    WebSocketDeleteHandle(client);
    WebSocketDeleteHandle(server);
  }

  // Runs the SEND queue and returns the wire bytes.
  static Bytes flush(WEB_SOCKET_HANDLE handle) {
    Bytes wire;
    std::array<WEB_SOCKET_BUFFER, 2> buffers;
    while (true) {
      ULONG count = 2;
      WEB_SOCKET_ACTION action;
      WEB_SOCKET_BUFFER_TYPE type;
      PVOID id = nullptr;
      EXPECT_EQ(WebSocketGetAction(handle, WEB_SOCKET_SEND_ACTION_QUEUE, buffers.data(), &count, &action, &type,
                                   nullptr, &id),
                S_OK);
      if (action == WEB_SOCKET_NO_ACTION) {
        return wire;
      }
      ULONG length = 0;
      for (ULONG i = 0; i < count; ++i) {
        wire.insert(wire.end(), buffers[i].Data.pbBuffer, buffers[i].Data.pbBuffer + buffers[i].Data.ulBufferLength);
        length += buffers[i].Data.ulBufferLength;
      }
      WebSocketCompleteAction(handle, id, length);
    }
  }
  Bytes send(std::string_view text) {
    WEB_SOCKET_BUFFER buffer{.Data = {const_cast<PBYTE>(view(text).data()), static_cast<ULONG>(text.size())}};
    EXPECT_EQ(WebSocketSend(server, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, nullptr), S_OK);
    return flush(server);
  }
  // The client reads wire bytes that are one message.
  std::string receive(const Bytes& wire) {
    EXPECT_EQ(WebSocketInjectReceivedBytes(client, wire.data(), static_cast<ULONG>(wire.size())), S_OK);
    std::string text;
    std::array<WEB_SOCKET_BUFFER, 2> buffers;
    WEB_SOCKET_BUFFER_TYPE type = kNoType;
    while (type != WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE) {
      EXPECT_EQ(WebSocketReceive(client, nullptr, nullptr), S_OK);
      ULONG count = 1;
      WEB_SOCKET_ACTION action;
      PVOID id = nullptr;
      EXPECT_EQ(WebSocketGetAction(client, WEB_SOCKET_RECEIVE_ACTION_QUEUE, buffers.data(), &count, &action, &type,
                                   nullptr, &id),
                S_OK);
      if (action != WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION) {
        ADD_FAILURE() << "action " << action;
        return text;
      }
      text.append(reinterpret_cast<const char*>(buffers[0].Data.pbBuffer), buffers[0].Data.ulBufferLength);
      WebSocketCompleteAction(client, id, 0);
    }
    return text;
  }

  WEB_SOCKET_HANDLE client = nullptr;
  WEB_SOCKET_HANDLE server = nullptr;
  std::string response;
};

TEST_F(DeflateApi, HandlesNegotiateByThemselves) {
  WEB_SOCKET_DEFLATE_OPTIONS serverOptions{};
  serverOptions.ulServerNoContextTakeover = WEB_SOCKET_DEFLATE_DEMAND;
  serverOptions.ulServerMaxWindowBits = 9;
  serverOptions.ulThreshold = 100;
  serverOptions.ulLevel = 1;
  serverOptions.ulMemLevel = 1;
  connect({}, serverOptions);
  EXPECT_EQ(response, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9");
  const std::string text(20'000, 'x');
  const Bytes wire = send(text);
  EXPECT_LT(wire.size(), 300U);
  EXPECT_EQ(receive(wire), text);
  EXPECT_EQ(send(text.substr(0, 99)).size(), 101U) << "below the threshold";
}

TEST_F(DeflateApi, ASendMayChoose) {
  connect({}, {});
  const std::string text(1000, 'x');
  WEB_SOCKET_BUFFER buffer{.Data = {const_cast<PBYTE>(view(text).data()), 1000}};
  ASSERT_EQ(WebSocketSendCompressed(server, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, nullptr, FALSE), S_OK);
  const Bytes plain = flush(server);
  EXPECT_EQ(plain.size(), 1004U);
  EXPECT_EQ(receive(plain), text);
  ASSERT_EQ(WebSocketSendCompressed(server, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, nullptr, TRUE), S_OK);
  const Bytes compressed = flush(server);
  EXPECT_LT(compressed.size(), 40U);
  EXPECT_EQ(receive(compressed), text);
  EXPECT_EQ(WebSocketSendCompressed(server, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, nullptr, nullptr, TRUE), E_INVALIDARG);
  EXPECT_EQ(WebSocketSendCompressed(server, WEB_SOCKET_PING_PONG_BUFFER_TYPE, nullptr, nullptr, TRUE), S_OK);
  EXPECT_EQ(WebSocketSendCompressed(nullptr, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, nullptr, TRUE),
            E_INVALIDARG);
}

TEST_F(DeflateApi, PoolsAreSharedAndShrunk) {
  WEB_SOCKET_DEFLATE_POOL pool = nullptr;
  EXPECT_EQ(WebSocketCreateDeflatePool(nullptr), E_INVALIDARG);
  ASSERT_EQ(WebSocketCreateDeflatePool(&pool), S_OK);
  EXPECT_EQ(WebSocketDeflatePoolBytesInUse(pool), 0U);
  WEB_SOCKET_DEFLATE_OPTIONS options{};
  options.hPool = pool;
  connect(options, options);
  const std::string text(1000, 'x');
  EXPECT_EQ(receive(send(text)), text);
  const ULONGLONG used = WebSocketDeflatePoolBytesInUse(pool);
  EXPECT_GT(used, 200'000U);
  WebSocketShrinkDeflate(client);
  WebSocketShrinkDeflate(server);
  EXPECT_EQ(receive(send(text)), text) << "contexts are made again";
  EXPECT_EQ(WebSocketDeflatePoolBytesInUse(pool), used) << "from those that wait in the pool";
  WebSocketDeleteDeflatePool(pool);
  EXPECT_EQ(receive(send(text)), text) << "the handles keep the pool";
  WebSocketDeleteDeflatePool(nullptr);
  EXPECT_EQ(WebSocketDeflatePoolBytesInUse(nullptr), 0U);
}

TEST(DeflateProperty, ValuesOutOfRangeAreRefused) {
  using Options = WEB_SOCKET_DEFLATE_OPTIONS;
  for (const std::function<void(Options&)>& change : std::vector<std::function<void(Options&)>>{
           [](Options& o) { o.ulServerNoContextTakeover = 3; },
           [](Options& o) { o.ulClientNoContextTakeover = 256; },
           [](Options& o) { o.ulServerMaxWindowBits = 7; },
           [](Options& o) { o.ulServerMaxWindowBits = 16; },
           [](Options& o) { o.ulClientMaxWindowBits = 264; },
           [](Options& o) { o.ulLevel = 10; },
           [](Options& o) { o.ulMemLevel = 10; },
       }) {
    Options options{};
    change(options);
    EXPECT_EQ(create(Side::Server, {deflateProperty(options)}, E_INVALIDARG), nullptr);
    EXPECT_EQ(create(Side::Client, {deflateProperty(options)}, E_INVALIDARG), nullptr);
  }
  Options options{};
  WEB_SOCKET_PROPERTY shortened = deflateProperty(options);
  --shortened.ulValueSize;
  EXPECT_EQ(create(Side::Server, {shortened}, E_INVALIDARG), nullptr);
}

TEST(DeflateProperty, DoesNotGoWithAnAllocatedBuffer) {
  WEB_SOCKET_DEFLATE_OPTIONS options{};
  alignas(8) static std::array<BYTE, 16'384> memory;
  PBYTE address = memory.data();
  const WEB_SOCKET_PROPERTY buffer{WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, &address, sizeof(memory)};
  EXPECT_EQ(create(Side::Client, {buffer, deflateProperty(options)}, E_INVALIDARG), nullptr);
  EXPECT_EQ(create(Side::Client, {deflateProperty(options), buffer}, E_INVALIDARG), nullptr);
}

// R6 with compression: payloads stay valid until they are released, and then nothing is in use.
TEST(DeflateProperty, GoesWithAReceivePool) {
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  ASSERT_EQ(WebSocketCreateReceivePool(256, 0, &pool), S_OK);
  WEB_SOCKET_DEFLATE_OPTIONS options{};
  const WEB_SOCKET_PROPERTY poolProperty{static_cast<WEB_SOCKET_PROPERTY_TYPE>(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE),
                                         static_cast<void*>(&pool), sizeof(pool)};
  WEB_SOCKET_HANDLE server = create(Side::Server, {deflateProperty(options)});
  WEB_SOCKET_HANDLE client = create(Side::Client, {deflateProperty(options), poolProperty});
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  ASSERT_EQ(WebSocketBeginClientHandshake(client, nullptr, 0, nullptr, 0, nullptr, 0, &headers, &count), S_OK);
  std::vector<WEB_SOCKET_HTTP_HEADER> request(headers, headers + count);
  std::string host = "Host";
  request.push_back({host.data(), 4, host.data(), 4});
  ASSERT_EQ(WebSocketBeginServerHandshake(server, nullptr, nullptr, 0, request.data(),
                                          static_cast<ULONG>(request.size()), &headers, &count),
            S_OK);
  ASSERT_EQ(WebSocketEndClientHandshake(client, headers, count, nullptr, nullptr, nullptr), S_OK);

  const std::string text(1000, 'x');
  WEB_SOCKET_BUFFER sent{.Data = {const_cast<PBYTE>(view(text).data()), 1000}};
  ASSERT_EQ(WebSocketSend(server, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &sent, nullptr), S_OK);
  Bytes wire;
  std::array<WEB_SOCKET_BUFFER, 2> buffers;
  WEB_SOCKET_ACTION action;
  WEB_SOCKET_BUFFER_TYPE type;
  PVOID id = nullptr;
  ULONG capacity = 2;
  ASSERT_EQ(
      WebSocketGetAction(server, WEB_SOCKET_SEND_ACTION_QUEUE, buffers.data(), &capacity, &action, &type, nullptr, &id),
      S_OK);
  for (const WEB_SOCKET_BUFFER& buffer : std::span(buffers).first(capacity)) {
    wire.insert(wire.end(), buffer.Data.pbBuffer, buffer.Data.pbBuffer + buffer.Data.ulBufferLength);
  }
  WebSocketCompleteAction(server, id, static_cast<ULONG>(wire.size()));

  ASSERT_EQ(WebSocketInjectReceivedBytes(client, wire.data(), static_cast<ULONG>(wire.size())), S_OK);
  std::vector<std::span<const BYTE>> pieces;
  do {
    ASSERT_EQ(WebSocketReceive(client, nullptr, nullptr), S_OK);
    capacity = 1;
    ASSERT_EQ(WebSocketGetAction(client, WEB_SOCKET_RECEIVE_ACTION_QUEUE, buffers.data(), &capacity, &action, &type,
                                 nullptr, &id),
              S_OK);
    ASSERT_EQ(action, WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION);
    pieces.emplace_back(buffers[0].Data.pbBuffer, buffers[0].Data.ulBufferLength);
    WebSocketCompleteAction(client, id, 0);
  } while (type != WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE);
  std::string whole;
  for (const std::span<const BYTE> piece : pieces) {
    whole.append(piece.begin(), piece.end());
    if (!piece.empty()) {
      WebSocketReleasePoolPayload(pool, piece.data());
    }
  }
  EXPECT_EQ(whole, text);
  EXPECT_EQ(WebSocketReceivePoolBytesInUse(pool), 0U);
  WebSocketDeleteHandle(client);
  WebSocketDeleteHandle(server);
  WebSocketDeleteReceivePool(pool);
}

}  // namespace
}  // namespace websocket::contract

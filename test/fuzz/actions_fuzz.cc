// Any sequence of calls, legal or not, on a client and a server handle that are connected: what one sent is what the
// other receives, under any split of the stream, and every rule that Endpoint checks holds all the way.
#include <algorithm>
#include <array>

#include "endpoint.h"
#include "require.h"

namespace websocket::fuzz {
namespace {

// Both handshakes, so that an extension is negotiated: custom frame types are legal then.
void shakeHands(Endpoint& client, Endpoint& server) {
  std::array<const char*, 1> extension = {"x-fuzz"};
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  REQUIRE(WebSocketBeginClientHandshake(client.handle(), nullptr, 0, extension.data(), 1, nullptr, 0, &headers,
                                        &count) == S_OK);
  std::vector<WEB_SOCKET_HTTP_HEADER> request(headers, headers + count);
  std::array<char, 5> host = {"Host"};
  request.push_back({host.data(), 4, host.data(), 4});
  REQUIRE(WebSocketBeginServerHandshake(server.handle(), nullptr, extension.data(), 1, request.data(),
                                        static_cast<ULONG>(request.size()), &headers, &count) == S_OK);
  REQUIRE(WebSocketEndClientHandshake(client.handle(), headers, count, nullptr, nullptr, nullptr) == S_OK);
  REQUIRE(WebSocketEndServerHandshake(server.handle()) == S_OK);
  client.opened(true);
  server.opened(true);
}

void step(Endpoint& endpoint, Choices& choices) {
  switch (choices.ConsumeIntegralInRange<int>(0, 31)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return endpoint.send(choices);
    case 4:
    case 5:
      return endpoint.sendControl(choices);
    case 6:
      return choices.ConsumeIntegralInRange<int>(0, 3) == 0 ? endpoint.sendClose(choices) : endpoint.receive(choices);
    case 7:
      return choices.ConsumeIntegralInRange<int>(0, 15) == 0 ? endpoint.abort() : endpoint.receive(choices);
    case 8:
    case 9:
      return endpoint.receive(choices);
    case 10:
      return endpoint.inject(choices);
    case 11:
    case 12:
      return endpoint.callIllegally(choices);
    case 13:
      return endpoint.breakRandom(choices);
    case 14:
      return endpoint.releasePayload(choices);
    case 15:
    case 16:
    case 17:
    case 18:
    case 19:
      return endpoint.completeAction(choices);
    case 20:
    case 21:
      endpoint.pump();
      return;
    default: {
      static constexpr std::array kQueues = {WEB_SOCKET_SEND_ACTION_QUEUE, WEB_SOCKET_RECEIVE_ACTION_QUEUE,
                                             WEB_SOCKET_ALL_ACTION_QUEUE};
      const WEB_SOCKET_ACTION_QUEUE queue = choices.PickValueInArray(kQueues);
      endpoint.takeAction(queue, choices.ConsumeIntegralInRange<ULONG>(1, 5));
      endpoint.completeAction(choices);
    }
  }
}

void run(Choices& choices) {
  const ULONG poolBuffer = choices.ConsumeIntegralInRange<ULONG>(256, 1000);
  const ULONG poolBuffers = choices.ConsumeIntegralInRange<ULONG>(2, 4);  // an idle read holds one
  const std::uint64_t poolLimit = std::uint64_t{poolBuffer} * poolBuffers;
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  REQUIRE(WebSocketCreateReceivePool(poolBuffer, poolBuffers, &pool) == S_OK);
  const Settings clientSettings = drawSettings(choices, false);
  const Settings serverSettings = drawSettings(choices, true);
  Pipe toServer;
  Pipe toClient;
  Endpoint client(clientSettings, toClient, toServer, pool, poolLimit);
  Endpoint server(serverSettings, toServer, toClient, pool, poolLimit);
  if (choices.ConsumeBool()) {
    shakeHands(client, server);
  } else {
    client.open();
    server.open();
  }

  while (choices.remaining_bytes() > 0) {
    step(choices.ConsumeBool() ? client : server, choices);
  }
  client.check(false);
  server.check(false);

  Choices none(nullptr, 0);
  client.breakRandom(none);
  server.breakRandom(none);
  bool busy = true;
  while (busy) {
    const bool clientBusy = client.pump();
    busy = server.pump() || clientBusy;
  }
  client.check(true);
  server.check(true);

  client.finish();
  server.finish();
  REQUIRE(WebSocketReceivePoolBytesInUse(pool) == 0);
  WebSocketDeleteReceivePool(pool);
}

}  // namespace
}  // namespace websocket::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  websocket::fuzz::Choices choices(data, size);
  websocket::fuzz::run(choices);
  return 0;
}

#include "received_bytes.h"

#include <algorithm>

#include "endpoint.h"
#include "require.h"

namespace websocket::fuzz {

void receiveBytes(std::span<const std::uint8_t> input, bool server) {
  if (input.empty()) {
    return;
  }
  const std::size_t choiceCount = std::min<std::size_t>(input.back(), input.size() - 1);
  const auto stream = input.first(input.size() - 1 - choiceCount);
  Choices choices(input.data() + stream.size(), choiceCount);

  constexpr ULONG kPoolBuffer = 300;
  constexpr std::uint64_t kPoolLimit = 2 * kPoolBuffer;
  WEB_SOCKET_RECEIVE_POOL pool = nullptr;
  REQUIRE(WebSocketCreateReceivePool(kPoolBuffer, 2, &pool) == S_OK);
  const bool sendsToo = choices.ConsumeBool();
  Pipe in;
  Pipe out;
  in.bytes.assign(stream.begin(), stream.end());
  Endpoint endpoint(drawSettings(choices, server), in, out, pool, kPoolLimit);
  endpoint.open();
  while (choices.remaining_bytes() > 0) {
    const auto how = choices.ConsumeIntegral<std::uint8_t>();
    if (how < 64) {
      endpoint.receive(choices);
    } else if (how < 72) {
      endpoint.inject(choices);
    } else if (how < 80) {
      endpoint.releasePayload(choices);
    } else if (how < 96 && sendsToo) {
      endpoint.send(choices);
    } else if (how < 104 && sendsToo) {
      endpoint.sendControl(choices);
    } else {
      endpoint.takeAction(how % 2 == 0 ? WEB_SOCKET_ALL_ACTION_QUEUE : WEB_SOCKET_RECEIVE_ACTION_QUEUE, 1 + how % 3);
      endpoint.completeAction(choices);
    }
  }
  Choices none(nullptr, 0);
  endpoint.breakRandom(none);
  while (endpoint.pump()) {
  }
  endpoint.check(true);
  endpoint.finish();
  REQUIRE(WebSocketReceivePoolBytesInUse(pool) == 0);
  WebSocketDeleteReceivePool(pool);
}

}  // namespace websocket::fuzz

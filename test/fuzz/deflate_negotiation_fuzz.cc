// Text as the Sec-WebSocket-Extensions field of a request and of a response (RFC 7692, 7.1). The first bytes choose
// what both sides want; the rest is the text. Nothing is let out, what a server answers a client understands, and no
// answer goes beyond what was offered or wanted.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <optional>
#include <string>

#include "extension/permessage_deflate.h"
#include "require.h"

namespace websocket {
namespace {

DeflateNegotiation drawWishes(FuzzedDataProvider& choices) {
  const auto bits = [&] {
    const auto drawn = choices.ConsumeIntegralInRange<std::uint8_t>(7, 15);
    return drawn == 7 ? std::uint8_t{0} : drawn;
  };
  const auto preference = [&] { return static_cast<Preference>(choices.ConsumeIntegralInRange(0, 2)); };
  DeflateNegotiation wanted;
  wanted.serverNoContextTakeover = preference();
  wanted.clientNoContextTakeover = preference();
  wanted.serverMaxWindowBits = bits();
  wanted.clientMaxWindowBits = bits();
  wanted.refuseServerMaxWindowBits = choices.ConsumeBool();
  wanted.refuseClientMaxWindowBits = choices.ConsumeBool();
  REQUIRE(wanted.valid());
  return wanted;
}

std::optional<AcceptedDeflate> accept(const DeflateNegotiation& wanted, std::string_view text) {
  const HeaderView header{"Sec-WebSocket-Extensions", text};
  std::optional<AcceptedDeflate> accepted;
  const Result result = acceptDeflate(wanted, {&header, 1}, accepted);
  REQUIRE(result == Result::Ok || (result == Result::InvalidFormat && !accepted.has_value()));
  if (accepted.has_value()) {
    const DeflateParameters& agreed = accepted->parameters;
    REQUIRE(agreed.valid());
    REQUIRE(wanted.serverMaxWindowBits == 0 || agreed.serverMaxWindowBits <= wanted.serverMaxWindowBits);
    REQUIRE(wanted.clientMaxWindowBits == 0 || agreed.clientMaxWindowBits <= wanted.clientMaxWindowBits);
    REQUIRE(wanted.serverNoContextTakeover != Preference::Refuse || !agreed.serverNoContextTakeover);
    REQUIRE(wanted.serverNoContextTakeover != Preference::Demand || agreed.serverNoContextTakeover);
    REQUIRE(wanted.clientNoContextTakeover != Preference::Demand || agreed.clientNoContextTakeover);
    DeflateParameters read;
    REQUIRE(readDeflateResponse({}, accepted->response, read) == Result::Ok);
    REQUIRE(read == agreed);
  }
  return accepted;
}

void check(FuzzedDataProvider& choices) {
  const DeflateNegotiation client = drawWishes(choices);
  const DeflateNegotiation server = drawWishes(choices);
  const std::string text = choices.ConsumeRemainingBytesAsString();
  accept(server, text);

  DeflateParameters agreed;
  const Result result = readDeflateResponse(client, text, agreed);
  REQUIRE(result == Result::Ok ? agreed.valid() : agreed == DeflateParameters{});
  if (result == Result::Ok) {
    REQUIRE(client.clientMaxWindowBits == 0 || agreed.clientMaxWindowBits <= client.clientMaxWindowBits);
    REQUIRE(text.find('\0') == std::string::npos);
  }

  // Two of us understand each other, unless one refuses what the other demands.
  const std::string offer = offerDeflate(client);
  if (const auto accepted = accept(server, offer); accepted.has_value()) {
    const Result read = readDeflateResponse(client, accepted->response, agreed);
    const bool refused =
        client.clientNoContextTakeover == Preference::Refuse && server.clientNoContextTakeover == Preference::Demand;
    REQUIRE(read == (refused ? Result::ExtensionsNotSupported : Result::Ok));
    REQUIRE(refused || (agreed.serverMaxWindowBits == accepted->parameters.serverMaxWindowBits &&
                        agreed.serverNoContextTakeover == accepted->parameters.serverNoContextTakeover &&
                        agreed.clientMaxWindowBits <= accepted->parameters.clientMaxWindowBits));
  }
}

}  // namespace
}  // namespace websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider choices(data, size);
  websocket::check(choices);
  return 0;
}

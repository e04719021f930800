#include "extension/permessage_deflate.h"

#include <algorithm>

#include "extension/extension_element.h"
#include "http_header.h"

namespace websocket {
namespace {

constexpr std::string_view kServerNoContextTakeover = "server_no_context_takeover";
constexpr std::string_view kClientNoContextTakeover = "client_no_context_takeover";
constexpr std::string_view kServerMaxWindowBits = "server_max_window_bits";
constexpr std::string_view kClientMaxWindowBits = "client_max_window_bits";

// The parameters of one element, as they stand there.
struct Element {
  bool serverNoContextTakeover = false;
  bool clientNoContextTakeover = false;
  std::optional<std::uint8_t> serverMaxWindowBits;
  std::optional<std::uint8_t> clientMaxWindowBits;  // 0: without a value
};

// RFC 7692, 7.1.2: a decimal integer without leading zeros.
std::optional<std::uint8_t> readWindowBits(std::string_view text) {
  if (text.size() == 1 && (text[0] == '8' || text[0] == '9')) {
    return static_cast<std::uint8_t>(text[0] - '0');
  }
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') {
    return static_cast<std::uint8_t>(10 + (text[1] - '0'));
  }
  return std::nullopt;
}

// False for a parameter that is unknown, stands there twice, or whose value is wrong or missing or not allowed.
bool readParameter(const ExtensionParameter& parameter, Role sender, Element& element) {
  const auto readFlag = [&](bool& flag) {
    const bool fine = !flag && !parameter.hasValue;
    flag = true;
    return fine;
  };
  const auto readBits = [&](std::optional<std::uint8_t>& bits, bool valueOptional) {
    const bool repeated = bits.has_value();
    bits = parameter.hasValue ? readWindowBits(parameter.value)
           : valueOptional    ? std::optional<std::uint8_t>(std::uint8_t{0})
                              : std::nullopt;
    return bits.has_value() && !repeated;
  };
  if (equalsIgnoreCase(parameter.name, kServerNoContextTakeover)) {
    return readFlag(element.serverNoContextTakeover);
  }
  if (equalsIgnoreCase(parameter.name, kClientNoContextTakeover)) {
    return readFlag(element.clientNoContextTakeover);
  }
  if (equalsIgnoreCase(parameter.name, kServerMaxWindowBits)) {
    return readBits(element.serverMaxWindowBits, false);
  }
  if (equalsIgnoreCase(parameter.name, kClientMaxWindowBits)) {
    return readBits(element.clientMaxWindowBits, sender == Role::Client);
  }
  return false;
}

// InvalidFormat: not the grammar. ExtensionsNotSupported: not this extension's parameters.
Result readElement(std::string_view text, Role sender, Element& element) {
  bool known = true;
  ExtensionParameters parameters(text);
  while (const std::optional<ExtensionParameter> parameter = parameters.next()) {
    known = readParameter(*parameter, sender, element) && known;
  }
  if (!parameters.wellFormed()) {
    return Result::InvalidFormat;
  }
  return known ? Result::Ok : Result::ExtensionsNotSupported;
}

void append(std::string& element, std::string_view parameter) { element.append("; ").append(parameter); }

void append(std::string& element, std::string_view parameter, unsigned value) {
  append(element, parameter);
  element.append("=").append(std::to_string(value));
}

// The window of one side in the answer to an offer: the smaller of the two wishes; 0 counts as none.
std::uint8_t smallerWindow(std::uint8_t a, std::uint8_t b) {
  const auto orMost = [](std::uint8_t bits) { return bits == 0 ? kMaxWindowBits : bits; };
  return std::min(orMost(a), orMost(b));
}

std::optional<AcceptedDeflate> acceptOffer(const DeflateNegotiation& wanted, const Element& offer) {
  const bool mayLimitClient = offer.clientMaxWindowBits.has_value() && !wanted.refuseClientMaxWindowBits;
  if ((offer.serverNoContextTakeover && wanted.serverNoContextTakeover == Preference::Refuse) ||
      (offer.serverMaxWindowBits.has_value() && wanted.refuseServerMaxWindowBits) ||
      (wanted.clientMaxWindowBits != 0 && !mayLimitClient)) {
    return std::nullopt;
  }
  AcceptedDeflate accepted;
  DeflateParameters& agreed = accepted.parameters;
  std::string& response = accepted.response;
  response = kPermessageDeflate;
  agreed.serverNoContextTakeover =
      offer.serverNoContextTakeover || wanted.serverNoContextTakeover == Preference::Demand;
  if (agreed.serverNoContextTakeover) {
    append(response, kServerNoContextTakeover);
  }
  agreed.clientNoContextTakeover =
      wanted.clientNoContextTakeover == Preference::Demand ||
      (offer.clientNoContextTakeover && wanted.clientNoContextTakeover == Preference::Open);
  if (agreed.clientNoContextTakeover) {
    append(response, kClientNoContextTakeover);
  }
  agreed.serverMaxWindowBits = smallerWindow(offer.serverMaxWindowBits.value_or(0), wanted.serverMaxWindowBits);
  if (offer.serverMaxWindowBits.has_value() || wanted.serverMaxWindowBits != 0) {
    append(response, kServerMaxWindowBits, agreed.serverMaxWindowBits);
  }
  const std::uint8_t offered = offer.clientMaxWindowBits.value_or(0);
  if (mayLimitClient && (offered != 0 || wanted.clientMaxWindowBits != 0)) {
    agreed.clientMaxWindowBits = smallerWindow(offered, wanted.clientMaxWindowBits);
    append(response, kClientMaxWindowBits, agreed.clientMaxWindowBits);
  }
  return accepted;
}

bool validBits(std::uint8_t bits) { return bits == 0 || (bits >= kMinWindowBits && bits <= kMaxWindowBits); }

}  // namespace

bool DeflateNegotiation::valid() const {
  return validBits(serverMaxWindowBits) && validBits(clientMaxWindowBits) &&
         serverNoContextTakeover <= Preference::Refuse && clientNoContextTakeover <= Preference::Refuse;
}

bool DeflateParameters::valid() const {
  return serverMaxWindowBits != 0 && validBits(serverMaxWindowBits) && clientMaxWindowBits != 0 &&
         validBits(clientMaxWindowBits);
}

bool isPermessageDeflate(std::string_view element) {
  return equalsIgnoreCase(elementName(element), kPermessageDeflate);
}

Result acceptDeflate(const DeflateNegotiation& wanted, std::span<const HeaderView> request,
                     std::optional<AcceptedDeflate>& accepted) {
  accepted.reset();
  ListElements elements(request, "Sec-WebSocket-Extensions");
  for (std::string_view text; elements.next(text);) {
    if (!isPermessageDeflate(text)) {
      continue;
    }
    Element offer;
    const Result result = readElement(text, Role::Client, offer);
    if (result == Result::InvalidFormat) {
      accepted.reset();
      return result;
    }
    if (result == Result::Ok && !accepted.has_value()) {
      accepted = acceptOffer(wanted, offer);
    }
  }
  return Result::Ok;
}

std::string offerDeflate(const DeflateNegotiation& wanted) {
  std::string offer(kPermessageDeflate);
  if (wanted.serverNoContextTakeover == Preference::Demand) {
    append(offer, kServerNoContextTakeover);
  }
  if (wanted.clientNoContextTakeover == Preference::Demand) {
    append(offer, kClientNoContextTakeover);
  }
  if (wanted.serverMaxWindowBits != 0) {
    append(offer, kServerMaxWindowBits, wanted.serverMaxWindowBits);
  }
  if (wanted.clientMaxWindowBits != 0 && !wanted.refuseClientMaxWindowBits) {
    append(offer, kClientMaxWindowBits, wanted.clientMaxWindowBits);
  } else if (!wanted.refuseClientMaxWindowBits) {
    append(offer, kClientMaxWindowBits);
  }
  return offer;
}

Result readDeflateResponse(const DeflateNegotiation& wanted, std::string_view element, DeflateParameters& agreed) {
  Element response;
  if (readElement(element, Role::Server, response) != Result::Ok) {
    return Result::ExtensionsNotSupported;
  }
  // A server may shorten its own window without having been asked, but the client's only if that was offered.
  const bool goesBeyond =
      (wanted.serverMaxWindowBits != 0 && response.serverMaxWindowBits.value_or(0) > wanted.serverMaxWindowBits) ||
      (response.clientMaxWindowBits.has_value() &&
       (wanted.refuseClientMaxWindowBits ||
        (wanted.clientMaxWindowBits != 0 && *response.clientMaxWindowBits > wanted.clientMaxWindowBits)));
  if (goesBeyond || (response.clientNoContextTakeover && wanted.clientNoContextTakeover == Preference::Refuse)) {
    return Result::ExtensionsNotSupported;
  }
  agreed.serverNoContextTakeover = response.serverNoContextTakeover;
  agreed.clientNoContextTakeover =
      response.clientNoContextTakeover || wanted.clientNoContextTakeover == Preference::Demand;
  agreed.serverMaxWindowBits = response.serverMaxWindowBits.value_or(kMaxWindowBits);
  agreed.clientMaxWindowBits = response.clientMaxWindowBits.value_or(smallerWindow(0, wanted.clientMaxWindowBits));
  return Result::Ok;
}

}  // namespace websocket

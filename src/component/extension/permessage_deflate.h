// The negotiation of permessage-deflate (RFC 7692, 7.1): offers and configuration in, agreed parameters and header text
// out. No state; std::bad_alloc may leave the functions that make strings.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol.h"

namespace websocket {

inline constexpr std::string_view kPermessageDeflate = "permessage-deflate";

inline constexpr std::uint8_t kMinWindowBits = 8;  // RFC 7692, 7.1.2: base-2 logarithms of bytes
inline constexpr std::uint8_t kMaxWindowBits = 15;

// What an endpoint wants of a parameter that both sides have a say in.
enum class Preference : std::uint8_t {
  Open,    // as the peer wishes
  Demand,  // ask for it, and use it in any case where that is ours to decide
  Refuse,  // never
};

// What an endpoint is configured to agree to. "Window bits" of 0: no wish of ours.
struct DeflateNegotiation {
  // The server compresses each message by itself. Server: Demand says so in the response; Refuse declines an offer that
  // asks for it. Client: Demand asks for it.
  Preference serverNoContextTakeover = Preference::Open;
  // The client compresses each message by itself. Server: Demand requires it in the response. Client: Demand offers it;
  // Refuse fails a response that requires it.
  Preference clientNoContextTakeover = Preference::Open;
  // The window of what the server compresses, 8 to 15. Server: the most that it uses. Client: asks for it.
  std::uint8_t serverMaxWindowBits = 0;
  // The window of what the client compresses, 8 to 15. Server: the most it allows; an offer of a client that cannot be
  // told is declined. Client: the most that it uses.
  std::uint8_t clientMaxWindowBits = 0;
  // Server: an offer that asks for server_max_window_bits is declined.
  bool refuseServerMaxWindowBits = false;
  // Client: client_max_window_bits is not offered, and a response with it fails. Server: it is never in the response.
  bool refuseClientMaxWindowBits = false;

  bool valid() const;
};

// What was agreed: how each side compresses.
struct DeflateParameters {
  bool serverNoContextTakeover = false;
  bool clientNoContextTakeover = false;
  std::uint8_t serverMaxWindowBits = kMaxWindowBits;
  std::uint8_t clientMaxWindowBits = kMaxWindowBits;

  bool operator==(const DeflateParameters&) const = default;
  bool valid() const;

  // Of the messages that an endpoint of this role compresses.
  bool noContextTakeover(Role role) const {
    return role == Role::Server ? serverNoContextTakeover : clientNoContextTakeover;
  }
  std::uint8_t maxWindowBits(Role role) const {
    return role == Role::Server ? serverMaxWindowBits : clientMaxWindowBits;
  }
};

// A server's answer.
struct AcceptedDeflate {
  DeflateParameters parameters;
  std::string response;  // the element of the response's Sec-WebSocket-Extensions
};

// Server: takes the first offer of a request that is acceptable (RFC 7692, 5.1); nothing when there is none. An offer
// with unknown, repeated or ill-formed parameters is declined (7.1); one that breaks the grammar of the field makes
// the whole request InvalidFormat (RFC 6455, 9.1).
Result acceptDeflate(const DeflateNegotiation& wanted, std::span<const HeaderView> request,
                     std::optional<AcceptedDeflate>& accepted);

// Client: the element of the request's Sec-WebSocket-Extensions.
std::string offerDeflate(const DeflateNegotiation& wanted);

// Client: reads the element of a response that accepted offerDeflate(wanted). ExtensionsNotSupported: it breaks the
// grammar, or has a parameter that is unknown, repeated, ill-formed, was not offered or goes beyond the offer; the
// connection has to fail (RFC 7692, 7.1). A server that says nothing of what was asked of it is taken at its word: it
// may use the whole window, and context takeover.
Result readDeflateResponse(const DeflateNegotiation& wanted, std::string_view element, DeflateParameters& agreed);

// True for a list element that names the extension.
bool isPermessageDeflate(std::string_view element);

}  // namespace websocket

// The opening handshake (RFC 6455, 4) as header fields in and header fields out: makes and checks them, and matches
// what was selected with what was offered. Request line, status line and the HTTP syntax itself are the caller's.
//
// Both classes own what they return; views stay valid while the object lives and until its next begin(). A failed call
// changes nothing that can be seen, and may be repeated. std::bad_alloc may leave any of the calls. One thread at a
// time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extension/permessage_deflate.h"
#include "protocol.h"
#include "random.h"

namespace websocket {

// What the server chose, as indices of the client's offers. Extensions are in the order of the server's list.
struct ClientSelection {
  std::vector<std::uint32_t> extensions;
  std::optional<std::uint32_t> subprotocol;
  std::optional<DeflateParameters> deflate{};  // of the built-in permessage-deflate, which is not among the offers
};

class ClientHandshake {
 public:
  ClientHandshake() = default;
  ClientHandshake(const ClientHandshake&) = delete;
  ClientHandshake& operator=(const ClientHandshake&) = delete;

  // Makes the fields of the request: Connection, Upgrade, Sec-WebSocket-Key, -Version, then -Protocol and -Extensions
  // when something is offered. Offers are copied; random gives the 16 bytes of the key.
  // deflate: the built-in permessage-deflate is offered behind the extensions (R10); null: it is not.
  // InvalidArgument: a subprotocol that is no token or stands twice; an extension that is not one list element, whose
  // name is no token, with control characters, or the built-in one again. Fail: no randomness or no SHA-1.
  // Page: WebSocketBeginClientHandshake.
  Result begin(std::span<const std::string_view> subprotocols, std::span<const std::string_view> extensions,
               RandomSource& random, std::span<const HeaderView>& headers, const DeflateNegotiation* deflate = nullptr);

  // Checks the fields of the 101 response (RFC 6455, 4.1); selection is written on success only.
  // InvalidFormat: Upgrade, Connection, Sec-WebSocket-Accept or a repeated Sec-WebSocket-Protocol.
  // SubprotocolNotSupported: not offered, or none although some were. ExtensionsNotSupported: not offered, or more
  // often than offered, or parameters that do not go with the offer (readDeflateResponse). Page:
  // WebSocketEndClientHandshake.
  Result end(std::span<const HeaderView> response, ClientSelection& selection) const;

  std::size_t offeredExtensionCount() const { return extensions_.size(); }

 private:
  Result selectSubprotocol(std::span<const HeaderView> response, std::optional<std::uint32_t>& selected) const;
  Result selectExtensions(std::span<const HeaderView> response, ClientSelection& selected) const;

  std::vector<std::string> subprotocols_;
  std::vector<std::string> extensions_;
  std::string key_;
  std::string accept_;  // what the server has to answer to key_
  std::string protocolList_;
  std::string extensionList_;
  std::optional<DeflateNegotiation> deflate_;
  std::array<HeaderView, 6> headers_;
};

class ServerHandshake {
 public:
  ServerHandshake() = default;
  ServerHandshake(const ServerHandshake&) = delete;
  ServerHandshake& operator=(const ServerHandshake&) = delete;

  // Checks the fields of a request (RFC 6455, 4.2.1) and makes those of the response: Sec-WebSocket-Accept, Connection,
  // Upgrade, then Sec-WebSocket-Protocol and -Extensions when something was selected. subprotocol "" selects none.
  // InvalidFormat: Host, Upgrade, Connection, Sec-WebSocket-Key or -Version is missing or malformed.
  // VersionNotSupported: a version other than 13. SubprotocolNotSupported, ExtensionsNotSupported: selected but not
  // offered. InvalidArgument: a selected string with control characters, or an extension as in ClientHandshake::begin.
  // Fail: no SHA-1. deflate: the first acceptable offer of permessage-deflate is accepted (R10). Page:
  // WebSocketBeginServerHandshake.
  Result begin(std::string_view subprotocol, std::span<const std::string_view> extensions,
               std::span<const HeaderView> request, std::span<const HeaderView>& headers,
               const DeflateNegotiation* deflate = nullptr);

  // What was agreed of permessage-deflate; nothing: it is not used.
  const std::optional<DeflateParameters>& deflate() const { return deflate_; }

 private:
  std::string accept_;
  std::string subprotocol_;
  std::string extensionList_;
  std::optional<DeflateParameters> deflate_;
  std::array<HeaderView, 5> headers_;
};

}  // namespace websocket

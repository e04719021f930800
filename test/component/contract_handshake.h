// Handles and opening handshakes for the contract tests: everything goes through the thirteen functions of websocket.h.
// A Handle owns its WEB_SOCKET_HANDLE and deletes it, whatever state it is in. No threads.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket.h"
#include "websocket_ext.h"

namespace websocket::contract {

constexpr HRESULT kInsufficientBuffer = static_cast<HRESULT>(0x8007007A);

enum class Side { Client, Server };

// The properties of a handle (contract, section 6); what is not set is not passed.
struct Options {
  std::optional<ULONG> receiveBufferSize{};
  std::optional<ULONG> sendBufferSize{};
  bool disableMasking = false;
  bool disableUtf8Verification = false;
  std::span<std::uint8_t> allocatedBuffer{};
  std::string_view randomBytes{};  // what every request for random bytes gets, repeated; empty: OpenSSL's generator
};

// A WEB_SOCKET_RANDOM_SOURCE that repeats the bytes its context, a std::string_view, names.
inline BOOL WINAPI fillFromText(PVOID context, PBYTE to, ULONG length) {
  const std::string_view text = *static_cast<const std::string_view*>(context);
  for (ULONG i = 0; i < length; ++i) to[i] = static_cast<BYTE>(text[i % text.size()]);
  return TRUE;
}

// Creates a handle from a plain array of properties.
inline HRESULT create(Side side, std::span<const WEB_SOCKET_PROPERTY> properties, WEB_SOCKET_HANDLE* handle) {
  const auto count = static_cast<ULONG>(properties.size());
  const WEB_SOCKET_PROPERTY* array = properties.empty() ? nullptr : properties.data();
  return side == Side::Client ? WebSocketCreateClientHandle(array, count, handle)
                              : WebSocketCreateServerHandle(array, count, handle);
}

// Creates a handle from Options.
inline HRESULT create(Side side, const Options& options, WEB_SOCKET_HANDLE* handle) {
  ULONG receiveBufferSize = options.receiveBufferSize.value_or(0);
  ULONG sendBufferSize = options.sendBufferSize.value_or(0);
  BOOL yes = TRUE;
  PBYTE memory = options.allocatedBuffer.data();
  std::vector<WEB_SOCKET_PROPERTY> properties;
  if (options.receiveBufferSize) {
    properties.push_back({WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &receiveBufferSize, sizeof(ULONG)});
  }
  if (options.sendBufferSize) {
    properties.push_back({WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, &sendBufferSize, sizeof(ULONG)});
  }
  if (options.disableMasking) properties.push_back({WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE, &yes, sizeof(BOOL)});
  if (options.disableUtf8Verification) {
    properties.push_back({WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE, &yes, sizeof(BOOL)});
  }
  if (memory != nullptr) {
    properties.push_back({WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, static_cast<PVOID>(&memory),
                          static_cast<ULONG>(options.allocatedBuffer.size())});
  }
  WEB_SOCKET_RANDOM_SOURCE random{fillFromText, const_cast<std::string_view*>(&options.randomBytes)};
  if (!options.randomBytes.empty()) {
    properties.push_back(
        {static_cast<WEB_SOCKET_PROPERTY_TYPE>(WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE), &random, sizeof(random)});
  }
  return create(side, properties, handle);
}

// Owns one WEB_SOCKET_HANDLE.
class Handle {
 public:
  Handle() = default;
  explicit Handle(Side side, const Options& options = {}) : options_(std::make_unique<Options>(options)) {
    EXPECT_EQ(create(side, *options_, &handle_), S_OK);
  }
  Handle(Handle&& other) noexcept
      : options_(std::move(other.options_)), handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() { WebSocketDeleteHandle(handle_); }

  WEB_SOCKET_HANDLE get() const { return handle_; }
  WEB_SOCKET_HANDLE* out() { return &handle_; }

 private:
  std::unique_ptr<Options> options_;  // the random source's context, at one address as long as the handle lives
  WEB_SOCKET_HANDLE handle_ = nullptr;
};

// HTTP header fields, owned.
using Header = std::pair<std::string, std::string>;
using Headers = std::vector<Header>;

// The array that the C functions take. It points into `headers`, which has to outlive it.
inline std::vector<WEB_SOCKET_HTTP_HEADER> pointersInto(const Headers& headers) {
  std::vector<WEB_SOCKET_HTTP_HEADER> array;
  for (const auto& [name, value] : headers) {
    array.push_back({const_cast<PCHAR>(name.data()), static_cast<ULONG>(name.size()), const_cast<PCHAR>(value.data()),
                     static_cast<ULONG>(value.size())});
  }
  return array;
}

// A copy of an array that the component returned; only the lengths are trusted, never a terminator.
inline Headers copyOf(const WEB_SOCKET_HTTP_HEADER* array, ULONG count) {
  Headers headers;
  for (const WEB_SOCKET_HTTP_HEADER& header : std::span(array, count)) {
    headers.emplace_back(std::string(header.pcName, header.ulNameLength),
                         std::string(header.pcValue, header.ulValueLength));
  }
  return headers;
}

// The value of the header of exactly this name, if there is one.
inline std::optional<std::string> valueOf(const Headers& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return h.first == name; });
  return found == headers.end() ? std::nullopt : std::optional(found->second);
}

inline Headers without(Headers headers, std::string_view name) {
  std::erase_if(headers, [&](const Header& header) { return header.first == name; });
  return headers;
}

// The headers with this one replaced, or added.
inline Headers with(Headers headers, const std::string& name, const std::string& value) {
  headers = without(std::move(headers), name);
  headers.emplace_back(name, value);
  return headers;
}

// The headers with this one added, beside any other of the same name.
inline Headers plus(Headers headers, const std::string& name, const std::string& value) {
  headers.emplace_back(name, value);
  return headers;
}

// The request that .NET feeds to a server handle after negotiating elsewhere: an empty Host and a key of zeros.
inline Headers dummyRequest() {
  return {{"Connection", "Upgrade"},
          {"Upgrade", "websocket"},
          {"Host", ""},
          {"Sec-WebSocket-Version", "13"},
          {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}};
}

inline std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

// Sec-WebSocket-Accept for a key (RFC 6455, 4.2.2), computed here independently of the component.
inline std::string acceptFor(const std::string& key) {
  const std::string input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  return base64(digest);
}

// The smallest response that accepts the key in a client's additional headers.
inline Headers minimalResponse(const Headers& request) {
  return {{"Connection", "Upgrade"},
          {"Upgrade", "websocket"},
          {"Sec-WebSocket-Accept", acceptFor(valueOf(request, "Sec-WebSocket-Key").value_or(""))}};
}

using Strings = std::vector<PCSTR>;

inline PCSTR* arrayOf(const Strings& strings) { return strings.empty() ? nullptr : const_cast<PCSTR*>(strings.data()); }

// WebSocketBeginClientHandshake with a copy of the returned headers.
inline HRESULT beginClient(WEB_SOCKET_HANDLE handle, const Strings& subprotocols, const Strings& extensions,
                           Headers* headers = nullptr, const Headers& initial = {}) {
  const auto initialArray = pointersInto(initial);
  PWEB_SOCKET_HTTP_HEADER array = nullptr;
  ULONG count = 0;
  const HRESULT result = WebSocketBeginClientHandshake(
      handle, arrayOf(subprotocols), static_cast<ULONG>(subprotocols.size()), arrayOf(extensions),
      static_cast<ULONG>(extensions.size()), initialArray.empty() ? nullptr : initialArray.data(),
      static_cast<ULONG>(initialArray.size()), &array, &count);
  if (headers != nullptr && SUCCEEDED(result)) *headers = copyOf(array, count);
  return result;
}

// WebSocketEndClientHandshake without the optional outputs, or with the subprotocol's index.
inline HRESULT endClient(WEB_SOCKET_HANDLE handle, const Headers& response, ULONG* subprotocol = nullptr) {
  const auto array = pointersInto(response);
  return WebSocketEndClientHandshake(handle, array.data(), static_cast<ULONG>(array.size()), nullptr, nullptr,
                                     subprotocol);
}

// WebSocketBeginServerHandshake with a copy of the returned headers.
inline HRESULT beginServer(WEB_SOCKET_HANDLE handle, const Headers& request, Headers* response = nullptr,
                           PCSTR subprotocol = nullptr, const Strings& extensions = {}) {
  const auto requestArray = pointersInto(request);
  PWEB_SOCKET_HTTP_HEADER array = nullptr;
  ULONG count = 0;
  const HRESULT result =
      WebSocketBeginServerHandshake(handle, subprotocol, arrayOf(extensions), static_cast<ULONG>(extensions.size()),
                                    requestArray.data(), static_cast<ULONG>(requestArray.size()), &array, &count);
  if (response != nullptr && SUCCEEDED(result)) *response = copyOf(array, count);
  return result;
}

// Takes a client handle and a server handle through the whole handshake; `extension` is offered and selected.
inline void handshake(WEB_SOCKET_HANDLE client, WEB_SOCKET_HANDLE server, PCSTR extension = nullptr) {
  const Strings extensions = extension == nullptr ? Strings{} : Strings{extension};
  Headers request;
  Headers response;
  EXPECT_EQ(beginClient(client, {}, extensions, &request), S_OK);
  EXPECT_EQ(beginServer(server, plus(request, "Host", "localhost"), &response, nullptr, extensions), S_OK);
  EXPECT_EQ(WebSocketEndServerHandshake(server), S_OK);
  EXPECT_EQ(endClient(client, response), S_OK);
}

// Opens one handle against a throw-away partner of the other role.
inline void open(Side side, WEB_SOCKET_HANDLE handle, PCSTR extension = nullptr) {
  const Handle partner(side == Side::Client ? Side::Server : Side::Client);
  if (side == Side::Client) {
    handshake(handle, partner.get(), extension);
  } else {
    handshake(partner.get(), handle, extension);
  }
}

}  // namespace websocket::contract

#include "global_property.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace websocket {
namespace {

constexpr ULONG kDefaultKeepAlive = 30000;  // ms
constexpr ULONG kMinKeepAlive = 15000;      // ms; a lower setting counts as this
constexpr ULONG kVersion = 13;              // RFC 6455

// The setting that Windows keeps in its registry; read at each call. A value that is no number counts as absent.
constexpr const char* kKeepAliveVariable = "WEBSOCKET_COMPONENT_KEEPALIVE_INTERVAL";

ULONG keepAliveInterval() {
  const char* const text = std::getenv(kKeepAliveVariable);
  if (text == nullptr) {
    return kDefaultKeepAlive;
  }
  const std::string_view digits(text);
  ULONG value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return kDefaultKeepAlive;
  }
  return std::max(value, kMinKeepAlive);
}

}  // namespace

Result readGlobalProperty(WEB_SOCKET_PROPERTY_TYPE type, void* value, ULONG& size) {
  ULONG current = 0;
  switch (type) {
    case WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE:
      current = keepAliveInterval();
      break;
    case WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE:
      current = kVersion;
      break;
    default:
      return Result::InvalidArgument;
  }
  const bool fits = value != nullptr && size >= sizeof(current);
  size = sizeof(current);
  if (!fits) {
    return Result::InsufficientBuffer;
  }
  std::memcpy(value, &current, sizeof(current));
  return Result::Ok;
}

}  // namespace websocket

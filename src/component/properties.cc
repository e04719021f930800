#include "properties.h"

#include <cstring>

namespace websocket {
namespace {

constexpr ULONG kMinReceiveBufferSize = 256;
constexpr ULONG kMinSendBufferSize = 16;  // a server's header with a close status, or a client's header
constexpr ULONG kMaxBufferSize = 0x7FFFFFFF;
constexpr std::uintptr_t kBufferAlignment = 8;
constexpr std::uint32_t kServerSendBufferSize = 16;

template <typename T>
bool readValue(const WEB_SOCKET_PROPERTY& property, T& value) {
  if (property.pvValue == nullptr || property.ulValueSize != sizeof(T)) {
    return false;
  }
  std::memcpy(&value, property.pvValue, sizeof(T));
  return true;
}

bool readFlag(const WEB_SOCKET_PROPERTY& property, bool& flag) {
  BOOL value = FALSE;
  if (!readValue(property, value)) {
    return false;
  }
  flag = value != FALSE;
  return true;
}

bool readSize(const WEB_SOCKET_PROPERTY& property, ULONG minimum, std::uint32_t& size) {
  return readValue(property, size) && size >= minimum && size <= kMaxBufferSize;
}

// pvValue points at a variable that holds the buffer's address; ulValueSize is the size of the buffer.
bool readBuffer(const WEB_SOCKET_PROPERTY& property, std::span<std::uint8_t>& buffer) {
  std::uint8_t* address = nullptr;
  if (property.pvValue == nullptr || property.ulValueSize == 0) {
    return false;
  }
  std::memcpy(static_cast<void*>(&address), property.pvValue, sizeof(address));
  if (address == nullptr || reinterpret_cast<std::uintptr_t>(address) % kBufferAlignment != 0) {
    return false;
  }
  buffer = {address, property.ulValueSize};
  return true;
}

bool readProperty(const WEB_SOCKET_PROPERTY& property, SessionOptions& options) {
  switch (property.Type) {
    case WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE:
      return readSize(property, kMinReceiveBufferSize, options.receiveBufferSize);
    case WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE:
      return readSize(property, kMinSendBufferSize, options.sendBufferSize);
    case WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE:
      return readFlag(property, options.disableMasking);
    case WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE:
      return readBuffer(property, options.allocatedBuffer);
    case WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE:
      return readFlag(property, options.disableUtf8Verification);
    case WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE:
    case WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE:
      break;  // not on handles
  }
  return false;
}

}  // namespace

Result readProperties(Role role, std::span<const WEB_SOCKET_PROPERTY> properties, SessionOptions& options) {
  if (role == Role::Server) {
    options.sendBufferSize = kServerSendBufferSize;
  }
  for (const WEB_SOCKET_PROPERTY& property : properties) {
    if (!readProperty(property, options)) {
      return Result::InvalidArgument;
    }
  }
  const std::uint64_t needed = std::uint64_t{options.receiveBufferSize} + options.sendBufferSize + kBufferOverhead;
  if (needed > 0xFFFFFFFF || (!options.allocatedBuffer.empty() && options.allocatedBuffer.size() < needed)) {
    return Result::InvalidArgument;
  }
  return Result::Ok;
}

}  // namespace websocket

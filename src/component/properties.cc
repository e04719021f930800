#include "properties.h"

#include <cstring>
#include <memory>

#include "extension/permessage_deflate_options.h"
#include "random.h"
#include "websocket_ext.h"

namespace websocket {
namespace {

static_assert(WEB_SOCKET_DEFLATE_DEMAND == static_cast<int>(Preference::Demand));
static_assert(WEB_SOCKET_DEFLATE_REFUSE == static_cast<int>(Preference::Refuse));

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

// Calls back into the application for random bytes.
class CallbackRandom final : public RandomSource {
 public:
  explicit CallbackRandom(const WEB_SOCKET_RANDOM_SOURCE& source) : source_(source) {}
  [[nodiscard]] bool fill(std::span<std::uint8_t> bytes) override {
    return source_.pfnFill(source_.pvContext, bytes.data(), static_cast<ULONG>(bytes.size())) != FALSE;
  }

 private:
  WEB_SOCKET_RANDOM_SOURCE source_;
};

bool readRandom(const WEB_SOCKET_PROPERTY& property, SessionOptions& options) {
  WEB_SOCKET_RANDOM_SOURCE source{};
  if (!readValue(property, source) || source.pfnFill == nullptr) {
    return false;
  }
  options.ownedRandom = std::make_shared<CallbackRandom>(source);
  options.random = options.ownedRandom.get();
  return true;
}

bool readPool(const WEB_SOCKET_PROPERTY& property, SharedReceivePool*& pool) {
  WEB_SOCKET_RECEIVE_POOL handle = nullptr;
  if (!readValue(property, handle) || handle == nullptr) {
    return false;
  }
  pool = static_cast<SharedReceivePool*>(handle);
  return true;
}

// A number that may be left to us as 0.
bool readSetting(ULONG value, ULONG least, ULONG most, std::uint8_t& setting) {
  if (value != 0) {
    setting = static_cast<std::uint8_t>(value);
  }
  return value == 0 || (value >= least && value <= most);
}

bool readPreference(ULONG value, Preference& preference) {
  preference = static_cast<Preference>(value);
  return value <= WEB_SOCKET_DEFLATE_REFUSE;
}

bool readDeflate(const WEB_SOCKET_PROPERTY& property, SessionOptions& options) {
  WEB_SOCKET_DEFLATE_OPTIONS value{};
  if (!readValue(property, value)) {
    return false;
  }
  const auto read = std::make_shared<PermessageDeflateOptions>();
  DeflateNegotiation& negotiation = read->negotiation;
  std::uint8_t level = 0;
  if (!readPreference(value.ulServerNoContextTakeover, negotiation.serverNoContextTakeover) ||
      !readPreference(value.ulClientNoContextTakeover, negotiation.clientNoContextTakeover) ||
      !readSetting(value.ulServerMaxWindowBits, kMinWindowBits, kMaxWindowBits, negotiation.serverMaxWindowBits) ||
      !readSetting(value.ulClientMaxWindowBits, kMinWindowBits, kMaxWindowBits, negotiation.clientMaxWindowBits) ||
      !readSetting(value.ulLevel, 1, 9, level) || !readSetting(value.ulMemLevel, 1, 9, read->deflater.memLevel)) {
    return false;
  }
  if (level != 0) {
    read->deflater.level = static_cast<std::int8_t>(level);
  }
  read->threshold = value.ulThreshold;
  read->pool = value.hPool == nullptr ? std::make_shared<DeflatePool>()
                                      : *static_cast<const std::shared_ptr<DeflatePool>*>(value.hPool);
  options.permessageDeflate = read;
  return true;
}

bool readDocumented(const WEB_SOCKET_PROPERTY& property, SessionOptions& options) {
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
    default:
      return false;  // unknown, or not on handles
  }
}

bool readAddition(const WEB_SOCKET_PROPERTY& property, SessionOptions& options, SharedReceivePool*& pool) {
  bool flag = false;
  switch (static_cast<int>(property.Type)) {
    case WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE:
      return readValue(property, options.maxMessageSize);
    case WEB_SOCKET_MAX_FRAME_SIZE_PROPERTY_TYPE:
      return readValue(property, options.maxFrameSize);
    case WEB_SOCKET_MAX_FRAGMENTS_PROPERTY_TYPE:
      return readValue(property, options.maxFragments);
    case WEB_SOCKET_AUTO_CLOSE_ECHO_PROPERTY_TYPE:
      return readFlag(property, options.autoCloseEcho);
    case WEB_SOCKET_DISABLE_AUTO_PONG_PROPERTY_TYPE: {
      const bool read = readFlag(property, flag);
      options.autoPong = !flag;
      return read;
    }
    case WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE:
      return readFlag(property, options.indicatePings);
    case WEB_SOCKET_INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE:
      return readFlag(property, options.indicateUnsolicitedPongs);
    case WEB_SOCKET_STRICT_CLOSE_CODES_PROPERTY_TYPE:
      return readFlag(property, options.strictCloseCodes);
    case WEB_SOCKET_CONTROL_FIRST_PROPERTY_TYPE:
      return readFlag(property, options.controlFirst);
    case WEB_SOCKET_GATHER_PROPERTY_TYPE:
      return readFlag(property, options.gather);
    case WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE:
      return readFlag(property, options.coalesceSends);
    case WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE:
      return readPool(property, pool);
    case WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE:
      return readRandom(property, options);
    case WEB_SOCKET_PERMESSAGE_DEFLATE_PROPERTY_TYPE:
      return readDeflate(property, options);
    default:
      return false;
  }
}

constexpr int kFirstAddition = 0x1000;

}  // namespace

Result readProperties(Role role, std::span<const WEB_SOCKET_PROPERTY> properties, SessionOptions& options,
                      SharedReceivePool*& pool) {
  pool = nullptr;
  if (role == Role::Server) {
    options.sendBufferSize = kServerSendBufferSize;
  }
  for (const WEB_SOCKET_PROPERTY& property : properties) {
    const bool read = static_cast<int>(property.Type) < kFirstAddition ? readDocumented(property, options)
                                                                       : readAddition(property, options, pool);
    if (!read) {
      return Result::InvalidArgument;
    }
  }
  options.pool = pool;
  const std::uint64_t needed = std::uint64_t{options.receiveBufferSize} + options.sendBufferSize + kBufferOverhead;
  const bool bufferFits = options.allocatedBuffer.empty() || options.allocatedBuffer.size() >= needed;
  const bool exclusive =
      ((pool != nullptr || options.permessageDeflate != nullptr) && !options.allocatedBuffer.empty()) ||
      (options.gather && options.coalesceSends);
  return needed <= 0xFFFFFFFF && bufferFits && !exclusive ? Result::Ok : Result::InvalidArgument;
}

}  // namespace websocket

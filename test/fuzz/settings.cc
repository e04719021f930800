#include "settings.h"

#include <deque>

#include "require.h"

namespace websocket::fuzz {
namespace {

constexpr ULONG kOverhead = 144;  // of an allocated buffer

// A property list that owns its values.
class Properties {
 public:
  template <typename T>
  void set(int type, T value, bool wanted = true) {
    if (wanted) {
      auto& bytes = values_.emplace_back(reinterpret_cast<std::uint8_t*>(&value),
                                         reinterpret_cast<std::uint8_t*>(&value) + sizeof value);
      list_.push_back({static_cast<WEB_SOCKET_PROPERTY_TYPE>(type), bytes.data(), sizeof value});
    }
  }
  void enable(int type, bool wanted) { set<BOOL>(type, TRUE, wanted); }
  void setBuffer(void** address, ULONG size) {
    list_.push_back({WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, static_cast<PVOID>(address), size});
  }
  std::vector<WEB_SOCKET_PROPERTY>& list() { return list_; }

 private:
  std::deque<Bytes> values_;
  std::vector<WEB_SOCKET_PROPERTY> list_;
};

ULONG sendBufferSize(const Settings& settings) {
  return settings.sendBufferSize != 0 ? settings.sendBufferSize : settings.server ? 16 : 4096;
}

}  // namespace

Settings drawSettings(Choices& choices, bool server) {
  const auto bits = choices.ConsumeIntegral<std::uint32_t>();
  const auto flag = [&](unsigned bit) { return (bits >> bit & 1) != 0; };
  Settings s;
  s.server = server;
  s.receiveBufferSize = flag(0) ? choices.ConsumeIntegralInRange<ULONG>(256, 700) : 4096;
  s.sendBufferSize = flag(1) ? choices.ConsumeIntegralInRange<ULONG>(16, 300) : 0;
  s.disableMasking = flag(2);
  s.disableUtf8Verification = flag(3);
  s.autoCloseEcho = flag(4);
  s.disableAutoPong = flag(5) && flag(6);
  s.indicatePings = flag(7);
  s.indicateUnsolicitedPongs = flag(8);
  s.strictCloseCodes = flag(9) && flag(10);
  s.controlFirst = flag(11);
  s.gather = flag(12);
  s.pool = flag(13);
  s.coalesceSends = flag(14) && !s.gather;
  s.allocatedBuffer = flag(15) && !s.pool;
  s.ownRandom = flag(16);
  if (flag(17) && flag(18)) {
    s.maxMessageSize = choices.ConsumeIntegralInRange<ULONGLONG>(1, 3000);
  }
  if (flag(19) && flag(20)) {
    s.maxFrameSize = choices.ConsumeIntegralInRange<ULONGLONG>(1, 3000);
  }
  if (flag(21) && flag(22)) {
    s.maxFragments = choices.ConsumeIntegralInRange<ULONG>(1, 5);
  }
  return s;
}

ReaderRules readerRules(const Settings& settings) {
  ReaderRules rules;
  rules.server = settings.server;
  rules.unmaskedAllowed = settings.disableMasking;
  rules.verifyUtf8 = !settings.disableUtf8Verification;
  rules.strictCloseCodes = settings.strictCloseCodes;
  rules.maxMessageSize = settings.maxMessageSize;
  rules.maxFrameSize = settings.maxFrameSize;
  rules.maxFragments = settings.maxFragments;
  return rules;
}

TestHandle::TestHandle(const Settings& s, WEB_SOCKET_RECEIVE_POOL pool) {
  Properties properties;
  properties.set(WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, s.receiveBufferSize);
  properties.set(WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, sendBufferSize(s));
  properties.enable(WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE, s.disableMasking);
  properties.enable(WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE, s.disableUtf8Verification);
  properties.enable(WEB_SOCKET_AUTO_CLOSE_ECHO_PROPERTY_TYPE, s.autoCloseEcho);
  properties.enable(WEB_SOCKET_DISABLE_AUTO_PONG_PROPERTY_TYPE, s.disableAutoPong);
  properties.enable(WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE, s.indicatePings);
  properties.enable(WEB_SOCKET_INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE, s.indicateUnsolicitedPongs);
  properties.enable(WEB_SOCKET_STRICT_CLOSE_CODES_PROPERTY_TYPE, s.strictCloseCodes);
  properties.enable(WEB_SOCKET_CONTROL_FIRST_PROPERTY_TYPE, s.controlFirst);
  properties.enable(WEB_SOCKET_GATHER_PROPERTY_TYPE, s.gather);
  properties.enable(WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE, s.coalesceSends);
  properties.set(WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE, s.maxMessageSize);
  properties.set(WEB_SOCKET_MAX_FRAME_SIZE_PROPERTY_TYPE, s.maxFrameSize);
  properties.set(WEB_SOCKET_MAX_FRAGMENTS_PROPERTY_TYPE, s.maxFragments);
  properties.set(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, pool, s.pool);
  void* address = nullptr;
  if (s.allocatedBuffer) {
    blockSize_ = std::size_t{s.receiveBufferSize} + sendBufferSize(s) + kOverhead;
    block_.reset(new std::uint64_t[(blockSize_ + 7) / 8]);
    address = block_.get();
    properties.setBuffer(&address, static_cast<ULONG>(blockSize_));
  }
  const auto fill = [](PVOID context, PBYTE bytes, ULONG length) -> BOOL {
    auto& random = *static_cast<Random*>(context);
    for (ULONG i = 0; i < length; ++i) {
      random.next = random.next * 1103515245 + 12345;
      bytes[i] = static_cast<std::uint8_t>(random.next >> 16);
    }
    return random.broken ? FALSE : TRUE;
  };
  properties.set(WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE, WEB_SOCKET_RANDOM_SOURCE{fill, random_.get()}, s.ownRandom);
  const auto create = s.server ? WebSocketCreateServerHandle : WebSocketCreateClientHandle;
  const auto& list = properties.list();
  REQUIRE(create(list.data(), static_cast<ULONG>(list.size()), &handle_) == S_OK);
}

bool TestHandle::owns(const std::uint8_t* bytes, ULONG length) const {
  if (block_ == nullptr) {
    return true;
  }
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(block_.get());
  return bytes >= begin && bytes + length <= begin + blockSize_;
}

}  // namespace websocket::fuzz

// Checks of JavaScript arguments. Each function looks at one value: it returns true and the value in C++ form, or
// throws a TypeError or RangeError that names the argument and says what is allowed, and returns false. They compose
// with &&.
#pragma once

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "masking.h"
#include "protocol.h"
#include "shared_message.h"

namespace websocket::binding {

// The arguments of a call. Missing ones are undefined.
class Arguments {
 public:
  static constexpr std::size_t kMaxCount = 8;

  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    std::size_t count = kMaxCount;
    napi_get_cb_info(env, info, &count, values_.data(), nullptr, &data_);
  }

  napi_env env() const { return env_; }
  napi_value operator[](std::size_t index) const { return values_[index]; }
  void* data() const { return data_; }

 private:
  napi_env env_;
  std::array<napi_value, kMaxCount> values_{};
  void* data_ = nullptr;
};

// Throw the error, unless one is pending; return false.
bool throwTypeError(napi_env env, std::string_view message);
bool throwRangeError(napi_env env, std::string_view message);

bool isNullish(napi_env env, napi_value value);

// An integer from `minimum` to `maximum`.
bool toInteger(napi_env env, napi_value value, const char* name, double minimum, double maximum, double& out);
// An integer from 0 to 2^32 - 1.
bool toUint32(napi_env env, napi_value value, const char* name, std::uint32_t& out);
// A number that this module handed out or defines itself: only its type is checked, for speed.
bool toNumber(napi_env env, napi_value value, const char* name, std::uint32_t& out);
bool toBoolean(napi_env env, napi_value value, const char* name, bool& out);

// The bytes of a typed array, DataView, Buffer or ArrayBuffer, valid until JavaScript runs again.
bool toBytes(napi_env env, napi_value value, const char* name, std::span<const std::uint8_t>& out);

// The four bytes of a mask key; undefined or null: none.
bool toMaskKey(napi_env env, napi_value value, const char* name, std::optional<MaskKey>& out);

// The elements of a Uint32Array, valid until JavaScript runs again.
bool toUint32Array(napi_env env, napi_value value, const char* name, std::span<std::uint32_t>& out);

// What is to be sent: bytes that are valid until JavaScript runs again or the scratch memory is used again, or as long
// as their owner.
struct PayloadArgument {
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const std::uint8_t[]> owner;      // of large strings
  std::shared_ptr<driver::SharedMessage> prepared;  // whose bytes they are
};

// Strings become UTF-8 in memory that is used again and again; lone surrogates become U+FFFD.
class Utf8Scratch {
 public:
  // Throws std::bad_alloc.
  PayloadArgument encode(napi_env env, napi_value string);

 private:
  static constexpr std::size_t kSize = std::size_t{64} * 1024;
  std::vector<std::uint8_t> memory_;
};

// As toBytes, or a string, or an object that prepareMessage() knows. Throws std::bad_alloc.
bool toPayload(napi_env env, napi_value value, const char* name, Utf8Scratch& scratch, PayloadArgument& out);

// An array of strings, as Latin-1, which is how Node passes HTTP header fields.
class StringList {
 public:
  // Throws std::bad_alloc.
  bool read(napi_env env, napi_value value, const char* name);

  std::span<const std::string_view> views() const { return views_; }
  // The strings as fields: name, value, name, value and so on.
  std::vector<HeaderView> headers() const;

 private:
  std::vector<std::string> strings_;
  std::vector<std::string_view> views_;
};

// An even-numbered StringList.
bool toHeaderList(napi_env env, napi_value value, const char* name, StringList& out);
bool toLatin1(napi_env env, napi_value value, const char* name, std::string& out);

}  // namespace websocket::binding

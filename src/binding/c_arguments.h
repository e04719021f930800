// JavaScript values in the form that the C functions of websocket.h take, and back.
#pragma once

#include <napi.h>

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "arguments.h"
#include "websocket_ext.h"

namespace websocket::binding {

inline constexpr double kMaxSafeInteger = 9007199254740991;  // Number.MAX_SAFE_INTEGER

// The bytes of a Uint8Array, Buffer or Uint8ClampedArray, valid until JavaScript runs again. A detached one is refused:
// it would count as empty.
bool toUint8Array(Napi::Env env, Napi::Value value, const char* name, std::span<const std::uint8_t>& out);

// Header fields and what goes into them are bytes: a character above U+00FF would lose its upper half.
bool isLatin1(napi_env env, napi_value value, const char* name);

// An array of strings as NUL-terminated ones. Nullish: an empty array.
class CStrings {
 public:
  bool read(Napi::Env env, Napi::Value value, const char* name);

  PCSTR* data() { return pointers_.empty() ? nullptr : pointers_.data(); }
  ULONG size() const { return static_cast<ULONG>(pointers_.size()); }

 private:
  StringList list_;
  std::vector<PCSTR> pointers_;
};

// An array of names and values by turns as header fields.
class CHeaders {
 public:
  bool read(Napi::Env env, Napi::Value value, const char* name);

  WEB_SOCKET_HTTP_HEADER* data() { return headers_.data(); }
  ULONG size() const { return static_cast<ULONG>(headers_.size()); }

 private:
  StringList list_;
  std::vector<WEB_SOCKET_HTTP_HEADER> headers_;
};

// And back.
Napi::Value headerList(Napi::Env env, const WEB_SOCKET_HTTP_HEADER* headers, ULONG count);

// An array of { type, value } as properties. Nullish: an empty array. Properties with pointers are refused.
class CProperties {
 public:
  bool read(Napi::Env env, Napi::Value value);
  void add(std::uint32_t type, void* value, ULONG size);

  // The value of a ULONG or BOOL property; when it stands twice, the last one.
  ULONG valueOf(std::uint32_t type, ULONG fallback) const;
  const WEB_SOCKET_PROPERTY* data() const { return list_.data(); }
  ULONG size() const { return static_cast<ULONG>(list_.size()); }

 private:
  bool readOne(Napi::Env env, const Napi::Object& element);

  std::vector<WEB_SOCKET_PROPERTY> list_;
  std::deque<ULONG> shortValues_;  // the list points at the elements
  std::deque<ULONGLONG> longValues_;
};

}  // namespace websocket::binding

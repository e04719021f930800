#include "c_arguments.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace websocket::binding {
namespace {

constexpr double kMaxUlong = std::numeric_limits<ULONG>::max();

enum class ValueKind : std::uint8_t { Ulong, Bool, Ulonglong, Refused };

// How the value of a property is passed.
ValueKind kindOf(std::uint32_t type) {
  switch (type) {
    case WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE:
    case WEB_SOCKET_GATHER_PROPERTY_TYPE:
    case WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE:
    case WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE:
    case WEB_SOCKET_PERMESSAGE_DEFLATE_PROPERTY_TYPE:
      return ValueKind::Refused;
    case WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE:
    case WEB_SOCKET_MAX_FRAME_SIZE_PROPERTY_TYPE:
      return ValueKind::Ulonglong;
    case WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE:
    case WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE:
    case WEB_SOCKET_AUTO_CLOSE_ECHO_PROPERTY_TYPE:
    case WEB_SOCKET_DISABLE_AUTO_PONG_PROPERTY_TYPE:
    case WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE:
    case WEB_SOCKET_INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE:
    case WEB_SOCKET_STRICT_CLOSE_CODES_PROPERTY_TYPE:
    case WEB_SOCKET_CONTROL_FIRST_PROPERTY_TYPE:
    case WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE:
      return ValueKind::Bool;
    default:
      return ValueKind::Ulong;
  }
}

// Each element of an array that was read.
bool areLatin1(Napi::Env env, const Napi::Value& value, const char* name) {
  const auto array = value.As<Napi::Array>();
  const std::uint32_t count = array.Length();
  for (std::uint32_t index = 0; index < count; ++index) {
    const Napi::Value element = array.Get(index);
    const std::string elementName = std::string(name) + "[" + std::to_string(index) + "]";
    if (env.IsExceptionPending() || !isLatin1(env, element, elementName.c_str())) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool toUint8Array(Napi::Env env, Napi::Value value, const char* name, std::span<const std::uint8_t>& out) {
  if (!value.IsTypedArray() || (value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array &&
                                value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_clamped_array)) {
    return throwTypeError(env, std::string(name) + " must be a Uint8Array or a Buffer");
  }
  const Napi::ArrayBuffer memory = value.As<Napi::TypedArray>().ArrayBuffer();
  if (memory.IsArrayBuffer() && memory.IsDetached()) {
    return throwTypeError(env, std::string(name) + " must not be a view of a detached ArrayBuffer");
  }
  return toBytes(env, value, name, out);
}

bool isLatin1(napi_env env, napi_value value, const char* name) {
  std::size_t length = 0;
  if (napi_get_value_string_utf16(env, value, nullptr, 0, &length) != napi_ok) {
    return throwTypeError(env, std::string(name) + " must be a string");
  }
  std::u16string text(length, u'\0');
  napi_get_value_string_utf16(env, value, text.data(), length + 1, &length);
  return std::ranges::all_of(text, [](char16_t unit) { return unit <= 0xFF; }) ||
         throwTypeError(env, std::string(name) + " must have no characters above U+00FF");
}

bool CStrings::read(Napi::Env env, Napi::Value value, const char* name) {
  if (isNullish(env, value)) {
    return true;
  }
  if (!list_.read(env, value, name) || !areLatin1(env, value, name)) {
    return false;
  }
  for (const std::string_view text : list_.views()) {
    if (text.find('\0') != std::string_view::npos) {
      return throwTypeError(env, std::string(name) + " must not contain a NUL character");
    }
    pointers_.push_back(text.data());  // of a std::string, so it is terminated
  }
  return true;
}

bool CHeaders::read(Napi::Env env, Napi::Value value, const char* name) {
  if (!toHeaderList(env, value, name, list_) || !areLatin1(env, value, name)) {
    return false;
  }
  for (const HeaderView& header : list_.headers()) {
    headers_.push_back({const_cast<PCHAR>(header.name.data()), static_cast<ULONG>(header.name.size()),
                        const_cast<PCHAR>(header.value.data()), static_cast<ULONG>(header.value.size())});
  }
  return true;
}

Napi::Value headerList(Napi::Env env, const WEB_SOCKET_HTTP_HEADER* headers, ULONG count) {
  auto list = Napi::Array::New(env, static_cast<std::size_t>(count) * 2);
  std::uint32_t index = 0;
  for (const WEB_SOCKET_HTTP_HEADER& header : std::span(headers, count)) {
    for (const auto& [text, length] :
         {std::pair(header.pcName, header.ulNameLength), std::pair(header.pcValue, header.ulValueLength)}) {
      napi_value value = nullptr;
      napi_create_string_latin1(env, text, length, &value);
      list.Set(index++, value);
    }
  }
  return list;
}

bool CProperties::read(Napi::Env env, Napi::Value value) {
  if (isNullish(env, value)) {
    return true;
  }
  constexpr const char* kForm = "properties must be an array of { type, value }";
  if (!value.IsArray()) {
    return throwTypeError(env, kForm);
  }
  const auto array = value.As<Napi::Array>();
  const std::uint32_t count = array.Length();
  for (std::uint32_t index = 0; index < count; ++index) {
    const Napi::Value element = array.Get(index);
    if (env.IsExceptionPending() || !element.IsObject()) {
      return throwTypeError(env, kForm);
    }
    if (!readOne(env, element.As<Napi::Object>())) {
      return false;
    }
  }
  return true;
}

bool CProperties::readOne(Napi::Env env, const Napi::Object& element) {
  std::uint32_t type = 0;
  if (!toUint32(env, element.Get("type"), "type of a property", type)) {
    return false;
  }
  const std::string name = "the value of property " + std::to_string(type);
  const ValueKind kind = kindOf(type);
  const Napi::Value value = element.Get("value");
  bool flag = false;
  double number = 0;
  switch (kind) {
    case ValueKind::Refused:
      return throwTypeError(env, "property " + std::to_string(type) +
                                     " works with memory or functions of C, so that JavaScript cannot set it");
    case ValueKind::Bool:
      if (!toBoolean(env, value, name.c_str(), flag)) {
        return false;
      }
      add(type, &shortValues_.emplace_back(flag ? TRUE : FALSE), sizeof(ULONG));
      return true;
    case ValueKind::Ulong:
      if (!toInteger(env, value, name.c_str(), 0, kMaxUlong, number)) {
        return false;
      }
      add(type, &shortValues_.emplace_back(static_cast<ULONG>(number)), sizeof(ULONG));
      return true;
    case ValueKind::Ulonglong:
      if (!toInteger(env, value, name.c_str(), 0, kMaxSafeInteger, number)) {
        return false;
      }
      add(type, &longValues_.emplace_back(static_cast<ULONGLONG>(number)), sizeof(ULONGLONG));
      return true;
  }
  return false;
}

void CProperties::add(std::uint32_t type, void* value, ULONG size) {
  list_.push_back({static_cast<WEB_SOCKET_PROPERTY_TYPE>(type), value, size});
}

ULONG CProperties::valueOf(std::uint32_t type, ULONG fallback) const {
  ULONG value = fallback;
  for (const WEB_SOCKET_PROPERTY& property : list_) {
    if (static_cast<std::uint32_t>(property.Type) == type) {
      value = *static_cast<const ULONG*>(property.pvValue);
    }
  }
  return value;
}

}  // namespace websocket::binding

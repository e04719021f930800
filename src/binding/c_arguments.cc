#include "c_arguments.h"

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace websocket::binding {
namespace {

constexpr double kMaxUlong = std::numeric_limits<ULONG>::max();

// How the value of a property is passed; nullopt: not from JavaScript.
std::optional<ULONG> sizeOfValue(std::uint32_t type) {
  switch (type) {
    case WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE:  // the handle's own memory is JavaScript's already
    case WEB_SOCKET_GATHER_PROPERTY_TYPE:            // would hand out memory that lies elsewhere
    case WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE:
    case WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE:
      return std::nullopt;
    case WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE:
    case WEB_SOCKET_MAX_FRAME_SIZE_PROPERTY_TYPE:
      return static_cast<ULONG>(sizeof(ULONGLONG));
    default:
      return static_cast<ULONG>(sizeof(ULONG));
  }
}

}  // namespace

std::optional<Napi::ArrayBuffer> makeArrayBuffer(Napi::Env env, std::size_t size) {
  const Napi::Value constructor = env.Global().Get("ArrayBuffer");
  if (!constructor.IsFunction()) {
    return std::nullopt;
  }
  const Napi::Value made = constructor.As<Napi::Function>().New({Napi::Number::New(env, static_cast<double>(size))});
  if (env.IsExceptionPending() || !made.IsArrayBuffer() || made.As<Napi::ArrayBuffer>().ByteLength() != size) {
    return std::nullopt;
  }
  return made.As<Napi::ArrayBuffer>();
}

bool CStrings::read(Napi::Env env, Napi::Value value, const char* name) {
  if (isNullish(env, value)) {
    return true;
  }
  if (!list_.read(env, value, name)) {
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
  if (!toHeaderList(env, value, name, list_)) {
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
  const std::optional<ULONG> size = sizeOfValue(type);
  if (!size) {
    return throwTypeError(env, "the property " + std::to_string(type) + " is not for JavaScript");
  }
  const Napi::Value value = element.Get("value");
  double number = 0;
  if (value.IsBoolean()) {
    number = value.As<Napi::Boolean>().Value() ? TRUE : FALSE;
  } else if (!toInteger(env, value, "value of a property", 0, *size == sizeof(ULONG) ? kMaxUlong : kMaxSafeInteger,
                        number)) {
    return false;
  }
  if (*size == sizeof(ULONG)) {
    add(type, &shortValues_.emplace_back(static_cast<ULONG>(number)), *size);
  } else {
    add(type, &longValues_.emplace_back(static_cast<ULONGLONG>(number)), *size);
  }
  return true;
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

#include "arguments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "prepared_message.h"

namespace websocket::binding {
namespace {

bool throwError(napi_env env, napi_status (*raise)(napi_env, const char*, const char*), const char* code,
                std::string_view message) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) {
    raise(env, code, std::string(message).c_str());
  }
  return false;
}

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  return type;
}

std::string text(double number) {
  return number == std::floor(number) && std::abs(number) < 1e16 ? std::to_string(static_cast<std::int64_t>(number))
                                                                 : std::to_string(number);
}

}  // namespace

bool throwTypeError(napi_env env, std::string_view message) {
  return throwError(env, &napi_throw_type_error, "ERR_INVALID_ARG_TYPE", message);
}

bool throwRangeError(napi_env env, std::string_view message) {
  return throwError(env, &napi_throw_range_error, "ERR_OUT_OF_RANGE", message);
}

bool isNullish(napi_env env, napi_value value) {
  const napi_valuetype type = typeOf(env, value);
  return type == napi_undefined || type == napi_null;
}

bool toInteger(napi_env env, napi_value value, const char* name, double minimum, double maximum, double& out) {
  if (napi_get_value_double(env, value, &out) != napi_ok) {
    return throwTypeError(env, std::string(name) + " must be a number");
  }
  if (!(out >= minimum && out <= maximum) || out != std::floor(out)) {
    return throwRangeError(env, std::string(name) + " must be an integer from " + text(minimum) + " to " +
                                    text(maximum) + ", not " + text(out));
  }
  return true;
}

bool toUint32(napi_env env, napi_value value, const char* name, std::uint32_t& out) {
  double number = 0;
  if (!toInteger(env, value, name, 0, std::numeric_limits<std::uint32_t>::max(), number)) {
    return false;
  }
  out = static_cast<std::uint32_t>(number);
  return true;
}

bool toNumber(napi_env env, napi_value value, const char* name, std::uint32_t& out) {
  return napi_get_value_uint32(env, value, &out) == napi_ok ||
         throwTypeError(env, std::string(name) + " must be a number");
}

bool toBoolean(napi_env env, napi_value value, const char* name, bool& out) {
  return napi_get_value_bool(env, value, &out) == napi_ok ||
         throwTypeError(env, std::string(name) + " must be a boolean");
}

bool toBytes(napi_env env, napi_value value, const char* name, std::span<const std::uint8_t>& out) {
  void* data = nullptr;
  std::size_t length = 0;
  bool is = false;
  if (napi_is_buffer(env, value, &is) == napi_ok && is) {  // any view
    napi_get_buffer_info(env, value, &data, &length);
  } else if (napi_is_arraybuffer(env, value, &is) == napi_ok && is) {
    napi_get_arraybuffer_info(env, value, &data, &length);
  } else {
    return throwTypeError(env, std::string(name) + " must be a Uint8Array, another view, or an ArrayBuffer");
  }
  if (length > std::numeric_limits<std::uint32_t>::max()) {
    return throwRangeError(env, std::string(name) + " must have at most 4294967295 bytes");
  }
  out = data == nullptr ? std::span<const std::uint8_t>() : std::span(static_cast<const std::uint8_t*>(data), length);
  return true;
}

bool toMaskKey(napi_env env, napi_value value, const char* name, std::optional<MaskKey>& out) {
  std::span<const std::uint8_t> bytes;
  if (isNullish(env, value)) {
    return true;
  }
  if (!toBytes(env, value, name, bytes)) {
    return false;
  }
  if (bytes.size() != std::tuple_size_v<MaskKey>) {
    return throwRangeError(env, std::string(name) + " must have 4 bytes");
  }
  std::ranges::copy(bytes, out.emplace().begin());
  return true;
}

bool toUint32Array(napi_env env, napi_value value, const char* name, std::span<std::uint32_t>& out) {
  bool is = false;
  napi_typedarray_type type = napi_uint8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint32_array) {
    return throwTypeError(env, std::string(name) + " must be a Uint32Array");
  }
  out = data == nullptr ? std::span<std::uint32_t>() : std::span(static_cast<std::uint32_t*>(data), length);
  return true;
}

PayloadArgument Utf8Scratch::encode(napi_env env, napi_value string) {
  if (memory_.empty()) {
    memory_.resize(kSize);
  }
  // The function never ends inside a character, so a result that leaves room for one more is complete.
  constexpr std::size_t kLargestCharacter = 4;
  std::size_t length = 0;
  napi_get_value_string_utf8(env, string, reinterpret_cast<char*>(memory_.data()), memory_.size(), &length);
  if (length + kLargestCharacter < memory_.size()) {
    return {std::span(memory_).first(length), nullptr, nullptr};
  }
  napi_get_value_string_utf8(env, string, nullptr, 0, &length);
  std::shared_ptr<std::uint8_t[]> large = std::make_unique_for_overwrite<std::uint8_t[]>(length + 1);
  napi_get_value_string_utf8(env, string, reinterpret_cast<char*>(large.get()), length + 1, &length);
  return {std::span(large.get(), length), std::move(large), nullptr};
}

bool toPayload(napi_env env, napi_value value, const char* name, Utf8Scratch& scratch, PayloadArgument& out) {
  // The usual one first: a Buffer, with one call.
  napi_typedarray_type type{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) == napi_ok &&
      type == napi_uint8_array && length <= std::numeric_limits<std::uint32_t>::max()) {
    out.bytes = std::span(static_cast<const std::uint8_t*>(data), length);
    return true;
  }
  if (typeOf(env, value) != napi_string) {
    out.prepared = preparedMessage(env, value);
    if (out.prepared == nullptr) {
      return toBytes(env, value, name, out.bytes);
    }
    out.bytes = out.prepared->payload();
    return true;
  }
  out = scratch.encode(env, value);
  return out.bytes.size() <= std::numeric_limits<std::uint32_t>::max() ||
         throwRangeError(env, std::string(name) + " must have at most 4294967295 bytes");
}

bool toLatin1(napi_env env, napi_value value, const char* name, std::string& out) {
  std::size_t length = 0;
  if (napi_get_value_string_latin1(env, value, nullptr, 0, &length) != napi_ok) {
    return throwTypeError(env, std::string(name) + " must be a string");
  }
  out.resize(length);  // the terminator has its place behind the characters
  napi_get_value_string_latin1(env, value, out.data(), length + 1, &length);
  return true;
}

bool StringList::read(napi_env env, napi_value value, const char* name) {
  bool isArray = false;
  std::uint32_t count = 0;
  if (napi_is_array(env, value, &isArray) != napi_ok || !isArray ||
      napi_get_array_length(env, value, &count) != napi_ok) {
    return throwTypeError(env, std::string(name) + " must be an array of strings");
  }
  strings_.clear();
  views_.clear();
  for (std::uint32_t index = 0; index < count; ++index) {
    napi_value element = nullptr;
    if (napi_get_element(env, value, index, &element) != napi_ok) {
      return false;  // a getter threw
    }
    // The name is made when it is needed: a request has many fields.
    if (napi_valuetype type{}; napi_typeof(env, element, &type) != napi_ok || type != napi_string) {
      return throwTypeError(env, std::string(name) + "[" + std::to_string(index) + "] must be a string");
    }
    if (!toLatin1(env, element, name, strings_.emplace_back())) {
      return false;
    }
  }
  views_.assign(strings_.begin(), strings_.end());
  return true;
}

std::vector<HeaderView> StringList::headers() const {
  std::vector<HeaderView> headers;
  headers.reserve(views_.size() / 2);
  for (std::size_t index = 0; index + 1 < views_.size(); index += 2) {
    headers.push_back({views_[index], views_[index + 1]});
  }
  return headers;
}

bool toHeaderList(napi_env env, napi_value value, const char* name, StringList& out) {
  return out.read(env, value, name) &&
         (out.views().size() % 2 == 0 ||
          throwTypeError(env, std::string(name) + " must hold names and values by turns, an even number of strings"));
}

}  // namespace websocket::binding

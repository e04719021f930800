#include "hresult.h"

#include <algorithm>
#include <array>
#include <string>

namespace websocket::binding {
namespace {

struct Row {
  Result result;
  const char* name;
  const char* meaning;
};

constexpr Row kUnknown = {Result::Fail, "E_FAIL", "the operation failed"};

constexpr std::array kRows = {
    kUnknown,
    Row{Result::OutOfMemory, "E_OUTOFMEMORY", "out of memory"},
    Row{Result::InvalidArgument, "E_INVALIDARG", "an argument is invalid"},
    Row{Result::InsufficientBuffer, "ERROR_INSUFFICIENT_BUFFER", "the buffer is too small"},
    Row{Result::InvalidOperation, "E_INVALID_PROTOCOL_OPERATION",
        "not allowed in this state, or the peer broke the order of frames"},
    Row{Result::InvalidFormat, "E_INVALID_PROTOCOL_FORMAT", "malformed handshake headers or bytes from the peer"},
    Row{Result::ExtensionsNotSupported, "E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED", "an extension was not offered"},
    Row{Result::SubprotocolNotSupported, "E_SUBPROTOCOL_NOT_SUPPORTED",
        "the subprotocol was not offered, or none of those offered was selected"},
    Row{Result::VersionNotSupported, "E_PROTOCOL_VERSION_NOT_SUPPORTED", "the WebSocket version is not 13"},
};

const Row& rowOf(std::int32_t hresult) {
  const auto* const row = std::ranges::find(kRows, static_cast<Result>(hresult), &Row::result);
  return row == kRows.end() ? kUnknown : *row;
}

}  // namespace

const char* hresultName(std::int32_t hresult) { return rowOf(hresult).name; }

void throwHResult(napi_env env, std::int32_t hresult, const char* what, const char* explanation) {
  const Row& row = rowOf(hresult);
  const std::string text =
      std::string(what) + ": " + (explanation == nullptr ? row.meaning : explanation) + " (" + row.name + ")";
  napi_value message = nullptr;
  napi_value code = nullptr;
  napi_value number = nullptr;
  napi_value error = nullptr;
  if (napi_create_string_utf8(env, text.c_str(), text.size(), &message) == napi_ok &&
      napi_create_string_utf8(env, row.name, NAPI_AUTO_LENGTH, &code) == napi_ok &&
      napi_create_uint32(env, static_cast<std::uint32_t>(hresult), &number) == napi_ok &&
      napi_create_error(env, code, message, &error) == napi_ok) {
    napi_set_named_property(env, error, "hresult", number);
    napi_throw(env, error);
  }
}

}  // namespace websocket::binding

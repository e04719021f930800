// Header fields into both handshakes. An input is lines of text: the first three are what the client offers (the
// subprotocols, then the extensions, separated by '|') and what the server selects; then come header fields as on the
// wire, for the server until an empty line, then for the client. "Name: =" takes the value from what the other side
// made.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "require.h"
#include "websocket.h"

namespace {

using Strings = std::vector<std::string>;

std::string takeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Strings split(const std::string& line) {
  Strings parts;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find('|', at), line.size());
    parts.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::vector<const char*> pointersTo(const Strings& strings) {
  std::vector<const char*> pointers;
  for (const std::string& string : strings) {
    pointers.push_back(string.c_str());
  }
  return pointers;
}

struct Field {
  std::string name;
  std::string value;
};

std::vector<Field> fieldsOf(const WEB_SOCKET_HTTP_HEADER* headers, ULONG count) {
  std::vector<Field> fields;
  for (ULONG i = 0; i < count; ++i) {
    fields.push_back({{headers[i].pcName, headers[i].ulNameLength}, {headers[i].pcValue, headers[i].ulValueLength}});
    REQUIRE(!fields.back().name.empty() && !fields.back().value.empty());
    REQUIRE(fields.back().value.find_first_of("\r\n") == std::string::npos);  // no field can be smuggled in
    REQUIRE(fields.back().value.find('\0') == std::string::npos);
  }
  return fields;
}

// Field lines up to an empty one. "Name: =" copies the fields of that name from `others`, "=" alone all of them.
std::vector<Field> takeFields(std::string_view& text, const std::vector<Field>& others) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::string line = takeLine(text);
    if (line.empty()) {
      break;
    }
    const std::size_t colon = std::min(line.find(": "), line.size());
    const std::string name = line.substr(0, colon);
    const std::string value = line.substr(std::min(colon + 2, line.size()));
    if (line == "=" || value == "=") {
      std::ranges::copy_if(others, std::back_inserter(fields),
                           [&](const Field& other) { return line == "=" || other.name == name; });
    } else {
      fields.push_back({name, value});
    }
  }
  return fields;
}

std::vector<WEB_SOCKET_HTTP_HEADER> headersOf(std::vector<Field>& fields) {
  std::vector<WEB_SOCKET_HTTP_HEADER> headers;
  for (Field& field : fields) {
    headers.push_back({field.name.data(), static_cast<ULONG>(field.name.size()), field.value.data(),
                       static_cast<ULONG>(field.value.size())});
  }
  return headers;
}

const Field* find(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

class Handle {
 public:
  explicit Handle(bool server) {
    const auto create = server ? WebSocketCreateServerHandle : WebSocketCreateClientHandle;
    REQUIRE(create(nullptr, 0, &handle_) == S_OK);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { WebSocketDeleteHandle(handle_); }
  WEB_SOCKET_HANDLE get() const { return handle_; }

 private:
  WEB_SOCKET_HANDLE handle_ = nullptr;
};

bool isDocumented(HRESULT result) {
  return result == S_OK || result == E_INVALIDARG || result == E_INVALID_PROTOCOL_FORMAT ||
         result == E_UNSUPPORTED_SUBPROTOCOL || result == E_UNSUPPORTED_EXTENSION ||
         result == E_PROTOCOL_VERSION_NOT_SUPPORTED;
}

std::vector<Field> requestOf(const Handle& client, const Strings& subprotocols, const Strings& extensions) {
  auto subprotocolPointers = pointersTo(subprotocols);
  auto extensionPointers = pointersTo(extensions);
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  const HRESULT result = WebSocketBeginClientHandshake(
      client.get(), subprotocolPointers.data(), static_cast<ULONG>(subprotocols.size()), extensionPointers.data(),
      static_cast<ULONG>(extensions.size()), nullptr, 0, &headers, &count);
  if (result != S_OK) {
    REQUIRE(result == E_INVALIDARG);
    return {};
  }
  const auto fields = fieldsOf(headers, count);
  REQUIRE(find(fields, "Sec-WebSocket-Key")->value.size() == 24);
  REQUIRE(fields.size() == 4U + (subprotocols.empty() ? 0 : 1) + (extensions.empty() ? 0 : 1));
  return fields;
}

std::vector<Field> responseOf(const Handle& server, const Strings& selected, std::vector<Field>& request) {
  Strings extensions(selected.begin() + (selected.empty() ? 0 : 1), selected.end());
  auto extensionPointers = pointersTo(extensions);
  auto requestHeaders = headersOf(request);
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  const HRESULT result =
      WebSocketBeginServerHandshake(server.get(), selected.empty() ? nullptr : selected[0].c_str(),
                                    extensionPointers.data(), static_cast<ULONG>(extensions.size()),
                                    requestHeaders.data(), static_cast<ULONG>(request.size()), &headers, &count);
  REQUIRE(isDocumented(result) || request.empty());
  if (result != S_OK) {
    REQUIRE(WebSocketEndServerHandshake(server.get()) == E_INVALID_PROTOCOL_OPERATION);
    return {};
  }
  const auto fields = fieldsOf(headers, count);
  REQUIRE(fields.size() >= 3 && fields.size() <= 5);
  REQUIRE(fields[0].name == "Sec-WebSocket-Accept" && fields[0].value.size() == 28);
  REQUIRE(find(request, "Sec-WebSocket-Key") != nullptr || request.size() >= 5);
  REQUIRE(WebSocketEndServerHandshake(server.get()) == S_OK);
  return fields;
}

void endClient(const Handle& client, const Strings& subprotocols, const Strings& extensions,
               std::vector<Field>& response) {
  auto headers = headersOf(response);
  std::vector<ULONG> indices(extensions.size());
  auto count = static_cast<ULONG>(extensions.size());
  constexpr ULONG kUntouched = 0xFFFFFFFF;
  ULONG subprotocol = kUntouched;
  const HRESULT result = WebSocketEndClientHandshake(client.get(), headers.data(), static_cast<ULONG>(headers.size()),
                                                     indices.data(), &count, &subprotocol);
  REQUIRE(isDocumented(result) && result != E_PROTOCOL_VERSION_NOT_SUPPORTED);
  if (result != S_OK) {
    REQUIRE(subprotocol == kUntouched);
    return;
  }
  REQUIRE(count <= extensions.size());
  for (ULONG i = 0; i < count; ++i) {
    REQUIRE(indices[i] < extensions.size());
    REQUIRE(std::count(indices.begin(), indices.begin() + count, indices[i]) == 1);
  }
  REQUIRE((subprotocol == kUntouched) == subprotocols.empty());
  REQUIRE(subprotocols.empty() || subprotocol < subprotocols.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const Strings subprotocols = split(takeLine(text));
  const Strings extensions = split(takeLine(text));
  const Strings selected = split(takeLine(text));
  const Handle client(false);
  const Handle server(true);
  const std::vector<Field> offered = requestOf(client, subprotocols, extensions);
  std::vector<Field> request = takeFields(text, offered);
  const std::vector<Field> answered = responseOf(server, selected, request);
  if (!offered.empty()) {
    std::vector<Field> response = takeFields(text, answered);
    endClient(client, subprotocols, extensions, response);
  }
  return 0;
}

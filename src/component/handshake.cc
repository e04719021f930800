#include "handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "http_header.h"

namespace websocket {
namespace {

constexpr std::string_view kConnection = "Connection";
constexpr std::string_view kHost = "Host";
constexpr std::string_view kUpgrade = "Upgrade";
constexpr std::string_view kAccept = "Sec-WebSocket-Accept";
constexpr std::string_view kExtensions = "Sec-WebSocket-Extensions";
constexpr std::string_view kKey = "Sec-WebSocket-Key";
constexpr std::string_view kProtocol = "Sec-WebSocket-Protocol";
constexpr std::string_view kVersion = "Sec-WebSocket-Version";

constexpr std::string_view kWebSocket = "websocket";
constexpr std::string_view kSupportedVersion = "13";

constexpr std::size_t kKeySize = 16;         // bytes, before base64 (RFC 6455, 4.1)
constexpr std::size_t kEncodedKeySize = 24;  // characters

std::string encodeBase64(std::span<const std::uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock adds a NUL
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

// Looked up once: finding it again would cost most of a handshake's time.
const EVP_MD* sha1() {
  static const std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> found(EVP_MD_fetch(nullptr, "SHA1", nullptr), EVP_MD_free);
  return found != nullptr ? found.get() : EVP_sha1();
}

// RFC 6455, 4.2.2: the value of Sec-WebSocket-Accept for a key; empty when SHA-1 is not to be had.
std::string acceptFor(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, sha1(), nullptr) != 1) return {};
  return encodeBase64(std::span(digest).first(size));
}

// True for base64 of 16 bytes: 22 characters and two of padding. The four unused bits of the last character may be
// anything, because clients exist that draw the characters instead of the bytes.
bool isKey(std::string_view value) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return value.size() == kEncodedKeySize && value.ends_with("==") &&
         value.find_first_not_of(kAlphabet) == kEncodedKeySize - 2;
}

void appendElement(std::string& list, std::string_view element) {
  if (!list.empty()) list += ", ";
  list += element;
}

std::string join(std::span<const std::string_view> elements) {
  std::string list;
  for (const std::string_view element : elements) appendElement(list, element);
  return list;
}

// True for an extension with its parameters that can stand in a header field as one element (RFC 6455, 9.1).
bool isExtension(std::string_view text) {
  if (hasControlCharacter(text) || !isToken(elementName(text))) return false;
  const HeaderView field{kExtensions, text};
  ListElements elements(std::span(&field, 1), kExtensions);
  std::string_view element;
  return elements.next(element) && element == trim(text);
}

// True for extensions of the application's that can go into a header beside the built-in one, if that is in use.
bool areExtensions(std::span<const std::string_view> extensions, const DeflateNegotiation* deflate) {
  return std::all_of(extensions.begin(), extensions.end(), [&](std::string_view extension) {
    return isExtension(extension) && (deflate == nullptr || !isPermessageDeflate(extension));
  });
}

bool hasDuplicate(std::span<const std::string_view> texts) {
  return std::set<std::string_view>(texts.begin(), texts.end()).size() != texts.size();
}

}  // namespace

Result ClientHandshake::begin(std::span<const std::string_view> subprotocols,
                              std::span<const std::string_view> extensions, RandomSource& random,
                              std::span<const HeaderView>& headers, const DeflateNegotiation* deflate) {
  if (!std::all_of(subprotocols.begin(), subprotocols.end(), isToken) || hasDuplicate(subprotocols) ||
      !areExtensions(extensions, deflate)) {
    return Result::InvalidArgument;
  }
  std::array<std::uint8_t, kKeySize> keyBytes;
  if (!random.fill(keyBytes)) return Result::Fail;
  std::string key = encodeBase64(keyBytes);
  std::string accept = acceptFor(key);
  if (accept.empty()) return Result::Fail;
  std::vector<std::string> subprotocolCopies(subprotocols.begin(), subprotocols.end());
  std::vector<std::string> extensionCopies(extensions.begin(), extensions.end());
  std::string protocolList = join(subprotocols);
  std::string extensionList = join(extensions);
  if (deflate != nullptr) appendElement(extensionList, offerDeflate(*deflate));

  // From here on nothing fails.
  deflate_ = deflate != nullptr ? std::optional(*deflate) : std::nullopt;
  subprotocols_ = std::move(subprotocolCopies);
  extensions_ = std::move(extensionCopies);
  key_ = std::move(key);
  accept_ = std::move(accept);
  protocolList_ = std::move(protocolList);
  extensionList_ = std::move(extensionList);
  headers_ = {{{kConnection, kUpgrade}, {kUpgrade, kWebSocket}, {kKey, key_}, {kVersion, kSupportedVersion}}};
  std::size_t count = 4;
  if (!protocolList_.empty()) headers_[count++] = {kProtocol, protocolList_};
  if (!extensionList_.empty()) headers_[count++] = {kExtensions, extensionList_};
  headers = std::span(headers_).first(count);
  return Result::Ok;
}

Result ClientHandshake::end(std::span<const HeaderView> response, ClientSelection& selection) const {
  std::string_view value;
  if (findField(response, kUpgrade, value) != 1 || !equalsIgnoreCase(value, kWebSocket)) return Result::InvalidFormat;
  if (!listContains(response, kConnection, kUpgrade)) return Result::InvalidFormat;
  if (findField(response, kAccept, value) != 1 || value != accept_) return Result::InvalidFormat;
  ClientSelection selected;
  Result result = selectSubprotocol(response, selected.subprotocol);
  if (result == Result::Ok) result = selectExtensions(response, selected);
  if (result == Result::Ok) selection = std::move(selected);
  return result;
}

Result ClientHandshake::selectSubprotocol(std::span<const HeaderView> response,
                                          std::optional<std::uint32_t>& selected) const {
  std::string_view value;
  const std::size_t count = findField(response, kProtocol, value);
  if (count > 1) return Result::InvalidFormat;
  if (count == 0) return subprotocols_.empty() ? Result::Ok : Result::SubprotocolNotSupported;
  const auto found = std::find(subprotocols_.begin(), subprotocols_.end(), value);
  if (found == subprotocols_.end()) return Result::SubprotocolNotSupported;
  selected = static_cast<std::uint32_t>(found - subprotocols_.begin());
  return Result::Ok;
}

// An extension may be offered several times with different parameters (RFC 6455, 9.1), but each offer can be taken
// once, so that the result never has more entries than there were offers.
Result ClientHandshake::selectExtensions(std::span<const HeaderView> response, ClientSelection& selected) const {
  std::string_view value;
  if (extensions_.empty() && !deflate_.has_value()) {
    return findField(response, kExtensions, value) == 0 ? Result::Ok : Result::ExtensionsNotSupported;
  }
  std::vector<bool> taken(extensions_.size());
  ListElements elements(response, kExtensions);
  for (std::string_view element; elements.next(element);) {
    const std::string_view name = elementName(element);
    if (deflate_.has_value() && isPermessageDeflate(element)) {
      if (selected.deflate.has_value()) return Result::ExtensionsNotSupported;
      const Result result = readDeflateResponse(*deflate_, element, selected.deflate.emplace());
      if (result != Result::Ok) return result;
      continue;
    }
    std::size_t i = 0;
    while (i < extensions_.size() && (taken[i] || !equalsIgnoreCase(name, elementName(extensions_[i])))) ++i;
    if (i == extensions_.size()) return Result::ExtensionsNotSupported;
    taken[i] = true;
    selected.extensions.push_back(static_cast<std::uint32_t>(i));
  }
  return Result::Ok;
}

Result ServerHandshake::begin(std::string_view subprotocol, std::span<const std::string_view> extensions,
                              std::span<const HeaderView> request, std::span<const HeaderView>& headers,
                              const DeflateNegotiation* deflate) {
  if (hasControlCharacter(subprotocol) || !areExtensions(extensions, deflate)) {
    return Result::InvalidArgument;
  }
  std::string_view host;
  std::string_view key;
  std::string_view version;
  if (findField(request, kHost, host) == 0) return Result::InvalidFormat;
  if (!listContains(request, kUpgrade, kWebSocket)) return Result::InvalidFormat;
  if (!listContains(request, kConnection, kUpgrade)) return Result::InvalidFormat;
  if (findField(request, kKey, key) != 1 || !isKey(key)) return Result::InvalidFormat;
  if (findField(request, kVersion, version) != 1) return Result::InvalidFormat;
  if (version != kSupportedVersion) return Result::VersionNotSupported;

  if (!subprotocol.empty() &&
      !anyElement(request, kProtocol, [&](std::string_view offer) { return offer == subprotocol; })) {
    return Result::SubprotocolNotSupported;
  }
  for (const std::string_view extension : extensions) {
    const std::string_view name = elementName(extension);
    if (!anyElement(request, kExtensions,
                    [&](std::string_view offer) { return equalsIgnoreCase(elementName(offer), name); })) {
      return Result::ExtensionsNotSupported;
    }
  }

  std::optional<AcceptedDeflate> accepted;
  if (deflate != nullptr) {
    if (const Result result = acceptDeflate(*deflate, request, accepted); result != Result::Ok) return result;
  }
  std::string accept = acceptFor(key);
  if (accept.empty()) return Result::Fail;
  std::string subprotocolCopy(subprotocol);
  std::string extensionList = join(extensions);
  if (accepted.has_value()) appendElement(extensionList, accepted->response);

  // From here on nothing fails.
  deflate_ = accepted.has_value() ? std::optional(accepted->parameters) : std::nullopt;
  accept_ = std::move(accept);
  subprotocol_ = std::move(subprotocolCopy);
  extensionList_ = std::move(extensionList);
  headers_ = {{{kAccept, accept_}, {kConnection, kUpgrade}, {kUpgrade, kWebSocket}}};
  std::size_t count = 3;
  if (!subprotocol_.empty()) headers_[count++] = {kProtocol, subprotocol_};
  if (!extensionList_.empty()) headers_[count++] = {kExtensions, extensionList_};
  headers = std::span(headers_).first(count);
  return Result::Ok;
}

}  // namespace websocket

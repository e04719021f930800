#include "upgrade.h"

#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

namespace websocket::bench {
namespace {

// The example of RFC 6455, 1.3.
constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view kStatusLine = "HTTP/1.1 101 ";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kMaxHead = 16384;

// Reads up to the end of the head; bytes behind it are an error.
std::string readHead(const Descriptor& socket) {
  std::string head;
  std::array<char, 4096> buffer{};
  while (!head.ends_with(kEndOfHead)) {
    const ssize_t length = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0) fail("recv");
    if (length == 0) throw std::runtime_error("the connection ended in the handshake, after: " + head);
    head.append(buffer.data(), static_cast<std::size_t>(length));
    const std::size_t end = head.find(kEndOfHead);
    const bool bytesFollow = end != std::string::npos && end + kEndOfHead.size() != head.size();
    if (bytesFollow || head.size() > kMaxHead) throw std::runtime_error("not a handshake: " + head);
  }
  return head;
}

// The value of a header field, or nothing.
std::string field(std::string_view head, std::string_view name) {
  std::string lower(head);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::string wanted = "\r\n" + std::string(name) + ":";
  const std::size_t at = lower.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t begin = head.find_first_not_of(' ', at + wanted.size());
  return std::string(head.substr(begin, head.find("\r\n", begin) - begin));
}

std::string acceptFor(const std::string& key) {
  const std::string input = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(input.data(), input.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) {
    throw std::runtime_error("SHA-1 is not available");
  }
  std::array<unsigned char, 32> text{};
  const int textLength = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(length));
  return {text.begin(), text.begin() + textLength};
}

}  // namespace

std::string_view upgradeRequest() { return kRequest; }

std::size_t checkUpgradeResponse(std::string_view received) {
  const std::size_t end = received.find(kEndOfHead);
  if (end == std::string_view::npos) return 0;
  const std::string_view head = received.substr(0, end + kEndOfHead.size());
  if (!head.starts_with(kStatusLine) || field(head, "sec-websocket-accept") != kAccept) {
    throw std::runtime_error("not the right answer to the upgrade request: " + std::string(head));
  }
  return head.size();
}

std::string upgradeAsClient(const Descriptor& socket, std::string_view extensions) {
  std::string request(kRequest);
  if (!extensions.empty()) {
    request.insert(request.size() - 2, "Sec-WebSocket-Extensions: " + std::string(extensions) + "\r\n");
  }
  writeAll(socket, request);
  const std::string head = readHead(socket);
  checkUpgradeResponse(head);
  return field(head, "sec-websocket-extensions");
}

void upgradeAsServer(const Descriptor& socket) {
  const std::string request = readHead(socket);
  writeAll(socket,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
               acceptFor(field(request, "sec-websocket-key")) + "\r\n\r\n");
}

}  // namespace websocket::bench

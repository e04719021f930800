#include "http_header.h"

#include <algorithm>

namespace websocket {
namespace {

constexpr char toLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool isTokenCharacter(char c) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
  return c > 0x20 && c < 0x7F && kSeparators.find(c) == std::string_view::npos;
}

constexpr bool isControlCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

// The length of the first list element of text: up to a comma outside quoted strings, or all.
std::size_t elementLength(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (quoted && text[i] == '\\') {
      ++i;
    } else if (!quoted && text[i] == ',') {
      return i;
    }
  }
  return text.size();
}

}  // namespace

bool equalsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return toLower(x) == toLower(y); });
}

bool isToken(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), isTokenCharacter); }

bool hasControlCharacter(std::string_view text) { return std::any_of(text.begin(), text.end(), isControlCharacter); }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string_view elementName(std::string_view element) { return trim(element.substr(0, element.find(';'))); }

std::size_t findField(std::span<const HeaderView> headers, std::string_view name, std::string_view& value) {
  std::size_t count = 0;
  for (const HeaderView& header : headers) {
    if (!equalsIgnoreCase(header.name, name)) continue;
    if (count++ == 0) value = trim(header.value);
  }
  return count;
}

bool ListElements::next(std::string_view& element) {
  for (;;) {
    while (!rest_.empty()) {
      const std::size_t length = elementLength(rest_);
      element = trim(rest_.substr(0, length));
      rest_.remove_prefix(std::min(length + 1, rest_.size()));
      if (!element.empty()) return true;
    }
    if (headers_.empty()) return false;
    if (equalsIgnoreCase(headers_.front().name, name_)) rest_ = headers_.front().value;
    headers_ = headers_.subspan(1);
  }
}

bool listContains(std::span<const HeaderView> headers, std::string_view name, std::string_view token) {
  return anyElement(headers, name, [token](std::string_view element) { return equalsIgnoreCase(element, token); });
}

}  // namespace websocket

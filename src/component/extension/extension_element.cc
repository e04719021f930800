#include "extension/extension_element.h"

#include <algorithm>

#include "http_header.h"

namespace websocket {
namespace {

// Takes text up to one of the stop characters, trimmed, off the front of rest.
std::string_view takeUntil(std::string_view& rest, std::string_view stops) {
  const std::size_t length = std::min(rest.find_first_of(stops), rest.size());
  const std::string_view taken = trim(rest.substr(0, length));
  rest.remove_prefix(length);
  return taken;
}

}  // namespace

ExtensionParameters::ExtensionParameters(std::string_view element) : rest_(element) {
  wellFormed_ = isToken(takeUntil(rest_, ";"));
}

std::optional<ExtensionParameter> ExtensionParameters::next() {
  if (rest_.empty() || !wellFormed_) {
    return std::nullopt;
  }
  rest_.remove_prefix(1);
  ExtensionParameter parameter;
  parameter.name = takeUntil(rest_, ";=");
  wellFormed_ = isToken(parameter.name);
  if (wellFormed_ && rest_.starts_with('=')) {
    rest_.remove_prefix(1);
    parameter.hasValue = true;
    parameter.value = takeUntil(rest_, ";");  // a semicolon in quotes is no token either
    if (parameter.value.size() >= 2 && parameter.value.starts_with('"') && parameter.value.ends_with('"')) {
      parameter.value = unquote(parameter.value.substr(1, parameter.value.size() - 2));
    }
    wellFormed_ = isToken(parameter.value);
  }
  return wellFormed_ ? std::optional(parameter) : std::nullopt;
}

// What is left of a quoted string without its escapes (RFC 9110, 5.6.4). An escape in front of the closing quote leaves
// its backslash behind, which no token has.
std::string_view ExtensionParameters::unquote(std::string_view quoted) {
  if (quoted.find('\\') == std::string_view::npos) {
    return quoted;
  }
  unescaped_.clear();
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    const bool escape = quoted[i] == '\\' && i + 1 < quoted.size();
    unescaped_ += quoted[escape ? ++i : i];
  }
  return unescaped_;
}

}  // namespace websocket

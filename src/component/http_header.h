// Reading HTTP header fields (RFC 9110, 5): names, tokens and comma-separated lists. Every function takes time linear
// in its input, allocates nothing and returns views of it. No state, any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "protocol.h"

namespace websocket {

// ASCII letters compare without case; other bytes exactly, whatever the locale.
bool equalsIgnoreCase(std::string_view a, std::string_view b);

// True for a non-empty token (RFC 9110, 5.6.2), which is the same set as RFC 2616's: printable ASCII without
// separators.
bool isToken(std::string_view text);

// True when text holds a control character: anything that could end a header line, and its relatives.
bool hasControlCharacter(std::string_view text);

// text without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

// The part of a list element before its parameters, trimmed: "a" of "a; x=1".
std::string_view elementName(std::string_view element);

// How many fields are called name. value receives the trimmed value of the first of them, if any.
std::size_t findField(std::span<const HeaderView> headers, std::string_view name, std::string_view& value);

// Walks through the elements of a list-valued field, in order, over all fields of that name (RFC 9110, 5.3). Empty
// elements are skipped. A comma inside a quoted string does not separate; a quoted string ends with its field.
class ListElements {
 public:
  // headers and name are borrowed.
  ListElements(std::span<const HeaderView> headers, std::string_view name) : headers_(headers), name_(name) {}

  // Gives the next element, trimmed and never empty; false at the end.
  bool next(std::string_view& element);

 private:
  std::span<const HeaderView> headers_;  // not yet looked at
  std::string_view name_;
  std::string_view rest_;  // of the field in hand
};

// True when an element of the list satisfies the predicate, which takes a std::string_view.
template <typename Predicate>
bool anyElement(std::span<const HeaderView> headers, std::string_view name, Predicate predicate) {
  ListElements elements(headers, name);
  for (std::string_view element; elements.next(element);) {
    if (predicate(element)) return true;
  }
  return false;
}

// True when the list holds an element equal to token, without case.
bool listContains(std::span<const HeaderView> headers, std::string_view name, std::string_view token);

}  // namespace websocket

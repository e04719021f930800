// One element of Sec-WebSocket-Extensions (RFC 6455, 9.1): a name and its parameters, as views of the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace websocket {

struct ExtensionParameter {
  std::string_view name;
  std::string_view value;  // without quotes; "" when there is none
  bool hasValue = false;
};

// Walks through the parameters of an element, as ListElements gives it: `name; parameter; parameter=value;
// parameter="value"`. Blanks around every part are skipped. Takes linear time, and allocates only for a quoted value
// with escapes.
class ExtensionParameters {
 public:
  // element is borrowed.
  explicit ExtensionParameters(std::string_view element);

  // The next parameter, valid until the next call; nothing at the end, and when the rest does not follow the grammar:
  // wellFormed() tells which. A quoted value has to be a token once it is unquoted (RFC 6455, 9.1). Throws
  // std::bad_alloc.
  std::optional<ExtensionParameter> next();
  bool wellFormed() const { return wellFormed_; }

 private:
  std::string_view unquote(std::string_view quoted);

  std::string_view rest_;  // begins with the semicolon of the next parameter, or is empty
  bool wellFormed_ = true;
  std::string unescaped_;
};

}  // namespace websocket

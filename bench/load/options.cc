#include "options.h"

#include <charconv>
#include <functional>
#include <map>
#include <stdexcept>
#include <string_view>

namespace websocket::bench {
namespace {

const std::map<std::string_view, Mode> kModes = {{"echo", Mode::Echo},
                                                 {"echo-server", Mode::EchoServer},
                                                 {"broadcast", Mode::Broadcast},
                                                 {"handshake", Mode::Handshake},
                                                 {"idle", Mode::Idle}};

template <typename Number>
Number parse(std::string_view name, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < Number{}) {
    throw std::invalid_argument("--" + std::string(name) + " takes a number, not " + std::string(text));
  }
  return value;
}

bool parseFlag(std::string_view name, std::string_view text) { return parse<int>(name, text) != 0; }

}  // namespace

Options parseOptions(int argc, const char* const* argv) {
  Options options;
  using Setter = std::function<void(std::string_view name, std::string_view text)>;
  const std::map<std::string_view, Setter> setters = {
      {"port", [&](auto name, auto text) { options.port = parse<std::uint16_t>(name, text); }},
      {"pid", [&](auto name, auto text) { options.pid = parse<int>(name, text); }},
      {"connections", [&](auto name, auto text) { options.connections = parse<std::size_t>(name, text); }},
      {"in-flight", [&](auto name, auto text) { options.inFlight = parse<std::size_t>(name, text); }},
      {"size", [&](auto name, auto text) { options.size = parse<std::size_t>(name, text); }},
      {"text", [&](auto name, auto text) { options.text = parseFlag(name, text); }},
      {"deflate", [&](auto name, auto text) { options.deflate = parseFlag(name, text); }},
      {"takeover", [&](auto name, auto text) { options.takeover = parseFlag(name, text); }},
      {"repeats", [&](auto name, auto text) { options.repeats = parseFlag(name, text); }},
      {"raw", [&](auto name, auto text) { options.raw = parseFlag(name, text); }},
      {"warmup", [&](auto name, auto text) { options.warmup = parse<double>(name, text); }},
      {"seconds", [&](auto name, auto text) { options.seconds = parse<double>(name, text); }},
  };

  const auto mode = argc > 1 ? kModes.find(argv[1]) : kModes.end();
  if (mode == kModes.end()) {
    throw std::invalid_argument("the mode must be echo, echo-server, broadcast, handshake or idle");
  }
  options.mode = mode->second;
  for (int i = 2; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto setter = name.starts_with("--") ? setters.find(name.substr(2)) : setters.end();
    if (setter == setters.end() || i + 1 == argc) {
      throw std::invalid_argument("unknown option, or one without a value: " + std::string(name));
    }
    setter->second(setter->first, argv[i + 1]);
  }
  if (options.connections == 0 || options.inFlight == 0 || options.size == 0) {
    throw std::invalid_argument("--connections, --in-flight and --size must be at least 1");
  }
  return options;
}

}  // namespace websocket::bench

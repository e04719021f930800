// The command line of the load generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace websocket::bench {

enum class Mode {
  Echo,        // clients that keep messages in flight and check every echo
  EchoServer,  // the same with the roles exchanged: accepts the measured clients, sends, and checks what they send back
  Broadcast,   // client 0 sends a message, the server sends it to every client
  Handshake,   // connect, upgrade, close, again and again
  Idle,        // opens connections on command and holds them
};

struct Options {
  Mode mode = Mode::Echo;
  std::uint16_t port = 0;  // of the measured server; 0 in Mode::EchoServer
  int pid = 0;             // the measured process
  std::size_t connections = 1;
  std::size_t inFlight = 1;  // messages of each connection
  std::size_t size = 64;     // payload bytes of each message
  bool text = false;         // text frames of ASCII instead of binary ones
  bool deflate = false;      // compressed JSON in text frames: Mode::Echo and Mode::Idle
  bool takeover = false;     // with context takeover
  bool repeats = false;      // and messages that differ only in a counter
  bool raw = false;          // the server echoes bytes and knows no WebSocket: no upgrade, the frames come back as sent
  double warmup = 1;         // processor seconds of the measured process before the window
  double seconds = 1;        // processor seconds of the measured process in the window
};

/// Reads `MODE --name value ...`.
/// @throws std::invalid_argument with what is wrong
Options parseOptions(int argc, const char* const* argv);

}  // namespace websocket::bench

// The load generator. `websocket_load MODE --name value ...` prints one line of JSON with what it measured, or says on
// standard error what went wrong and exits with 1. One thread; bench/measure.mjs runs it.
#include <exception>
#include <iostream>
#include <string>

#include "modes.h"
#include "options.h"
#include "socket.h"

namespace {

using namespace websocket::bench;

std::string run(const Options& options) {
  switch (options.mode) {
    case Mode::Echo:
      return options.deflate ? runDeflatedEcho(options) : runEcho(options);
    case Mode::EchoServer:
      return runEchoServer(options);
    case Mode::Broadcast:
      return runBroadcast(options);
    case Mode::Handshake:
      return runHandshakes(options);
    case Mode::Idle:
      return runIdle(options);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parseOptions(argc, argv);
    raiseDescriptorLimit(options.connections + 100);
    std::cout << run(options) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "websocket_load: " << error.what() << std::endl;
    return 1;
  }
}

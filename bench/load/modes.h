// What the load generator can do. Each function returns the line of JSON that it prints at the end, and throws when
// anything is wrong: a byte that differs, a connection that fails.
#pragma once

#include <string>
#include <vector>

#include "options.h"
#include "socket.h"

namespace websocket::bench {

/// Clients keep `inFlight` messages in flight on each connection, and check every echo.
std::string runEcho(const Options& options);

/// As runEcho() with JSON in compressed messages of permessage-deflate; the echoes must be compressed too.
std::string runDeflatedEcho(const Options& options);

/// Prints {"port":N}, accepts `connections` clients and sends them messages, which they echo.
std::string runEchoServer(const Options& options);

/// The first client sends a message, the server sends it to every client (the first one too), and when all have it the
/// next one follows. Counts deliveries.
std::string runBroadcast(const Options& options);

/// `connections` clients at a time connect, upgrade, close in order (RFC 6455, 7.1.1: the server ends the TCP
/// connection), and start again. Counts whole rounds.
std::string runHandshakes(const Options& options);

/// Opens one more connection with permessage-deflate and exchanges one message.
void openDeflated(std::vector<Descriptor>& sockets, const Options& options);

/// Reads lines `open N` from standard input: opens connections until there are N, answers {"open":N}, holds them until
/// the input ends. With `deflate` by openDeflated().
std::string runIdle(const Options& options);

}  // namespace websocket::bench

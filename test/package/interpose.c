// Stands between the native module and Node-API, for termination.mjs: ends_x() in the place of napi_x(). A thread that
// comes to the call whose number is in the environment variable ENDS_AT writes a byte to a socket, and goes on when it
// gets one back. ENDS_SOCKET is the descriptor of the other end.
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int ours = -1;
static _Thread_local long calls = 0;

__attribute__((constructor)) static void connectSockets(void) {
  int pair[2];
  char number[16];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    abort();
  }
  ours = pair[0];
  snprintf(number, sizeof number, "%d", pair[1]);
  setenv("ENDS_SOCKET", number, 1);
}

static void stop(void) {
  const char* const at = getenv("ENDS_AT");
  char byte = 'x';
  if (at != NULL && ++calls == atol(at) && (write(ours, &byte, 1) != 1 || read(ours, &byte, 1) != 1)) {
    abort();
  }
}

// Eight arguments, as many as any has: on the machines where this runs the others do not mind.
#define INTERPOSE(name)                                                             \
  int napi_##name(long, long, long, long, long, long, long, long);                  \
  int ends_##name(long a, long b, long c, long d, long e, long f, long g, long h);  \
  int ends_##name(long a, long b, long c, long d, long e, long f, long g, long h) { \
    stop();                                                                         \
    return napi_##name(a, b, c, d, e, f, g, h);                                     \
  }

// The floor: a TCP echo in C on libuv, without WebSocket and without JavaScript. Prints {"port":N} and runs until
// killed.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SLAB_SIZE (512 * 1024)

// One connection is read at a time and its bytes are written or copied before the next, so that one slab is enough.
static char slab[SLAB_SIZE];

typedef struct {
  uv_write_t request;
  char bytes[];
} pending_write;

static void check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "uv_echo: %s: %s\n", what, uv_strerror(result));
  exit(1);
}

static void on_closed(uv_handle_t* handle) { free(handle); }

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(slab, SLAB_SIZE);
}

static void on_written(uv_write_t* request, int status) {
  (void)status;  // a failed write is followed by a failed read, which closes
  free(request->data);
}

// Queues what the kernel did not take at once.
static void write_later(uv_stream_t* stream, const char* bytes, size_t length) {
  pending_write* pending = malloc(sizeof *pending + length);
  if (pending == NULL) abort();
  memcpy(pending->bytes, bytes, length);
  pending->request.data = pending;
  uv_buf_t buffer = uv_buf_init(pending->bytes, (unsigned int)length);
  if (uv_write(&pending->request, stream, &buffer, 1, on_written) != 0) free(pending);  // closed by a failed read
}

static void on_read(uv_stream_t* stream, ssize_t length, const uv_buf_t* buffer) {
  if (length < 0) {
    uv_close((uv_handle_t*)stream, on_closed);
    return;
  }
  if (length == 0) return;
  uv_buf_t received = uv_buf_init(buffer->base, (unsigned int)length);
  int written = uv_try_write(stream, &received, 1);
  if (written < 0) written = 0;
  if (written < length) write_later(stream, buffer->base + written, (size_t)(length - written));
}

static void on_connection(uv_stream_t* listener, int status) {
  check(status, "listen");
  uv_tcp_t* client = malloc(sizeof *client);
  if (client == NULL) abort();
  check(uv_tcp_init(listener->loop, client), "uv_tcp_init");
  check(uv_accept(listener, (uv_stream_t*)client), "uv_accept");
  check(uv_tcp_nodelay(client, 1), "uv_tcp_nodelay");
  check(uv_read_start((uv_stream_t*)client, on_alloc, on_read), "uv_read_start");
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);  // clients leave when they have measured enough
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  struct sockaddr_in address;
  int length = sizeof address;
  check(uv_tcp_init(loop, &listener), "uv_tcp_init");
  check(uv_ip4_addr("127.0.0.1", 0, &address), "uv_ip4_addr");
  check(uv_tcp_bind(&listener, (const struct sockaddr*)&address, 0), "uv_tcp_bind");
  check(uv_listen((uv_stream_t*)&listener, 4096, on_connection), "uv_listen");
  check(uv_tcp_getsockname(&listener, (struct sockaddr*)&address, &length), "uv_tcp_getsockname");
  const unsigned char* port = (const unsigned char*)&address.sin_port;  // in network order
  printf("{\"port\":%d}\n", port[0] << 8 | port[1]);
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}

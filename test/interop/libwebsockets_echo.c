// libwebsockets, which sends back what it gets: libwebsockets_echo server|client [--compress]
//
// As a server it listens on 127.0.0.1 and prints "port N". As a client it reads ports of servers on 127.0.0.1 from
// standard input, one a line. Both end when standard input ends. With --compress they know permessage-deflate.
// conversation.ts tells what the other side asks of it, and what it prints. One thread: everything runs in callbacks of
// lws_service.
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kCommand[] = "command: ";

// Something that waits to be sent: a message, a ping or, with a close code, the end.
struct Outgoing {
  struct Outgoing* next;
  enum lws_write_protocol kind;
  enum lws_close_status closeCode;
  size_t length;
  unsigned char data[];  // LWS_PRE bytes, then the payload
};

// Of one connection; libwebsockets gives it zeroed.
struct Session {
  unsigned char* message;  // what has arrived of the message under way; ours
  size_t length;
  size_t capacity;
  bool isBinary;
  struct Outgoing* first;
  struct Outgoing* last;
  struct Outgoing* sent;  // may be read until the next writable callback
  char closed[160];       // the code and the reason that the other side gave
};

static struct lws_context* context;
static bool isOver;

static void* orExit(void* memory) {
  if (memory != NULL) return memory;
  fputs("no memory\n", stderr);
  exit(1);
}

static void push(struct lws* wsi, struct Session* session, enum lws_write_protocol kind, const void* data,
                 size_t length, int closeCode) {
  struct Outgoing* item = orExit(calloc(1, sizeof *item + LWS_PRE + length));
  item->kind = kind;
  item->closeCode = (enum lws_close_status)closeCode;
  item->length = length;
  if (length > 0) memcpy(item->data + LWS_PRE, data, length);
  if (session->last == NULL) session->first = item;
  if (session->last != NULL) session->last->next = item;
  session->last = item;
  lws_callback_on_writable(wsi);
}

static void append(struct Session* session, const void* data, size_t length) {
  if (session->length + length + 1 > session->capacity) {
    session->capacity = 2 * (session->length + length + 1);
    session->message = orExit(realloc(session->message, session->capacity));
  }
  memcpy(session->message + session->length, data, length);
  session->length += length;
  session->message[session->length] = '\0';
}

// The whole message has arrived.
static void answer(struct lws* wsi, struct Session* session) {
  const char* text = (const char*)session->message;
  const size_t prefix = sizeof kCommand - 1;
  if (session->isBinary || session->length < prefix || memcmp(text, kCommand, prefix) != 0) {
    push(wsi, session, session->isBinary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, text, session->length, 0);
  } else if (strncmp(text + prefix, "ping ", 5) == 0) {
    push(wsi, session, LWS_WRITE_PING, text + prefix + 5, session->length - prefix - 5, 0);
  } else if (strncmp(text + prefix, "close ", 6) == 0) {
    char* reason;
    const int code = (int)strtol(text + prefix + 6, &reason, 10);
    if (*reason == ' ') reason += 1;
    push(wsi, session, LWS_WRITE_TEXT, reason, strlen(reason), code);
  }
  session->length = 0;
}

// Sends the oldest item. Not 0: the connection is to be closed.
static int sendNext(struct lws* wsi, struct Session* session) {
  free(session->sent);
  struct Outgoing* item = session->sent = session->first;
  if (item == NULL) return 0;
  session->first = item->next;
  if (session->first == NULL) session->last = NULL;
  if (item->closeCode != 0) {
    lws_close_reason(wsi, item->closeCode, item->data + LWS_PRE, item->length);
    return -1;
  }
  if (lws_write(wsi, item->data + LWS_PRE, item->length, item->kind) < (int)item->length) return -1;
  lws_callback_on_writable(wsi);
  return 0;
}

static void end(struct Session* session) {
  printf("closed%s\n", session->closed);
  free(session->message);
  free(session->sent);
  for (struct Outgoing* item = session->first; item != NULL;) {
    struct Outgoing* next = item->next;
    free(item);
    item = next;
  }
}

static void connectTo(int port) {
  struct lws_client_connect_info info = {0};
  info.context = context;
  info.address = info.host = info.origin = "127.0.0.1";
  info.port = port;
  info.path = "/";
  info.protocol = "other,conversation";
  info.local_protocol_name = "conversation";
  if (lws_client_connect_via_info(&info) == NULL) fprintf(stderr, "cannot connect to port %d\n", port);
}

static int onEvent(struct lws* wsi, enum lws_callback_reasons reason, void* user, void* in, size_t length) {
  struct Session* session = user;
  switch (reason) {
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
      if (lws_is_first_fragment(wsi)) session->isBinary = lws_frame_is_binary(wsi);
      append(session, in, length);
      if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) answer(wsi, session);
      return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG: {
      char text[5 + 125] = "pong ";
      memcpy(text + 5, in, length);
      push(wsi, session, LWS_WRITE_TEXT, text, 5 + length, 0);
      return 0;
    }
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return sendNext(wsi, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: {
      const unsigned char* bytes = in;
      const int code = length < 2 ? 1005 : bytes[0] << 8 | bytes[1];
      const int reasonLength = length > 2 ? (int)length - 2 : 0;
      const char* space = reasonLength > 0 ? " " : "";
      snprintf(session->closed, sizeof session->closed, " %d%s%.*s", code, space, reasonLength, (const char*)bytes + 2);
      return 0;
    }
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      fprintf(stderr, "%.*s\n", (int)length, in == NULL ? "" : (const char*)in);
      return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
      end(session);
      return 0;
    default:
      return 0;
  }
}

static int onInput(struct lws* wsi, enum lws_callback_reasons reason, void* user, void* in, size_t length) {
  (void)wsi, (void)user, (void)in, (void)length;
  if (reason == LWS_CALLBACK_RAW_RX_FILE) {
    char line[64];  // ws://127.0.0.1:PORT/
    const ssize_t size = read(STDIN_FILENO, line, sizeof line - 1);
    line[size > 0 ? size : 0] = '\0';
    const char* port = strrchr(line, ':');
    if (size <= 0) isOver = true;
    if (port != NULL) connectTo(atoi(port + 1));
  } else if (reason == LWS_CALLBACK_RAW_CLOSE_FILE) {
    isOver = true;
  }
  return 0;
}

int main(int count, char** arguments) {
  if (count < 2) return 2;
  const bool isServer = strcmp(arguments[1], "server") == 0;
  const bool compresses = count > 2 && strcmp(arguments[2], "--compress") == 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  lws_set_log_level(LLL_ERR, NULL);

  const struct lws_protocols protocols[] = {
      {.name = "conversation",
       .callback = onEvent,
       .per_session_data_size = sizeof(struct Session),
       .rx_buffer_size = 65536},
      {.name = "input", .callback = onInput},
      {0},
  };
  const struct lws_extension extensions[] = {
      {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate; client_max_window_bits"},
      {0},
  };
  struct lws_context_creation_info info = {0};
  info.port = isServer ? 0 : CONTEXT_PORT_NO_LISTEN;
  info.iface = "127.0.0.1";
  info.protocols = protocols;
  info.extensions = compresses ? extensions : NULL;
  info.gid = -1;
  info.uid = -1;
  context = lws_create_context(&info);
  if (context == NULL) return 1;
  struct lws_vhost* vhost = lws_get_vhost_by_name(context, "default");
  const lws_sock_file_fd_type input = {.filefd = STDIN_FILENO};
  if (lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, input, "input", NULL) == NULL) return 1;
  if (isServer) printf("port %d\n", lws_get_vhost_listen_port(vhost));
  while (!isOver && lws_service(context, 0) >= 0) continue;
  lws_context_destroy(context);
  return 0;
}

/* The rest of a program around run_loop() of docs/component.md: a client sends a text to a server through memory, and
 * both have to be told. Linked with the block by other-kinds.mjs. */
#include <stdio.h>
#include <string.h>
#include <websocket.h>
#include <websocket_ext.h>

typedef struct connection {
  BYTE bytes[64]; /* on their way from the client to the server */
  ULONG begin, end;
  PVOID sent; /* contexts, and what came */
  PVOID received;
  char text[8];
} connection_t;

HRESULT run_loop(WEB_SOCKET_HANDLE handle, connection_t* connection);
ULONG write_all(connection_t* connection, const BYTE* bytes, ULONG length);
ULONG read_some(connection_t* connection, BYTE* memory, ULONG space);
void on_sent(connection_t* connection, PVOID context);
void on_received(connection_t* connection, PVOID context, WEB_SOCKET_BUFFER_TYPE type, const WEB_SOCKET_BUFFER* buffer);

ULONG write_all(connection_t* connection, const BYTE* bytes, ULONG length) {
  if (length > sizeof connection->bytes - connection->end) return 0;
  memcpy(connection->bytes + connection->end, bytes, length);
  connection->end += length;
  return length;
}

/* Three bytes at most, so that a frame takes several reads. */
ULONG read_some(connection_t* connection, BYTE* memory, ULONG space) {
  ULONG length = connection->end - connection->begin;
  if (length > 3) length = 3;
  if (length > space) length = space;
  memcpy(memory, connection->bytes + connection->begin, length);
  connection->begin += length;
  return length;
}

void on_sent(connection_t* connection, PVOID context) { connection->sent = context; }

void on_received(connection_t* connection, PVOID context, WEB_SOCKET_BUFFER_TYPE type,
                 const WEB_SOCKET_BUFFER* buffer) {
  if (type != WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE || buffer->Data.ulBufferLength >= sizeof connection->text) return;
  connection->received = context;
  memcpy(connection->text, buffer->Data.pbBuffer, buffer->Data.ulBufferLength);
}

int main(void) {
  static connection_t connection;
  static int sending, receiving;
  WEB_SOCKET_HANDLE client, server;
  WEB_SOCKET_BUFFER hello = {.Data = {(PBYTE) "hello", 5}};
  if (FAILED(WebSocketCreateClientHandle(NULL, 0, &client)) || FAILED(WebSocketOpenWithoutHandshake(client)) ||
      FAILED(WebSocketCreateServerHandle(NULL, 0, &server)) || FAILED(WebSocketOpenWithoutHandshake(server)) ||
      FAILED(WebSocketSend(client, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &hello, &sending)) ||
      FAILED(run_loop(client, &connection)) || FAILED(WebSocketReceive(server, NULL, &receiving)) ||
      FAILED(run_loop(server, &connection))) {
    fputs("a call failed\n", stderr);
    return 1;
  }
  WebSocketDeleteHandle(client);
  WebSocketDeleteHandle(server);
  const int is_right = connection.sent == &sending && connection.received == &receiving;
  if (!is_right || strcmp(connection.text, "hello") != 0) {
    fprintf(stderr, "received: %s\n", connection.text);
    return 1;
  }
  return 0;
}

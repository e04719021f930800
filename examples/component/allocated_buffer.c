/*
 * A server that gives the component its memory: one block of receive buffer + send buffer + 144 bytes. The component
 * allocates no data buffers then, and every pointer that WebSocketGetAction returns lies inside the block, or inside
 * the payload being sent. A garbage-collected runtime that pins one block for each connection relies on that; this
 * program checks it for every buffer. SEND and RECEIVE are separate loops, as in a driver that has a thread or a task
 * for each direction.
 */
#include "connection.h"

enum { RECEIVE_BUFFER_SIZE = 16384, SEND_BUFFER_SIZE = 16, OVERHEAD = 144 };

/* The component wants the block aligned to 8 bytes. */
static _Alignas(8) BYTE block[RECEIVE_BUFFER_SIZE + SEND_BUFFER_SIZE + OVERHEAD];

static int lies_inside(const WEB_SOCKET_BUFFER* buffer, const BYTE* range, size_t length) {
  const BYTE* bytes = buffer->Data.pbBuffer;
  return bytes >= range && bytes + buffer->Data.ulBufferLength <= range + length;
}

/* The check that a driver makes of each returned buffer. */
static void check_buffer(const WEB_SOCKET_BUFFER* buffer, const BYTE* payload, size_t payload_length) {
  if (payload != NULL && lies_inside(buffer, payload, payload_length)) return;
  EXPECT(lies_inside(buffer, block, sizeof(block)));
  EXPECT(buffer->Data.ulBufferLength <= RECEIVE_BUFFER_SIZE);
}

/* Runs the SEND queue until NO_ACTION, with room for two buffers: header and payload in one action. */
static void send_loop(WEB_SOCKET_HANDLE handle, wire_t* out, const BYTE* payload, size_t payload_length) {
  for (;;) {
    WEB_SOCKET_BUFFER buffers[2];
    ULONG count = 2;
    ULONG written = 0;
    WEB_SOCKET_ACTION action;
    WEB_SOCKET_BUFFER_TYPE type;
    PVOID action_context;
    EXPECT(WebSocketGetAction(handle, WEB_SOCKET_SEND_ACTION_QUEUE, buffers, &count, &action, &type, NULL,
                              &action_context) == S_OK);
    if (action == WEB_SOCKET_NO_ACTION) return;
    for (ULONG i = 0; i < count; ++i) {
      check_buffer(&buffers[i], payload, payload_length);
      wire_write(out, buffers[i].Data.pbBuffer, buffers[i].Data.ulBufferLength);
      written += buffers[i].Data.ulBufferLength;
    }
    WebSocketCompleteAction(handle, action_context, written);
  }
}

/*
 * Receives one message into `message` and returns its length. Room for one buffer is enough here. A message longer than
 * the receive buffer comes in fragments, each with a WebSocketReceive of its own; a ping is answered in between.
 */
static ULONG receive_loop(WEB_SOCKET_HANDLE handle, wire_t* out, wire_t* in, BYTE* message, ULONG space) {
  ULONG length = 0;
  EXPECT(WebSocketReceive(handle, NULL, NULL) == S_OK);
  for (;;) {
    WEB_SOCKET_BUFFER buffer;
    ULONG count = 1;
    ULONG transferred = 0;
    WEB_SOCKET_ACTION action;
    WEB_SOCKET_BUFFER_TYPE type;
    PVOID action_context;
    EXPECT(WebSocketGetAction(handle, WEB_SOCKET_RECEIVE_ACTION_QUEUE, &buffer, &count, &action, &type, NULL,
                              &action_context) == S_OK);
    EXPECT(count == 1);
    check_buffer(&buffer, NULL, 0);
    switch (action) {
      case WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION:
        transferred = wire_read(in, buffer.Data.pbBuffer, buffer.Data.ulBufferLength);
        EXPECT(transferred > 0);
        WebSocketCompleteAction(handle, action_context, transferred);
        break;
      case WEB_SOCKET_SEND_TO_NETWORK_ACTION:
        /* The reply to a ping. No INDICATE_SEND_COMPLETE follows: the application did not ask for this send. */
        wire_write(out, buffer.Data.pbBuffer, buffer.Data.ulBufferLength);
        printf("server: answered a ping with %u bytes\n", (unsigned)buffer.Data.ulBufferLength);
        WebSocketCompleteAction(handle, action_context, buffer.Data.ulBufferLength);
        break;
      case WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION:
        transferred = buffer.Data.ulBufferLength;
        EXPECT(transferred <= space - length);
        if (transferred > 0) memcpy(message + length, buffer.Data.pbBuffer, transferred);
        length += transferred;
        /* The number of bytes is ignored for an indication; some drivers pass what they copied. */
        WebSocketCompleteAction(handle, action_context, transferred);
        if (type == WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE) return length;
        EXPECT(type == WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE);
        printf("server: received a fragment of %u bytes\n", (unsigned)transferred);
        EXPECT(WebSocketReceive(handle, NULL, NULL) == S_OK);
        break;
      default:
        EXPECT(action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION); /* the queue has no others */
    }
  }
}

int main(void) {
  static wire_t to_server;
  static wire_t to_client;
  static BYTE payload[40000];
  static BYTE received[sizeof(payload)];
  for (size_t i = 0; i < sizeof(payload); ++i) payload[i] = (BYTE)(i * 31 + i / 251);

  /* The one property with an extra indirection: pvValue points at a variable that holds the block's address, and
   * ulValueSize is the size of the block. */
  ULONG receive_buffer_size = RECEIVE_BUFFER_SIZE;
  ULONG send_buffer_size = SEND_BUFFER_SIZE;
  PBYTE address = block;
  WEB_SOCKET_PROPERTY properties[] = {
      {WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &receive_buffer_size, sizeof(receive_buffer_size)},
      {WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, &send_buffer_size, sizeof(send_buffer_size)},
      {WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE, (PVOID)&address, sizeof(block)}};
  WEB_SOCKET_HANDLE client = NULL;
  WEB_SOCKET_HANDLE server = NULL;
  EXPECT(WebSocketCreateClientHandle(NULL, 0, &client) == S_OK);
  EXPECT(WebSocketCreateServerHandle(properties, 3, &server) == S_OK);
  perform_handshake(client, server);

  /* The client sends a ping and a message larger than the server's receive buffer. */
  WEB_SOCKET_BUFFER buffer;
  buffer.Data.pbBuffer = payload;
  buffer.Data.ulBufferLength = sizeof(payload);
  EXPECT(WebSocketSend(client, WEB_SOCKET_PING_PONG_BUFFER_TYPE, NULL, NULL) == S_OK);
  EXPECT(WebSocketSend(client, WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &buffer, NULL) == S_OK);
  for (;;) {
    WEB_SOCKET_BUFFER chunk;
    ULONG count = 1;
    WEB_SOCKET_ACTION action;
    WEB_SOCKET_BUFFER_TYPE type;
    PVOID action_context;
    EXPECT(WebSocketGetAction(client, WEB_SOCKET_SEND_ACTION_QUEUE, &chunk, &count, &action, &type, NULL,
                              &action_context) == S_OK);
    if (action == WEB_SOCKET_NO_ACTION) break;
    if (count == 1) wire_write(&to_server, chunk.Data.pbBuffer, chunk.Data.ulBufferLength);
    WebSocketCompleteAction(client, action_context, count == 1 ? chunk.Data.ulBufferLength : 0);
  }

  const ULONG length = receive_loop(server, &to_client, &to_server, received, sizeof(received));
  EXPECT(length == sizeof(payload) && memcmp(received, payload, sizeof(payload)) == 0);
  printf("server: received %u bytes in all\n", (unsigned)length);

  /* The server sends it back from its own memory: the send buffer holds a header of at most 16 bytes only. */
  EXPECT(WebSocketSend(server, WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &buffer, NULL) == S_OK);
  send_loop(server, &to_client, payload, sizeof(payload));
  /* A keep-alive, as sent after WEB_SOCKET_KEEPALIVE_INTERVAL of silence. */
  EXPECT(WebSocketSend(server, WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE, NULL, NULL) == S_OK);
  send_loop(server, &to_client, NULL, 0);
  printf("server: every buffer was inside its block or the payload\n");

  /* On the wire: the pong (2 bytes), a frame with a 16-bit length (4 + 40000) and the keep-alive (2). */
  EXPECT(to_client.end - to_client.begin == 2 + 4 + sizeof(payload) + 2);
  WebSocketDeleteHandle(client);
  WebSocketDeleteHandle(server);
  printf("done\n");
  return EXIT_SUCCESS;
}

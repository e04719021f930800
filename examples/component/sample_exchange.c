/*
 * The action loop in its simplest form: a client handle and a server handle in one process exchange a message each and
 * close the connection. Read run_loop() first; it is all that a driver of the component does.
 */
#include "connection.h"

/* What run_loop() received. */
typedef struct {
  WEB_SOCKET_BUFFER_TYPE type;
  char text[256];
  ULONG length;
  USHORT close_status;
} message_t;

/*
 * Carries out actions of both queues (ALL) until there is none: bytes to send go to `out`, bytes to receive come from
 * `in`. Every action is given back with WebSocketCompleteAction; for NO_ACTION that has no effect.
 */
static void run_loop(const char* name, WEB_SOCKET_HANDLE handle, wire_t* out, wire_t* in, message_t* message) {
  WEB_SOCKET_ACTION action;
  do {
    WEB_SOCKET_BUFFER buffers[2]; /* two are enough for every action */
    ULONG count = 2;
    WEB_SOCKET_BUFFER_TYPE type;
    PVOID application_context;
    PVOID action_context;
    ULONG transferred = 0;
    EXPECT(WebSocketGetAction(handle, WEB_SOCKET_ALL_ACTION_QUEUE, buffers, &count, &action, &type,
                              &application_context, &action_context) == S_OK);
    switch (action) {
      case WEB_SOCKET_SEND_TO_NETWORK_ACTION:
        /* A frame, or a part of one: write all buffers, in this order. */
        for (ULONG i = 0; i < count; ++i) {
          wire_write(out, buffers[i].Data.pbBuffer, buffers[i].Data.ulBufferLength);
          transferred += buffers[i].Data.ulBufferLength;
        }
        printf("%s: wrote %u bytes\n", name, (unsigned)transferred);
        break;
      case WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION:
        /* The operation is finished: its memory is the application's again. */
        printf("%s: the send is complete\n", name);
        break;
      case WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION:
        /* Fill the buffer; fewer bytes than there is space for are normal, 0 means the end of the stream. */
        transferred = wire_read(in, buffers[0].Data.pbBuffer, buffers[0].Data.ulBufferLength);
        printf("%s: read %u bytes\n", name, (unsigned)transferred);
        break;
      case WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION:
        /* The payload is valid until the action is completed: copy it now. */
        EXPECT(count == 1 && buffers[0].Data.ulBufferLength < sizeof(message->text));
        message->type = type;
        message->length = buffers[0].Data.ulBufferLength;
        if (message->length > 0) memcpy(message->text, buffers[0].Data.pbBuffer, message->length);
        message->text[message->length] = '\0';
        message->close_status = type == WEB_SOCKET_CLOSE_BUFFER_TYPE ? buffers[0].CloseStatus.usStatus : 0;
        break;
      case WEB_SOCKET_NO_ACTION:
        break;
    }
    WebSocketCompleteAction(handle, action_context, transferred);
  } while (action != WEB_SOCKET_NO_ACTION);
}

static void send_close(WEB_SOCKET_HANDLE handle, USHORT status, const char* reason) {
  WEB_SOCKET_BUFFER buffer;
  buffer.CloseStatus.pbReason = (PBYTE)reason;
  buffer.CloseStatus.ulReasonLength = (ULONG)strlen(reason);
  buffer.CloseStatus.usStatus = status;
  EXPECT(WebSocketSend(handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, &buffer, NULL) == S_OK);
}

int main(void) {
  static wire_t to_server;
  static wire_t to_client;
  static message_t message;
  WEB_SOCKET_HANDLE client = NULL;
  WEB_SOCKET_HANDLE server = NULL;
  EXPECT(WebSocketCreateClientHandle(NULL, 0, &client) == S_OK);
  EXPECT(WebSocketCreateServerHandle(NULL, 0, &server) == S_OK);
  perform_handshake(client, server);

  /* The client sends. WebSocketSend only queues the operation; the loop moves the bytes. */
  send_text(client, "Hello World", NULL);
  run_loop("client", client, &to_server, &to_client, &message);

  /* The server receives, into the component's own memory. */
  EXPECT(WebSocketReceive(server, NULL, NULL) == S_OK);
  run_loop("server", server, &to_client, &to_server, &message);
  printf("server: received \"%s\"\n", message.text);
  EXPECT(message.type == WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE && strcmp(message.text, "Hello World") == 0);

  /* And the other way round. */
  send_text(server, "Hello yourself", NULL);
  run_loop("server", server, &to_client, &to_server, &message);
  EXPECT(WebSocketReceive(client, NULL, NULL) == S_OK);
  run_loop("client", client, &to_server, &to_client, &message);
  printf("client: received \"%s\"\n", message.text);
  EXPECT(message.type == WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE && strcmp(message.text, "Hello yourself") == 0);

  /* The closing handshake: the component answers pings by itself, but a Close frame is for the application to answer.
   */
  send_close(client, WEB_SOCKET_SUCCESS_CLOSE_STATUS, "done");
  run_loop("client", client, &to_server, &to_client, &message);
  EXPECT(WebSocketReceive(server, NULL, NULL) == S_OK);
  run_loop("server", server, &to_client, &to_server, &message);
  printf("server: received Close %u \"%s\"\n", (unsigned)message.close_status, message.text);
  EXPECT(message.type == WEB_SOCKET_CLOSE_BUFFER_TYPE && message.close_status == WEB_SOCKET_SUCCESS_CLOSE_STATUS);
  send_close(server, message.close_status, "");
  run_loop("server", server, &to_client, &to_server, &message);
  EXPECT(WebSocketReceive(client, NULL, NULL) == S_OK);
  run_loop("client", client, &to_server, &to_client, &message);
  printf("client: received Close %u\n", (unsigned)message.close_status);
  EXPECT(message.type == WEB_SOCKET_CLOSE_BUFFER_TYPE && message.close_status == WEB_SOCKET_SUCCESS_CLOSE_STATUS);

  /* No operation is left, so the handles may go. Otherwise: WebSocketAbortHandle, and the loop once more. */
  WebSocketDeleteHandle(client);
  WebSocketDeleteHandle(server);
  printf("done\n");
  return EXIT_SUCCESS;
}

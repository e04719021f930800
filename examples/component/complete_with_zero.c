/*
 * A driver that completes every write with 0: it writes the whole frame itself, takes no further interest in the
 * operation and leaves its INDICATE_SEND_COMPLETE unfetched until it sends again. That is legal. A byte count that is
 * not the sum of the buffers cancels the rest of the operation, and with room for two buffers a server's operation is
 * one action: there is no rest. The stream stays intact, and the indications left behind come first.
 */
#include "connection.h"

/* Takes one action of the SEND queue. */
static WEB_SOCKET_ACTION next_action(WEB_SOCKET_HANDLE server, WEB_SOCKET_BUFFER buffers[2], ULONG* count,
                                     PVOID* application_context, PVOID* action_context) {
  WEB_SOCKET_ACTION action;
  WEB_SOCKET_BUFFER_TYPE type;
  *count = 2;
  EXPECT(WebSocketGetAction(server, WEB_SOCKET_SEND_ACTION_QUEUE, buffers, count, &action, &type, application_context,
                            action_context) == S_OK);
  return action;
}

/* Sends one message: queue it, pass by the indications of earlier messages, write it, complete with 0. */
static void send_and_forget(WEB_SOCKET_HANDLE server, wire_t* out, const char* text) {
  WEB_SOCKET_BUFFER buffers[2];
  ULONG count = 0;
  PVOID application_context = NULL;
  PVOID action_context = NULL;
  send_text(server, text, (PVOID)text);

  WEB_SOCKET_ACTION action = next_action(server, buffers, &count, &application_context, &action_context);
  while (action == WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION) {
    printf("  first the indication of \"%s\"\n", (const char*)application_context);
    WebSocketCompleteAction(server, action_context, 0);
    action = next_action(server, buffers, &count, &application_context, &action_context);
  }
  EXPECT(action == WEB_SOCKET_SEND_TO_NETWORK_ACTION && application_context == (PVOID)text && count == 2);
  EXPECT(buffers[1].Data.pbBuffer == (PBYTE)text); /* no copy: the application's own memory is sent */
  for (ULONG i = 0; i < count; ++i) wire_write(out, buffers[i].Data.pbBuffer, buffers[i].Data.ulBufferLength);
  printf("  wrote \"%s\", completed with 0\n", text);
  WebSocketCompleteAction(server, action_context, 0);
}

/* Receives one message with a client handle, to see that the stream is intact. */
static void expect_message(WEB_SOCKET_HANDLE client, wire_t* in, const char* text) {
  EXPECT(WebSocketReceive(client, NULL, NULL) == S_OK);
  for (;;) {
    WEB_SOCKET_BUFFER buffer;
    ULONG count = 1;
    WEB_SOCKET_ACTION action;
    WEB_SOCKET_BUFFER_TYPE type;
    PVOID action_context;
    EXPECT(WebSocketGetAction(client, WEB_SOCKET_RECEIVE_ACTION_QUEUE, &buffer, &count, &action, &type, NULL,
                              &action_context) == S_OK);
    if (action == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
      const ULONG length = wire_read(in, buffer.Data.pbBuffer, buffer.Data.ulBufferLength);
      EXPECT(length > 0);
      WebSocketCompleteAction(client, action_context, length);
      continue;
    }
    EXPECT(action == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION && type == WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE);
    EXPECT(buffer.Data.ulBufferLength == strlen(text) && memcmp(buffer.Data.pbBuffer, text, strlen(text)) == 0);
    printf("  client received \"%s\"\n", text);
    WebSocketCompleteAction(client, action_context, 0);
    return;
  }
}

int main(void) {
  static wire_t to_client;
  static const char* const kTexts[] = {"one", "two", "three", "a somewhat longer message, number four"};
  const size_t count = sizeof(kTexts) / sizeof(kTexts[0]);
  WEB_SOCKET_HANDLE client = NULL;
  WEB_SOCKET_HANDLE server = NULL;
  EXPECT(WebSocketCreateClientHandle(NULL, 0, &client) == S_OK);
  EXPECT(WebSocketCreateServerHandle(NULL, 0, &server) == S_OK);
  perform_handshake(client, server);

  printf("server sends:\n");
  for (size_t i = 0; i < count; ++i) send_and_forget(server, &to_client, kTexts[i]);
  printf("client receives:\n");
  for (size_t i = 0; i < count; ++i) expect_message(client, &to_client, kTexts[i]);
  EXPECT(to_client.begin == to_client.end);

  /* One indication is still unfetched; abort and delete release it. */
  WebSocketAbortHandle(server);
  WebSocketDeleteHandle(server);
  WebSocketDeleteHandle(client);
  printf("done\n");
  return EXIT_SUCCESS;
}

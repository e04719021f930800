/*
 * websocket.h as a C11 program sees it: the layout is asserted, and the calls are written as programs for Windows write
 * them: mutable arrays, string literals in PCHAR members, `const PWEB_SOCKET_...` variables, NULL where it is optional.
 */
#include <string.h>

#include "contract_layout.h"

/* Number of calls that did not give what they should; called by contract_header_test.cc. */
int callFromC11(void);

int callFromC11(void) {
  int failures = 0;
  WEB_SOCKET_HANDLE client = NULL;
  WEB_SOCKET_HANDLE server = NULL;
  PWEB_SOCKET_HTTP_HEADER additional = NULL;
  PWEB_SOCKET_HTTP_HEADER response = NULL;
  ULONG additionalCount = 0;
  ULONG responseCount = 0;
  ULONG subprotocol = 0;

  ULONG receiveBufferSize = 4096;
  WEB_SOCKET_PROPERTY properties[] = {
      {WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &receiveBufferSize, sizeof(receiveBufferSize)}};
  const PWEB_SOCKET_PROPERTY constPointer = properties;
  failures += WebSocketCreateClientHandle(constPointer, 1, &client) != S_OK;
  failures += WebSocketCreateServerHandle(NULL, 0, &server) != S_OK;

  PCSTR subprotocols[] = {"chat"};
  failures +=
      FAILED(WebSocketBeginClientHandshake(client, subprotocols, 1, NULL, 0, NULL, 0, &additional, &additionalCount));
  WEB_SOCKET_HTTP_HEADER request[8];
  if (additionalCount > 7) additionalCount = 7;
  memcpy(request, additional, additionalCount * sizeof(request[0]));
  request[additionalCount].pcName = (PCHAR) "Host";
  request[additionalCount].ulNameLength = 4;
  request[additionalCount].pcValue = (PCHAR) "localhost";
  request[additionalCount].ulValueLength = 9;
  failures += FAILED(
      WebSocketBeginServerHandshake(server, "chat", NULL, 0, request, additionalCount + 1, &response, &responseCount));
  failures += FAILED(WebSocketEndClientHandshake(client, response, responseCount, NULL, NULL, &subprotocol));
  failures += FAILED(WebSocketEndServerHandshake(server));

  char text[] = "Hello";
  WEB_SOCKET_BUFFER buffers[2];
  buffers[0].Data.pbBuffer = (PBYTE)text;
  buffers[0].Data.ulBufferLength = 5;
  failures += FAILED(WebSocketSend(server, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, buffers, NULL));
  failures += FAILED(WebSocketReceive(server, NULL, NULL));
  ULONG count = 2;
  WEB_SOCKET_ACTION action = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type;
  PVOID applicationContext = NULL;
  PVOID actionContext = NULL;
  failures += FAILED(WebSocketGetAction(server, WEB_SOCKET_ALL_ACTION_QUEUE, buffers, &count, &action, &type,
                                        &applicationContext, &actionContext));
  failures += action != WEB_SOCKET_SEND_TO_NETWORK_ACTION || type != WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
  WebSocketCompleteAction(server, actionContext, 7);

  ULONG keepAlive = 0;
  ULONG size = sizeof(keepAlive);
  failures += FAILED(WebSocketGetGlobalProperty(WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE, &keepAlive, &size));

  WebSocketAbortHandle(client);
  WebSocketDeleteHandle(client);
  WebSocketDeleteHandle(server);
  return failures;
}

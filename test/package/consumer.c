/* A C11 program that uses the installed library. Ends with 0 when a ping with a payload came out as RFC 6455 says. */
#include <stdio.h>
#include <string.h>
#include <websocket.h>
#include <websocket_ext.h>

int main(void) {
  static const BYTE payload[] = {'H', 'i'};
  static const BYTE frame[] = {0x89, 0x02, 'H', 'i'};
  WEB_SOCKET_HANDLE handle = NULL;
  WEB_SOCKET_BUFFER buffers[2];
  ULONG count = 2;
  WEB_SOCKET_ACTION action = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type;
  PVOID actionContext = NULL;
  BYTE wire[16];
  size_t size = 0;

  if (FAILED(WebSocketCreateServerHandle(NULL, 0, &handle)) || FAILED(WebSocketOpenWithoutHandshake(handle)) ||
      FAILED(WebSocketSendControl(handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE, payload, sizeof payload, NULL)) ||
      FAILED(WebSocketGetAction(handle, WEB_SOCKET_ALL_ACTION_QUEUE, buffers, &count, &action, &type, NULL,
                                &actionContext))) {
    fputs("a call failed\n", stderr);
    return 1;
  }
  for (ULONG i = 0; i < count && size + buffers[i].Data.ulBufferLength <= sizeof wire; ++i) {
    memcpy(wire + size, buffers[i].Data.pbBuffer, buffers[i].Data.ulBufferLength);
    size += buffers[i].Data.ulBufferLength;
  }
  WebSocketCompleteAction(handle, actionContext, (ULONG)size);
  WebSocketAbortHandle(handle);
  WebSocketDeleteHandle(handle);
  if (action != WEB_SOCKET_SEND_TO_NETWORK_ACTION || size != sizeof frame || memcmp(wire, frame, size) != 0) {
    fputs("not the frame that was expected\n", stderr);
    return 1;
  }
  return 0;
}

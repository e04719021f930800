// websocket.h as a C++11 program sees it: the layout is asserted, and the calls are written as programs for Windows
// write them. Keep this file in C++11.
#include "contract_layout.h"

// Number of calls that did not give what they should; called by contract_header_test.cc.
int callFromCpp11();

int callFromCpp11() {
  int failures = 0;
  WEB_SOCKET_HANDLE handle = nullptr;
  PVOID asPointer = handle;  // the reference page says PVOID
  handle = static_cast<WEB_SOCKET_HANDLE>(asPointer);

  const ULONG kReceiveBufferSize = 256;
  ULONG receiveBufferSize = kReceiveBufferSize;
  WEB_SOCKET_PROPERTY property;
  property.Type = WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE;
  property.pvValue = &receiveBufferSize;
  property.ulValueSize = sizeof(receiveBufferSize);
  const PWEB_SOCKET_PROPERTY constPointer = &property;
  const WEB_SOCKET_PROPERTY* pointerToConst = &property;
  failures += WebSocketCreateServerHandle(constPointer, 1, &handle) == S_OK ? 0 : 1;
  WebSocketDeleteHandle(handle);
  failures += WebSocketCreateServerHandle(pointerToConst, 1, &handle) == S_OK ? 0 : 1;

  // String literals are cast to PCHAR, because the members are not const.
  WEB_SOCKET_HTTP_HEADER request[] = {
      {(PCHAR) "Host", 4, (PCHAR) "", 0},
      {(PCHAR) "Connection", 10, (PCHAR) "Upgrade", 7},
      {(PCHAR) "Upgrade", 7, (PCHAR) "websocket", 9},
      {(PCHAR) "Sec-WebSocket-Version", 21, (PCHAR) "13", 2},
      {(PCHAR) "Sec-WebSocket-Key", 17, (PCHAR) "AAAAAAAAAAAAAAAAAAAAAA==", 24},
  };
  PWEB_SOCKET_HTTP_HEADER response = nullptr;
  ULONG responseCount = 0;
  const HRESULT unsupported =
      WebSocketBeginServerHandshake(handle, "chat", nullptr, 0, request, 5, &response, &responseCount);
  failures += unsupported == E_UNSUPPORTED_SUBPROTOCOL ? 0 : 1;
  failures +=
      SUCCEEDED(WebSocketBeginServerHandshake(handle, nullptr, nullptr, 0, request, 5, &response, &responseCount)) ? 0
                                                                                                                   : 1;

  WEB_SOCKET_BUFFER buffer;
  buffer.CloseStatus.usStatus = WEB_SOCKET_SUCCESS_CLOSE_STATUS;
  buffer.CloseStatus.pbReason = nullptr;
  buffer.CloseStatus.ulReasonLength = 0;
  failures += SUCCEEDED(WebSocketSend(handle, WEB_SOCKET_CLOSE_BUFFER_TYPE, &buffer, nullptr)) ? 0 : 1;
  WebSocketAbortHandle(handle);
  WebSocketDeleteHandle(handle);
  return failures;
}

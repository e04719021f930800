/*
 * What the three examples share: a client handle and a server handle in one process, and the memory that stands in for
 * the network between them. A real program has a socket there, and an HTTP library for the opening handshake.
 */
#ifndef WEBSOCKET_EXAMPLE_CONNECTION_H
#define WEBSOCKET_EXAMPLE_CONNECTION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket.h"

/* Ends the program when a step did not give what it should. */
#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
      exit(EXIT_FAILURE);                                                      \
    }                                                                          \
  } while (0)

/* Bytes on their way in one direction: written at `end`, read at `begin`. */
typedef struct {
  BYTE bytes[64 * 1024];
  ULONG begin;
  ULONG end;
} wire_t;

static inline void wire_write(wire_t* wire, const BYTE* bytes, ULONG length) {
  EXPECT(length <= sizeof(wire->bytes) - wire->end);
  if (length > 0) memcpy(wire->bytes + wire->end, bytes, length);
  wire->end += length;
}

/* Reads at most `space` bytes, as recv() does, and returns how many. */
static inline ULONG wire_read(wire_t* wire, BYTE* to, ULONG space) {
  const ULONG available = wire->end - wire->begin;
  const ULONG length = available < space ? available : space;
  memcpy(to, wire->bytes + wire->begin, length);
  wire->begin += length;
  if (wire->begin == wire->end) wire->begin = wire->end = 0;
  return length;
}

static inline void print_headers(const char* title, const WEB_SOCKET_HTTP_HEADER* headers, ULONG count) {
  printf("%s\n", title);
  for (ULONG i = 0; i < count; ++i) {
    /* The strings need not be NUL-terminated: honour the lengths. */
    printf("  %.*s: %.*s\n", (int)headers[i].ulNameLength, headers[i].pcName, (int)headers[i].ulValueLength,
           headers[i].pcValue);
  }
}

/*
 * The opening handshake (RFC 6455, 4). The component makes and checks header fields; sending the request line, the
 * status line and the fields is the business of an HTTP library.
 */
static inline void perform_handshake(WEB_SOCKET_HANDLE client, WEB_SOCKET_HANDLE server) {
  PWEB_SOCKET_HTTP_HEADER additional = NULL;
  ULONG additional_count = 0;
  EXPECT(WebSocketBeginClientHandshake(client, NULL, 0, NULL, 0, NULL, 0, &additional, &additional_count) == S_OK);

  /* The request: what the component adds, and Host, which is the application's. */
  WEB_SOCKET_HTTP_HEADER request[16];
  EXPECT(additional_count < 16);
  memcpy(request, additional, additional_count * sizeof(request[0]));
  request[additional_count] = (WEB_SOCKET_HTTP_HEADER){(PCHAR) "Host", 4, (PCHAR) "localhost", 9};
  print_headers("client -> server: GET / HTTP/1.1", request, additional_count + 1);

  PWEB_SOCKET_HTTP_HEADER response = NULL;
  ULONG response_count = 0;
  EXPECT(WebSocketBeginServerHandshake(server, NULL, NULL, 0, request, additional_count + 1, &response,
                                       &response_count) == S_OK);
  print_headers("server -> client: HTTP/1.1 101 Switching Protocols", response, response_count);

  /* The client looks at the response before the server ends its handshake, which frees the array. */
  EXPECT(WebSocketEndClientHandshake(client, response, response_count, NULL, NULL, NULL) == S_OK);
  EXPECT(WebSocketEndServerHandshake(server) == S_OK);
}

/* Queues one whole text message. The memory must stay until the operation's INDICATE_SEND_COMPLETE. */
static inline void send_text(WEB_SOCKET_HANDLE handle, const char* text, PVOID context) {
  WEB_SOCKET_BUFFER buffer;
  buffer.Data.pbBuffer = (PBYTE)text;
  buffer.Data.ulBufferLength = (ULONG)strlen(text);
  EXPECT(WebSocketSend(handle, WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, &buffer, context) == S_OK);
}

#endif /* WEBSOCKET_EXAMPLE_CONNECTION_H */

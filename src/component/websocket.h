/*
 * websocket.h: the WebSocket Protocol Component API.
 *
 * Thirteen functions that turn a byte stream into WebSocket messages and back (RFC 6455). They do no I/O, own no
 * thread and no timer: the application moves bytes between its transport and the actions that WebSocketGetAction
 * hands out. Names, values and layouts are those of the Windows SDK, so that a program written for Windows compiles
 * unchanged. C11, and C++11 or later.
 *
 * Ownership: a handle belongs to the caller from Create to WebSocketDeleteHandle. Memory that the component returns
 * belongs to the component; memory that the application passes stays the application's and may be reused when the
 * operation's INDICATE action was returned.
 *
 * Threads: every call on a handle is atomic and may come from any thread, except that WebSocketDeleteHandle must not
 * race with another call on the same handle. Different handles are independent.
 */
#ifndef WEBSOCKET_COMPONENT_WEBSOCKET_H
#define WEBSOCKET_COMPONENT_WEBSOCKET_H

#ifdef _WIN32
#include <windows.h>
#else
#include <stdint.h>

/* The Windows base types (WinDef.h). ULONG has 32 bits on every target; it is never `unsigned long`. */
#ifndef VOID
#define VOID void
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
typedef void* PVOID;
typedef uint8_t BYTE;
typedef uint8_t* PBYTE;
typedef char CHAR;
typedef char* PCHAR;
typedef const char* PCSTR;
typedef uint16_t USHORT;
typedef uint32_t ULONG;
typedef int32_t BOOL;
typedef int32_t HRESULT;

/* Result codes (WinError.h). */
#ifndef SUCCEEDED
#define SUCCEEDED(hr) ((HRESULT)(hr) >= 0)
#endif
#ifndef FAILED
#define FAILED(hr) ((HRESULT)(hr) < 0)
#endif
#ifndef S_OK
#define S_OK ((HRESULT)0)
#endif
#ifndef E_FAIL
#define E_FAIL ((HRESULT)0x80004005)
#endif
#ifndef E_OUTOFMEMORY
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#endif
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif
#endif /* _WIN32 */

/* The call is not allowed in the handle's state, or the peer broke the order of frames. */
#ifndef E_INVALID_PROTOCOL_OPERATION
#define E_INVALID_PROTOCOL_OPERATION ((HRESULT)0x83760001)
#endif
/* Malformed handshake headers, or malformed bytes from the peer. */
#ifndef E_INVALID_PROTOCOL_FORMAT
#define E_INVALID_PROTOCOL_FORMAT ((HRESULT)0x83760002)
#endif
#ifndef E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED
#define E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED ((HRESULT)0x83760003)
#endif
#ifndef E_SUBPROTOCOL_NOT_SUPPORTED
#define E_SUBPROTOCOL_NOT_SUPPORTED ((HRESULT)0x83760004)
#endif
#ifndef E_PROTOCOL_VERSION_NOT_SUPPORTED
#define E_PROTOCOL_VERSION_NOT_SUPPORTED ((HRESULT)0x83760005)
#endif
/* The names that the reference pages use for two of the codes above. */
#ifndef E_UNSUPPORTED_EXTENSION
#define E_UNSUPPORTED_EXTENSION E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED
#endif
#ifndef E_UNSUPPORTED_SUBPROTOCOL
#define E_UNSUPPORTED_SUBPROTOCOL E_SUBPROTOCOL_NOT_SUPPORTED
#endif

/* Longest reason of a Close frame, in bytes of UTF-8: 125 of a control frame less 2 of the status (RFC 6455, 5.5). */
#define WEB_SOCKET_MAX_CLOSE_REASON_LENGTH 123

/* C++ enumerations get their underlying type, so that every 32-bit value (a custom frame type) is one of theirs. */
#ifdef __cplusplus
#define WEB_SOCKET_ENUM_TYPE : int
extern "C" {
#else
#define WEB_SOCKET_ENUM_TYPE
#endif

typedef PVOID WEB_SOCKET_HANDLE;

/* Page: WEB_SOCKET_ACTION enumeration. */
typedef enum _WEB_SOCKET_ACTION WEB_SOCKET_ENUM_TYPE {
  WEB_SOCKET_NO_ACTION = 0,
  WEB_SOCKET_SEND_TO_NETWORK_ACTION = 1,
  WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION = 2,
  WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION = 3,
  WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION = 4
} WEB_SOCKET_ACTION,
    *PWEB_SOCKET_ACTION;

/* Page: WEB_SOCKET_ACTION_QUEUE enumeration. */
typedef enum _WEB_SOCKET_ACTION_QUEUE WEB_SOCKET_ENUM_TYPE {
  WEB_SOCKET_SEND_ACTION_QUEUE = 0x1,
  WEB_SOCKET_RECEIVE_ACTION_QUEUE = 0x2,
  WEB_SOCKET_ALL_ACTION_QUEUE = WEB_SOCKET_SEND_ACTION_QUEUE | WEB_SOCKET_RECEIVE_ACTION_QUEUE
} WEB_SOCKET_ACTION_QUEUE;

/*
 * Page: WEB_SOCKET_BUFFER_TYPE enumeration. The values are the 32-bit patterns 0x80000000 to 0x80000006, written as
 * int because C has no larger enumerator. A value whose top bit is clear names a custom frame: the first byte of the
 * frame header, shifted left by one.
 */
typedef enum _WEB_SOCKET_BUFFER_TYPE WEB_SOCKET_ENUM_TYPE {
  WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE = -2147483647 - 1, /* 0x80000000 */
  WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE = -2147483647,    /* 0x80000001 */
  WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE = -2147483646,   /* 0x80000002 */
  WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE = -2147483645,  /* 0x80000003 */
  WEB_SOCKET_CLOSE_BUFFER_TYPE = -2147483644,            /* 0x80000004 */
  WEB_SOCKET_PING_PONG_BUFFER_TYPE = -2147483643,        /* 0x80000005 */
  WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE = -2147483642  /* 0x80000006 */
} WEB_SOCKET_BUFFER_TYPE;

/* Page: WEB_SOCKET_PROPERTY_TYPE enumeration. */
typedef enum _WEB_SOCKET_PROPERTY_TYPE WEB_SOCKET_ENUM_TYPE {
  WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE = 0,       /* ULONG, bytes; 4096; at least 256 */
  WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE = 1,          /* ULONG, bytes; client 4096, server 16; at least 16 */
  WEB_SOCKET_DISABLE_MASKING_PROPERTY_TYPE = 2,           /* BOOL; client: zero key; server: unmasked frames pass */
  WEB_SOCKET_ALLOCATED_BUFFER_PROPERTY_TYPE = 3,          /* pvValue: address of a PBYTE; ulValueSize: its bytes */
  WEB_SOCKET_DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE = 4, /* BOOL; FALSE */
  WEB_SOCKET_KEEPALIVE_INTERVAL_PROPERTY_TYPE = 5,        /* ULONG, ms; 30000; global only */
  WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE = 6         /* ULONG array; {13}; global only */
} WEB_SOCKET_PROPERTY_TYPE;

/* Page: WEB_SOCKET_CLOSE_STATUS enumeration (RFC 6455, 7.4.1). */
typedef enum _WEB_SOCKET_CLOSE_STATUS WEB_SOCKET_ENUM_TYPE {
  WEB_SOCKET_SUCCESS_CLOSE_STATUS = 1000,
  WEB_SOCKET_ENDPOINT_UNAVAILABLE_CLOSE_STATUS = 1001,
  WEB_SOCKET_PROTOCOL_ERROR_CLOSE_STATUS = 1002,
  WEB_SOCKET_INVALID_DATA_TYPE_CLOSE_STATUS = 1003,
  WEB_SOCKET_EMPTY_CLOSE_STATUS = 1005,
  WEB_SOCKET_ABORTED_CLOSE_STATUS = 1006,
  WEB_SOCKET_INVALID_PAYLOAD_CLOSE_STATUS = 1007,
  WEB_SOCKET_POLICY_VIOLATION_CLOSE_STATUS = 1008,
  WEB_SOCKET_MESSAGE_TOO_BIG_CLOSE_STATUS = 1009,
  WEB_SOCKET_UNSUPPORTED_EXTENSIONS_CLOSE_STATUS = 1010,
  WEB_SOCKET_SERVER_ERROR_CLOSE_STATUS = 1011,
  WEB_SOCKET_SECURE_HANDSHAKE_ERROR_CLOSE_STATUS = 1015
} WEB_SOCKET_CLOSE_STATUS;

/* One setting of a new handle. pvValue points at the value, aligned for its type. */
typedef struct _WEB_SOCKET_PROPERTY {
  WEB_SOCKET_PROPERTY_TYPE Type;
  PVOID pvValue;
  ULONG ulValueSize; /* bytes */
} WEB_SOCKET_PROPERTY, *PWEB_SOCKET_PROPERTY;

/* One HTTP header field. The name has no colon; lengths are in bytes, without a terminator. */
typedef struct _WEB_SOCKET_HTTP_HEADER {
  PCHAR pcName;
  ULONG ulNameLength;
  PCHAR pcValue;
  ULONG ulValueLength;
} WEB_SOCKET_HTTP_HEADER, *PWEB_SOCKET_HTTP_HEADER;

/* A run of bytes, or the content of a Close frame. Pointer and length overlay each other in both members. */
typedef union _WEB_SOCKET_BUFFER {
  struct {
    PBYTE pbBuffer;
    ULONG ulBufferLength; /* bytes */
  } Data;
  struct {
    PBYTE pbReason;
    ULONG ulReasonLength; /* bytes of UTF-8, 0 to 123 */
    USHORT usStatus;
  } CloseStatus;
} WEB_SOCKET_BUFFER, *PWEB_SOCKET_BUFFER;

/*
 * Makes a client handle. pProperties: ulPropertyCount settings, read during the call; NULL with 0. phWebSocket
 * receives the handle (NULL on failure); release it with WebSocketDeleteHandle.
 * E_INVALIDARG: bad property or argument. E_OUTOFMEMORY. Page: WebSocketCreateClientHandle.
 */
HRESULT WINAPI WebSocketCreateClientHandle(const WEB_SOCKET_PROPERTY* pProperties, ULONG ulPropertyCount,
                                           WEB_SOCKET_HANDLE* phWebSocket);

/* Makes a server handle; as WebSocketCreateClientHandle. Page: WebSocketCreateServerHandle. */
HRESULT WINAPI WebSocketCreateServerHandle(const WEB_SOCKET_PROPERTY* pProperties, ULONG ulPropertyCount,
                                           WEB_SOCKET_HANDLE* phWebSocket);

/*
 * Starts the client's opening handshake (RFC 6455, 4.1). The offers are NUL-terminated strings, copied. pInitialHeaders
 * may be NULL. The returned array holds the header fields to send; it is the component's and valid until
 * WebSocketEndClientHandshake succeeds or the handle is deleted.
 * E_INVALIDARG: a NULL output, a NULL array with a count, a subprotocol that is no token or stands twice, an extension
 * whose name is no token, a server handle. E_INVALID_PROTOCOL_OPERATION: not in this state. E_OUTOFMEMORY. E_FAIL: no
 * randomness. Page: WebSocketBeginClientHandshake.
 */
HRESULT WINAPI WebSocketBeginClientHandshake(WEB_SOCKET_HANDLE hWebSocket, PCSTR* pszSubprotocols,
                                             ULONG ulSubprotocolCount, PCSTR* pszExtensions, ULONG ulExtensionCount,
                                             const WEB_SOCKET_HTTP_HEADER* pInitialHeaders, ULONG ulInitialHeaderCount,
                                             PWEB_SOCKET_HTTP_HEADER* pAdditionalHeaders,
                                             ULONG* pulAdditionalHeaderCount);

/*
 * Checks the header fields of the server's 101 response (RFC 6455, 4.1) and opens the handle. The caller checks the
 * status line. pulSelectedExtensions receives zero-based indices of the offers, *pulSelectedExtensionCount is its
 * capacity in and the count out; pulSelectedSubprotocol receives an index, or is left alone when none was negotiated.
 * All three may be NULL. On failure the handle stays as it was.
 * E_INVALID_PROTOCOL_FORMAT: bad headers. E_SUBPROTOCOL_NOT_SUPPORTED, E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED: the server
 * chose what was not offered, or no subprotocol of those offered. E_INVALIDARG: capacity below the number of offers,
 * only one of the two extension outputs. E_INVALID_PROTOCOL_OPERATION. Page: WebSocketEndClientHandshake.
 */
HRESULT WINAPI WebSocketEndClientHandshake(WEB_SOCKET_HANDLE hWebSocket, const WEB_SOCKET_HTTP_HEADER* pResponseHeaders,
                                           ULONG ulReponseHeaderCount, ULONG* pulSelectedExtensions,
                                           ULONG* pulSelectedExtensionCount, ULONG* pulSelectedSubprotocol);

/*
 * Checks the header fields of a client's request (RFC 6455, 4.2.1) and makes those of the response. The caller checks
 * method and HTTP version. pszSubprotocolSelected: NULL or "" for none. The returned array is the component's, valid
 * until the server handshake ends, explicitly or by the first data function, or the handle is deleted.
 * E_INVALID_PROTOCOL_FORMAT: bad headers. E_PROTOCOL_VERSION_NOT_SUPPORTED: a version other than 13.
 * E_SUBPROTOCOL_NOT_SUPPORTED, E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED: the selection was not offered. E_INVALIDARG.
 * E_INVALID_PROTOCOL_OPERATION. E_OUTOFMEMORY. Page: WebSocketBeginServerHandshake.
 */
HRESULT WINAPI WebSocketBeginServerHandshake(WEB_SOCKET_HANDLE hWebSocket, PCSTR pszSubprotocolSelected,
                                             PCSTR* pszExtensionSelected, ULONG ulExtensionSelectedCount,
                                             const WEB_SOCKET_HTTP_HEADER* pRequestHeaders, ULONG ulRequestHeaderCount,
                                             PWEB_SOCKET_HTTP_HEADER* pResponseHeaders, ULONG* pulResponseHeaderCount);

/*
 * Ends the server handshake and opens the handle; optional, since the first data function does it too.
 * E_INVALID_PROTOCOL_OPERATION: no handshake was begun, or aborted. Page: WebSocketEndServerHandshake.
 */
HRESULT WINAPI WebSocketEndServerHandshake(WEB_SOCKET_HANDLE hWebSocket);

/*
 * Queues one send operation: one frame (RFC 6455, 5.2), or one fragment of a message. pBuffer: one element, read during
 * the call; the memory that it names is the application's and must stay until INDICATE_SEND_COMPLETE. NULL for
 * PING_PONG and UNSOLICITED_PONG, NULL or CloseStatus for CLOSE. Context comes back with the operation's actions.
 * E_INVALID_PROTOCOL_OPERATION: not open, aborted, data or a second CLOSE after CLOSE, another message's type inside a
 * fragment sequence. E_INVALIDARG. E_OUTOFMEMORY. On failure nothing is queued. Page: WebSocketSend.
 */
HRESULT WINAPI WebSocketSend(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER_TYPE BufferType,
                             WEB_SOCKET_BUFFER* pBuffer, PVOID Context);

/*
 * Queues one receive operation. pBuffer: NULL to have the payload in the component's memory, else one element naming
 * the application's memory to fill. pvContext comes back with the operation's actions.
 * E_INVALID_PROTOCOL_OPERATION: not open, aborted, faulted, or a Close frame was indicated. E_INVALIDARG: a NULL or
 * empty memory. E_OUTOFMEMORY. Page: WebSocketReceive.
 */
HRESULT WINAPI WebSocketReceive(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER* pBuffer, PVOID pvContext);

/*
 * Hands out the next thing to do for a queue. pDataBuffers: an array of *pulDataBufferCount elements (at least 1; 2 is
 * enough), overwritten; the count out says how many were. Every action but NO_ACTION has a non-NULL *pvActionContext
 * and is given back once with WebSocketCompleteAction. pvApplicationContext may be NULL.
 * E_INVALID_PROTOCOL_FORMAT, E_INVALID_PROTOCOL_OPERATION: the peer broke the protocol (RECEIVE and ALL; repeated until
 * abort), or the handle is not open. E_INVALIDARG. E_OUTOFMEMORY. On failure: NO_ACTION, count 0, NULL contexts.
 * Page: WebSocketGetAction.
 */
HRESULT WINAPI WebSocketGetAction(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_ACTION_QUEUE eActionQueue,
                                  WEB_SOCKET_BUFFER* pDataBuffers, ULONG* pulDataBufferCount,
                                  WEB_SOCKET_ACTION* pAction, WEB_SOCKET_BUFFER_TYPE* pBufferType,
                                  PVOID* pvApplicationContext, PVOID* pvActionContext);

/*
 * Gives an action back. ulBytesTransferred: for the two network actions the bytes written or read. A send of anything
 * but the sum of its buffers, or a receive of 0, cancels the operation. A NULL or stale context has no effect.
 * Page: WebSocketCompleteAction.
 */
VOID WINAPI WebSocketCompleteAction(WEB_SOCKET_HANDLE hWebSocket, PVOID pvActionContext, ULONG ulBytesTransferred);

/*
 * Makes every queued operation ready to be indicated as complete, without data; drain both queues, then delete. No
 * effect before the handle is open. Page: WebSocketAbortHandle.
 */
VOID WINAPI WebSocketAbortHandle(WEB_SOCKET_HANDLE hWebSocket);

/* Frees the handle and all that it owns. NULL has no effect. Page: WebSocketDeleteHandle. */
VOID WINAPI WebSocketDeleteHandle(WEB_SOCKET_HANDLE hWebSocket);

/*
 * Reads KEEPALIVE_INTERVAL (ULONG, ms) or SUPPORTED_VERSIONS (ULONG array). *ulSize: bytes of pvValue in, bytes needed
 * or written out. HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER), 0x8007007A: too small, or pvValue NULL.
 * E_INVALIDARG: another property, ulSize NULL. Page: WebSocketGetGlobalProperty.
 */
HRESULT WINAPI WebSocketGetGlobalProperty(WEB_SOCKET_PROPERTY_TYPE eType, PVOID pvValue, ULONG* ulSize);

#ifdef __cplusplus
}
#endif

#endif /* WEBSOCKET_COMPONENT_WEBSOCKET_H */

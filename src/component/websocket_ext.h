/*
 * websocket_ext.h: additions to the WebSocket Protocol Component API that websocket.h cannot express.
 *
 * Properties numbered from 0x1000 for WebSocketCreateClientHandle and WebSocketCreateServerHandle, and functions of
 * their own. Each is off unless asked for; with none of them in use, the thirteen functions behave exactly as
 * documented. Ownership, threads and errors are as in websocket.h.
 */
#ifndef WEBSOCKET_COMPONENT_WEBSOCKET_EXT_H
#define WEBSOCKET_COMPONENT_WEBSOCKET_EXT_H

#include "websocket.h"

#ifndef _WIN32
typedef uint64_t ULONGLONG;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Property types. Pass them in WEB_SOCKET_PROPERTY.Type with a cast to WEB_SOCKET_PROPERTY_TYPE. */
enum {
  /* ULONGLONG, payload bytes of a received message over all its frames; 0: no limit. Above it: a fault with 1009. */
  WEB_SOCKET_MAX_MESSAGE_SIZE_PROPERTY_TYPE = 0x1000,
  /* ULONGLONG, payload bytes of a received data frame; 0: no limit. Above it: a fault with 1009. */
  WEB_SOCKET_MAX_FRAME_SIZE_PROPERTY_TYPE = 0x1001,
  /* ULONG, frames of a received message; 0: no limit. Above it: a fault with 1008. */
  WEB_SOCKET_MAX_FRAGMENTS_PROPERTY_TYPE = 0x1002,
  /* BOOL. A received Close frame is answered with its own status and reason; the answer is sent like a queued Close,
     without an INDICATE_SEND_COMPLETE (RFC 6455, 5.5.1). */
  WEB_SOCKET_AUTO_CLOSE_ECHO_PROPERTY_TYPE = 0x1003,
  /* BOOL. Pings are not answered by the component (RFC 6455, 5.5.2). */
  WEB_SOCKET_DISABLE_AUTO_PONG_PROPERTY_TYPE = 0x1004,
  /* BOOL. A received ping completes a receive with WEB_SOCKET_PING_BUFFER_TYPE; it is answered all the same. */
  WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE = 0x1005,
  /* BOOL. A pong that answers no ping completes a receive with UNSOLICITED_PONG. */
  WEB_SOCKET_INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE = 0x1006,
  /* BOOL. Only 1000 to 1003, 1007 to 1014 and 3000 to 4999 are close statuses, in both directions. */
  WEB_SOCKET_STRICT_CLOSE_CODES_PROPERTY_TYPE = 0x1007,
  /* BOOL. Pings and pongs go before data frames of which nothing was handed out; a Close keeps its place. */
  WEB_SOCKET_CONTROL_FIRST_PROPERTY_TYPE = 0x1008,
  /* BOOL. Gather actions: a SEND_TO_NETWORK action fills as many of the caller's buffers as there is work for, with
     frames of several operations and a pending ping reply, which leaves only with such an action. It is completed once
     with the bytes written; the rest of a short count stays for the next action. Pings and pongs go before data frames
     that have not started. INDICATE_SEND_COMPLETE comes for each operation when its last byte was written. */
  WEB_SOCKET_GATHER_PROPERTY_TYPE = 0x1009,
  /* BOOL, server. Small sends are copied beside their headers into the send buffer, as many operations as fit into one
     action; raise SEND_BUFFER_SIZE with it. A short count cancels every operation in the action. Not with GATHER. */
  WEB_SOCKET_COALESCE_SENDS_PROPERTY_TYPE = 0x100A,
  /* WEB_SOCKET_RECEIVE_POOL. Network reads go into buffers shared by many handles. What has arrived of a frame is
     indicated at once as a FRAGMENT, so that a handle without unread bytes holds no buffer. Not with ALLOCATED_BUFFER.
   */
  WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE = 0x100B,
  /* WEB_SOCKET_RANDOM_SOURCE, copied. Where keys come from, instead of OpenSSL; for tests. */
  WEB_SOCKET_RANDOM_SOURCE_PROPERTY_TYPE = 0x100C,
  /* WEB_SOCKET_DEFLATE_OPTIONS, copied. permessage-deflate (RFC 7692): the handshake functions offer or accept it by
     themselves, and the data functions see plain messages. Not with ALLOCATED_BUFFER. */
  WEB_SOCKET_PERMESSAGE_DEFLATE_PROPERTY_TYPE = 0x100D
};

/* A received ping, with INDICATE_PINGS: Data is its payload. The 32-bit pattern is 0x80001000. */
#define WEB_SOCKET_PING_BUFFER_TYPE ((WEB_SOCKET_BUFFER_TYPE)(-2147483647 - 1 + 0x1000))

/* Fills ulLength bytes with unpredictable values; FALSE when it cannot. Called with the handle locked, on any thread.
 */
typedef BOOL(WINAPI* WEB_SOCKET_RANDOM_FUNCTION)(PVOID pvContext, PBYTE pbBuffer, ULONG ulLength);

typedef struct _WEB_SOCKET_RANDOM_SOURCE {
  WEB_SOCKET_RANDOM_FUNCTION pfnFill;
  PVOID pvContext; /* the application's; must stay valid as long as the handle */
} WEB_SOCKET_RANDOM_SOURCE;

/* Why the receive side of a handle failed. */
typedef struct _WEB_SOCKET_FAULT {
  HRESULT hrResult;     /* what WebSocketGetAction reports; S_OK: no fault */
  USHORT usCloseStatus; /* what a Close frame should tell the peer: 1002, 1007, 1008, 1009 or 1011; 0: no fault */
  PCSTR pszReason;      /* static text, NUL-terminated; "" without a fault */
} WEB_SOCKET_FAULT;

typedef PVOID WEB_SOCKET_RECEIVE_POOL;

typedef PVOID WEB_SOCKET_DEFLATE_POOL;

/* Of a parameter that both sides have a say in: as the peer wishes; ask for it, and use it where that is ours to
   decide; never. */
enum { WEB_SOCKET_DEFLATE_OPEN = 0, WEB_SOCKET_DEFLATE_DEMAND = 1, WEB_SOCKET_DEFLATE_REFUSE = 2 };

/* How permessage-deflate is negotiated and used. All zero is a good choice: zlib's defaults, whatever the peer wants.
 */
typedef struct _WEB_SOCKET_DEFLATE_OPTIONS {
  ULONG ulServerNoContextTakeover; /* WEB_SOCKET_DEFLATE_...: the server's messages are compressed each by itself */
  ULONG ulClientNoContextTakeover; /* the same of the client's messages */
  ULONG ulServerMaxWindowBits;     /* 8 to 15: the most that the server uses; 0: no wish */
  ULONG ulClientMaxWindowBits;     /* 8 to 15: the most that the client uses; 0: no wish */
  ULONG ulLevel;                   /* 1 (fast) to 9 (small); 0: zlib's default, 6 */
  ULONG ulMemLevel;                /* 1 (little memory) to 9; 0: zlib's default, 8 */
  ULONG ulThreshold;               /* without context takeover, WebSocketSend compresses messages of so many bytes */
  WEB_SOCKET_DEFLATE_POOL hPool;   /* compression contexts shared with other handles; NULL: none are */
} WEB_SOCKET_DEFLATE_OPTIONS;

/*
 * Opens a handle without an HTTP/1.1 handshake, for RFC 8441 or for a handshake made elsewhere.
 * E_INVALID_PROTOCOL_OPERATION: a handshake was begun or the handle is open. E_INVALIDARG. E_OUTOFMEMORY.
 */
HRESULT WINAPI WebSocketOpenWithoutHandshake(WEB_SOCKET_HANDLE hWebSocket);

/*
 * Hands over bytes that the application has read already, for example those behind the HTTP head. They are copied and
 * parsed before anything that a later RECEIVE_FROM_NETWORK brings. E_INVALID_PROTOCOL_OPERATION: not open.
 * E_INVALIDARG: pbBuffer NULL with a length. E_OUTOFMEMORY.
 */
HRESULT WINAPI WebSocketInjectReceivedBytes(WEB_SOCKET_HANDLE hWebSocket, const BYTE* pbBuffer, ULONG ulBufferLength);

/*
 * WebSocketSend for PING_PONG and UNSOLICITED_PONG with a payload of at most 125 bytes, which is copied.
 * E_INVALIDARG: another type, a longer payload, pbPayload NULL with a length. Otherwise as WebSocketSend.
 */
HRESULT WINAPI WebSocketSendControl(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER_TYPE BufferType,
                                    const BYTE* pbPayload, ULONG ulPayloadLength, PVOID pvContext);

/* Reads why the receive side failed. E_INVALIDARG: a NULL argument. */
HRESULT WINAPI WebSocketGetFault(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_FAULT* pFault);

/*
 * Makes a pool of receive buffers of ulBufferSize bytes (at least 256), of which at most ulMaxBuffers (0: no limit)
 * exist at a time. When all are in use, a handle's RECEIVE queue says NO_ACTION until one is released. A handle that
 * negotiated permessage-deflate needs two at a time: for what was received, and for what it inflates to. Any thread.
 * Delete it after the last handle that uses it. E_INVALIDARG. E_OUTOFMEMORY.
 */
HRESULT WINAPI WebSocketCreateReceivePool(ULONG ulBufferSize, ULONG ulMaxBuffers, WEB_SOCKET_RECEIVE_POOL* phPool);

/*
 * Gives back the payload of one INDICATE_RECEIVE_COMPLETE of a handle with a pool; until then it stays valid, beyond
 * WebSocketCompleteAction. Call it once for each indication that had a non-NULL pointer. A pointer outside the pool has
 * no effect: a control payload that two network reads brought lies in the handle, valid until WebSocketCompleteAction.
 */
VOID WINAPI WebSocketReleasePoolPayload(WEB_SOCKET_RECEIVE_POOL hPool, const BYTE* pbBuffer);

/* Bytes of pool memory in use by handles and by payloads not yet released. */
ULONGLONG WINAPI WebSocketReceivePoolBytesInUse(WEB_SOCKET_RECEIVE_POOL hPool);

/* Frees a pool and its buffers. NULL has no effect. */
VOID WINAPI WebSocketDeleteReceivePool(WEB_SOCKET_RECEIVE_POOL hPool);

/*
 * WebSocketSend with a choice for this message: whether it is compressed, when permessage-deflate was negotiated. For a
 * message in fragments the first one decides. Custom types are never compressed. Otherwise as WebSocketSend.
 */
HRESULT WINAPI WebSocketSendCompressed(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER_TYPE BufferType,
                                       WEB_SOCKET_BUFFER* pBuffer, PVOID pvContext, BOOL fCompress);

/*
 * For a handle that has no messages for a while: frees what its compression contexts hold, as far as the negotiation
 * lets them be made again. No effect without permessage-deflate.
 */
VOID WINAPI WebSocketShrinkDeflate(WEB_SOCKET_HANDLE hWebSocket);

/*
 * Makes a pool of compression contexts, which handles without context takeover share: they hold one only while a
 * message passes through it. Any thread. E_INVALIDARG. E_OUTOFMEMORY.
 */
HRESULT WINAPI WebSocketCreateDeflatePool(WEB_SOCKET_DEFLATE_POOL* phPool);

/* Bytes of all contexts of the pool, also of those that handles hold. */
ULONGLONG WINAPI WebSocketDeflatePoolBytesInUse(WEB_SOCKET_DEFLATE_POOL hPool);

/* Lets go of a pool. It lives on until the last handle that uses it is deleted. NULL has no effect. */
VOID WINAPI WebSocketDeleteDeflatePool(WEB_SOCKET_DEFLATE_POOL hPool);

#ifdef __cplusplus
}
#endif

#endif /* WEBSOCKET_COMPONENT_WEBSOCKET_EXT_H */

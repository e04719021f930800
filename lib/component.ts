/**
 * The protocol component itself: the functions of websocket.h as methods of a {@link WebSocketHandle}, with its
 * enumerations under their documented names (without the prefix that names the enumeration). It does no I/O: the caller
 * moves bytes between a transport and the actions.
 */
import type { WebSocketHandle as WebSocketHandleType, WebSocketHandleConstructor } from '../types/native.js';
import { native } from './native.js';

export type {
  Action,
  BooleanProperty,
  CloseStatus,
  Fault,
  HeaderList,
  HResultError,
  NumberProperty,
  Property,
  Selection,
  WebSocketHandleConstructor,
} from '../types/native.js';

/**
 * One side of a connection: made by `WebSocketHandle.createClientHandle` or `WebSocketHandle.createServerHandle`, ended
 * by `delete`.
 */
export const WebSocketHandle: WebSocketHandleConstructor = native.WebSocketHandle;
/** A handle; the constant of this name makes it. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an alias would not be described by its methods
export interface WebSocketHandle extends WebSocketHandleType {}

/** What an action asks for. */
export const WEB_SOCKET_ACTION = {
  /** Nothing now. */
  NO_ACTION: 0,
  /** Write the buffers to the transport. */
  SEND_TO_NETWORK_ACTION: 1,
  /** A send is finished; its memory is the caller's again. */
  INDICATE_SEND_COMPLETE_ACTION: 2,
  /** Read from the transport into the buffer. */
  RECEIVE_FROM_NETWORK_ACTION: 3,
  /** A receive is finished. */
  INDICATE_RECEIVE_COMPLETE_ACTION: 4,
} as const;
/** A value of the constant of this name. */
export type WEB_SOCKET_ACTION = (typeof WEB_SOCKET_ACTION)[keyof typeof WEB_SOCKET_ACTION];

/** Which actions `getAction` hands out. */
export const WEB_SOCKET_ACTION_QUEUE = {
  /** Sends. */
  SEND_ACTION_QUEUE: 1,
  /** Receives, and the answers to pings. */
  RECEIVE_ACTION_QUEUE: 2,
  /** Both; answers to pings first, then sends. */
  ALL_ACTION_QUEUE: 3,
} as const;
/** A value of the constant of this name. */
export type WEB_SOCKET_ACTION_QUEUE = (typeof WEB_SOCKET_ACTION_QUEUE)[keyof typeof WEB_SOCKET_ACTION_QUEUE];

/**
 * What a buffer holds. A FRAGMENT is a part of a message that is not the last. A number below 0x80000000 is a custom
 * frame type: the first byte of the frame, shifted left by one.
 */
export const WEB_SOCKET_BUFFER_TYPE = {
  /** A text message, or the last part of one. */
  UTF8_MESSAGE_BUFFER_TYPE: 0x80000000,
  /** A part of a text message. */
  UTF8_FRAGMENT_BUFFER_TYPE: 0x80000001,
  /** A binary message, or the last part of one. */
  BINARY_MESSAGE_BUFFER_TYPE: 0x80000002,
  /** A part of a binary message. */
  BINARY_FRAGMENT_BUFFER_TYPE: 0x80000003,
  /** The status and the reason of a Close frame. */
  CLOSE_BUFFER_TYPE: 0x80000004,
  /** Sent: a ping. Received: the pong that answers one. */
  PING_PONG_BUFFER_TYPE: 0x80000005,
  /** A pong that answers no ping. */
  UNSOLICITED_PONG_BUFFER_TYPE: 0x80000006,
  /** A received ping, with the property INDICATE_PINGS. */
  PING_BUFFER_TYPE: 0x80001000,
} as const;
/** A value of the constant of this name. */
export type WEB_SOCKET_BUFFER_TYPE = (typeof WEB_SOCKET_BUFFER_TYPE)[keyof typeof WEB_SOCKET_BUFFER_TYPE];

/** Settings of a handle, and global ones. Those from 0x1000 are additions, off by default. */
export const WEB_SOCKET_PROPERTY_TYPE = {
  /** Number of bytes, at least 256; default 4096. */
  RECEIVE_BUFFER_SIZE_PROPERTY_TYPE: 0,
  /** Number of bytes, at least 16; default 4096 for clients and 16 for servers. */
  SEND_BUFFER_SIZE_PROPERTY_TYPE: 1,
  /** Boolean. Client: a mask key of zeros. Server: unmasked frames are accepted. */
  DISABLE_MASKING_PROPERTY_TYPE: 2,
  /** Takes a pointer, so that JavaScript cannot set it; a handle works in an ArrayBuffer of its own. */
  ALLOCATED_BUFFER_PROPERTY_TYPE: 3,
  /** Boolean. Text that arrives is not checked. */
  DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE: 4,
  /** Global: milliseconds. */
  KEEPALIVE_INTERVAL_PROPERTY_TYPE: 5,
  /** Global: an array of numbers. */
  SUPPORTED_VERSIONS_PROPERTY_TYPE: 6,
  /** Number of bytes of a received message; 0: no limit. A larger one is a fault with close status 1009. */
  MAX_MESSAGE_SIZE_PROPERTY_TYPE: 0x1000,
  /** Number of bytes of a received data frame; 0: no limit. A larger one is a fault with close status 1009. */
  MAX_FRAME_SIZE_PROPERTY_TYPE: 0x1001,
  /** Number of frames of a received message; 0: no limit. More are a fault with close status 1008. */
  MAX_FRAGMENTS_PROPERTY_TYPE: 0x1002,
  /** Boolean. A received Close frame is answered with its own status and reason. */
  AUTO_CLOSE_ECHO_PROPERTY_TYPE: 0x1003,
  /** Boolean. Pings are not answered. */
  DISABLE_AUTO_PONG_PROPERTY_TYPE: 0x1004,
  /** Boolean. A received ping completes a receive, with PING_BUFFER_TYPE. */
  INDICATE_PINGS_PROPERTY_TYPE: 0x1005,
  /** Boolean. A pong that answers no ping completes a receive, with UNSOLICITED_PONG_BUFFER_TYPE. */
  INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE: 0x1006,
  /** Boolean. Only 1000 to 1003, 1007 to 1014 and 3000 to 4999 are close statuses, in both directions. */
  STRICT_CLOSE_CODES_PROPERTY_TYPE: 0x1007,
  /** Boolean. Pings and pongs go before data frames that have not started. */
  CONTROL_FIRST_PROPERTY_TYPE: 0x1008,
  /** Boolean, server. Small sends are copied into the send buffer, many into one action; raise SEND_BUFFER_SIZE too. */
  COALESCE_SENDS_PROPERTY_TYPE: 0x100a,
} as const;
/** A value of the constant of this name. */
export type WEB_SOCKET_PROPERTY_TYPE = (typeof WEB_SOCKET_PROPERTY_TYPE)[keyof typeof WEB_SOCKET_PROPERTY_TYPE];

/** Close statuses (RFC 6455, 7.4.1). Any other of 3000 to 4999 is an application's own. */
export const WEB_SOCKET_CLOSE_STATUS = {
  /** The purpose of the connection is fulfilled. */
  SUCCESS_CLOSE_STATUS: 1000,
  /** The endpoint goes away: a server shuts down, a page is left. */
  ENDPOINT_UNAVAILABLE_CLOSE_STATUS: 1001,
  /** The peer broke the protocol. */
  PROTOCOL_ERROR_CLOSE_STATUS: 1002,
  /** A type of data that the endpoint cannot take. */
  INVALID_DATA_TYPE_CLOSE_STATUS: 1003,
  /** Never sent: what a Close frame without a status is reported as. */
  EMPTY_CLOSE_STATUS: 1005,
  /** Never sent: the connection ended without a Close frame. */
  ABORTED_CLOSE_STATUS: 1006,
  /** Text that is not UTF-8. */
  INVALID_PAYLOAD_CLOSE_STATUS: 1007,
  /** A message that breaks a rule of the endpoint's. */
  POLICY_VIOLATION_CLOSE_STATUS: 1008,
  /** A message that is too large. */
  MESSAGE_TOO_BIG_CLOSE_STATUS: 1009,
  /** A client misses an extension that the server did not accept. */
  UNSUPPORTED_EXTENSIONS_CLOSE_STATUS: 1010,
  /** The endpoint cannot do what it was asked. */
  SERVER_ERROR_CLOSE_STATUS: 1011,
  /** Never sent: the TLS handshake failed. */
  SECURE_HANDSHAKE_ERROR_CLOSE_STATUS: 1015,
} as const;
/** A value of the constant of this name. */
export type WEB_SOCKET_CLOSE_STATUS = (typeof WEB_SOCKET_CLOSE_STATUS)[keyof typeof WEB_SOCKET_CLOSE_STATUS];

/** Most bytes of UTF-8 in the reason of a Close frame. */
export const WEB_SOCKET_MAX_CLOSE_REASON_LENGTH = 123;

/** Result codes as unsigned 32-bit numbers: the `hresult` of an error, whose `code` is the name. */
export const HRESULT = {
  /** Success. */
  S_OK: 0,
  /** For example: no randomness. */
  E_FAIL: 0x80004005,
  /** No memory. */
  E_OUTOFMEMORY: 0x8007000e,
  /** A bad argument, a function of the other role, or a deleted handle. */
  E_INVALIDARG: 0x80070057,
  /** Not allowed in the handle's state, or the peer broke the order of frames. */
  E_INVALID_PROTOCOL_OPERATION: 0x83760001,
  /** Malformed handshake headers, or malformed bytes from the peer. */
  E_INVALID_PROTOCOL_FORMAT: 0x83760002,
  /** The server chose an extension that was not offered. */
  E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED: 0x83760003,
  /** The server chose a subprotocol that was not offered. */
  E_SUBPROTOCOL_NOT_SUPPORTED: 0x83760004,
  /** The version of the protocol is another than 13. */
  E_PROTOCOL_VERSION_NOT_SUPPORTED: 0x83760005,
} as const;
/** A value of the constant of this name. */
export type HRESULT = (typeof HRESULT)[keyof typeof HRESULT];

/** Versions of the addon and of the libraries that are linked into it. */
export const versions: {
  /** Of this package. */
  readonly component: string;
  /** Of OpenSSL. */
  readonly openssl: string;
  /** Of zlib. */
  readonly zlib: string;
} = native.versions;

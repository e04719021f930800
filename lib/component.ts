/**
 * The protocol component itself: the thirteen functions of websocket.h as methods of a handle, with its enumerations
 * under their documented names. It does no I/O: the caller moves bytes between a transport and the actions.
 */
import type { Handle as HandleType, HandleConstructor } from '../types/native.js';
import { native } from './native.js';

export type { Action, ActionBuffer, HandleConstructor, HeaderList, HResultError } from '../types/native.js';

/** A WEB_SOCKET_HANDLE. Made by `createClientHandle` or `createServerHandle`. */
export const Handle: HandleConstructor = native.Handle;
export type Handle = HandleType;

/** What an action asks for. */
export const WEB_SOCKET_ACTION = {
  NO_ACTION: 0,
  SEND_TO_NETWORK_ACTION: 1,
  INDICATE_SEND_COMPLETE_ACTION: 2,
  RECEIVE_FROM_NETWORK_ACTION: 3,
  INDICATE_RECEIVE_COMPLETE_ACTION: 4,
} as const;

/** Which actions `getAction` hands out. */
export const WEB_SOCKET_ACTION_QUEUE = {
  SEND_ACTION_QUEUE: 1,
  RECEIVE_ACTION_QUEUE: 2,
  ALL_ACTION_QUEUE: 3,
} as const;

/** What a buffer holds. */
export const WEB_SOCKET_BUFFER_TYPE = {
  UTF8_MESSAGE_BUFFER_TYPE: 0x80000000,
  UTF8_FRAGMENT_BUFFER_TYPE: 0x80000001,
  BINARY_MESSAGE_BUFFER_TYPE: 0x80000002,
  BINARY_FRAGMENT_BUFFER_TYPE: 0x80000003,
  CLOSE_BUFFER_TYPE: 0x80000004,
  PING_PONG_BUFFER_TYPE: 0x80000005,
  UNSOLICITED_PONG_BUFFER_TYPE: 0x80000006,
} as const;

/** Settings of a handle, and global ones. */
export const WEB_SOCKET_PROPERTY_TYPE = {
  RECEIVE_BUFFER_SIZE_PROPERTY_TYPE: 0,
  SEND_BUFFER_SIZE_PROPERTY_TYPE: 1,
  DISABLE_MASKING_PROPERTY_TYPE: 2,
  ALLOCATED_BUFFER_PROPERTY_TYPE: 3,
  DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE: 4,
  KEEPALIVE_INTERVAL_PROPERTY_TYPE: 5,
  SUPPORTED_VERSIONS_PROPERTY_TYPE: 6,
} as const;

/** Close statuses (RFC 6455, 7.4.1). */
export const WEB_SOCKET_CLOSE_STATUS = {
  SUCCESS_CLOSE_STATUS: 1000,
  ENDPOINT_UNAVAILABLE_CLOSE_STATUS: 1001,
  PROTOCOL_ERROR_CLOSE_STATUS: 1002,
  INVALID_DATA_TYPE_CLOSE_STATUS: 1003,
  EMPTY_CLOSE_STATUS: 1005,
  ABORTED_CLOSE_STATUS: 1006,
  INVALID_PAYLOAD_CLOSE_STATUS: 1007,
  POLICY_VIOLATION_CLOSE_STATUS: 1008,
  MESSAGE_TOO_BIG_CLOSE_STATUS: 1009,
  UNSUPPORTED_EXTENSIONS_CLOSE_STATUS: 1010,
  SERVER_ERROR_CLOSE_STATUS: 1011,
  SECURE_HANDSHAKE_ERROR_CLOSE_STATUS: 1015,
} as const;

/** Versions of the addon and of the libraries that are linked into it. */
export const versions: { readonly component: string; readonly openssl: string; readonly zlib: string } =
  native.versions;

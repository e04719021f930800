/**
 * The errors that a connection reports: a message in English, a stable `code`, and for a fault of the peer the close
 * status that it was told. The codes are those of `ws` wherever it has one for the case.
 */

/** Codes of the errors that a `WebSocket` emits or hands to a callback. */
export type WebSocketErrorCode =
  | 'WS_ERR_EXPECTED_FIN'
  | 'WS_ERR_EXPECTED_MASK'
  | 'WS_ERR_INVALID_CLOSE_CODE'
  | 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'
  | 'WS_ERR_INVALID_OPCODE'
  | 'WS_ERR_INVALID_UTF8'
  | 'WS_ERR_TOO_MANY_BUFFERED_PARTS'
  | 'WS_ERR_UNEXPECTED_MASK'
  | 'WS_ERR_UNEXPECTED_RSV_1'
  | 'WS_ERR_UNEXPECTED_RSV_2_3'
  | 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'
  | 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  | 'WS_ERR_INVALID_COMPRESSED_DATA'
  | 'WS_ERR_PROTOCOL'
  | 'WS_ERR_OUT_OF_MEMORY'
  | 'WS_ERR_BACKPRESSURE'
  | 'WS_ERR_CONNECTION_CLOSED'
  | 'WS_ERR_PING_TIMEOUT';

/** An error of a connection. */
export interface WebSocketError extends Error {
  /** What happened; docs/errors.md has a table. */
  code: WebSocketErrorCode;
  /** The status of the Close frame that told the peer, when the peer was at fault. */
  closeStatus?: number;
}

/** The component's sentences for what a peer did wrong, and the code of each. */
const faultCodes = new Map<string, WebSocketErrorCode>([
  ['RSV1 must be clear', 'WS_ERR_UNEXPECTED_RSV_1'],
  ['RSV2 and RSV3 must be clear', 'WS_ERR_UNEXPECTED_RSV_2_3'],
  ['the opcode is unknown', 'WS_ERR_INVALID_OPCODE'],
  ['a continuation frame came without a message to continue', 'WS_ERR_INVALID_OPCODE'],
  ['a new message began inside a fragmented message', 'WS_ERR_INVALID_OPCODE'],
  ['a control frame must not be fragmented', 'WS_ERR_EXPECTED_FIN'],
  ["a control frame's payload must not exceed 125 bytes", 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'],
  ["a Close frame's payload must be empty or at least 2 bytes", 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'],
  ["a client's frame must be masked", 'WS_ERR_EXPECTED_MASK'],
  ["a server's frame must not be masked", 'WS_ERR_UNEXPECTED_MASK'],
  ['the payload length has its most significant bit set', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'],
  ['the close status is not allowed', 'WS_ERR_INVALID_CLOSE_CODE'],
  ['the compressed data is not valid', 'WS_ERR_INVALID_COMPRESSED_DATA'],
]);

/** The code of every other sentence, where the status alone decides. */
const statusCodes = new Map<number, WebSocketErrorCode>([
  [1007, 'WS_ERR_INVALID_UTF8'],
  [1008, 'WS_ERR_TOO_MANY_BUFFERED_PARTS'],
  [1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
  [1011, 'WS_ERR_OUT_OF_MEMORY'],
]);

function withCode(error: Error, code: WebSocketErrorCode): WebSocketError {
  return Object.assign(error, { code });
}

/** The error for a fault that the driver reported: its sentence, and the status that was sent to the peer. */
export function faultError(sentence: string, closeStatus: number): WebSocketError {
  const code = faultCodes.get(sentence) ?? statusCodes.get(closeStatus) ?? 'WS_ERR_PROTOCOL';
  const message = closeStatus === 1002 || closeStatus === 1007 ? `Invalid WebSocket frame: ${sentence}` : sentence;
  const error = code === 'WS_ERR_INVALID_UTF8' ? new Error(message) : new RangeError(message);
  return Object.assign(withCode(error, code), { closeStatus });
}

/** For the callback of a message that will never be sent, because the connection ended first. */
export function notSentError(): WebSocketError {
  return withCode(new Error('The connection was closed before the data was sent'), 'WS_ERR_CONNECTION_CLOSED');
}

/** Whether the error is about a connection that ended before something was done, which may happen at any time. */
export function isConnectionEnd(error: Error | null): boolean {
  return (error as WebSocketError | null)?.code === 'WS_ERR_CONNECTION_CLOSED';
}

/** For the rest of a message that was received as a stream. */
export function notCompleteError(): WebSocketError {
  return withCode(new Error('The connection was closed before the message was complete'), 'WS_ERR_CONNECTION_CLOSED');
}

/** For a `receive` that got no message. */
export function notReceivedError(): WebSocketError {
  return withCode(new Error('The connection was closed before a message came'), 'WS_ERR_CONNECTION_CLOSED');
}

/** For what an AbortSignal ended; the same as Node's. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}

/** For a message that was refused because too much waits to be sent. */
export function backpressureError(maxBackpressure: number): WebSocketError {
  const message = `The peer is too slow: more than maxBackpressure (${maxBackpressure} bytes) would wait to be sent`;
  return withCode(new Error(message), 'WS_ERR_BACKPRESSURE');
}

/** For a peer that let a ping of the keep-alive go unanswered. */
export function pingTimeoutError(pingTimeout: number): WebSocketError {
  const message = `The peer is gone: nothing came from it within pingTimeout (${pingTimeout} ms) after a ping`;
  return withCode(new Error(message), 'WS_ERR_PING_TIMEOUT');
}

const stateNames = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

/** For a call that needs an open connection. */
export function notOpenError(readyState: number): Error {
  return new Error(`WebSocket is not open: readyState ${readyState} (${stateNames[readyState]})`);
}

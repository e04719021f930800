/**
 * `websocket-component/whatwg`: the classes of the WHATWG WebSockets standard, on the engine of the `ws`-like class.
 *
 * @packageDocumentation
 */
export { CloseEvent } from './close-event.js';
export { WebSocket } from './websocket.js';
export { WebSocketError } from './websocket-error.js';
export { WebSocketStream } from './websocket-stream.js';

/** Node's own. */
export const MessageEvent: typeof globalThis.MessageEvent = globalThis.MessageEvent;

export type {
  BinaryType,
  CloseEventInit,
  ListenerOptions,
  NodeOptions,
  WebSocketCloseInfo,
  WebSocketEventMap,
  WebSocketInit,
  WebSocketOpenInfo,
  WebSocketStreamOptions,
} from './types.js';

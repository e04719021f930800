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
  AnyListener,
  BinaryType,
  CloseEventConstructor,
  CloseEventInit,
  Listener,
  ListenerOptions,
  NodeOptions,
  WebSocketCloseInfo,
  WebSocketConstructor,
  WebSocketErrorConstructor,
  WebSocketEventMap,
  WebSocketInit,
  WebSocketOpenInfo,
  WebSocketStreamConstructor,
  WebSocketStreamOptions,
} from './types.js';

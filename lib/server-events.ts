/** What a server emits. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from './websocket.js';

/** The events of a `WebSocketServer` and what their listeners get. */
export interface WebSocketServerEvents<
  Socket extends WebSocket = WebSocket,
  Request extends IncomingMessage = IncomingMessage,
> {
  /** The HTTP server listens. */
  listening: [];
  /** A client is connected. Not emitted for `handleUpgrade` with a callback of the caller's. */
  connection: [socket: Socket, request: Request];
  /** The lines of the 101 response before it is sent; lines may be added. */
  headers: [headers: string[], request: Request];
  /** The server is closed. */
  close: [];
  /** An error of the HTTP server. */
  error: [error: Error];
  /** A request is no valid handshake. With a listener, answering it is the listener's business. */
  wsClientError: [error: Error, socket: Duplex, request: Request];
}

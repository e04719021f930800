/** The options of `WebSocketServer` and its methods, with their defaults, units and reasons. */
import type { IncomingMessage, OutgoingHttpHeaders, Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { ConnectionSettings } from './options.js';
import type { WebSocket } from './websocket.js';

/** Milliseconds; servers that we make. */
export const defaultHandshakeTimeout = 10_000;

/** What `verifyClient` learns about a request. */
export interface VerifyClientInfo<Request extends IncomingMessage = IncomingMessage> {
  /** The Origin header field. Programs that are no browsers may send none: it is undefined then, whatever its type says. */
  origin: string;
  /** Whether the connection is encrypted. */
  secure: boolean;
  /** The request. */
  req: Request;
}

/**
 * Accepts (true) or refuses (status, body, header fields; default: 401) a request.
 * @throws RangeError for another status than 200 to 599, TypeError for header fields with a CR, LF or NUL; the client gets
 * 500 then.
 */
export type VerifyClientCallback = (
  verified: boolean,
  status?: number,
  message?: string,
  headers?: OutgoingHttpHeaders,
) => void;

/** Returns whether the request is accepted, or a promise of that; or takes two parameters and calls the second one. */
export type VerifyClient<Request extends IncomingMessage = IncomingMessage> =
  | ((info: VerifyClientInfo<Request>, done: VerifyClientCallback) => boolean | Promise<boolean> | undefined)
  | ((info: VerifyClientInfo<Request>, done: VerifyClientCallback) => void);

/** Options of a `WebSocketServer`: exactly one of `port`, `server` and `noServer`. */
export interface ServerOptions<
  Socket extends typeof WebSocket = typeof WebSocket,
  Request extends typeof IncomingMessage = typeof IncomingMessage,
> extends ConnectionSettings {
  /**
   * Listen on this TCP port (0: one that the system chooses) with an HTTP server of our own. Digits in a string work too.
   * Default: none.
   */
  port?: number;
  /** The address to listen on. Default: all. */
  host?: string;
  /** Longest queue of connections not yet accepted. Default: Node's, 511. */
  backlog?: number;
  /** Use this HTTP or HTTPS server; it stays the caller's. Default: none. */
  server?: Server<Request> | HttpsServer<Request>;
  /** No server: the caller passes requests to `handleUpgrade`. Default: false. */
  noServer?: boolean;
  /** Accept only this path; others get 404. Default: all. */
  path?: string;
  /** Keep `clients`. Default: true. */
  clientTracking?: boolean;
  /** Chooses the subprotocol among those offered; false: none. Default: the first one offered. */
  handleProtocols?: (protocols: Set<string>, request: InstanceType<Request>) => string | false | undefined;
  /** Accepts or refuses a request. Default: accepts. */
  verifyClient?: VerifyClient<InstanceType<Request>>;
  /**
   * Milliseconds for receiving a request, on a server that we make (`port`). 0: no limit. Default: 10,000, against
   * clients that never end their request.
   */
  handshakeTimeout?: number;
  /**
   * The origins whose web pages may connect, as browsers send them: "https://example.com", "http://localhost:8080",
   * "null". Others get 403. Requests without an Origin header field are no browser's and are accepted. Default: all.
   */
  allowedOrigins?: readonly string[];
  /** Most connections at a time; one more gets 503. 0: no limit. Default: 0. */
  maxConnections?: number;
  /**
   * Most connections at a time from one IP address; one more gets 429. Behind a reverse proxy all have the proxy's.
   * 0: no limit. Default: 0.
   */
  maxConnectionsPerAddress?: number;
  /** The class of the sockets. Default: `WebSocket`. */
  WebSocket?: Socket;
}

/** Options of `WebSocketServer.broadcast`. */
export interface BroadcastOptions {
  /** Send a binary message. Default: true unless the data is a string or a number. */
  binary?: boolean;
  /** Compress, where the connection can. Default: true. */
  compress?: boolean;
  /** Leave this socket out, for example the one that the message came from. Default: none. */
  except?: WebSocket;
  /** Send to the sockets for which it returns true. Default: to all. */
  filter?: (socket: WebSocket) => boolean;
}

/** What `WebSocketServer.close` may be told. */
export interface ServerCloseOptions {
  /** The status of the Close frame to every client. Default: 1001, going away. */
  code?: number;
  /** The reason of the Close frame; at most 123 bytes of UTF-8. Default: none. */
  reason?: string | Buffer;
  /** Milliseconds until connections that are still open are cut. Default: each socket's `closeTimeout`. */
  timeout?: number;
}

/** Called by `handleUpgrade` with the new socket. */
export type UpgradeCallback<Socket extends WebSocket = WebSocket, Request extends IncomingMessage = IncomingMessage> = (
  socket: Socket,
  request: Request,
) => void;

/**
 * The contract between `lib` and the native module `websocket_component.node`.
 *
 * A connection is named by a number (its id, which carries a generation: a stale id is ignored, never misdirected).
 * What happens on connections is gathered during a loop iteration and handed over in one call of `onEvents`.
 */

/** Kinds of event records. A record is six unsigned 32-bit integers: `id, kind, a, b, c, d`. */
export const enum EventKind {
  /** A whole text message: `a` offset, `b` length in bytes. `c`: 0 for the batch's own memory, else 1 + an index into `large`. */
  Text = 1,
  /** A whole binary message; fields as for `Text`. */
  Binary = 2,
  /** A received ping (`a`, `b`: payload, as for `Text`). It has been answered already when `autoPong` is on. */
  Ping = 3,
  /** A received pong, solicited or not; fields as for `Ping`. */
  Pong = 4,
  /** The peer's Close frame: `a`, `b` the reason in UTF-8, `d` the status (1005 when the frame had none). */
  Close = 5,
  /** The peer broke the protocol or a limit: `a`, `b` a message in UTF-8, `d` the close status that was sent to it. */
  Fault = 6,
  /** The transport is gone and the id with it; `d`: the libuv error number, negated (0: ended in order). Always the last event. */
  Closed = 7,
  /**
   * The bytes of the send with callback number `d` were handed to the kernel (`c` 0), or will never be (`c` 1).
   * Number 1: nothing waits any more, after a send led above `highWaterMark` or was refused for `maxBackpressure`.
   */
  Sent = 8,
  /** The native transport read the end of the stream (FIN). */
  End = 9,
  /** Stream transport: everything queued was written and nothing follows, so end the stream. */
  Shutdown = 10,
}

export interface SessionLimits {
  /** Largest message accepted, in bytes. */
  maxPayload: number;
  /** Most frames in one message. */
  maxFragments: number;
  /** Accept invalid UTF-8 in text messages. */
  skipUTF8Validation: boolean;
  /** Answer pings without being asked. */
  autoPong: boolean;
  /** Wire bytes waiting to be sent above which `Sent` 1 tells when none wait any more. */
  highWaterMark: number;
  /** Wire bytes waiting to be sent above which a message is refused, unless none wait. 0: no limit. */
  maxBackpressure: number;
}

/** The HTTP header fields that the component made for the opening handshake: name, value, name, value … */
export type HeaderList = string[];

export interface Driver {
  /** Makes the options shared by many connections; returns their number. They live as long as the environment. */
  createOptions(limits: SessionLimits): number;

  /**
   * Checks a request's headers (`rawHeaders`) and makes the response's. Returns the headers; the new connection's id is
   * then in `lastId`. Throws an `HResultError` when the component refuses; no connection exists then.
   */
  acceptHandshake(options: number, rawHeaders: HeaderList, subprotocol: string): HeaderList;

  /** Makes a client connection and the headers of its request (id in `lastId`). `mask: false` sends a zero key. */
  beginHandshake(options: number, subprotocols: string[], mask: boolean): HeaderList;

  /** Checks the server's response; returns the index of the chosen subprotocol, or -1. Throws an `HResultError`. */
  endHandshake(id: number, rawHeaders: HeaderList): number;

  /** The id made by the last `acceptHandshake` or `beginHandshake`. */
  readonly lastId: number;

  /**
   * Gives the connection a native transport: the descriptor is duplicated, the caller's stays the caller's.
   * `preamble` is written first (the 101 response); `head` are bytes that were already read. Returns 0, or a negated
   * libuv error number, in which case nothing changed and `attachStream` may be used.
   */
  attachNative(id: number, fd: number, isPipe: boolean, preamble: Uint8Array, head: Uint8Array): number;

  /** Gives the connection a stream transport: bytes come by `receive` and go out by `onWrite`. */
  attachStream(id: number, head: Uint8Array): void;

  /** Bytes that the stream delivered. Copied during the call. */
  receive(id: number, chunk: Uint8Array): void;
  /** The bytes of the last `onWrite` were handed over; the next may follow. `ok` false: they never will be. */
  written(id: number, ok: boolean): void;
  /** The stream is gone: unsent messages are reported (`Sent`, `c` 1) and the id ends with a `Closed` event. */
  detach(id: number): void;

  /**
   * Queues a message. `callback`: 0, or a number from 2 to 2^31 - 1 that comes back in a `Sent` event. `flags`: bit 0
   * binary, bit 1 fin, bit 2 compress. Strings are sent as UTF-8. From 16 KiB on, a server's native transport writes the
   * data at once, from its own memory, together with what was queued before; what the kernel does not take is copied.
   * Returns the bytes on the wire that now wait, or a negative HRESULT: 0x8007007A (ERROR_INSUFFICIENT_BUFFER) when
   * they would be more than `maxBackpressure`, another one when the connection cannot send any more.
   */
  send(id: number, data: Uint8Array | ArrayBuffer | string, flags: number, callback: number): number;
  /**
   * Queues a message on each of the connections `ids`, as `send` with callback 0, and from 4 KiB on with one copy of
   * the data for all. Sets the ids of those that took it to 0; returns their number.
   */
  broadcast(ids: Uint32Array, data: Uint8Array | ArrayBuffer | string, flags: number): number;
  /** Queues a ping (`pong` false) or a pong; at most 125 bytes, and 64 KiB beyond `maxBackpressure`. Returns as `send`. */
  sendControl(id: number, pong: boolean, data: Uint8Array | string, callback: number): number;
  /** Queues a Close frame; `status` 0 for an empty one. Returns as `send`. */
  sendClose(id: number, status: number, reason: Uint8Array | string): number;

  /** Stops or starts reading the native transport. Records that were read before still arrive; `lib` holds them back. */
  setPaused(id: number, paused: boolean): void;
  /** Payload bytes accepted and not yet handed to the kernel. */
  bufferedAmount(id: number): number;
  /** Sends what is queued, then FIN (native) or the event `Shutdown` (stream); reading goes on. */
  shutdown(id: number): void;
  /** Ends the transport at once; `reset` sends RST where the transport can. A `Closed` event follows when it was attached. */
  destroy(id: number, reset: boolean): void;
  /** Whether an open native connection keeps the process alive. */
  setRef(id: number, ref: boolean): void;
  /** Writes out everything queued on every connection now, instead of at the next phase of the loop. */
  flush(): void;
}

export interface DriverCallbacks {
  /**
   * `count` records are in `records`; payloads in `payload` (fresh for each call, safe to keep) and `large`. Returns
   * nothing; keeps its place in `cursor[0]`, so that when a handler throws, the driver reports the exception and calls
   * again with the same arguments to go on behind the record that threw.
   */
  onEvents(count: number, payload: ArrayBuffer, large: ArrayBuffer[]): void;
  /** Stream transport: write these bytes (fresh, safe to keep), then call `written`. At most one is under way per id. */
  onWrite(id: number, bytes: Uint8Array): void;
}

export interface HResultError extends Error {
  /** The HRESULT as an unsigned 32-bit number, for example 0x83760002. */
  hresult: number;
  /** Its name in websocket.h, for example `E_INVALID_PROTOCOL_FORMAT`. */
  code: string;
}

/** What the native module exports. */
export interface NativeModule {
  /** Versions of the statically linked libraries and of the addon. */
  readonly versions: { readonly component: string; readonly openssl: string; readonly zlib: string };
  /**
   * The environment's driver (one for each thread). `records` and `cursor` are shared with native code: it fills
   * `records` before `onEvents`, and sets `cursor[0]` to 0 before the first call for a batch.
   */
  startDriver(callbacks: DriverCallbacks): { driver: Driver; records: Uint32Array; cursor: Uint32Array };
  /** The thirteen functions of websocket.h. */
  readonly Handle: HandleConstructor;
}

/** One buffer of an action. */
export type ActionBuffer = Uint8Array | { status: number; reason: Uint8Array | null };

export interface Action {
  action: number;
  type: number;
  buffers: ActionBuffer[];
  /** The value that was passed to `send` or `receive`. */
  context: unknown;
  /** For `completeAction`; 0 for NO_ACTION. */
  actionContext: number;
}

export interface HandleConstructor {
  createClientHandle(properties?: { type: number; value: number | boolean }[]): Handle;
  createServerHandle(properties?: { type: number; value: number | boolean }[]): Handle;
  /** WebSocketGetGlobalProperty: milliseconds for KEEPALIVE_INTERVAL, versions for SUPPORTED_VERSIONS. */
  getGlobalProperty(type: number): number | number[];
}

/**
 * A WEB_SOCKET_HANDLE. Every method is the function of its name; a failing HRESULT is thrown as an `HResultError`.
 * Buffers of actions lie in memory of the JavaScript heap, so that they stay safe after `delete`.
 */
export interface Handle {
  beginClientHandshake(subprotocols?: string[], extensions?: string[], headers?: HeaderList): HeaderList;
  endClientHandshake(headers: HeaderList): { extensions: number[]; subprotocol: number | undefined };
  beginServerHandshake(headers: HeaderList, subprotocol?: string, extensions?: string[]): HeaderList;
  endServerHandshake(): void;
  send(
    type: number,
    buffer?: Uint8Array | { status: number; reason?: Uint8Array | null } | null,
    context?: unknown,
  ): void;
  receive(buffer?: Uint8Array | null, context?: unknown): void;
  getAction(queue: number, capacity?: number): Action;
  completeAction(actionContext: number, bytesTransferred: number): void;
  abort(): void;
  delete(): void;

  // The additions of websocket_ext.h.
  openWithoutHandshake(): void;
  /** Copies the bytes. */
  injectReceivedBytes(bytes: Uint8Array): void;
  /** A ping or a pong with a payload of at most 125 bytes, which is copied. */
  sendControl(type: number, payload?: Uint8Array | null, context?: unknown): void;
  /** Why the receive side failed; `hresult` 0: it did not. */
  getFault(): { hresult: number; closeStatus: number; reason: string };
}

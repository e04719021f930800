/**
 * The contract between `lib` and the native module `websocket_component.node`.
 *
 * A connection is named by a number (its id, which carries a generation: a stale id is ignored, never misdirected).
 * What happens on connections is gathered during a loop iteration and handed over in one call of `onEvents`.
 */

/** Kinds of event records. A record is six unsigned 32-bit integers: `id, kind, a, b, c, d`. */
export const enum EventKind {
  /** A whole text message: `a` offset, `b` length in bytes. `c`: 0 for the batch's own memory, 0xffffffff for `borrowed`, else 1 + an index into `large`. */
  Text = 1,
  /** A whole binary message; fields as for `Text`. */
  Binary = 2,
  /** A received ping (`a`, `b`: payload, as for `Text`). It has been answered already when `autoPong` is on. */
  Ping = 3,
  /** A received pong, solicited or not; fields as for `Ping`. */
  Pong = 4,
  /** The peer's Close frame: `a`, `b` the reason in UTF-8, `d` the status (1005 when the frame had none). */
  Close = 5,
  /** The peer broke the protocol or a limit: `a`, `b` a message in UTF-8, `d` the close status to send to it. */
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
  /**
   * A piece of a message, when `SessionLimits.fragments` is set; fields as for `Text`. `d`: bit 0 of a binary message,
   * bit 1 the first piece, bit 2 the last. Pieces between these two are not empty.
   */
  Fragment = 11,
}

/** What became of a write to a stream: the last word of its record, which is `id, offset, length, state`. */
export const enum WriteState {
  /** Not looked at yet. */
  Waiting = 0,
  /** The bytes will never be written. */
  Failed = 1,
  /** `Driver.written` tells, or has told, or the stream is gone. */
  UnderWay = 2,
  /** The stream has handed them over. */
  Done = 3,
}

export interface SessionLimits {
  /** Largest message accepted, in bytes. 0: no limit, but 2^32 - 1 for whole messages. */
  maxPayload: number;
  /** Most frames in one message. */
  maxFragments: number;
  /** Accept invalid UTF-8 in text messages. */
  skipUTF8Validation: boolean;
  /** Answer pings without being asked. */
  autoPong: boolean;
  /** Deliver messages where they lie: in the driver's receive memory, which is used again after `onEvents`, or in memory of their own. */
  borrow: boolean;
  /** Deliver messages in the pieces that they arrive in (`Fragment`), without putting them together. */
  fragments: boolean;
  /** Wire bytes waiting to be sent above which `Sent` 1 tells when none wait any more. */
  highWaterMark: number;
  /** Wire bytes waiting to be sent above which a message is refused, unless none wait. 0: no limit. */
  maxBackpressure: number;
  /** Negotiates permessage-deflate; undefined: it is neither offered nor accepted. */
  deflate?: DeflateSettings | undefined;
}

/** permessage-deflate (RFC 7692): what is agreed to, and how messages are compressed. Everything may be left out. */
export interface DeflateSettings {
  /** The server compresses each message by itself. `true`: asked for and used; `false`: an offer that asks for it is declined. */
  serverNoContextTakeover?: boolean | undefined;
  /** The client compresses each message by itself. `true`: offered or required; `false`: never agreed to. */
  clientNoContextTakeover?: boolean | undefined;
  /** The most that the server uses, 8 to 15. `false`: an offer that limits it is declined. */
  serverMaxWindowBits?: number | boolean | undefined;
  /** The most that the client uses, 8 to 15. `false`: the server may not limit it. */
  clientMaxWindowBits?: number | boolean | undefined;
  /** Without context takeover, messages whose first frame has fewer bytes are not compressed. */
  threshold?: number | undefined;
  /** zlib's, -1 to 9. */
  level?: number | undefined;
  /** zlib's, 1 to 9. */
  memLevel?: number | undefined;
  /** zlib's, 0 to 4. */
  strategy?: number | undefined;
  /** Large messages that the thread pool compresses at a time, for the whole driver; the largest that it was told. */
  concurrencyLimit?: number | undefined;
}

/** The HTTP header fields that the component made for the opening handshake: name, value, name, value … */
export type HeaderList = string[];

/** As Node's `socket.address()`. */
export interface Address {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

export interface Driver {
  /** Makes the options shared by many connections; returns their number. They live as long as the environment. */
  createOptions(limits: SessionLimits): number;
  /** Makes an object that counts what connections carry together, for `acceptHandshake`. */
  createTraffic(): object;
  /**
   * What it has counted: whole messages received, whole messages accepted by `send` and `broadcast`, and the bytes read and
   * written behind the opening handshakes.
   */
  readTraffic(
    traffic: object,
  ): [messagesReceived: number, messagesSent: number, bytesReceived: number, bytesSent: number];

  /**
   * Checks a request's headers (`rawHeaders`) and makes the head of the 101 response, from the status line to the empty
   * line. The new connection's id is then in `lastId`. Throws an `HResultError` when the component refuses; no
   * connection exists then. `traffic`, of `createTraffic`, counts what the connection carries.
   */
  acceptHandshake(options: number, rawHeaders: HeaderList, subprotocol: string, traffic?: object): string;

  /** Makes a client connection and the headers of its request (id in `lastId`). */
  beginHandshake(options: number, subprotocols: string[]): HeaderList;

  /** Checks the server's response; returns the index of the chosen subprotocol, or -1. Throws an `HResultError`. */
  endHandshake(id: number, rawHeaders: HeaderList): number;

  /** Whether permessage-deflate was agreed on: for a server once its handshake was accepted, for a client once it ended. */
  compresses(id: number): boolean;

  /** The id made by the last `acceptHandshake` or `beginHandshake`. */
  readonly lastId: number;

  /**
   * Gives the connection a native transport: the descriptor is duplicated, the caller's stays the caller's.
   * `preamble` is written first, as Latin-1 (the 101 response); `head` are bytes that were already read. Returns 0, or a
   * negated libuv error number, in which case nothing changed and `attachStream` may be used.
   */
  attachNative(id: number, fd: number, isPipe: boolean, preamble: string, head: Uint8Array): number;
  /** An address of a native connection; undefined when the connection is gone, or has a Unix socket. */
  address(id: number, ofPeer: boolean): Address | undefined;

  /** Gives the connection a stream transport: bytes come by `receive` and go out by `onWrite`. */
  attachStream(id: number, head: Uint8Array): void;

  /**
   * Bytes that the stream delivered. Copied during the call. `mayDeliver`: `onEvents` may be called inside, where the
   * callbacks of promises have to wait for the caller to return. Returns -1: it takes more at once. Otherwise there is much
   * to inflate, and it has left so many bytes, the last of the chunk, which are to be given again in a later iteration of
   * the loop; none: an empty chunk is. With `keep` it leaves none, and holds a copy of them.
   */
  receive(id: number, chunk: Uint8Array, mayDeliver: boolean, keep: boolean): number;
  /** The bytes of the last write, which was `UnderWay`, were handed over; the next may follow. `ok` false: they never will be. */
  written(id: number, ok: boolean): void;
  /**
   * For the end of `onEvents`: does what `flush` does, but leaves a first group of writes to the caller, as if it had
   * been called with `onWrite(bytes, 0)`. Returns `bytes`; undefined: there is nothing to write to streams.
   */
  takeWrites(): Buffer | undefined;
  /** The stream is gone: unsent messages are reported (`Sent`, `c` 1) and the id ends with a `Closed` event. */
  detach(id: number): void;

  /**
   * Queues a message. `operation`: bit 0 binary, bit 1 fin, bit 2 compress, bit 3: `key` are the four bytes of the key that a
   * client masks with, else it is random; above them the callback number: 0, or one from 2 to 2^27 - 1 that comes back
   * in a `Sent` event. Strings are sent as UTF-8. From 16 KiB on, a server's native transport writes the
   * data at once, from its own memory, together with what was queued before; what the kernel does not take is copied.
   * Returns nothing, or the bytes on the wire that now wait when they are more than `highWaterMark`, or a negative
   * HRESULT: 0x8007007A (ERROR_INSUFFICIENT_BUFFER) when they would be more than `maxBackpressure`, another one when the
   * connection cannot send any more.
   */
  send(
    id: number,
    data: Uint8Array | ArrayBuffer | string | object,
    operation: number,
    key?: Uint8Array,
  ): number | undefined;
  /**
   * Gives the object a copy of a message, and returns its bytes. `send` and `broadcast` then take the object as data;
   * from 4 KiB on they share the copy. What it is compressed to without context takeover is kept and shared likewise,
   * for each set of parameters.
   */
  prepare(target: object, data: Uint8Array | ArrayBuffer | string): number;
  /**
   * Queues a message on each of the connections `ids`, as `send` with callback 0, and from 4 KiB on with one copy of
   * the data for all. Without context takeover it is compressed once for each set of parameters. Sets the ids of those that took it to 0; returns their number.
   */
  broadcast(ids: Uint32Array, data: Uint8Array | ArrayBuffer | string | object, flags: number): number;
  /**
   * Queues a ping (`pong` false) or a pong; at most 125 bytes, and 64 KiB beyond `maxBackpressure`. `key` as for `send`.
   * Returns as `send`.
   */
  sendControl(
    id: number,
    pong: boolean,
    data: Uint8Array | string,
    callback: number,
    key?: Uint8Array,
  ): number | undefined;
  /** Queues a Close frame; `status` 0 for an empty one. `key` as for `send`. Returns as `send`. */
  sendClose(id: number, status: number, reason: Uint8Array | string, key?: Uint8Array): number | undefined;
  /**
   * Queues bytes that are no frame, behind everything that was queued before; pings and pongs that come later may go
   * before them, never between them. They are copied, and count for `bufferedAmount` and `maxBackpressure`. Also possible
   * behind a Close frame. `callback` as in `send`, alone. Returns as `send`.
   */
  sendRaw(id: number, bytes: Uint8Array | string, callback: number): number | undefined;

  /**
   * Stops or starts reading the native transport; paused, it stops when `readAhead` bytes more have come, so that an end
   * right behind is seen. What was read arrives as records; `lib` holds them back.
   */
  setPaused(id: number, paused: boolean, readAhead: number): void;
  /**
   * Payload bytes of messages, and raw bytes, that were accepted and not yet handed to the kernel. 0 when the connection is
   * gone; in its `Closed` event, and until the batch behind it, what never was handed over.
   */
  bufferedAmount(id: number): number;
  /**
   * Bytes that the transport has read since the connection was attached, `head` included. It grows with each piece of a
   * message. 0 when the connection is gone; in its `Closed` event, and until the batch behind it, the last value.
   */
  bytesRead(id: number): number;
  /** Bytes that were written or wait to be, as in Node: `preamble`, frames and raw bytes. Without a connection as `bytesRead`. */
  bytesWritten(id: number): number;
  /** Sends what is queued, then FIN (native) or the event `Shutdown` (stream); reading goes on. */
  shutdown(id: number): void;
  /** Ends the transport at once; `reset` sends RST where the transport can. A `Closed` event follows when it was attached. */
  destroy(id: number, reset: boolean): void;
  /** Whether an open native connection keeps the process alive. */
  setRef(id: number, ref: boolean): void;
  /** TCP_NODELAY of a native TCP connection; it is set at first. */
  setNoDelay(id: number, noDelay: boolean): void;
  /** SO_KEEPALIVE of a native TCP connection; `idleSeconds` of silence before the first probe, 0: two hours. */
  setKeepAlive(id: number, keepAlive: boolean, idleSeconds: number): void;
  /** Writes out everything queued on every connection now, instead of at the next phase of the loop. */
  flush(): void;
}

export interface DriverCallbacks {
  /**
   * `count` records are in `records`; payloads in `payload` (fresh for each call, safe to keep), `large` (likewise)
   * and `borrowed` (the driver's receive memory, used again after the batch; empty when no record names it). Returns
   * nothing; keeps its place in `cursor[0]`, so that when a handler throws, the driver reports the exception and calls
   * again with the same arguments to go on behind the record that threw.
   */
  onEvents(count: number, payload: Buffer, large: Buffer[], borrowed: Buffer): void;
  /**
   * Stream transport: write what the records in `writes` name, from number `first` to one with the id 0. They are places
   * in the ArrayBuffer of `bytes`, safe to keep; equal writes in a row have the same place. Sets their states. At most one
   * write is under way per id. A stream that throws leaves the state `Failed`; the driver reports the exception and calls
   * again for the records behind.
   */
  onWrite(bytes: Buffer, first: number): void;
}

export interface StartedDriver {
  driver: Driver;
  /** Filled before `onEvents`. */
  records: Uint32Array;
  /** Its element is 0 before the first call of `onEvents` for a batch. */
  cursor: Uint32Array;
  /** Filled before `onWrite`, and by `takeWrites`. */
  writes: Uint32Array;
}

/** What a function of the component throws when its HRESULT is a failure. Its message says what would have been right. */
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
   * The environment's driver (one for each thread), and the memory that it shares with JavaScript.
   */
  startDriver(callbacks: DriverCallbacks): StartedDriver;
  /** The thirteen functions of websocket.h. */
  readonly WebSocketHandle: WebSocketHandleConstructor;
}

/** A setting of a handle that is a number. */
export interface NumberProperty {
  /** One of `WEB_SOCKET_PROPERTY_TYPE`. */
  type: 0 | 1 | 0x1000 | 0x1001 | 0x1002;
  /** An unsigned 32-bit number. */
  value: number;
}

/** A setting of a handle that is a switch. */
export interface BooleanProperty {
  /** One of `WEB_SOCKET_PROPERTY_TYPE`. */
  type: 2 | 4 | 0x1003 | 0x1004 | 0x1005 | 0x1006 | 0x1007 | 0x1008 | 0x100a;
  /** Whether it is on. */
  value: boolean;
}

/** A setting of a handle. */
export type Property = NumberProperty | BooleanProperty;

/** The content of a Close frame (RFC 6455, 5.5.1). */
export interface CloseStatus {
  /** 1000 to 65535 except 1004, 1006 and 1015; 0 or 1005: the frame has no content. */
  status: number;
  /** UTF-8, at most 123 bytes. Default: none. */
  reason?: Uint8Array | null;
}

/** What the server chose: indices into the arrays that were passed to `beginClientHandshake`. */
export interface Selection {
  /** In the server's order. */
  extensions: number[];
  /** `undefined`: none. */
  subprotocol: number | undefined;
}

/** Why the receive side of a handle failed. */
export interface Fault {
  /** What `getAction` throws, as an unsigned 32-bit number; 0: no fault. */
  hresult: number;
  /** What a Close frame should tell the peer: 1002, 1007, 1008, 1009 or 1011; 0: no fault. */
  closeStatus: number;
  /** A sentence in English; `''` without a fault. */
  reason: string;
}

/**
 * What to do next. Every action but NO_ACTION is given back once with `completeAction`; until then no other action of
 * its direction is handed out.
 */
export interface Action {
  /** One of `WEB_SOCKET_ACTION`. */
  action: 0 | 1 | 2 | 3 | 4;
  /**
   * One of `WEB_SOCKET_BUFFER_TYPE`, or a custom frame type: of the frame that is sent, or of what arrived. 0: nothing to
   * tell.
   */
  type: number;
  /**
   * SEND_TO_NETWORK: one or two buffers, to be written in this order. RECEIVE_FROM_NETWORK: one, to be filled from its
   * beginning. INDICATE_RECEIVE_COMPLETE: one, the payload or the reason of a Close frame; none when the operation was
   * cancelled or aborted. Otherwise none.
   *
   * A buffer is a view of the handle's memory, or of memory that was passed to `send` or `receive`. Its bytes are what
   * the action says until the action is completed: copy before that what is needed longer. The memory itself is the
   * JavaScript heap's, so that a view may be kept and used at any time, also after `delete`.
   */
  buffers: Uint8Array[];
  /** The status of a Close frame that arrived (1005: it had none); 0 for everything else. */
  closeStatus: number;
  /** The value that was passed to `send`, `sendControl` or `receive`; `undefined` for the answer to a ping. */
  context: unknown;
  /** Names the action for `completeAction`; 0 for NO_ACTION. */
  actionContext: number;
}

/** The static side of {@link WebSocketHandle}. `new` throws a `TypeError`. */
export interface WebSocketHandleConstructor {
  /**
   * WebSocketCreateClientHandle: makes the handle of a client.
   *
   * @param properties - Settings; of one that stands twice the last counts. Default: none.
   * @throws TypeError or RangeError for what is no property, and for properties that take pointers
   * (ALLOCATED_BUFFER, GATHER, RECEIVE_POOL, RANDOM_SOURCE).
   * @throws HResultError `E_INVALIDARG` for an unknown property or a value that is too small, `E_OUTOFMEMORY`.
   */
  createClientHandle(properties?: readonly Property[] | null): WebSocketHandle;
  /** WebSocketCreateServerHandle: makes the handle of a server; as `createClientHandle`. */
  createServerHandle(properties?: readonly Property[] | null): WebSocketHandle;
  /**
   * WebSocketGetGlobalProperty: the keep-alive interval in milliseconds (KEEPALIVE_INTERVAL_PROPERTY_TYPE, 5; default
   * 30000, at least 15000; the component has no timer, so that sending something is up to the caller).
   *
   * @throws HResultError `E_INVALIDARG` for a property that is not global.
   */
  getGlobalProperty(type: 5): number;
  /** WebSocketGetGlobalProperty: the protocol versions (SUPPORTED_VERSIONS_PROPERTY_TYPE, 6). */
  getGlobalProperty(type: 6): number[];
  /** What all handles inherit. */
  readonly prototype: WebSocketHandle;
}

/**
 * One side of a WebSocket connection as a WEB_SOCKET_HANDLE: the functions of websocket.h as methods, and those of
 * websocket_ext.h that need no pointers. It does no I/O: the caller moves bytes between a transport and the actions.
 *
 * Errors: a `TypeError` or `RangeError` for an argument of a wrong type or range, an {@link HResultError} for a failing
 * HRESULT: `E_INVALIDARG` (a bad argument, the other role's function, a deleted handle),
 * `E_INVALID_PROTOCOL_OPERATION` (not in this state) and others where they are named. A call that throws has changed
 * nothing.
 *
 * Lifetime: `delete` gives the memory back at once; a handle that nothing refers to is collected, also with operations
 * queued. It belongs to the thread that made it.
 */
export interface WebSocketHandle {
  /**
   * WebSocketBeginClientHandshake: makes the header fields of the opening request (RFC 6455, 4.1).
   *
   * @param subprotocols - Offers in order of preference, each a token. Default: none.
   * @param extensions - Offers with their parameters. Default: none.
   * @param headers - Other fields of the request; a field that is returned replaces one of these.
   * @returns Connection, Upgrade, Sec-WebSocket-Key, Sec-WebSocket-Version and what was offered. The caller adds Host.
   * @throws HResultError `E_INVALIDARG`, `E_INVALID_PROTOCOL_OPERATION`, `E_FAIL` without randomness.
   */
  beginClientHandshake(
    subprotocols?: readonly string[] | null,
    extensions?: readonly string[] | null,
    headers?: readonly string[] | null,
  ): HeaderList;
  /**
   * WebSocketEndClientHandshake: checks the header fields of the server's response, whose status 101 the caller has
   * checked, and opens the handle. After an error the handle is as it was.
   *
   * @throws HResultError `E_INVALID_PROTOCOL_FORMAT` for a bad response, `E_SUBPROTOCOL_NOT_SUPPORTED` and
   * `E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED` when the server chose what was not offered.
   */
  endClientHandshake(headers: readonly string[]): Selection;
  /**
   * WebSocketBeginServerHandshake: checks the header fields of a client's request (RFC 6455, 4.2.1) and makes those of
   * the 101 response.
   *
   * @param headers - All fields of the request, for example `request.rawHeaders`.
   * @param subprotocol - The one that was chosen among those offered; `''` or nullish: none.
   * @param extensions - Those chosen. Default: none.
   * @throws HResultError `E_INVALID_PROTOCOL_FORMAT` for a bad request, `E_PROTOCOL_VERSION_NOT_SUPPORTED` for a version
   * other than 13, `E_SUBPROTOCOL_NOT_SUPPORTED` and `E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED` for what was not offered.
   */
  beginServerHandshake(
    headers: readonly string[],
    subprotocol?: string | null,
    extensions?: readonly string[] | null,
  ): HeaderList;
  /** WebSocketEndServerHandshake: opens the handle. Optional: the first data function does it too. */
  endServerHandshake(): void;

  /**
   * WebSocketSend: queues a frame. Nothing is written before the actions are carried out.
   *
   * @param type - One of `WEB_SOCKET_BUFFER_TYPE`, or a custom frame type.
   * @param buffer - Data: the payload. It is not copied: leave it unchanged until INDICATE_SEND_COMPLETE. (One in shared
   * or resizable memory is copied.) CLOSE: a {@link CloseStatus}, or nullish for an empty frame. PING_PONG and
   * UNSOLICITED_PONG: nullish.
   * @param context - Comes back with the actions of this operation.
   */
  send(type: number, buffer?: Uint8Array | CloseStatus | null, context?: unknown): void;
  /**
   * WebSocketReceive: queues a receive, which ends with one INDICATE_RECEIVE_COMPLETE.
   *
   * @param buffer - Memory for the payload, in an ArrayBuffer of fixed length. Default: the handle's own memory.
   * @param context - Comes back with the actions of this operation.
   */
  receive(buffer?: Uint8Array | null, context?: unknown): void;
  /**
   * WebSocketGetAction: says what to do next.
   *
   * @param queue - One of `WEB_SOCKET_ACTION_QUEUE`.
   * @param capacity - Most buffers that an action may have, at least 1. Default: 2, and more are never used.
   * @throws HResultError with the result of the fault when the peer broke the protocol, again until `abort`; the send
   * side still works (see `getFault`).
   * @throws TypeError when the ArrayBuffer of an operation in progress, or of the handle, was detached.
   */
  getAction(queue: 1 | 2 | 3, capacity?: number): Action;
  /**
   * WebSocketCompleteAction: gives an action back.
   *
   * @param actionContext - The action's. 0, that of NO_ACTION, has no effect.
   * @param bytesTransferred - SEND_TO_NETWORK: the bytes written; fewer than the buffers have cancel the operation.
   * RECEIVE_FROM_NETWORK: the bytes read into the buffer; 0 cancels the operation. INDICATE actions: 0, and any other
   * number is ignored.
   * @throws RangeError when the action was completed before or is another handle's, and for more bytes than its buffers
   * have; it stays outstanding then.
   */
  completeAction(actionContext: number, bytesTransferred: number): void;
  /**
   * WebSocketAbortHandle: every queued operation comes back as an INDICATE action without data. No effect before the
   * handle is open.
   */
  abort(): void;
  /** WebSocketDeleteHandle: frees the handle. Every later call throws. */
  delete(): void;

  // The additions of websocket_ext.h.

  /**
   * WebSocketOpenWithoutHandshake: opens a new handle whose handshake was made elsewhere, for example over HTTP/2
   * (RFC 8441), or is not needed.
   */
  openWithoutHandshake(): void;
  /**
   * WebSocketInjectReceivedBytes: takes bytes that were read already, such as those behind the HTTP head. They are
   * copied, and come before what a later RECEIVE_FROM_NETWORK brings.
   */
  injectReceivedBytes(bytes: Uint8Array): void;
  /**
   * WebSocketSendControl: queues a ping (PING_PONG) or a pong (UNSOLICITED_PONG) with a payload.
   *
   * @param payload - At most 125 bytes, copied. Default: empty.
   */
  sendControl(type: number, payload?: Uint8Array | null, context?: unknown): void;
  /** WebSocketGetFault: why the receive side failed. */
  getFault(): Fault;
}

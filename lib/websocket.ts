/**
 * The class that users see, on both ends: an EventEmitter with the properties and methods of `ws` and of WHATWG's
 * WebSocket. What it does before there is a connection is in client.ts, and afterwards in connection.ts.
 */
import type { ClientRequest, ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { Additions } from './additions.js';
import { adoptConnection } from './adopted.js';
import { callback as checkCallback } from './checks.js';
import { ClientHandshake } from './client.js';
import { sendBlob, withQueueFor } from './send-queue.js';
import { Connection } from './connection.js';
import { byteLength, checkCloseStatus, toControlPayload, toReason } from './data.js';
import { emitClose, emitError, emitOpen } from './emit.js';
import { notOpenError } from './errors.js';
import {
  addListener,
  defineAttributes,
  removeListener,
  type CloseEvent,
  type ErrorEvent,
  type Event,
  type EventListener,
  type EventListenerOptions,
  type MessageEvent,
  type WebSocketEventMap,
} from './events.js';
import { KeptConnection, needsKeepAlive } from './keep-alive.js';
import { Listeners } from './listeners.js';
import {
  resolveSettings,
  type BinaryType,
  type ClientOptions,
  type ConnectionSettings,
  type ResolvedSettings,
  type SendCallback,
  type SendData,
  type SendOptions,
  type TransportKind,
} from './options.js';
import { extensionsOf } from './permessage-deflate.js';
import { kindOf, MessageKind, toMessage, type PreparedMessage } from './prepared-message.js';
import { ReadyState } from './ready-state.js';
import type { WebSocketServer } from './server.js';
import type { ServerOptions } from './server-options.js';
import type { createWebSocketStream } from './stream.js';
import { isTaken } from './transport.js';

const { Binary, Blob } = MessageKind;
const binaryTypes: readonly string[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] satisfies BinaryType[];

const emptyReason = Buffer.alloc(0);

/**
 * A WebSocket connection.
 *
 * Its 'error' event comes before 'close', and each at most once; 'close' always comes.
 */
export class WebSocket extends Additions {
  /** `readyState` while the connection is made. */
  static readonly CONNECTING = ReadyState.Connecting;
  /** `readyState` when messages can be sent. */
  static readonly OPEN = ReadyState.Open;
  /** `readyState` while the connection is ending. */
  static readonly CLOSING = ReadyState.Closing;
  /** `readyState` when the connection is gone. */
  static readonly CLOSED = ReadyState.Closed;

  /** The server class; the same as `WebSocketServer`. */
  declare static Server: typeof WebSocketServer;
  /** The server class. */
  declare static WebSocketServer: typeof WebSocketServer;
  /** This class. */
  declare static WebSocket: typeof WebSocket;
  /** The function of this name. */
  declare static createWebSocketStream: typeof createWebSocketStream;

  /** As the static of this name. */
  declare readonly CONNECTING: typeof ReadyState.Connecting;
  /** As the static of this name. */
  declare readonly OPEN: typeof ReadyState.Open;
  /** As the static of this name. */
  declare readonly CLOSING: typeof ReadyState.Closing;
  /** As the static of this name. */
  declare readonly CLOSED: typeof ReadyState.Closed;

  /** The listener that gets an Event object when the connection is open, or null. */
  declare onopen: ((event: Event) => void) | null;
  /** The listener that gets an Event object for each message, or null. */
  declare onmessage: ((event: MessageEvent) => void) | null;
  /** The listener that gets an Event object when the connection is closed, or null. */
  declare onclose: ((event: CloseEvent) => void) | null;
  /** The listener that gets an Event object for an error, or null. */
  declare onerror: ((event: ErrorEvent) => void) | null;

  /** @internal Of the client, or of the connection; undefined before there is one. */
  _settings: ResolvedSettings | undefined;
  #connection: Connection | undefined;
  #handshake: ClientHandshake | undefined;
  /** While there is no connection. */
  #readyState: ReadyState = ReadyState.Connecting;
  #binaryType: BinaryType = 'nodebuffer';
  #protocol = '';
  #extensions = '';
  #url: string | undefined;
  /** Bytes passed to `send` when there never was a connection. */
  #unsent = 0;

  /**
   * Connects to a server, without a list of subprotocols.
   *
   * @param address a ws:, wss:, http: or https: URL without a fragment
   * @throws SyntaxError for an invalid URL; TypeError or RangeError for an invalid option.
   */
  constructor(address: string | URL | null, options?: ClientOptions | ClientRequestArgs);
  /**
   * Connects to a server; null makes a socket that `WebSocketServer.handleUpgrade` or `setSocket` opens.
   *
   * @param address a ws:, wss:, http: or https: URL without a fragment
   * @param protocols the subprotocols to offer
   * @throws SyntaxError for an invalid URL or subprotocol; TypeError or RangeError for an invalid option.
   */
  constructor(
    address: string | URL | null,
    protocols?: string | string[],
    options?: ClientOptions | ClientRequestArgs | ServerOptions,
  );
  constructor(address: string | URL | null, protocols?: string | string[] | object, options?: object) {
    super();
    (this as unknown as { _events: object })._events = new Listeners();
    if (address === null) return;
    this.#handshake = new ClientHandshake(this, address, protocols, options);
    this.#url = this.#handshake.url;
    this.#handshake.start();
  }

  /** CONNECTING, OPEN, CLOSING or CLOSED. */
  get readyState(): ReadyState {
    return this.#connection?.readyState ?? this.#readyState;
  }

  /** How binary messages arrive. Default: 'nodebuffer'. Other values than the four are ignored. */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  /** Sets it; other values than the four are ignored. */
  set binaryType(type: BinaryType) {
    if (!binaryTypes.includes(type)) return;
    this.#binaryType = type;
    if (this.#connection) this.#connection.binaryType = type;
  }

  /** Payload bytes passed to `send` and not yet handed to the kernel. Does not return to 0 when the connection ends. */
  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? this.#unsent;
  }

  /** The negotiated extensions: 'permessage-deflate', or an empty string. */
  get extensions(): string {
    return this.#extensions;
  }

  /** Whether `pause` is in force. */
  get isPaused(): boolean {
    return this.#connection?.isPaused ?? false;
  }

  /** The subprotocol that the server chose, or an empty string. */
  get protocol(): string {
    return this.#protocol;
  }

  /** The URL of the server: of the last one, where redirects are followed. Undefined on servers, whatever its type says. */
  get url(): string {
    return this.#url as string;
  }

  /** What carries the bytes: the driver's own socket or a stream. Undefined before 'open'. */
  get transport(): TransportKind | undefined {
    return this.#connection?.transport.kind;
  }

  /** The stream of the connection, a net.Socket where it was one; null before 'open'. Raw writes go between frames. */
  get _socket(): Duplex | null {
    return this.#connection?.transport.stream ?? null;
  }

  /** Whether this is the server's side. False for a socket made with null makes `setSocket` open a client's side. */
  get _isServer(): boolean {
    return this.#url === undefined;
  }

  /** Before `setSocket`, on a socket made with null. */
  set _isServer(isServer: boolean) {
    if (this.#handshake === undefined && this.#connection === undefined) this.#url = isServer ? undefined : '';
  }

  /** @internal */
  get _connection(): Connection | undefined {
    return this.#connection;
  }

  /** @internal Both sides sent a Close frame. */
  get _wasClean(): boolean {
    return this.#connection !== undefined && this.#connection.closeSent && this.#connection.closeReceived;
  }

  /**
   * Sends a message.
   *
   * The data may be changed or transferred as soon as this returns. A Blob is read first, and what is sent behind it waits;
   * when it cannot be read, the callbacks get the reason, and the connection ends with that 'error'.
   *
   * @param cb called when the data was handed to the kernel, or with an error when it never will be
   * @returns false when more than `highWaterMark` waits, or when the message was dropped for `maxBackpressure`: 'drain'
   * follows when nothing waits any more. Also false when the connection is closing or closed.
   * @throws Error while CONNECTING; TypeError for other data.
   */
  send(data: SendData | PreparedMessage, cb?: SendCallback): boolean;
  send(data: SendData | PreparedMessage, options: SendOptions | undefined, cb?: SendCallback): boolean;
  send(data: SendData | PreparedMessage, options?: SendOptions | SendCallback, cb?: SendCallback): boolean {
    if (typeof options === 'function') {
      cb = options;
      options = undefined;
    }
    if (cb !== undefined) checkCallback(cb);
    const connection = this.#connection;
    if (connection === undefined) return this.#cannotSend(data, cb);
    const payload = toMessage(data);
    const kind = kindOf(payload);
    if (kind === Blob) return sendBlob(connection, payload, options, cb);
    return connection.send(payload, kind === Binary, options, cb ?? undefined);
  }

  #cannotSend(data: unknown, cb: SendCallback | undefined): false {
    if (this.readyState === ReadyState.Connecting) throw notOpenError(ReadyState.Connecting);
    return this._refuse(byteLength(toMessage(data)), cb);
  }

  /** Sends a ping without data, else as below. */
  ping(cb?: SendCallback): void;
  /**
   * Sends a ping; the peer answers with a pong of the same data. `mask` as in the options of `send`.
   *
   * @param data at most 125 bytes
   * @param cb called when it was handed to the kernel, or with an error when it never will be
   * @throws Error while CONNECTING; TypeError for other data; RangeError above 125 bytes.
   */
  ping(data: SendData | undefined, cb?: SendCallback): void;
  ping(data: SendData | undefined, mask: boolean | undefined, cb?: SendCallback): void;
  ping(data: SendData | undefined, mask: boolean | undefined, cb: (error: Error) => void): void;
  ping(data?: unknown, mask?: unknown, cb?: (error: Error) => void): void {
    this.#sendControl(false, data, mask, cb as SendCallback);
  }

  /** Sends a pong that nobody asked for, or one by hand when `autoPong` is off. As `ping`. */
  pong(cb?: SendCallback): void;
  pong(data: SendData | undefined, cb?: SendCallback): void;
  pong(data: SendData | undefined, mask: boolean | undefined, cb?: SendCallback): void;
  pong(data: SendData | undefined, mask: boolean | undefined, cb: (error: Error) => void): void;
  pong(data?: unknown, mask?: unknown, cb?: (error: Error) => void): void {
    this.#sendControl(true, data, mask, cb as SendCallback);
  }

  #sendControl(isPong: boolean, data: unknown, mask: unknown, cb?: SendCallback): void {
    if (typeof data === 'function') {
      cb = data as SendCallback;
      data = undefined;
    } else if (typeof mask === 'function') {
      cb = mask as SendCallback;
    }
    if (cb !== undefined) checkCallback(cb);
    if (this.readyState === ReadyState.Connecting) throw notOpenError(ReadyState.Connecting);
    const payload = toControlPayload(data);
    const connection = this.#connection;
    if (connection === undefined) this._refuse(byteLength(payload), cb);
    else withQueueFor(payload, connection, () => connection.sendControl(isPong, payload, cb ?? undefined, mask));
  }

  /**
   * Starts the closing handshake; while CONNECTING, gives up with an 'error'. No effect when closing or closed.
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999. Default: none
   * @param reason at most 123 bytes of UTF-8; ignored without a code
   * @throws TypeError or RangeError for another code or reason.
   */
  close(code?: number, reason?: string | Uint8Array | ArrayBuffer): void {
    if (this.readyState >= ReadyState.Closing) return;
    const status = code === undefined ? undefined : checkCloseStatus(code);
    const text = status === undefined ? '' : toReason(reason);
    if (this.#connection) this.#connection.close(status, text);
    else this.#handshake?.abort();
  }

  /** Ends the connection at once, without a closing handshake: 'close' comes with 1006 unless a Close frame came. */
  terminate(): void {
    if (this.#connection) this.#connection.terminate();
    else this.#handshake?.abort();
  }

  /**
   * Stops 'message' events until `resume`, `close` or the end of the connection. Messages that have arrived are kept, and
   * reading stops when 64 KiB more have come: a Close frame or an end of the stream before that is noticed.
   */
  pause(): void {
    this.#connection?.pause();
  }

  /** Ends a pause. Messages that were kept come first, not before this function has returned. */
  resume(): void {
    this.#connection?.resume();
  }

  /**
   * Adds a listener that gets an event object. The same listener is added once.
   * @throws TypeError when it is neither a function nor an object with `handleEvent`.
   */
  addEventListener<N extends keyof WebSocketEventMap>(
    name: N,
    listener: EventListener<WebSocketEventMap[N]>,
    options?: EventListenerOptions,
  ): void {
    addListener(this, name, listener, options);
  }

  /** Removes a listener that `addEventListener` added. */
  removeEventListener<N extends keyof WebSocketEventMap>(name: N, listener: EventListener<WebSocketEventMap[N]>): void {
    removeListener(this, name, listener);
  }

  /**
   * Opens a socket that was made with null on a stream whose handshake somebody else has made; 'open' is emitted before
   * this returns. The socket is a server's, which expects masked frames, unless `_isServer` was set to false.
   *
   * @param head was read from the stream already
   * @param options as for `WebSocketServer`, with the same defaults (`ws`: no limits unless they are named)
   * @throws Error when the socket is a client's or was opened before; TypeError or RangeError for an invalid option.
   */
  setSocket(stream: Duplex, head: Buffer = emptyReason, options: ConnectionSettings = {}): void {
    if (this.#handshake !== undefined || this.readyState !== ReadyState.Connecting || isTaken(stream)) {
      throw new Error('setSocket needs a socket that was made with null and not yet opened, and a stream of its own');
    }
    const settings = resolveSettings(options, false);
    this._open(adoptConnection(this._isServer, settings), stream, '', head, '', settings);
  }

  /** @internal The handshake is done: takes the stream over and emits 'open'. */
  _open(
    id: number,
    stream: Duplex,
    preamble: string,
    head: Buffer,
    protocol: string,
    settings: ResolvedSettings,
  ): void {
    this.#protocol = protocol;
    this.#extensions = extensionsOf(id, settings.deflate);
    this._settings = settings;
    const Kind = needsKeepAlive(settings) ? KeptConnection : Connection;
    this.#connection = new Kind(this, id, stream, preamble, head, settings);
    this.#handshake = undefined;
    emitOpen(this);
  }

  /** @internal The handshake failed: emits 'error' and 'close'. */
  _fail(error: Error): void {
    this.#readyState = ReadyState.Closing;
    this.#handshake = undefined;
    process.nextTick(() => {
      this.#readyState = ReadyState.Closed;
      emitClose(this, 1006, emptyReason);
    });
    emitError(this, error);
  }

  /** @internal The handshake is being given up; 'error' and 'close' follow. */
  _aborting(): void {
    this.#readyState = ReadyState.Closing;
  }

  /** @internal A redirect is followed: this request, not yet sent, goes to the new URL. */
  _redirected(url: string, request: ClientRequest): void {
    this.#url = url;
    this.emit('redirect', url, request);
  }

  /** @internal There is no connection and never will be. */
  _refuse(bytes: number, cb: SendCallback | undefined): false {
    this.#unsent += bytes;
    if (cb) process.nextTick(cb, notOpenError(this.readyState));
    return false;
  }
}

for (const [name, value] of Object.entries(ReadyState)) {
  Object.defineProperty(WebSocket.prototype, name.toUpperCase(), { value, enumerable: true });
}
defineAttributes(WebSocket.prototype);

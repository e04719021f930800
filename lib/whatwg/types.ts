/**
 * The types of the classes of the WebSockets standard. They are interfaces, so that they can be exchanged with those of
 * lib.dom.d.ts, which they are tested with.
 */
import type { ClientOptions } from '../options.js';

/** How binary messages arrive. */
export type BinaryType = 'blob' | 'arraybuffer';

/**
 * Node's additions: the options of the `ws`-like class that leave the standard's behaviour as it is. TLS options are among
 * them.
 */
export type NodeOptions = Omit<
  ClientOptions,
  | 'allowSynchronousEvents'
  | 'backpressure'
  | 'delivery'
  | 'finishRequest'
  | 'followRedirects'
  | 'generateMask'
  | 'maxRedirects'
  | 'messageStream'
  | 'perMessageDeflate'
  | 'protocolVersion'
  | 'protocols'
  | 'skipUTF8Validation'
  | 'textType'
>;

/** The second argument of `new WebSocket`, when it is an object that is no sequence of subprotocols. */
export interface WebSocketInit extends NodeOptions {
  /** The subprotocols to offer. Default: none. */
  protocols?: string | Iterable<string>;
}

/** What a CloseEvent is made with. */
export interface CloseEventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
  /** Default: 0. */
  code?: number;
  /** Default: an empty string. */
  reason?: string;
  /** Default: false. */
  wasClean?: boolean;
}

/** The connection is gone. */
export interface CloseEvent extends Event {
  /** The status of the peer's Close frame; 1005: the frame had none, 1006: there was none, or the connection failed. */
  readonly code: number;
  /** The reason of the peer's Close frame. */
  readonly reason: string;
  /** Whether the closing handshake was done. */
  readonly wasClean: boolean;
}

export interface CloseEventConstructor {
  readonly prototype: CloseEvent;
  new (type: string, eventInitDict?: CloseEventInit): CloseEvent;
}

/** The events of a `WebSocket`. */
export interface WebSocketEventMap {
  /** The connection is open. */
  open: Event;
  /** A message: `data` is a string, or what `binaryType` says. */
  message: MessageEvent;
  /** The connection has failed; 'close' follows. It says nothing about the reason. */
  error: Event;
  /** The connection is gone; the last event. */
  close: CloseEvent;
}

type Listener<Target, E> = (this: Target, event: E) => unknown;
type AnyListener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

/** Options of `addEventListener` (DOM). */
export interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: AbortSignal;
}

/**
 * The WebSocket interface of the WHATWG WebSockets standard.
 *
 * The comments say what matters in Node; the rest is the standard's.
 */
export interface WebSocket extends EventTarget {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  /** The URL, with a WebSocket scheme. */
  readonly url: string;
  /** CONNECTING, OPEN, CLOSING or CLOSED. */
  readonly readyState: 0 | 1 | 2 | 3;
  /**
   * Payload bytes passed to `send` and not yet handed to the kernel. It falls between tasks only, and does not return to 0
   * when the connection ends.
   */
  readonly bufferedAmount: number;
  /** The negotiated extensions; none exist yet. */
  readonly extensions: string;
  /** The subprotocol that the server chose, or an empty string. */
  readonly protocol: string;
  /** How binary messages arrive. Default: 'blob'. Another value than the two is ignored. */
  binaryType: BinaryType;

  onopen: Listener<WebSocket, Event> | null;
  onmessage: Listener<WebSocket, MessageEvent> | null;
  onerror: Listener<WebSocket, Event> | null;
  onclose: Listener<WebSocket, CloseEvent> | null;

  /**
   * Sends a message; the data may be changed as soon as this returns. When more than `maxBackpressure` would wait, the
   * connection fails. After the end of the connection it only counts as buffered.
   * @throws "InvalidStateError" DOMException while CONNECTING; TypeError for a symbol, shared or resizable memory.
   */
  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void;

  /**
   * Starts the closing handshake; fails the connection while CONNECTING.
   * @param code 1000, or 3000 to 4999. Default: none, and 1000 with a reason
   * @param reason at most 123 bytes of UTF-8
   * @throws "InvalidAccessError" DOMException for another code; "SyntaxError" DOMException for a longer reason.
   */
  close(code?: number, reason?: string): void;

  addEventListener<N extends keyof WebSocketEventMap>(
    type: N,
    listener: Listener<WebSocket, WebSocketEventMap[N]>,
    options?: boolean | ListenerOptions,
  ): void;
  addEventListener(type: string, listener: AnyListener, options?: boolean | ListenerOptions): void;
  removeEventListener<N extends keyof WebSocketEventMap>(
    type: N,
    listener: Listener<WebSocket, WebSocketEventMap[N]>,
    options?: boolean | { capture?: boolean },
  ): void;
  removeEventListener(type: string, listener: AnyListener, options?: boolean | { capture?: boolean }): void;
}

export interface WebSocketConstructor {
  readonly prototype: WebSocket;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  /**
   * Connects to a server.
   *
   * @param url a ws, wss, http or https URL without a fragment; relative to `location`, where there is one
   * @param protocols the subprotocols to offer; or Node's additions
   * @throws "SyntaxError" DOMException for an invalid URL or subprotocol; TypeError or RangeError for an invalid option.
   */
  new (url: string | URL, protocols?: string | string[] | WebSocketInit): WebSocket;
}

/** How a `WebSocketStream` is closed, and was closed. */
export interface WebSocketCloseInfo {
  /** 1000, or 3000 to 4999. Default: none, and 1000 with a reason. */
  closeCode?: number;
  /** At most 123 bytes of UTF-8. Default: an empty string. */
  reason?: string;
}

/** An error that says with which code and reason a connection ended, or has to end. */
export interface WebSocketError extends DOMException {
  /** Null: there is none. */
  readonly closeCode: number | null;
  readonly reason: string;
}

export interface WebSocketErrorConstructor {
  readonly prototype: WebSocketError;
  /**
   * @param init what the connection is closed with when a stream is aborted or cancelled with this error
   * @throws "InvalidAccessError" DOMException for another code, "SyntaxError" DOMException for a longer reason.
   */
  new (message?: string, init?: WebSocketCloseInfo): WebSocketError;
}

/** What `WebSocketStream.opened` gives. */
export interface WebSocketOpenInfo {
  /** The negotiated extensions; none exist yet. */
  extensions: string;
  /** The subprotocol that the server chose, or an empty string. */
  protocol: string;
  /**
   * The messages: a string, or a Uint8Array of memory of its own. While 16 messages or 64 KiB wait to be read, nothing is
   * read from the socket. Cancelling it closes the connection, with the code of a WebSocketError.
   */
  readable: ReadableStream<string | Uint8Array>;
  /**
   * Sends each chunk as a message: text from a string, binary from a buffer or view, which may be changed when `write` has
   * returned. A write is done when no more than `highWaterMark` waits. Closing it closes the connection and waits for that;
   * aborting it closes the connection, with the code of a WebSocketError.
   */
  writable: WritableStream<string | ArrayBufferLike | ArrayBufferView>;
}

/** The second argument of `new WebSocketStream`; `signal` and `protocols` are the standard's. */
export interface WebSocketStreamOptions extends NodeOptions {
  /** The subprotocols to offer. Default: none. */
  protocols?: Iterable<string>;
  /** Gives up connecting; both promises are rejected with its reason. Without effect once the connection is open. */
  signal?: AbortSignal;
}

/**
 * The WebSocketStream interface of the WHATWG WebSockets standard: a connection as a pair of streams, with backpressure in
 * both directions. Rejections of its promises that nobody looks at are not reported.
 */
export interface WebSocketStream {
  /** The URL, with a WebSocket scheme. */
  readonly url: string;
  /** Fulfilled when the connection is open; rejected with a WebSocketError when it never will be, or with a signal's reason. */
  readonly opened: Promise<WebSocketOpenInfo>;
  /** Fulfilled when the closing handshake is done; rejected with a WebSocketError when the connection ended otherwise. */
  readonly closed: Promise<Required<WebSocketCloseInfo>>;
  /**
   * Starts the closing handshake; fails the connection while it is made. Messages that were not read are dropped.
   * @throws "InvalidAccessError" DOMException for another code, "SyntaxError" DOMException for a longer reason.
   */
  close(closeInfo?: WebSocketCloseInfo): void;
}

export interface WebSocketStreamConstructor {
  readonly prototype: WebSocketStream;
  /**
   * Connects to a server.
   *
   * @param url as in `new WebSocket`
   * @throws "SyntaxError" DOMException for an invalid URL or subprotocol; TypeError or RangeError for an invalid option.
   */
  new (url: string | URL, options?: WebSocketStreamOptions): WebSocketStream;
}

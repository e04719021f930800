/**
 * Types of the WebSockets standard: its dictionaries, and the classes of its interfaces, which stand in the files of their
 * names. All are interfaces, so that they can be exchanged with those of lib.dom.d.ts, which they are tested with.
 */
import type { ClientOptions } from '../options.js';
import type { CloseEvent } from './close-event.js';
import type { WebSocket } from './websocket.js';
import type { WebSocketError } from './websocket-error.js';
import type { WebSocketStream } from './websocket-stream.js';

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
  /** Of every event; nothing bubbles in Node. Default: false. */
  bubbles?: boolean;
  /** `preventDefault` has an effect. Default: false. */
  cancelable?: boolean;
  /** Of every event; there are no shadow trees in Node. Default: false. */
  composed?: boolean;
  /** Default: 0. */
  code?: number;
  /** Default: an empty string. */
  reason?: string;
  /** Default: false. */
  wasClean?: boolean;
}

/** The class of `CloseEvent`. */
export interface CloseEventConstructor {
  /** What all of its objects have. */
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

/** A listener, as `onmessage` takes it. */
export type Listener<Target, E> = (this: Target, event: E) => unknown;
/** A listener, as `addEventListener` takes it for any event. */
export type AnyListener =
  | ((event: Event) => unknown)
  | {
      /** Called with the event. */
      handleEvent(event: Event): unknown;
    };

/** Options of `addEventListener` (DOM). */
export interface ListenerOptions {
  /** Distinguishes listeners; nothing is captured in Node. Default: false. */
  capture?: boolean;
  /** Remove the listener when it is called. Default: false. */
  once?: boolean;
  /** `preventDefault` has no effect in the listener. Default: false. */
  passive?: boolean;
  /** Removes the listener when it is aborted. Default: none. */
  signal?: AbortSignal;
}

/** The class of `WebSocket`. */
export interface WebSocketConstructor {
  /** What all of its objects have. */
  readonly prototype: WebSocket;
  /** `readyState` while the connection is made. */
  readonly CONNECTING: 0;
  /** `readyState` when messages can be sent. */
  readonly OPEN: 1;
  /** `readyState` while the connection is ending. */
  readonly CLOSING: 2;
  /** `readyState` when the connection is gone. */
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

/** The class of `WebSocketError`. */
export interface WebSocketErrorConstructor {
  /** What all of its objects have. */
  readonly prototype: WebSocketError;
  /**
   * @param init what the connection is closed with when a stream is aborted or cancelled with this error
   * @throws "InvalidAccessError" DOMException for another code, "SyntaxError" DOMException for a longer reason.
   */
  new (message?: string, init?: WebSocketCloseInfo): WebSocketError;
}

/** What `WebSocketStream.opened` gives. */
export interface WebSocketOpenInfo {
  /** The negotiated extensions: 'permessage-deflate', or nothing. */
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

/** The class of `WebSocketStream`. */
export interface WebSocketStreamConstructor {
  /** What all of its objects have. */
  readonly prototype: WebSocketStream;
  /**
   * Connects to a server.
   *
   * @param url as in `new WebSocket`
   * @throws "SyntaxError" DOMException for an invalid URL or subprotocol; TypeError or RangeError for an invalid option.
   */
  new (url: string | URL, options?: WebSocketStreamOptions): WebSocketStream;
}

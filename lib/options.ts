/**
 * The options of sockets, on clients and servers: types, defaults with their units and reasons, and which values are
 * allowed. Those of servers alone are in server-options.ts.
 */
import type { Agent, ClientRequest, ClientRequestArgs, OutgoingHttpHeaders } from 'node:http';
import type { createConnection } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { count, functionOption, milliseconds, oneOf } from './checks.js';
import type { BlobLike } from './blob.js';
import type { DeflateSettings } from './native.js';
import { resolveDeflate, type DeflatePreset, type PerMessageDeflateOptions } from './permessage-deflate.js';
import type { WebSocket } from './websocket.js';

/**
 * What `send`, `ping` and `pong` accept. A number is sent as its decimal text, an array of numbers as bytes, an array of
 * buffers and views as one message that joins them. A Blob is read first, and what is sent behind it waits for that.
 */
export type SendData =
  | string
  | number
  | ArrayBufferLike
  | ArrayBufferView
  | BlobLike
  | readonly number[]
  | readonly (ArrayBufferLike | ArrayBufferView)[];

/** What a 'message' listener gets: a text message is what `textType` says, a binary one what `binaryType` says. */
export type MessageData = Buffer | ArrayBuffer | Buffer[] | string;

/** A message of `ws`: no string. */
export type RawData = Buffer | ArrayBuffer | Buffer[];

/** How text messages arrive at 'message' listeners: a Buffer of UTF-8, or a string. */
export type TextType = 'buffer' | 'string';

/** How binary messages arrive: a Buffer, an ArrayBuffer of its own, an array of Buffers, or a Blob (not in the types, as in `@types/ws`). */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

/** What carries a connection's bytes: the driver's own socket, or a stream of Node's. */
export type TransportKind = 'native' | 'stream';

/**
 * What happens to a message for which too much waits already. Its callback or promise gets an error with the code
 * `WS_ERR_BACKPRESSURE`, and `send` returns false, but for `sendAsync` with 'wait'.
 *
 * - 'close': the connection is closed with 1013. What waits is still sent, then the Close frame; a peer that does not
 *   take it within `closeTimeout` is cut.
 * - 'drop': this message is dropped, and the connection goes on.
 * - 'wait': a message of `sendAsync` waits while more than `highWaterMark` is buffered, in order; its data must not change
 *   meanwhile. Everything else is dropped, and so is what `send` gets while a message waits that there is no room for, so
 *   that none overtakes another.
 */
export type BackpressurePolicy = 'close' | 'drop' | 'wait';

/** Called when the data was handed to the kernel, or with an error when it never will be. */
export type SendCallback = (error?: Error) => void;

/** Options of `send`. */
export interface SendOptions {
  /** Send a binary message. Default: true unless the data is a string or a number. */
  binary?: boolean;
  /** The last part of the message. Default: true. */
  fin?: boolean;
  /** Compress, where the connection can. Default: true. */
  compress?: boolean;
  /**
   * False: a client masks with a key of zeros, so that the payload is on the wire as it is (`ws` sends a frame without a
   * mask, which servers refuse). Servers never mask. Default: true.
   */
  mask?: boolean;
}

/** Options of `sendAsync`. */
export interface SendAsyncOptions extends SendOptions {
  /**
   * Gives the message up while it waits for room, or behind a Blob or a writer. One that the connection has is sent.
   * Default: none.
   */
  signal?: AbortSignal;
}

/** Options of `receive`. */
export interface ReceiveOptions {
  /** Ends the waiting; the connection and its messages stay as they are. Default: none. */
  signal?: AbortSignal;
}

/** A message as `receive` and `for await` give it. */
export interface ReceivedMessage {
  /** As a 'message' listener gets it, but never borrowed. */
  data: MessageData;
  /** Whether it is a binary message. */
  isBinary: boolean;
}

/** Options of every connection, on clients and servers. */
export interface ConnectionSettings {
  /** Largest message accepted, in bytes; a larger one ends the connection with 1009. 0: 4 GiB - 1. Default: 100 MiB, as `ws`. */
  maxPayload?: number;
  /** Most frames in one message; more end the connection with 1008. 0: no limit. Default: 131,072: real peers send 65,536. */
  maxFragments?: number;
  /** Accept text messages that are not valid UTF-8. Default: false, as `ws`. */
  skipUTF8Validation?: boolean;
  /**
   * What 'message' listeners get for a text message. `onmessage` and `addEventListener` always give strings. Default:
   * 'buffer', as `ws`.
   */
  textType?: TextType;
  /**
   * 'copy': messages are the listener's to keep. 'borrow': most are views of memory that is used again after the
   * listener has returned, which saves a copy; what is kept has to be copied. Default: 'copy', because a view that is kept changes.
   */
  delivery?: 'copy' | 'borrow';
  /**
   * Messages are streams that are read while they arrive ('messageStream' events), and never whole ('message' events,
   * `receive`). `maxPayload` counts, and with 0 there is no limit at all; the default of `maxFragments` is 0. Not with
   * `delivery: 'borrow'`. Default: false, as `ws`.
   */
  messageStream?: boolean;
  /** Answer pings without being asked. Default: true, as `ws`. */
  autoPong?: boolean;
  /** Milliseconds that the closing handshake may take before the connection is cut. Default: 30,000, as `ws`. */
  closeTimeout?: number;
  /**
   * Milliseconds between the pings that the library sends by itself; none while the last one is not answered. 0: none.
   * While the socket is paused, which keeps pongs from being read, the peer is not judged. Default: 0, as `ws`.
   */
  pingInterval?: number;
  /**
   * Milliseconds after such a ping within which something must arrive: a pong, a message, or a part of one. Else the
   * connection is cut: an 'error' with the code `WS_ERR_PING_TIMEOUT`, then 'close' with 1006. 0: never cut. Default:
   * 20,000: longer than the pauses of mobile networks.
   */
  pingTimeout?: number;
  /**
   * Milliseconds without anything from the peer, be it a part of a message, after which the connection is closed with
   * 1001, at most an eighth late; `closeTimeout` bounds how long a peer that is gone is then waited for. Time during which the
   * socket is paused does not count, and answers to `pingInterval` do count as life. 0: no limit. Default: 0,
   * as `ws`.
   */
  idleTimeout?: number;
  /**
   * Bytes on the wire waiting to be sent above which `send` returns false; 'drain' follows when none wait any more.
   * Default: 64 KiB: enough for the kernel to be kept busy, little for each of many sockets.
   */
  highWaterMark?: number;
  /**
   * Most bytes on the wire that may wait to be sent, frame headers included; one message is always accepted when none
   * wait. Pings and pongs may use 64 KiB beyond. What happens to a message above it is `backpressure`'s business.
   * 0: no limit. Default: 64 MiB; without a limit, as `ws` has it, one slow peer can take all memory.
   */
  maxBackpressure?: number;
  /** What happens to a message that `maxBackpressure` leaves no room for. Default: 'close': nothing is lost unseen. */
  backpressure?: BackpressurePolicy;
  /**
   * 'auto' uses the driver's own socket where it can (TCP and Unix sockets without TLS, not on Windows) and the stream
   * elsewhere; 'stream' always uses the stream; 'native' is 'auto' by another name. Default: 'auto', the cheaper one. The environment
   * variable `WEBSOCKET_COMPONENT_TRANSPORT` overrides it. `socket.transport` tells what was chosen.
   */
  transport?: 'auto' | TransportKind;
  /**
   * Compression of messages (permessage-deflate, RFC 7692), where the other side agrees: one of three presets, or options
   * of one's own. 'shared' costs an idle connection no memory; 'dedicated' compresses small messages better. `maxPayload`
   * counts what comes out. Default: 'off' on servers, 'dedicated' on clients, as `ws`; false and true are the same.
   */
  perMessageDeflate?: boolean | DeflatePreset | PerMessageDeflateOptions;
  /**
   * Messages, pings and pongs that arrived together are delivered one behind the other, and callbacks of promises run
   * after the last of them. False: they run after each, which takes some 20 ns for each. Default: true, as `ws`.
   */
  allowSynchronousEvents?: boolean;
  /**
   * Listeners run in the AsyncLocalStorage context that the socket was made in (by the constructor, or by
   * `handleUpgrade`), callbacks in that of the call. Otherwise both run without one. Default: false, because every event
   * costs about 70 ns more.
   */
  asyncContext?: boolean;
  /** Of `ws`, without effect: what has arrived of a message lies in one piece, which `maxPayload` limits. */
  maxBufferedChunks?: number;
  /** Of `ws`, without effect: pongs that wait take at most 64 KiB. */
  maxPendingAutoPongs?: number;
}

/** Options of a client: those of `http.request` and `tls.connect`, and these. */
export interface ClientOptions
  extends ConnectionSettings, Omit<ConnectionOptions, 'host' | 'port' | 'path' | 'timeout'> {
  /** Milliseconds for connecting and the opening handshake together, anew for each redirect. 0: no limit. Default: 0, as `ws`. */
  handshakeTimeout?: number;
  /**
   * Follow redirects (300 to 399 with a Location). Without a 'redirect' listener, Authorization, Proxy-Authorization,
   * Cookie and `auth` are kept from another host, and from the same host when TLS is lost; a Host header field is kept
   * from another host. With a listener that is the listener's business. Default: false, as `ws`.
   */
  followRedirects?: boolean;
  /** Most redirects that are followed; one more fails the handshake. Default: 10, as `ws`. */
  maxRedirects?: number;
  /** Further header fields of the request. Default: none. */
  headers?: OutgoingHttpHeaders;
  /** The value of the Origin header field. Default: none. */
  origin?: string;
  /** The subprotocols, when they are not the second argument. Default: none. */
  protocols?: string | string[];
  /** As in `http.request`; proxy agents too. Default: a connection of its own. */
  agent?: Agent | false;
  /** As in `http.request`: makes the stream to the server. Default: `net.connect` or `tls.connect`. */
  createConnection?: ClientRequestArgs['createConnection'] | typeof createConnection;
  /**
   * `user:password` for HTTP's basic authentication; credentials in the URL and an Authorization header come first.
   * Default: none.
   */
  auth?: string;
  /** The address to connect from, as in `net.connect`. Default: the system chooses. */
  localAddress?: string;
  /** 4 or 6: the IP version to connect with, as in `net.connect`; 0: both. Default: 0. */
  family?: number;
  /**
   * Gets each request before it is sent and has to end it. What it throws for the first one, the constructor throws.
   * Default: the request is ended at once.
   */
  finishRequest?: (request: ClientRequest, socket: WebSocket) => void;
  /**
   * Aborts the connecting: 'error' with an AbortError, then 'close' with 1006. Once the socket is open it has no effect, as
   * in `ws` and Node's `http` for an upgraded request; so `AbortSignal.timeout(5000)` limits the connecting alone. Default:
   * none.
   */
  signal?: AbortSignal;
  /** Only 13 is supported. Default: 13. */
  protocolVersion?: number;
  /**
   * Called for each frame that the program or the library sends, to fill the four bytes of its masking key, which are
   * zeros before. What it throws, the function that sends throws, and nothing is sent. A key that others can foresee
   * gives up what masking is for (RFC 6455, 10.3). Only a Close frame that tells the server what it did wrong always has
   * a random key. Default: random keys.
   */
  generateMask?: (mask: Buffer) => void;
}

/** The defaults of every connection; the reasons stand at the options. */
export const connectionDefaults = {
  maxPayload: 100 * 1024 * 1024,
  maxFragments: 131_072,
  skipUTF8Validation: false,
  allowSynchronousEvents: true,
  asyncContext: false,
  textType: 'buffer',
  delivery: 'copy',
  messageStream: false,
  autoPong: true,
  closeTimeout: 30_000,
  pingInterval: 0,
  pingTimeout: 20_000,
  idleTimeout: 0,
  highWaterMark: 64 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  backpressure: 'close',
  transport: 'auto',
} as const;

/** Redirects; clients. */
const defaultMaxRedirects = 10;

/** `ConnectionSettings` with every default filled in. */
export interface ResolvedSettings {
  maxPayload: number;
  maxFragments: number;
  skipUTF8Validation: boolean;
  allowSynchronousEvents: boolean;
  asyncContext: boolean;
  textType: TextType;
  delivery: 'copy' | 'borrow';
  messageStream: boolean;
  autoPong: boolean;
  closeTimeout: number;
  pingInterval: number;
  pingTimeout: number;
  idleTimeout: number;
  highWaterMark: number;
  maxBackpressure: number;
  backpressure: BackpressurePolicy;
  transport: 'auto' | TransportKind;
  /** Undefined: permessage-deflate is not negotiated. */
  deflate: DeflateSettings | undefined;
  /** Undefined on servers. */
  generateMask: ClientOptions['generateMask'];
}

/** Fills in the defaults and checks the values. `compresses`: the default of `perMessageDeflate`. `generateMask`: of a client. */
export function resolveSettings(
  options: ConnectionSettings,
  compresses: boolean,
  generateMask?: ClientOptions['generateMask'],
): ResolvedSettings {
  const messageStream = Boolean(options.messageStream);
  if (messageStream && options.delivery === 'borrow') {
    throw new TypeError(
      `The option "delivery" must be 'copy' with "messageStream": streams keep what they have not given`,
    );
  }
  // A stream holds no more for many fragments than for few.
  const maxFragments = messageStream ? 0 : connectionDefaults.maxFragments;
  return {
    maxPayload: count('maxPayload', options.maxPayload ?? connectionDefaults.maxPayload),
    maxFragments: count('maxFragments', options.maxFragments ?? maxFragments, 2 ** 32 - 1),
    skipUTF8Validation: Boolean(options.skipUTF8Validation),
    allowSynchronousEvents: options.allowSynchronousEvents ?? connectionDefaults.allowSynchronousEvents,
    asyncContext: options.asyncContext ?? connectionDefaults.asyncContext,
    textType: oneOf('textType', ['buffer', 'string'], options.textType ?? connectionDefaults.textType),
    delivery: oneOf('delivery', ['copy', 'borrow'], options.delivery ?? connectionDefaults.delivery),
    messageStream,
    autoPong: options.autoPong ?? connectionDefaults.autoPong,
    closeTimeout: milliseconds('closeTimeout', options.closeTimeout ?? connectionDefaults.closeTimeout),
    pingInterval: milliseconds('pingInterval', options.pingInterval ?? connectionDefaults.pingInterval),
    pingTimeout: milliseconds('pingTimeout', options.pingTimeout ?? connectionDefaults.pingTimeout),
    idleTimeout: milliseconds('idleTimeout', options.idleTimeout ?? connectionDefaults.idleTimeout),
    highWaterMark: count('highWaterMark', options.highWaterMark ?? connectionDefaults.highWaterMark),
    maxBackpressure: count('maxBackpressure', options.maxBackpressure ?? connectionDefaults.maxBackpressure),
    backpressure: oneOf(
      'backpressure',
      ['close', 'drop', 'wait'],
      options.backpressure ?? connectionDefaults.backpressure,
    ),
    transport: oneOf('transport', ['auto', 'native', 'stream'], options.transport ?? connectionDefaults.transport),
    deflate: resolveDeflate(options.perMessageDeflate ?? compresses),
    generateMask,
  };
}

/**
 * Checks the options of a client beyond `ConnectionSettings` that are not Node's business, and fills in their defaults.
 * @throws TypeError or RangeError for an invalid one.
 */
export function checkClientOptions(options: ClientOptions): { handshakeTimeout: number; maxRedirects: number } {
  const version = options.protocolVersion ?? 13;
  if (version !== 13) throw new RangeError(`Unsupported protocol version: ${version} (supported versions: 13)`);
  functionOption('finishRequest', options.finishRequest);
  functionOption('generateMask', options.generateMask);
  return {
    handshakeTimeout: milliseconds('handshakeTimeout', options.handshakeTimeout ?? 0),
    maxRedirects: count('maxRedirects', options.maxRedirects ?? defaultMaxRedirects),
  };
}

/**
 * The WebSocket interface of the WHATWG WebSockets standard, on the engine of the `ws`-like class. The names of the steps
 * are the standard's; docs/whatwg.md has a test for each.
 */
import { setImmediate } from 'node:timers'; // not the one that a test may have replaced
import { ReadyState } from '../ready-state.js';
import type { MessageData } from '../options.js';
import { CloseEvent } from './close-event.js';
import { statusFor, validateClose } from './closing.js';
import { EngineSocket, type Ending } from './engine.js';
import { EventHandlers } from './event-handlers.js';
import { fire } from './fire.js';
import type {
  AnyListener,
  BinaryType,
  Listener,
  ListenerOptions,
  NodeOptions,
  WebSocketConstructor,
  WebSocketEventMap,
} from './types.js';
import { requireProtocols, urlRecord } from './url.js';
import {
  bufferSource,
  clampedUnsignedShort,
  defineInterface,
  domString,
  illegalInvocation,
  isBlob,
  isObject,
  iteratorOf,
  requireArguments,
  stringSequence,
  usvString,
} from './webidl.js';

const { MessageEvent } = globalThis;
// For every message: a constant of another module would be looked up at each use.
const { Connecting, Open } = ReadyState;

/**
 * The WebSocket interface of the WHATWG WebSockets standard.
 *
 * The comments say what matters in Node; the rest is the standard's.
 */
export interface WebSocket extends EventTarget {
  /** `readyState` while the connection is made. */
  readonly CONNECTING: 0;
  /** `readyState` when messages can be sent. */
  readonly OPEN: 1;
  /** `readyState` while the connection is ending. */
  readonly CLOSING: 2;
  /** `readyState` when the connection is gone. */
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
  /** The negotiated extensions: 'permessage-deflate', or nothing. */
  readonly extensions: string;
  /** The subprotocol that the server chose, or an empty string. */
  readonly protocol: string;
  /** How binary messages arrive. Default: 'blob'. Another value than the two is ignored. */
  binaryType: BinaryType;

  /** The event handler of 'open'. Null: none; an object that is no function does nothing. */
  onopen: Listener<WebSocket, Event> | null;
  /** The event handler of 'message'. */
  onmessage: Listener<WebSocket, MessageEvent> | null;
  /** The event handler of 'error'. */
  onerror: Listener<WebSocket, Event> | null;
  /** The event handler of 'close'. */
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

  /** Adds a listener; the same one is added once. What it throws is an uncaught exception. */
  addEventListener<N extends keyof WebSocketEventMap>(
    type: N,
    listener: Listener<WebSocket, WebSocketEventMap[N]>,
    options?: boolean | ListenerOptions,
  ): void;
  /** Adds a listener for an event of the program's own. */
  addEventListener(type: string, listener: AnyListener, options?: boolean | ListenerOptions): void;
  /** Removes a listener. */
  removeEventListener<N extends keyof WebSocketEventMap>(
    type: N,
    listener: Listener<WebSocket, WebSocketEventMap[N]>,
    options?: boolean | { capture?: boolean },
  ): void;
  /** Removes a listener of an event of the program's own. */
  removeEventListener(type: string, listener: AnyListener, options?: boolean | { capture?: boolean }): void;
}

class WebSocketClass extends EventTarget {
  readonly #engine: EngineSocket<WebSocketClass>;
  readonly #url: string;
  readonly #origin: string;
  /** OPEN until the last task, also when the closing handshake has begun: see `readyState`. */
  #state: ReadyState = ReadyState.Connecting;
  #binaryType: BinaryType = 'blob';
  #handlers: EventHandlers | undefined;

  constructor(url: unknown, protocols: unknown = []) {
    requireArguments(arguments.length, 1, 'The constructor of WebSocket');
    super();
    const text = usvString(url);
    const { names, options } = readProtocols(protocols);
    const record = urlRecord(text);
    requireProtocols(names);
    this.#url = record.href;
    this.#origin = record.origin;
    const engine = new EngineSocket<WebSocketClass>(this, record, names, {
      ...options,
      allowSynchronousEvents: false, // each message is a task
    });
    engine.binaryType = 'blob';
    engine.on('open', WebSocketClass.#onOpen);
    engine.on('message', WebSocketClass.#onMessage);
    engine.on('close', WebSocketClass.#onClose);
    this.#engine = engine;
  }

  get url(): string {
    return WebSocketClass.#of(this).#url;
  }

  get readyState(): ReadyState {
    const socket = WebSocketClass.#of(this);
    return socket.#state === ReadyState.Open && socket.#engine.hasStartedClosing ? ReadyState.Closing : socket.#state;
  }

  get bufferedAmount(): number {
    return WebSocketClass.#of(this).#engine.bufferedAmount;
  }

  get onopen(): object | null {
    return WebSocketClass.#handler(this, 'open');
  }

  set onopen(value: unknown) {
    WebSocketClass.#setHandler(this, 'open', value);
  }

  get onerror(): object | null {
    return WebSocketClass.#handler(this, 'error');
  }

  set onerror(value: unknown) {
    WebSocketClass.#setHandler(this, 'error', value);
  }

  get onclose(): object | null {
    return WebSocketClass.#handler(this, 'close');
  }

  set onclose(value: unknown) {
    WebSocketClass.#setHandler(this, 'close', value);
  }

  get extensions(): string {
    return WebSocketClass.#of(this).#engine.extensions;
  }

  get protocol(): string {
    return WebSocketClass.#of(this).#engine.protocol;
  }

  close(...args: unknown[]): void {
    const socket = WebSocketClass.#of(this);
    const [code, reason] = args;
    const status = code === undefined ? null : clampedUnsignedShort(code);
    const text = reason === undefined ? '' : usvString(reason);
    validateClose(status, text);
    if (socket.#state >= ReadyState.Closing) return;
    socket.#state = ReadyState.Closing;
    socket.#engine.close(statusFor(status, text), text);
  }

  get onmessage(): object | null {
    return WebSocketClass.#handler(this, 'message');
  }

  set onmessage(value: unknown) {
    WebSocketClass.#setHandler(this, 'message', value);
  }

  get binaryType(): BinaryType {
    return WebSocketClass.#of(this).#binaryType;
  }

  set binaryType(value: unknown) {
    const socket = WebSocketClass.#of(this);
    const type = domString(value);
    if (type === 'blob' || type === 'arraybuffer') socket.#engine.binaryType = socket.#binaryType = type;
  }

  /** V8 puts it whole into a program's handler, so what is rare stands in functions of its own. */
  send(data: unknown): void {
    if (!(#engine in this)) throw notASocket();
    if (arguments.length === 0) requireData();
    const message = typeof data === 'string' ? data : (bufferSource(data) ?? toMessage(data));
    if (this.#state === Connecting) throw notOpenError();
    this.#engine.send(message);
  }

  static #of(value: unknown): WebSocketClass {
    if (!isObject(value) || !(#engine in value)) throw notASocket();
    return value;
  }

  static #handler(value: unknown, type: string): object | null {
    return WebSocketClass.#of(value).#handlers?.get(type) ?? null;
  }

  static #setHandler(value: unknown, type: string, handler: unknown): void {
    const socket = WebSocketClass.#of(value);
    (socket.#handlers ??= new EventHandlers(socket)).set(type, handler);
  }

  // ---- Feedback from the protocol -----------------------------------------------------------------------------------

  static #onOpen(this: EngineSocket<WebSocketClass>): void {
    const { owner } = this;
    if (owner.#state !== ReadyState.Connecting) return;
    owner.#state = ReadyState.Open;
    fire(owner, new Event('open'));
  }

  static #onMessage(this: EngineSocket<WebSocketClass>, data: MessageData): void {
    const { owner } = this;
    if (owner.#state !== Open) return;
    fire(owner, new MessageEvent('message', { data, origin: owner.#origin }));
  }

  /** A task of its own: what led to the end may have been a call of the program's. */
  static #onClose(this: EngineSocket<WebSocketClass>, code: number, reason: Buffer): void {
    setImmediate(WebSocketClass.#closed, this.owner, this.ending(code, reason));
  }

  static #closed(socket: WebSocketClass, ending: Ending): void {
    socket.#state = ReadyState.Closed;
    if (ending.hasFailed) {
      fire(socket, new Event('error'));
      setImmediate(WebSocketClass.#fireClose, socket, ending); // behind the microtasks of the listeners
    } else {
      WebSocketClass.#fireClose(socket, ending);
    }
  }

  static #fireClose(socket: WebSocketClass, { code, reason, wasClean }: Ending): void {
    fire(socket, new CloseEvent('close', { code, reason, wasClean }));
  }
}

Object.defineProperty(WebSocketClass, 'name', { value: 'WebSocket' });
defineInterface(
  WebSocketClass,
  [
    'url',
    'readyState',
    'bufferedAmount',
    'onopen',
    'onerror',
    'onclose',
    'extensions',
    'protocol',
    'close',
    'onmessage',
    'binaryType',
    'send',
  ],
  { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 },
);

/**
 * (DOMString or sequence<DOMString>), or Node's additions. Those come in an object that the standard would take for the
 * string "[object Object]", which is no subprotocol.
 */
function readProtocols(value: unknown): { names: string[]; options: NodeOptions } {
  if (!isObject(value)) return { names: [domString(value)], options: {} };
  if (iteratorOf(value) !== undefined)
    return { names: stringSequence(value, domString, 'The subprotocols'), options: {} };
  if (!isPlain(value)) return { names: [domString(value)], options: {} };
  const { protocols, ...options } = value as { protocols?: unknown };
  return { names: protocols === undefined ? [] : readProtocols(protocols).names, options };
}

/** Whether nothing makes the object another string. */
function isPlain(value: object): boolean {
  if (Reflect.get(value, Symbol.toPrimitive) !== undefined) return false;
  const toString: unknown = Reflect.get(value, 'toString');
  return toString === undefined || toString === Object.prototype.toString;
}

/** (Blob or USVString), where the string is no string yet. */
function toMessage(data: unknown): string | Blob {
  return isBlob(data) ? data : domString(data);
}

function notASocket(): TypeError {
  return illegalInvocation('WebSocket');
}

function requireData(): void {
  requireArguments(0, 1, 'send');
}

function notOpenError(): DOMException {
  return new DOMException('The WebSocket is not open yet: wait for its open event', 'InvalidStateError');
}

/** The class of `WebSocket`. */
export const WebSocket = WebSocketClass as unknown as WebSocketConstructor;

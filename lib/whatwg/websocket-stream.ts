/**
 * The WebSocketStream interface of the WHATWG WebSockets standard. Messages wait in the queue of `receive` and `for await`,
 * which pauses the socket; what is written waits in the engine, up to its high-water mark.
 */
import { setImmediate } from 'node:timers'; // not the one that a test may have replaced
import { cancelMessages, messagesOf, type MessageQueue } from '../message-queue.js';
import { ReadyState } from '../ready-state.js';
import { statusFor, validateClose } from './closing.js';
import { EngineSocket, type Ending } from './engine.js';
import type { NodeOptions, WebSocketCloseInfo, WebSocketOpenInfo, WebSocketStreamConstructor } from './types.js';
import { requireProtocols, urlRecord } from './url.js';
import {
  bufferSource,
  Deferred,
  defineInterface,
  dictionary,
  illegalInvocation,
  isObject,
  requireArguments,
  stringSequence,
  usvString,
} from './webidl.js';
import { closeInfo, makeWebSocketError, readWebSocketError } from './websocket-error.js';

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

type Chunk = string | Uint8Array;

/** With the member that @types/node lacks. */
type WritableController = WritableStreamDefaultController & { readonly signal: AbortSignal };

let isStream: (value: unknown) => value is WebSocketStreamClass;

class WebSocketStreamClass {
  readonly #url: string;
  readonly #opened = new Deferred<WebSocketOpenInfo>();
  readonly #closed = new Deferred<Required<WebSocketCloseInfo>>();
  /** Undefined: the signal was aborted before there was one. */
  #engine: EngineSocket<WebSocketStreamClass> | undefined;
  #state: ReadyState = ReadyState.Connecting;
  #wasOpened = false;
  #signal: AbortSignal | undefined;
  /** The signal has ended the handshake. */
  #isAborted = false;
  /** Undefined: the readable stream is not there yet, or takes no chunks any more. */
  #readable: ReadableStreamDefaultController<Chunk> | undefined;
  /** Undefined: the writable stream is not there yet, or has ended. */
  #writable: WritableController | undefined;
  #messages: MessageQueue | undefined;
  /** Ends the write that waits for room. */
  #admitWrite: (() => void) | undefined;
  /** The closing of the writable stream, which waits for that of the connection. */
  #writableClosed: Deferred<void> | undefined;

  constructor(url: unknown, options: unknown = {}) {
    requireArguments(arguments.length, 1, 'The constructor of WebSocketStream');
    const text = usvString(url);
    const { protocols, signal, nodeOptions } = readOptions(options);
    const record = urlRecord(text);
    requireProtocols(protocols);
    this.#url = record.href;
    if (signal?.aborted) {
      this.#reject(signal.reason);
      return;
    }
    const settings = { ...nodeOptions, maxBackpressure: 0 }; // the stream puts one message above the high-water mark
    const engine = new EngineSocket<WebSocketStreamClass>(this, record, protocols, settings);
    engine.binaryType = 'arraybuffer';
    engine.on('open', WebSocketStreamClass.#onOpen);
    engine.on('drain', WebSocketStreamClass.#onDrain);
    engine.on('close', WebSocketStreamClass.#onClose);
    this.#engine = engine;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
  }

  get url(): string {
    return WebSocketStreamClass.#of(this).#url;
  }

  get opened(): Promise<WebSocketOpenInfo> {
    return isStream(this) ? this.#opened.promise : Promise.reject(illegalInvocation('WebSocketStream'));
  }

  get closed(): Promise<WebSocketCloseInfo> {
    return isStream(this) ? this.#closed.promise : Promise.reject(illegalInvocation('WebSocketStream'));
  }

  close(...args: unknown[]): void {
    const stream = WebSocketStreamClass.#of(this);
    const { code, reason } = closeInfo(args[0]);
    stream.#close(code, reason);
  }

  static {
    isStream = (value): value is WebSocketStreamClass => isObject(value) && #engine in value;
  }

  static #of(value: unknown): WebSocketStreamClass {
    if (!isStream(value)) throw illegalInvocation('WebSocketStream');
    return value;
  }

  // ---- Closing ------------------------------------------------------------------------------------------------------

  /** @throws as `validateClose`. */
  #close(code: number | null, reason: string): void {
    validateClose(code, reason);
    if (this.#state >= ReadyState.Closing) return;
    this.#state = ReadyState.Closing;
    const engine = this.#engine;
    if (engine === undefined) return;
    if (this.#wasOpened) cancelMessages(engine);
    engine.close(statusFor(code, reason), reason);
  }

  #closeUsingReason(reason: unknown): void {
    const info = readWebSocketError(reason);
    try {
      this.#close(info?.code ?? null, info?.reason ?? '');
    } catch {
      this.#close(null, ''); // the code of an error that we made
    }
  }

  readonly #onAbort = (): void => {
    if (this.#wasOpened) return;
    this.#isAborted = true;
    this.#close(null, '');
    this.#reject((this.#signal as AbortSignal).reason);
  };

  #reject(reason: unknown): void {
    this.#opened.reject(reason);
    this.#closed.reject(reason);
  }

  // ---- The streams --------------------------------------------------------------------------------------------------

  #makeReadable(): ReadableStream<Chunk> {
    return new ReadableStream<Chunk>({
      start: (controller) => {
        this.#readable = controller;
      },
      pull: async () => {
        await this.#pull();
      },
      cancel: (reason) => {
        this.#readable = undefined;
        this.#closeUsingReason(reason);
      },
    });
  }

  /** Passes a message on. False: there will be none; what ended the connection is seen to by `#finish`. */
  async #pull(): Promise<boolean> {
    const message = await this.#messages?.take().catch(() => undefined);
    if (message === undefined) return false;
    const data = message.data as string | ArrayBuffer;
    this.#readable?.enqueue(typeof data === 'string' ? data : new Uint8Array(data));
    return true;
  }

  #makeWritable(): WritableStream<unknown> {
    return new WritableStream<unknown>({
      start: (controller) => {
        this.#writable = controller as WritableController;
        // `abort` waits for the write that waits for room, which is not to keep it.
        this.#writable.signal.addEventListener('abort', () => this.#admitWrite?.());
      },
      write: (chunk) => this.#write(chunk),
      close: () => {
        this.#writableClosed = new Deferred();
        this.#writable = undefined;
        this.#close(null, '');
        return this.#writableClosed.promise;
      },
      abort: (reason) => {
        this.#writable = undefined;
        this.#closeUsingReason(reason);
      },
    });
  }

  /** @throws TypeError for a symbol, shared or resizable memory. */
  #write(chunk: unknown): Promise<void> | undefined {
    const data = bufferSource(chunk) ?? usvString(chunk);
    if (this.#state !== ReadyState.Open || this.#engine === undefined || this.#engine.send(data)) return undefined;
    return new Promise((resolve) => {
      this.#admitWrite = resolve;
    });
  }

  // ---- Feedback from the protocol -----------------------------------------------------------------------------------

  static #onOpen(this: EngineSocket<WebSocketStreamClass>): void {
    const stream = this.owner;
    if (stream.#state !== ReadyState.Connecting) return;
    stream.#state = ReadyState.Open;
    stream.#wasOpened = true;
    stream.#signal?.removeEventListener('abort', stream.#onAbort);
    stream.#messages = messagesOf(this);
    const { extensions, protocol } = this;
    stream.#opened.resolve({
      extensions,
      protocol,
      readable: stream.#makeReadable(),
      writable: stream.#makeWritable(),
    });
  }

  static #onDrain(this: EngineSocket<WebSocketStreamClass>): void {
    this.owner.#admitWrite?.();
  }

  /** A task of its own: what led to the end may have been a call of the program's. */
  static #onClose(this: EngineSocket<WebSocketStreamClass>, code: number, reason: Buffer): void {
    const ending = this.ending(code, reason);
    setImmediate(() => void this.owner.#finish(ending));
  }

  async #finish({ code, reason, wasClean }: Ending): Promise<void> {
    this.#state = ReadyState.Closed;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#admitWrite?.();
    if (this.#isAborted) return;
    if (!this.#wasOpened) this.#opened.reject(makeWebSocketError('The connection could not be opened', null, ''));
    if (wasClean) {
      await this.#passOnRest();
      this.#readable?.close();
      this.#writable?.error(new DOMException('A closed WebSocketStream cannot be written to', 'InvalidStateError'));
      this.#writableClosed?.resolve();
      this.#closed.resolve({ closeCode: code, reason });
    } else {
      const error = makeWebSocketError('The connection was not closed cleanly', code, reason);
      this.#readable?.error(error);
      this.#writable?.error(error);
      this.#writableClosed?.reject(error);
      this.#closed.reject(error);
    }
  }

  /** What came before the peer's Close frame and was not read yet. */
  async #passOnRest(): Promise<void> {
    while (await this.#pull());
  }
}

Object.defineProperty(WebSocketStreamClass, 'name', { value: 'WebSocketStream' });
defineInterface(WebSocketStreamClass, ['url', 'opened', 'closed', 'close']);

/** A WebSocketStreamOptions, converted. */
function readOptions(value: unknown): {
  protocols: string[];
  signal: AbortSignal | undefined;
  nodeOptions: NodeOptions;
} {
  const { protocols, signal, ...nodeOptions } = dictionary(value, 'The options');
  const names = protocols === undefined ? [] : stringSequence(protocols, usvString, 'The option "protocols"');
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError('The option "signal" must be an AbortSignal');
  }
  return { protocols: names, signal, nodeOptions };
}

/** The class of `WebSocketStream`. */
export const WebSocketStream = WebSocketStreamClass as unknown as WebSocketStreamConstructor;

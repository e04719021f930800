/**
 * `socket.createMessageWriter()`: a message that is sent piece by piece, as a Writable. It has its place among the messages
 * of the connection from its creation on (send-queue.ts), and sends frames itself when it is its turn.
 */
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { addAbortSignal, Writable } from 'node:stream';
import { count, signalOption } from './checks.js';
import type { Connection } from './connection.js';
import { describe } from './describe.js';
import { isConnectionEnd, notSentError } from './errors.js';
import { noRoom, type Held } from './native.js';
import type { SendCallback } from './options.js';
import { ReadyState } from './ready-state.js';
import { SendQueue } from './send-queue.js';

/** Options of `createMessageWriter`. */
export interface MessageWriterOptions {
  /** Send a binary message; else a text message. Default: true. */
  binary?: boolean;
  /** Compress, where the connection can. Default: true. */
  compress?: boolean;
  /**
   * Bytes that may wait in the writer before `write` returns false; those that wait on the connection count apart.
   * Default: Node's, 16 or 64 KiB.
   */
  highWaterMark?: number;
  /** Destroys the writer with an AbortError. Default: none. */
  signal?: AbortSignal;
}

/** Chunks smaller than this are gathered until the program's present call has returned, and leave in one frame. */
const gatheredBytes = 16 * 1024;

/** Longest frame; more of a chunk follows when the connection has room again. */
const maxFrameBytes = 256 * 1024;

/** What half of a surrogate pair becomes when the other half does not come. */
const replacement = Buffer.from('\ufffd');

const empty = Buffer.alloc(0);

type Callback = (error?: Error | null) => void;

const State = {
  /** It is not this writer's turn. */
  Waiting: 0,
  Ready: 1,
  /** Too much waits on the connection. */
  Blocked: 2,
  /** The connection has the whole message, or will never have it. */
  Done: 3,
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * A message that is sent while it is written: `write` sends a piece, `end` the last one. Memory is bounded: `write` calls
 * back when the connection has less than its `highWaterMark` to send, and `end` when the message was handed to the kernel.
 *
 * What the socket sends meanwhile waits until this message is complete, within `maxBackpressure`; pings and pongs do not.
 *
 * `destroy`, or an abort, before the end: a message of which nothing was sent is dropped; one that has begun cannot be
 * taken back, so the connection is closed with 1011. When the connection ends or `socket.close` is called before `end`,
 * the writer is destroyed with an error (`WS_ERR_CONNECTION_CLOSED`); 'error' is emitted for that only when somebody
 * listens, 'close' always.
 *
 * Strings become UTF-8 whatever the kind of message, and a surrogate pair may be split between two of them. What buffers
 * hold is not checked, as in `send`: a text message that is not valid UTF-8 makes the peer close the connection with 1007.
 */
export class MessageWriter extends Writable {
  /** Whether it sends a binary message. */
  readonly isBinary: boolean;
  readonly #compress: boolean;
  /** Undefined: there never was one. */
  readonly #connection: Connection | undefined;
  /** Small chunks that will leave together, and their bytes. */
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** What has to be sent, before what is gathered. */
  #parts: Buffer[] = [];
  /** Half of a surrogate pair, the end of the last string. */
  #surrogate = '';
  /** Of the write or the end that is under way. */
  #callback: Callback | undefined;
  #isEnding = false;
  /** Frames of the message were sent. */
  #hasBegun = false;
  #state: State = State.Waiting;
  /** What was gathered will be sent. */
  #isScheduled = false;

  /**
   * @internal Use `createMessageWriter`.
   * @throws TypeError or RangeError for an invalid option.
   */
  constructor(connection: Connection | undefined, options: MessageWriterOptions) {
    const { binary = true, compress = true, highWaterMark, signal } = options;
    super({
      decodeStrings: false,
      highWaterMark: highWaterMark === undefined ? undefined : count('highWaterMark', highWaterMark),
    });
    this.isBinary = flag('binary', binary);
    this.#compress = flag('compress', compress);
    this.#connection = connection;
    const checked = signalOption(signal);
    if (connection?.readyState !== ReadyState.Open) this.fail(notSentError());
    else (connection.queue ??= new SendQueue(connection)).addWriter(this);
    if (checked !== undefined) addAbortSignal(checked, this);
  }

  /** @internal Frames of the message were sent, so that it cannot be taken back. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** @internal It is the writer's turn. */
  begin(): void {
    process.nextTick(() => this.goOn());
  }

  /** @internal There is more room on the connection than before. */
  goOn(): void {
    if (this.#state === State.Done) return;
    this.#state = State.Ready;
    this.#send();
  }

  /** @internal The connection ended, or was closed, first. */
  fail(error: Error): void {
    this.#state = State.Done;
    this.destroy(error);
  }

  /** @internal */
  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: Callback): void {
    const bytes = this.#toBytes(chunk, encoding);
    if (this.#gatheredBytes + bytes.length >= gatheredBytes) {
      this.#gather(bytes);
      this.#callback = callback;
      this.#send();
      return;
    }
    // The program may use its memory again after the callback.
    this.#gather(typeof chunk === 'string' ? bytes : Buffer.from(bytes));
    if (!this.#isScheduled) process.nextTick(() => this.#sendGathered());
    this.#isScheduled = true;
    callback();
  }

  /** @internal */
  override _final(callback: Callback): void {
    if (this.#surrogate !== '') this.#gather(replacement);
    this.#surrogate = '';
    this.#isEnding = true;
    this.#callback = callback;
    this.#send();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    const pending = this.#callback;
    this.#callback = undefined;
    this.#parts = [];
    this.#gathered = [];
    if (this.#state !== State.Done) {
      this.#state = State.Done;
      this.#connection?.dropWriter(this);
    }
    pending?.(error ?? notSentError());
    // Nobody has to listen for what the peer does.
    if (isConnectionEnd(error)) process.nextTick(() => callback(this.listenerCount('error') > 0 ? error : null));
    else callback(error);
  }

  #toBytes(chunk: Buffer | string, encoding: BufferEncoding): Buffer {
    if (typeof chunk !== 'string' || !/^utf-?8$/i.test(encoding)) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
      if (this.#surrogate === '') return bytes;
      this.#surrogate = '';
      return Buffer.concat([replacement, bytes]);
    }
    const text = this.#surrogate + chunk;
    const last = text.charCodeAt(text.length - 1);
    const isSplit = last >= 0xd800 && last <= 0xdbff;
    this.#surrogate = isSplit ? text.slice(-1) : '';
    return Buffer.from(isSplit ? text.slice(0, -1) : text);
  }

  #gather(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
  }

  /** The call that wrote is over. At the end of the message, `_final` sends what was gathered. */
  #sendGathered(): void {
    this.#isScheduled = false;
    if (!this.writableEnded) this.#send();
  }

  /** Makes parts of what was gathered: small chunks are joined, and a large one is the last. */
  #takeGathered(): void {
    const chunks = this.#gathered;
    const last = chunks[chunks.length - 1] as Buffer | undefined;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (last !== undefined && last.length >= gatheredBytes) {
      chunks.pop();
      if (chunks.length > 0) this.#parts.push(Buffer.concat(chunks));
      this.#parts.push(last);
    } else if (chunks.length > 0) {
      this.#parts.push(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    }
  }

  /** As `Connection.transmit`. */
  #transmit(frame: Buffer, fin: boolean, callback: SendCallback | undefined): Held {
    const connection = this.#connection as Connection;
    if (connection.waiting !== undefined) return noRoom; // messages of `sendAsync` that came before
    try {
      return connection.transmit(frame, this.isBinary, { fin, compress: this.#compress }, callback);
    } catch (error) {
      this.destroy(error as Error); // thrown by `generateMask`
      return -1;
    }
  }

  /** Sends what there is, when it is this writer's turn and as far as the connection has room. */
  #send(): void {
    if (this.#state !== State.Ready || this.#connection === undefined) return;
    this.#takeGathered();
    if (this.#isEnding && this.#parts.length === 0) this.#parts.push(empty);
    while (this.#parts.length > 0) {
      const [part] = this.#parts;
      const frame = part.length > maxFrameBytes ? part.subarray(0, maxFrameBytes) : part;
      const fin = this.#isEnding && this.#parts.length === 1 && frame === part;
      const callback = fin ? (this.#callback as SendCallback) : undefined;
      const held = this.#transmit(frame, fin, callback);
      if (held === noRoom) {
        this.#state = State.Blocked;
        return;
      }
      if (held !== undefined && held < 0) {
        this.destroy(notSentError());
        return;
      }
      this.#hasBegun = true;
      if (frame === part) this.#parts.shift();
      else this.#parts[0] = part.subarray(maxFrameBytes);
      if (fin) {
        this.#state = State.Done;
        this.#callback = undefined;
        this.#connection.queue?.removeWriter(this);
        return;
      }
      if (held !== undefined) {
        this.#state = State.Blocked;
        return;
      }
    }
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }
}

function flag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`The option "${name}" must be true or false, not ${describe(value)}`);
}

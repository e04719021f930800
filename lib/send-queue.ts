/**
 * What stands behind a message that takes a while to send: a Blob, whose bytes have to be read first, or what a
 * `MessageWriter` sends piece by piece. Nothing that is sent later may overtake it. So while there is one, its connection
 * has a queue: it keeps the calls that come meanwhile, and makes them again, in order, as soon as the message is over. It
 * ends with the last such message in it.
 *
 * Pings and pongs go ahead of messages that have not begun, here as everywhere; they wait for each other only.
 */
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { types } from 'node:util';
import { BlobReader } from './blob.js';
import { byteLength, type ControlPayload } from './data.js';
import type { Connection } from './connection.js';
import { driver } from './dispatch.js';
import { notSentError } from './errors.js';
import type { MessageWriter } from './message-writer.js';
import { noRoom } from './native.js';
import type { SendCallback, SendOptions } from './options.js';
import type { Message } from './prepared-message.js';
import { ReadyState } from './ready-state.js';
import { sendAsync } from './waiting-messages.js';

/** Most bytes of a frame's header: what a message takes on the wire besides its payload. */
const headerBytes = 14;

/** Bytes beyond `maxBackpressure` that pings and pongs may use. */
const controlBytes = 64 * 1024;

/** A call of a method of the connection that was put off; or a message that a writer sends itself. */
interface Call {
  /** What has to be over first. */
  source: BlobReader | MessageWriter | undefined;
  /** Payload bytes; of a writer none, because it keeps them. */
  bytes: number;
  isControl: boolean;
  /** It is not the last part of its message. */
  isFragment: boolean;
  callback: SendCallback | undefined;
  /** Makes the call; a Blob's with what was read. */
  make: (read: Message | undefined) => void;
}

/** What a call has unless something else is said. */
const plain = { source: undefined, bytes: 0, isControl: false, isFragment: false, callback: undefined };

export class SendQueue {
  /** Payload bytes that wait. */
  bytes = 0;
  readonly #connection: Connection;
  readonly #calls: Call[] = [];
  #controls = 0;
  /** `close` was called: the last call is the Close frame. */
  #isClosing = false;
  /** Why a Blob could not be read. */
  #failure: Error | undefined;

  /** Use `withQueueFor`, or `Connection.addWriter`. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** The last message is not complete: no other must come behind it. */
  get endsInFragment(): boolean {
    for (let at = this.#calls.length - 1; at >= 0; at--) {
      if (!this.#calls[at].isControl) return this.#calls[at].isFragment;
    }
    return this.#connection.endsInFragment;
  }

  /** As the driver's `send`: nothing, the bytes above the high-water mark that wait, or `noRoom`. */
  send(
    data: Message,
    isBinary: boolean,
    options: SendOptions | undefined,
    callback: SendCallback | undefined,
  ): number | undefined {
    const bytes = byteLength(data);
    if (!this.#hasRoom(bytes, 0)) return noRoom;
    const given = options && { ...options };
    const isFragment = options?.fin === false;
    this.#push(data, { ...plain, bytes, callback, isFragment }, (message) => {
      this.#connection.send(message, isBinary, given, callback);
    });
    const held = this.bytes + driver.bufferedAmount(this.#connection.id);
    return held > this.#connection.settings.highWaterMark ? held : undefined;
  }

  /** As the function `sendAsync` with the policy 'wait'. */
  sendAsync(data: Message, isBinary: boolean, options: SendOptions | undefined, callback: SendCallback): void {
    const bytes = byteLength(data);
    const isFragment = options?.fin === false;
    this.#push(data, { ...plain, bytes, callback, isFragment }, (message) => {
      sendAsync(this.#connection, message, isBinary, options, callback);
    });
  }

  /** Takes a ping or pong that has to wait; false: it has not. */
  takeControl(isPong: boolean, data: ControlPayload, callback: SendCallback | undefined, mask: unknown): boolean {
    if (this.#controls === 0 && !(data instanceof BlobReader)) return false;
    const bytes = byteLength(data);
    if (!this.#hasRoom(bytes, controlBytes)) {
      this.#connection.overflow(callback);
      return true;
    }
    this.#push(data, { ...plain, bytes, callback, isControl: true }, (message) => {
      this.#connection.sendControl(isPong, message as string | Uint8Array, callback, mask);
    });
    return true;
  }

  /** Gives a writer its place. */
  addWriter(writer: MessageWriter): void {
    this.#add({ ...plain, source: writer, make: () => {} });
  }

  /** The message of a writer is complete, or will not be begun. */
  removeWriter(writer: MessageWriter): void {
    this.#remove((call) => call.source === writer);
  }

  /** More room than before: for the writer whose turn it is. */
  mayGoOn(): void {
    const source = this.#calls[0]?.source;
    if (isWriter(source)) source.goOn();
  }

  /** Gives up the message with this callback; false: it is not here. */
  giveUp(callback: SendCallback): boolean {
    return this.#remove((call) => call.callback === callback);
  }

  /**
   * Sends the Close frame behind the rest; nothing is taken afterwards. Writers that their program has not ended are given
   * up. False: one of them has begun, so that nothing can follow but a Close frame.
   */
  close(status: number | undefined, reason: string | Uint8Array): boolean {
    const open = this.#calls.map(({ source }) => source).filter((source) => isWriter(source) && !source.writableEnded);
    if (open.some((writer) => (writer as MessageWriter).hasBegun)) return false;
    this.#isClosing = true;
    this.#connection.readyState = ReadyState.Closing;
    const kept = typeof reason === 'string' ? reason : Buffer.from(reason);
    this.#add({ ...plain, make: () => this.#connection.close(status, kept) });
    for (const writer of open) (writer as MessageWriter).destroy(notSentError());
    return true;
  }

  /** Gives everything up: each callback and each writer gets an error. Returns how many bytes will not be sent. */
  abort(): number {
    const error = this.#failure ?? notSentError();
    this.#connection.queue = undefined;
    for (const { callback, source } of this.#calls.splice(0)) {
      if (callback) process.nextTick(callback, error);
      if (isWriter(source)) source.fail(error);
    }
    return this.bytes;
  }

  #hasRoom(bytes: number, beyond: number): boolean {
    const { maxBackpressure } = this.#connection.settings;
    if (maxBackpressure === 0) return true;
    const waiting = driver.bufferedAmount(this.#connection.id) + this.bytes + this.#calls.length * headerBytes;
    return waiting === 0 || waiting + bytes + headerBytes <= maxBackpressure + beyond;
  }

  /** Puts a call off that sends this data, as it is now. */
  #push(data: Message, call: Omit<Call, 'make'>, make: (message: Message) => void): void {
    const kept = keep(data);
    const source = data instanceof BlobReader ? data : undefined;
    this.#add({ ...call, source, make: (read) => make(read ?? kept) });
  }

  #add(call: Call): void {
    this.bytes += call.bytes;
    if (call.isControl) this.#controls++;
    this.#calls.push(call);
    if (this.#calls.length === 1) this.#begin();
  }

  /** Removes a call; false: there is none. */
  #remove(isSought: (call: Call) => boolean): boolean {
    const at = this.#calls.findIndex(isSought);
    if (at < 0) return false;
    const [{ bytes, isControl }] = this.#calls.splice(at, 1);
    this.bytes -= bytes;
    if (isControl) this.#controls--;
    if (at === 0) this.#makeCalls();
    return true;
  }

  /** It is the first call's turn. */
  #begin(): void {
    const [call] = this.#calls;
    const { source } = call;
    if (isWriter(source)) source.begin();
    if (!(source instanceof BlobReader)) return;
    // The calls are made outside of the promise, so that what a handler throws is an uncaught exception as elsewhere.
    source.read().then(
      (read) => process.nextTick(() => this.#calls[0] === call && this.#proceed(read)),
      (error: unknown) => process.nextTick(() => this.#calls[0] === call && this.#fail(error as Error)),
    );
  }

  /** What the first call has waited for is over. */
  #proceed(read: Message | undefined): void {
    this.#calls[0].source = undefined;
    this.#makeCalls(read);
  }

  /** Makes the first calls, up to the next that has to wait. */
  #makeCalls(read?: Message): void {
    const connection = this.#connection;
    // The connection is what it was when the calls were put off.
    connection.queue = undefined;
    if (this.#isClosing) connection.readyState = ReadyState.Open;
    while (this.#calls.length > 0 && this.#calls[0].source === undefined) {
      this.#make(read);
      read = undefined;
    }
    if (this.#calls.length === 0) {
      connection.mayDrain();
    } else if (connection.readyState === ReadyState.Open) {
      connection.queue = this;
      if (this.#isClosing) connection.readyState = ReadyState.Closing;
      this.#begin();
    } else {
      connection.abandon(this); // a call found no room, and the policy was to close
    }
  }

  #make(read: Message | undefined): void {
    const { bytes, isControl, callback, make } = this.#calls.shift() as Call;
    this.bytes -= bytes;
    if (isControl) this.#controls--;
    try {
      make(read);
    } catch (error) {
      process.nextTick(callback ?? rethrow, error);
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#connection.breakOff(error);
  }
}

/** What `generateMask` threw for a frame without a callback, when the call that sent it is long over. */
function rethrow(error: unknown): never {
  throw error;
}

/**
 * Makes a call that sends the data, with a queue when it is a Blob.
 * @param call calls a method of the connection
 */
export function withQueueFor<T>(data: Message, connection: Connection, call: () => T): T {
  if (!(data instanceof BlobReader)) return call();
  if (connection.readyState === ReadyState.Open) connection.queue ??= new SendQueue(connection);
  try {
    return call();
  } finally {
    if (connection.queue?.isEmpty) connection.queue = undefined; // there was no room
  }
}

/** Sends a Blob. Apart from `WebSocket.send`, whose variables a closure would make an object of. */
export function sendBlob(
  connection: Connection,
  blob: Message,
  options: SendOptions | undefined,
  cb: SendCallback | undefined,
): boolean {
  return withQueueFor(blob, connection, () => connection.send(blob, true, options, cb ?? undefined));
}

function isWriter(source: Call['source']): source is MessageWriter {
  return source !== undefined && !(source instanceof BlobReader);
}

/** The data as it is now: the program may change its own as soon as it was passed. */
function keep(data: Message): Message {
  if (data instanceof Uint8Array) return Buffer.from(data);
  return types.isArrayBuffer(data) ? data.slice(0) : data;
}

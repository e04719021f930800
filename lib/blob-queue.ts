/**
 * What stands behind a Blob. The bytes of a Blob have to be read before they can be sent, and nothing that is sent later
 * may overtake them. So while one is read its connection has a queue: it keeps the calls that come meanwhile, and makes
 * them again, in order, as soon as the bytes are there. It ends with the last Blob in it.
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
import { noRoom } from './native.js';
import type { SendCallback, SendOptions } from './options.js';
import type { Message } from './prepared-message.js';
import { ReadyState } from './ready-state.js';

/** Most bytes of a frame's header: what a message takes on the wire besides its payload. */
const headerBytes = 14;

/** Bytes beyond `maxBackpressure` that pings and pongs may use. */
const controlBytes = 64 * 1024;

/** A call of a method of the connection that was put off. */
interface Call {
  /** What has to be read first. */
  source: BlobReader | undefined;
  /** Payload bytes. */
  bytes: number;
  isControl: boolean;
  callback: SendCallback | undefined;
  /** Makes the call, with what was read. */
  make: (read: Message | undefined) => void;
}

export class BlobQueue {
  /** Payload bytes that wait. */
  bytes = 0;
  /** The last message is not complete: a broadcast must not come behind it. */
  endsInFragment: boolean;
  readonly #connection: Connection;
  readonly #calls: Call[] = [];
  #controls = 0;
  /** `close` was called: the last call is the Close frame. */
  #isClosing = false;
  /** Why a Blob could not be read. */
  #failure: Error | undefined;

  /** Use `withQueueFor`. */
  constructor(connection: Connection) {
    this.endsInFragment = !connection.takesBroadcasts;
    this.#connection = connection;
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0;
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
    const kept = keep(data);
    const given = options && { ...options };
    this.endsInFragment = options?.fin === false;
    this.#push(kept, bytes, false, callback, (message) => {
      this.#connection.send(message, isBinary, given, callback);
    });
    const held = this.bytes + driver.bufferedAmount(this.#connection.id);
    return held > this.#connection.settings.highWaterMark ? held : undefined;
  }

  /** As `Connection.sendAsync` with the policy 'wait'. */
  sendAsync(data: Message, isBinary: boolean, options: SendOptions | undefined, callback: SendCallback): void {
    this.endsInFragment = options?.fin === false;
    this.#push(keep(data), byteLength(data), false, callback, (message) => {
      this.#connection.sendAsync(message, isBinary, options, callback);
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
    this.#push(keep(data), bytes, true, callback, (message) => {
      this.#connection.sendControl(isPong, message as string | Uint8Array, callback, mask);
    });
    return true;
  }

  /** Sends the Close frame behind the rest; nothing is taken afterwards. */
  close(status: number | undefined, reason: string | Uint8Array): void {
    this.#isClosing = true;
    this.#connection.readyState = ReadyState.Closing;
    const kept = typeof reason === 'string' ? reason : Buffer.from(reason);
    this.#push('', 0, false, undefined, () => this.#connection.close(status, kept));
  }

  /** Gives everything up: each callback gets an error. Returns how many bytes will not be sent. */
  abort(): number {
    const error = this.#failure ?? notSentError();
    for (const { callback } of this.#calls.splice(0)) if (callback) process.nextTick(callback, error);
    this.#connection.blobs = undefined;
    return this.bytes;
  }

  #hasRoom(bytes: number, beyond: number): boolean {
    const { maxBackpressure } = this.#connection.settings;
    if (maxBackpressure === 0) return true;
    const waiting = driver.bufferedAmount(this.#connection.id) + this.bytes + this.#calls.length * headerBytes;
    return waiting === 0 || waiting + bytes + headerBytes <= maxBackpressure + beyond;
  }

  #push(
    data: Message,
    bytes: number,
    isControl: boolean,
    callback: SendCallback | undefined,
    make: (message: Message) => void,
  ): void {
    const source = data instanceof BlobReader ? data : undefined;
    const call = {
      source,
      bytes,
      isControl,
      callback,
      make: (read: Message | undefined) => make(read ?? data),
    };
    this.bytes += bytes;
    if (isControl) this.#controls++;
    this.#calls.push(call);
    if (this.#calls.length === 1 && source !== undefined) this.#read(call, source);
  }

  #read(call: Call, source: BlobReader): void {
    // The calls are made outside of the promise, so that what a handler throws is an uncaught exception as elsewhere.
    source.read().then(
      (read) => process.nextTick(() => this.#calls[0] === call && this.#proceed(read)),
      (error: unknown) => process.nextTick(() => this.#calls[0] === call && this.#fail(error as Error)),
    );
  }

  /** The first Blob is read: makes its call and those behind it, up to the next Blob. */
  #proceed(read: Message): void {
    const connection = this.#connection;
    // The connection is what it was when the calls were put off.
    connection.blobs = undefined;
    if (this.#isClosing) connection.readyState = ReadyState.Open;
    this.#make(read);
    while (this.#calls.length > 0 && this.#calls[0].source === undefined) this.#make(undefined);
    if (this.#calls.length === 0) {
      connection.mayDrain();
    } else if (connection.readyState === ReadyState.Open) {
      const [next] = this.#calls;
      connection.blobs = this;
      if (this.#isClosing) connection.readyState = ReadyState.Closing;
      this.#read(next, next.source as BlobReader);
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
      if (callback) process.nextTick(callback, error);
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#connection.breakOff(error);
  }
}

/**
 * Makes a call that sends the data, with a queue when it is a Blob.
 * @param call calls a method of the connection
 */
export function withQueueFor<T>(data: Message, connection: Connection, call: () => T): T {
  if (!(data instanceof BlobReader)) return call();
  if (connection.readyState === ReadyState.Open) connection.blobs ??= new BlobQueue(connection);
  try {
    return call();
  } finally {
    if (connection.blobs?.isEmpty) connection.blobs = undefined; // there was no room
  }
}

/** The data as it is now: the program may change its own as soon as it was passed. */
function keep(data: Message): Message {
  if (data instanceof Uint8Array) return Buffer.from(data);
  return types.isArrayBuffer(data) ? data.slice(0) : data;
}

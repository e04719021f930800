/**
 * The receive mode `messageStream`: each message is a Readable that is read while the message arrives. A connection has
 * one such stream at a time. What arrives behind it waits, and when the program is slow, nothing more is read from the
 * peer.
 */
import { AsyncResource } from 'node:async_hooks';
import process from 'node:process';
import { Readable } from 'node:stream';
import type { Connection } from './connection.js';
import { notCompleteError } from './errors.js';
import { FragmentFlag } from './native.js';

/** So many bytes may wait behind the stream that is being read before reading stops; an object counts as some more. */
const maxHeldBytes = 64 * 1024;
const objectBytes = 128;

/** A piece of a message that waits. */
interface Piece {
  data: Buffer;
  flags: number;
}

/**
 * A message that is received while it arrives: Buffers of its payload, with backpressure. A text message is checked as it
 * comes, so that `setEncoding('utf8')` gives valid text.
 *
 * Destroying it early discards the rest of the message; the next one follows. When the connection ends first, it is
 * destroyed with an error (`WS_ERR_CONNECTION_CLOSED`, or the socket's error when the peer is at fault), which is emitted
 * only when somebody listens; 'close' without 'end' tells that the message is not complete.
 */
export class MessageStream extends Readable {
  /** Whether it is a binary message. */
  readonly isBinary: boolean;
  #owner: MessageStreams;
  #hasFailed = false;

  /** @internal */
  constructor(isBinary: boolean, owner: MessageStreams) {
    super();
    this.isBinary = isBinary;
    this.#owner = owner;
  }

  /** @internal The message will never be complete. */
  fail(error: Error): void {
    this.#hasFailed = true;
    this.destroy(error);
  }

  /** @internal */
  override _read(): void {
    this.#owner.wanted(this);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#owner.finished(this);
    // Nobody has to listen for what the peer does.
    if (this.#hasFailed) process.nextTick(() => callback(this.listenerCount('error') > 0 ? error : null));
    else callback(error);
  }
}

/** The streams of a connection. */
export class MessageStreams {
  /** Nothing more is read until the program has read more. */
  isFull = false;
  readonly #connection: Connection;
  /** Of the connection, for `asyncContext`: listeners of its streams run in it, too. */
  readonly #context: AsyncResource | undefined;
  /** Of the message that is arriving, or that the program has not read to its end. */
  #current: MessageStream | undefined;
  /** All of the current stream's message has arrived. */
  #isComplete = false;
  /** `push` told that the current stream has enough. */
  #hasEnough = false;
  /** What came while the socket was paused, and messages behind the current one; those before `#at` are gone. */
  #held: Piece[] = [];
  #at = 0;
  #heldBytes = 0;
  /** No data follows, and why. */
  #isOver = false;
  #error: Error | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    if (connection.settings.asyncContext) this.#context = new AsyncResource('WEBSOCKETMESSAGE');
  }

  /** A piece of a message has arrived. */
  add(data: Buffer, flags: number): void {
    if (this.#at === this.#held.length && this.#takes(flags)) {
      this.#take(data, flags);
      return;
    }
    this.#held.push({ data, flags });
    this.#heldBytes += data.length + objectBytes;
    this.#adjust();
  }

  /** Nothing is delivered any more. */
  drop(): void {
    this.#held = [];
    this.#at = 0;
    this.#heldBytes = 0;
  }

  /** No data follows: a message that is not complete never will be. */
  noMoreFollow(error: Error | undefined): void {
    this.#isOver = true;
    this.#error ??= error;
    this.isFull = false;
    this.releaseSoon();
  }

  /** Delivers what waits, not before the program's present call has returned. */
  releaseSoon(): void {
    process.nextTick(release, this);
  }

  /** Delivers what waits, as far as the program takes it; then the end of the connection. */
  release(): void {
    const connection = this.#connection;
    // In the end, all messages that have arrived are delivered.
    if (connection.isEnded) this.#dropIncomplete();
    let isDone = false;
    try {
      while (this.#at < this.#held.length && this.#takes(this.#held[this.#at].flags)) {
        const { data, flags } = this.#held[this.#at++];
        this.#heldBytes -= data.length + objectBytes;
        this.#take(data, flags);
      }
      isDone = true;
    } finally {
      // The rest comes later, when a handler's exception has been reported.
      if (!isDone) this.releaseSoon();
    }
    if (this.#at === this.#held.length) this.drop();
    this.#adjust();
    if (this.#isOver || connection.isEnded) this.#end();
  }

  /** The stream has room. */
  wanted(stream: MessageStream): void {
    if (stream !== this.#current || !this.#hasEnough) return;
    this.#hasEnough = false;
    this.#adjust();
  }

  /** The stream was read to its end, or destroyed: what is left of its message is discarded, and the next one follows. */
  finished(stream: MessageStream): void {
    if (stream !== this.#current) return;
    this.#current = undefined;
    this.#hasEnough = false;
    if (this.#at < this.#held.length) this.releaseSoon();
    else this.#adjust();
  }

  /** Whether a piece can be delivered now: another message has to wait for the end of the current one. */
  #takes(flags: number): boolean {
    if (this.#connection.isEnded) return true;
    if (this.#connection.isPaused) return false;
    return this.#current === undefined || (flags & FragmentFlag.First) === 0;
  }

  #take(data: Buffer, flags: number): void {
    if (this.#context === undefined) this.#deliver(data, flags);
    else this.#context.runInAsyncScope(() => this.#deliver(data, flags));
  }

  #deliver(data: Buffer, flags: number): void {
    const isFirst = (flags & FragmentFlag.First) !== 0;
    if (isFirst) {
      this.#current = new MessageStream((flags & FragmentFlag.Binary) !== 0, this);
      this.#isComplete = false;
      this.#hasEnough = false;
    }
    const stream = this.#current;
    if (stream === undefined) return; // it was destroyed
    if (data.length > 0 && !stream.push(data)) this.#hasEnough = true;
    if ((flags & FragmentFlag.Last) !== 0) {
      this.#isComplete = true;
      stream.push(null);
    }
    this.#adjust();
    // Last, because a handler may throw. Without one the message is discarded.
    if (isFirst && !this.#connection.socket.emit('messageStream', stream)) stream.destroy();
  }

  /** Stops reading, or goes on. */
  #adjust(): void {
    if (this.#isOver) return;
    const isFull = this.#hasEnough || this.#heldBytes > maxHeldBytes;
    if (isFull === this.isFull) return;
    this.isFull = isFull;
    if (!this.#connection.isPaused && !this.#connection.isEnded) this.#connection.transport.setPaused(isFull);
  }

  /** What arrived of a message that is not complete is not delivered. */
  #dropIncomplete(): void {
    while (this.#held.length > this.#at && (this.#held[this.#held.length - 1].flags & FragmentFlag.Last) === 0) {
      this.#held.pop();
    }
  }

  /** All of the data was delivered, but for a connection that is paused. */
  #end(): void {
    const connection = this.#connection;
    const stream = this.#current;
    if (stream !== undefined && !this.#isComplete && this.#held.length === 0) {
      stream.once('close', () => connection.endIfDue());
      stream.fail(this.#error ?? notCompleteError());
    } else {
      connection.endIfDue();
    }
  }
}

function release(streams: MessageStreams): void {
  streams.release();
}

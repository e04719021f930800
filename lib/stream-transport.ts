/**
 * Carries a connection over any Duplex: a TLS socket, a socket without a descriptor, a pipe in memory. Chunks go into
 * the driver as they come, and what it has to write comes out at most once for each iteration of the loop.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { driver, registerStream, unregisterStream, type WritableTransport } from './dispatch.js';
import { readAhead, WriteState } from './native.js';
import type { Transport } from './transport.js';

const nothing = new Uint8Array();

export class StreamTransport implements Transport, WritableTransport {
  readonly kind = 'stream';
  /** Bytes that may come before reading stops. */
  #readLimit = Infinity;
  /** What the driver has left of the last chunk, while there is much to inflate. */
  #left: Uint8Array = nothing;
  #onData: ((chunk: Uint8Array) => void) | undefined;
  /** Write callbacks that have not come yet, and whether the driver waits for the last of them. */
  #callbacks = 0;
  #isWriting = false;
  #onWritten: ((error?: Error | null) => void) | undefined;

  constructor(
    readonly id: number,
    private readonly duplex: Duplex,
    preamble: string,
    head: Buffer,
    mayDeliver: boolean,
  ) {
    const stream = duplex;
    // A Duplex that is no socket lacks these two.
    const socket = stream as Partial<Pick<Socket, 'setTimeout' | 'setNoDelay'>>;
    socket.setTimeout?.(0);
    socket.setNoDelay?.(true);

    stream.allowHalfOpen = true; // what waits goes out when the peer has ended; then we end the stream
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.#closed());
    if (preamble !== '') stream.write(preamble, 'latin1');
    registerStream(this);
    driver.attachStream(id, head);
    if (stream.destroyed) {
      driver.detach(id);
      return;
    }
    stream.on('end', () => this.#ended());
    this.#onData = (chunk) => {
      this.#readLimit -= chunk.length;
      if (this.#readLimit <= 0) stream.pause();
      if (this.#receive(chunk, mayDeliver)) this.#holdBack();
    };
    stream.on('data', this.#onData);
    if (stream.readableEnded) this.#ended();
  }

  /** For the program, which may write or end it: what was sent before goes first. */
  get stream(): Duplex {
    driver.flush();
    return this.duplex;
  }

  setPaused(paused: boolean): void {
    this.#readLimit = paused ? readAhead : Infinity;
    if (paused) this.#keepLeft();
    else this.duplex.resume();
  }

  /** Gives the driver what it has left and this chunk. Returns whether it is to get more only in a later iteration. */
  #receive(chunk: Uint8Array, mayDeliver: boolean): boolean {
    const left = this.#left;
    const bytes = left.length === 0 ? chunk : chunk.length === 0 ? left : Buffer.concat([left, chunk]);
    this.#left = nothing;
    const count = driver.receive(this.id, bytes, mayDeliver, false);
    if (count > 0) this.#left = bytes.subarray(-count);
    if (this.#readLimit !== Infinity) this.#keepLeft(); // it was paused meanwhile, if not before
    return count >= 0;
  }

  /** For the driver to keep, when nothing will be given to it for long. */
  #keepLeft(): void {
    const bytes = this.#left;
    this.#left = nothing;
    if (bytes.length > 0) driver.receive(this.id, bytes, false, true);
  }

  /** Reads nothing until the driver has inflated what it got: little that is read can become much. */
  #holdBack(): void {
    this.duplex.pause();
    setImmediate(() => {
      if (this.#readLimit !== Infinity) return; // paused by the program as well
      if (this.#receive(nothing, false)) this.#holdBack();
      else this.duplex.resume();
    });
  }

  write(bytes: Buffer): WriteState {
    const stream = this.duplex;
    if (!stream.writable) return WriteState.Failed;
    this.#callbacks++;
    this.#isWriting = true;
    stream.write(bytes, (this.#onWritten ??= this.#written.bind(this)));
    // Most writes are over by now, and need not wait for their callbacks. (A stream with a `write` of its own may hold
    // bytes back that it does not count.)
    const isOver = stream.writableLength === 0 && stream.errored === null && stream.write === Duplex.prototype.write;
    return isOver && this.#stopWaiting() ? WriteState.Done : WriteState.UnderWay;
  }

  /** Whether the last callback was waited for, which it is no more. */
  #stopWaiting(): boolean {
    const isWriting = this.#isWriting;
    this.#isWriting = false;
    return isWriting;
  }

  /** The callback of every write. Late ones, of writes that were over at once, tell nothing. */
  #written(error?: Error | null): void {
    this.#callbacks--;
    if (this.#callbacks === 0 && this.#stopWaiting()) driver.written(this.id, !error);
  }

  end(): void {
    this.duplex.end(() => this.#detachWhenDone());
  }

  destroy(): void {
    driver.destroy(this.id, false);
    this.duplex.destroy();
  }

  closed(): void {
    unregisterStream(this);
    this.duplex.destroy();
  }

  /** The stream is gone; when it was paused, it may hold bytes that came before. */
  #closed(): void {
    const { id, duplex: stream } = this;
    if (this.#onData) stream.off('data', this.#onData);
    this.#keepLeft();
    for (let rest = readRest(stream); rest !== null; rest = readRest(stream)) driver.receive(id, rest, false, true);
    driver.detach(id);
  }

  /** The peer sends nothing more: what is queued goes out, then the stream ends. */
  #ended(): void {
    if (this.#readLimit === Infinity && this.#receive(nothing, false)) {
      setImmediate(() => this.#ended()); // there is still something to inflate
      return;
    }
    driver.shutdown(this.id);
    this.#detachWhenDone();
  }

  /** Both directions are done. Not every Duplex emits 'close' then. */
  #detachWhenDone(): void {
    if (this.duplex.readableEnded && this.duplex.writableFinished) driver.detach(this.id);
  }
}

function readRest(stream: Duplex): Uint8Array | null {
  return stream.readableLength > 0 ? (stream.read() as Uint8Array | null) : null;
}

/**
 * Carries a connection over any Duplex: a TLS socket, a socket without a descriptor, a pipe in memory. Chunks go into
 * the driver as they come, and what it has to write comes out at most once for each iteration of the loop.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { driver, registerStream, unregisterStream, type WritableTransport } from './dispatch.js';
import { WriteState } from './native.js';
import type { Transport } from './transport.js';

export class StreamTransport implements Transport, WritableTransport {
  readonly kind = 'stream';
  /** Write callbacks that have not come yet, and whether the driver waits for the last of them. */
  #callbacks = 0;
  #isWriting = false;
  #onWritten: ((error?: Error | null) => void) | undefined;

  constructor(
    readonly id: number,
    readonly stream: Duplex,
    preamble: string,
    head: Buffer,
    mayDeliver: boolean,
  ) {
    // A Duplex that is no socket lacks these two.
    const socket = stream as Partial<Pick<Socket, 'setTimeout' | 'setNoDelay'>>;
    socket.setTimeout?.(0);
    socket.setNoDelay?.(true);

    stream.on('error', () => stream.destroy());
    stream.on('close', () => driver.detach(id));
    if (preamble !== '') stream.write(preamble, 'latin1');
    registerStream(this);
    driver.attachStream(id, head);
    if (stream.destroyed) {
      driver.detach(id);
      return;
    }
    stream.on('end', () => this.#ended());
    stream.on('data', (chunk: Uint8Array) => driver.receive(id, chunk, mayDeliver));
    if (stream.readableEnded) this.#ended();
  }

  setPaused(paused: boolean): void {
    if (paused) this.stream.pause();
    else this.stream.resume();
  }

  write(bytes: Buffer): WriteState {
    const { stream } = this;
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

  end(isLast: boolean): void {
    this.stream.end(() => {
      if (isLast) driver.detach(this.id);
      else this.#detachWhenDone();
    });
  }

  destroy(): void {
    driver.destroy(this.id, false);
    this.stream.destroy();
  }

  closed(): void {
    unregisterStream(this);
    this.stream.destroy();
  }

  /** The peer sends nothing more: what is queued goes out, then the stream ends. */
  #ended(): void {
    driver.shutdown(this.id);
    this.#detachWhenDone();
  }

  /** Both directions are done. Not every Duplex emits 'close' then. */
  #detachWhenDone(): void {
    if (this.stream.readableEnded && this.stream.writableFinished) driver.detach(this.id);
  }
}

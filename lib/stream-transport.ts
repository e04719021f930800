/**
 * Carries a connection over any Duplex: a TLS socket, a socket without a descriptor, a pipe in memory. Chunks go into
 * the driver as they come, and what it has to write comes out at most once for each iteration of the loop.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { driver } from './dispatch.js';
import type { Transport } from './transport.js';

export class StreamTransport implements Transport {
  readonly kind = 'stream';

  constructor(
    private readonly id: number,
    readonly stream: Duplex,
    preamble: string,
    head: Buffer,
  ) {
    // A Duplex that is no socket lacks these two.
    const socket = stream as Partial<Pick<Socket, 'setTimeout' | 'setNoDelay'>>;
    socket.setTimeout?.(0);
    socket.setNoDelay?.(true);

    stream.on('error', () => stream.destroy());
    stream.on('close', () => driver.detach(id));
    if (preamble !== '') stream.write(preamble, 'latin1');
    driver.attachStream(id, head);
    if (stream.destroyed) {
      driver.detach(id);
      return;
    }
    stream.on('end', () => this.#ended());
    stream.on('data', (chunk: Uint8Array) => driver.receive(id, chunk));
    if (stream.readableEnded) this.#ended();
  }

  setPaused(paused: boolean): void {
    if (paused) this.stream.pause();
    else this.stream.resume();
  }

  write(bytes: Buffer): void {
    if (!this.stream.writable) {
      driver.written(this.id, false);
      return;
    }
    this.stream.write(bytes, (error) => driver.written(this.id, !error));
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

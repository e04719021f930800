/**
 * What carries a connection's bytes, and the choice between the two kinds: the driver's own socket (native), or any
 * Duplex of Node (stream). Both behave alike; `socket.transport` tells which one it is.
 */
import type { Duplex } from 'node:stream';
import { takeOver } from './native-transport.js';
import type { TransportKind } from './options.js';
import { StreamTransport } from './stream-transport.js';

export interface Transport {
  readonly kind: TransportKind;
  /** The stream that the handshake was done on. A native transport keeps it for its addresses and its 'close'. */
  readonly stream: Duplex;
  setPaused(paused: boolean): void;
  /** Stream: writes bytes of the driver and tells it when they were handed over. */
  write(bytes: Buffer): void;
  /** Stream: no more bytes follow. `isLast`: none are expected from the peer either, so its end is not waited for. */
  end(isLast: boolean): void;
  /** Ends the transport at once; the driver's last event follows. */
  destroy(): void;
  /** The driver's last event was handled. */
  closed(): void;
}

/** Streams that carry a connection, so that none is taken twice. */
const taken = new WeakSet<Duplex>();

/** Whether a connection has this stream already. */
export function isTaken(stream: Duplex): boolean {
  return taken.has(stream);
}

/**
 * Gives the driver's connection a transport.
 * @param preamble is written before the first frame
 * @param head was read from the stream already
 */
export function attach(
  id: number,
  stream: Duplex,
  preamble: Buffer,
  head: Buffer,
  choice: 'auto' | TransportKind,
): Transport {
  taken.add(stream);
  if ((process.env.WEBSOCKET_COMPONENT_TRANSPORT ?? choice) !== 'stream') {
    const native = takeOver(id, stream, preamble, head);
    if (native !== undefined) return native;
  }
  return new StreamTransport(id, stream, preamble, head);
}

/**
 * What carries a connection's bytes, and the choice between the two kinds: the driver's own socket (native), or any
 * Duplex of Node (stream). Both behave alike; `socket.transport` tells which one it is.
 */
import type { Duplex } from 'node:stream';
import { carrier } from './native-socket.js';
import { takeOver } from './native-transport.js';
import type { ResolvedSettings, TransportKind } from './options.js';
import { StreamTransport } from './stream-transport.js';

export interface Transport {
  readonly kind: TransportKind;
  /** The stream that the handshake was done on, or another that stands for it: for its addresses and its 'close'. */
  readonly stream: Duplex;
  /** Paused, it stops reading when `readAhead` bytes more have come. */
  setPaused(paused: boolean): void;
  /** Stream: no more bytes follow. The peer's end is waited for. */
  end(): void;
  /** The peer sends nothing more. */
  ended?(): void;
  /** Ends the transport at once; the driver's last event follows. */
  destroy(): void;
  /** The driver's last event was handled. */
  closed(): void;
}

type CarryingStream = Duplex & { [carrier]?: Transport };

/** Whether a connection has this stream already. */
export function isTaken(stream: Duplex): boolean {
  return (stream as CarryingStream)[carrier] !== undefined;
}

/**
 * Gives the driver's connection a transport.
 * @param preamble is written before the first frame, as Latin-1
 * @param head was read from the stream already
 */
export function attach(
  id: number,
  stream: Duplex,
  preamble: string,
  head: Buffer,
  settings: ResolvedSettings,
): Transport {
  if ((process.env.WEBSOCKET_COMPONENT_TRANSPORT ?? settings.transport) !== 'stream') {
    const native = takeOver(id, stream, preamble, head);
    if (native !== undefined) return native;
  }
  const transport = new StreamTransport(id, stream, preamble, head, settings.allowSynchronousEvents);
  (stream as CarryingStream)[carrier] = transport;
  return transport;
}

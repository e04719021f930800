/**
 * Takes the socket of an HTTP upgrade away from Node: the driver duplicates its descriptor and reads and writes it on
 * the same loop. Node's handle is closed; its JavaScript socket stays as `_socket` until the connection ends, so that
 * addresses can be asked for, the HTTP server waits for it, and its 'close' comes when it should.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { driver } from './dispatch.js';
import type { Transport } from './transport.js';

/** The part of Node's handle that is used. `fd`: -1 where there is none. */
interface Handle {
  readonly fd?: number;
  close(): void;
}

type SocketWithHandle = Socket & {
  _handle: Handle | null;
  _sockname?: object;
  /** Behind `localAddress`, `localPort` and `address()`. */
  _getsockname?: () => object;
};

/** Constructors of handles that the driver can take over, and whether they are Unix sockets. */
const handleKinds = new Map([
  ['TCP', false],
  ['Pipe', true],
]);

class NativeTransport implements Transport {
  readonly kind = 'native';

  constructor(
    private readonly id: number,
    readonly stream: Socket,
  ) {
    // The program ended the socket that it sees: that ends the connection. Ids that are gone are ignored.
    stream.on('close', () => driver.destroy(id, false));
    // A write to it fails, because it has no handle any more.
    stream.on('error', ignore);
  }

  setPaused(paused: boolean): void {
    driver.setPaused(this.id, paused);
  }

  /** Never called: the driver writes itself. */
  write(): void {}

  /** Never called: the driver sends FIN itself. */
  end(): void {}

  destroy(): void {
    driver.destroy(this.id, false);
  }

  closed(): void {
    this.stream.destroy();
  }
}

/**
 * Takes the stream over when it is a socket that the driver can carry: TCP or Unix, no TLS, nothing left to write.
 * Undefined: it stays as it was, and its buffered bytes with it.
 */
export function takeOver(id: number, stream: Duplex, preamble: Buffer, head: Buffer): Transport | undefined {
  if (!(stream instanceof Socket) || stream instanceof TLSSocket || process.platform === 'win32') return undefined;
  const socket = stream as SocketWithHandle;
  const handle = socket._handle;
  const isPipe = handle === null ? undefined : handleKinds.get(handle.constructor.name);
  if (handle === null || isPipe === undefined || handle.fd === undefined || handle.fd < 0) return undefined;
  if (socket.destroyed || !socket.writable || socket.writableLength > 0) return undefined;

  // Both addresses are read when first asked for; afterwards there is no handle to ask.
  Reflect.get(socket, 'remoteAddress');
  Reflect.get(socket, 'localAddress');
  socket.setTimeout(0);
  socket.setNoDelay(true);

  const received = drain(socket, head);
  if (driver.attachNative(id, handle.fd, isPipe, preamble, received) !== 0) {
    if (received.length > head.length) socket.unshift(received.subarray(head.length));
    return undefined;
  }
  handle.close();
  socket._handle = null;
  socket._getsockname = rememberedName;
  return new NativeTransport(id, socket);
}

/** `head` and what Node has read behind it. */
function drain(socket: Socket, head: Buffer): Buffer {
  const chunks = [head];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
    chunks.push(chunk);
  }
  return chunks.length === 1 ? head : Buffer.concat(chunks);
}

/** Node remembers the peer's address without a handle, but not its own. */
function rememberedName(this: SocketWithHandle): object {
  return this._sockname ?? {};
}

function ignore(): void {}

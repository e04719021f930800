/**
 * Takes the socket of an HTTP upgrade away from Node: the driver duplicates its descriptor and reads and writes it on
 * the same loop, and Node's handle is closed.
 *
 * Node's JavaScript socket is big, so it is kept only while it is observed: somebody has a 'close' listener on it or
 * added a listener, or asked for `_socket`. It then emits 'close' when the connection has ended. Otherwise the garbage
 * collector takes it, unless the program keeps it, and `_socket` makes another one that stands for the connection. There
 * is no weak reference to it, because those keep their targets through the collections of the young generation, which
 * grows then. The HTTP server that accepted the socket goes on counting the connection.
 */
import { Socket, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { driver } from './dispatch.js';
import { readAhead } from './native.js';
import { carrier, NativeSocket, type Carrier } from './native-socket.js';
import type { Transport } from './transport.js';

/** The part of Node's handle that is used. `fd`: -1 where there is none. */
interface Handle {
  readonly fd?: number;
  hasRef(): boolean;
  close(): void;
}

/** The part of Node's server that counts its connections. */
type CountingServer = Server & { _connections: number; _emitCloseIfDrained?: () => void };

/** Node's socket: what is behind its public properties. */
type TakenSocket = Socket & {
  _handle: Handle | null;
  /** The server that counts the socket. */
  _server?: CountingServer | null;
};

/** Constructors of handles that the driver can take over, and whether they are Unix sockets. */
const handleKinds = new Map([
  ['TCP', false],
  ['Pipe', true],
]);

/** The socket taken last. Its connection's handlers are running, and they get this one as `_socket`. */
let latest: NativeSocket | undefined;

class NativeTransport implements Transport, Carrier {
  readonly id: number;
  /** While it is observed. */
  #socket: NativeSocket | undefined;
  /** Counts this connection; null when it is counted no more. */
  #server: CountingServer | null;
  #isClosed = false;

  constructor(id: number, socket: TakenSocket) {
    this.id = id;
    this.#server = socket._server ?? null;
    socket._server = null;
    latest = standFor(this, socket);
    if (socket.listenerCount('close') > 0) this.observe(latest);
  }

  get kind(): 'native' {
    return 'native';
  }

  get stream(): Socket {
    this.observe(this.#socket ?? (latest?.[carrier] === this ? latest : standFor(this, new Socket())));
    return this.#socket as NativeSocket;
  }

  observe(socket: NativeSocket): void {
    if (this.#socket === socket) return;
    this.#socket = socket;
    socket.allowHalfOpen = true; // the driver ends it
    if (this.#isClosed) socket.destroy();
  }

  setPaused(paused: boolean): void {
    driver.setPaused(this.id, paused, readAhead);
  }

  /** Never called: the driver sends FIN itself. */
  end(): void {}

  /** Nothing of the stream is read: its end is all that it has. */
  ended(): void {
    this.#socket?.push(null);
    this.#socket?.read(0);
  }

  destroy(): void {
    driver.destroy(this.id, false);
  }

  closed(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
    if (latest?.[carrier] === this) latest = undefined;
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server._connections--;
    server._emitCloseIfDrained?.();
  }
}

/** Methods that Node's HTTP server replaces on each of its sockets. */
const listening: object = NativeSocket.prototype;

/**
 * Makes a socket of Node, which has no handle, stand for the connection. The prototype comes last: behind a change of it
 * V8 would give every socket maps of its own for properties that are added.
 */
function standFor(transport: NativeTransport, socket: Socket): NativeSocket {
  const made = socket as unknown as NativeSocket;
  const methods: Record<'on' | 'addListener' | 'prependListener', unknown> = made;
  methods.on = Reflect.get(listening, 'on');
  methods.addListener = Reflect.get(listening, 'addListener');
  methods.prependListener = Reflect.get(listening, 'prependListener');
  made[carrier] = transport;
  if (Object.getPrototypeOf(socket) === Socket.prototype) Object.setPrototypeOf(socket, NativeSocket.prototype);
  else Object.defineProperties(socket, Object.getOwnPropertyDescriptors(NativeSocket.prototype)); // a class of the program's
  return made;
}

/**
 * Takes the stream over when it is a socket that the driver can carry: TCP or Unix, no TLS, nothing left to write.
 * Undefined: it stays as it was, and its buffered bytes with it.
 */
export function takeOver(id: number, stream: Duplex, preamble: string, head: Buffer): Transport | undefined {
  if (!(stream instanceof Socket) || stream instanceof TLSSocket || process.platform === 'win32') return undefined;
  const socket = stream as TakenSocket;
  const handle = socket._handle;
  const isPipe = handle === null ? undefined : handleKinds.get(handle.constructor.name);
  if (handle === null || isPipe === undefined || handle.fd === undefined || handle.fd < 0) return undefined;
  if (socket.destroyed || !socket.writable || socket.writableLength > 0) return undefined;

  if (socket.timeout) socket.setTimeout(0);
  socket.setNoDelay(true);

  const received = drain(socket, head);
  if (driver.attachNative(id, handle.fd, isPipe, preamble, received) !== 0) {
    if (received.length > head.length) socket.unshift(received.subarray(head.length));
    return undefined;
  }
  if (!handle.hasRef()) driver.setRef(id, false);
  handle.close();
  socket._handle = null;
  return new NativeTransport(id, socket);
}

/** `head` and what Node has read behind it. */
function drain(socket: Socket, head: Buffer): Buffer {
  if (socket.readableLength === 0) return head;
  const chunks = [head];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
    chunks.push(chunk);
  }
  return chunks.length === 1 ? head : Buffer.concat(chunks);
}

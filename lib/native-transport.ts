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
import type { Address } from './native.js';
import type { Transport } from './transport.js';

/** Where a stream has the transport that took it. */
export const carrier = Symbol('transport');

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
  /** Behind `remoteAddress` and its like, and what it remembers. */
  _getpeername: () => Partial<Address>;
  _peername?: Partial<Address>;
  /** Behind `localAddress`, `localPort` and `address()`, and what it remembers. */
  _getsockname: () => Partial<Address>;
  _sockname?: Partial<Address> | null;
  [carrier]?: NativeTransport;
};

/** Constructors of handles that the driver can take over, and whether they are Unix sockets. */
const handleKinds = new Map([
  ['TCP', false],
  ['Pipe', true],
]);

/** The socket taken last. Its connection's handlers are running, and they get this one as `_socket`. */
let latest: TakenSocket | undefined;

class NativeTransport implements Transport {
  readonly #id: number;
  /** While it is observed. */
  #socket: TakenSocket | undefined;
  /** Counts this connection; null when it is counted no more. */
  #server: CountingServer | null;
  #isClosed = false;

  constructor(id: number, socket: TakenSocket) {
    this.#id = id;
    this.#server = socket._server ?? null;
    socket._server = null;
    if (socket.listenerCount('close') > 0) this.#socket = socket;
    this.#equip(socket);
    latest = socket;
  }

  get kind(): 'native' {
    return 'native';
  }

  get stream(): Socket {
    if (this.#socket === undefined) this.observe(latest?.[carrier] === this ? latest : this.#equip(new Socket()));
    return this.#socket as unknown as Socket;
  }

  /** Keeps the socket. */
  observe(socket: TakenSocket): void {
    this.#socket = socket;
    if (this.#isClosed) socket.destroy();
  }

  address(ofPeer: boolean): Address | undefined {
    return driver.address(this.#id, ofPeer);
  }

  setPaused(paused: boolean): void {
    driver.setPaused(this.#id, paused);
  }

  /** Whether the open connection keeps the process alive. */
  setRef(isReferenced: boolean): void {
    driver.setRef(this.#id, isReferenced);
  }

  /** Never called: the driver sends FIN itself. */
  end(): void {}

  destroy(): void {
    driver.destroy(this.#id, false);
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

  /** Makes the socket, which has no handle, stand for the connection. */
  #equip(stream: Socket): TakenSocket {
    const socket = stream as TakenSocket;
    socket[carrier] = this;
    socket._destroy = destroyBoth;
    socket._getpeername = peerName;
    socket._getsockname = ownName;
    socket.ref = ref;
    socket.unref = unref;
    socket.on = socket.addListener = addListener as typeof socket.on;
    socket.prependListener = prependListener as typeof socket.prependListener;
    return socket;
  }
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

// Methods of the sockets. All have the same: no function is made for a connection.

function peerName(this: TakenSocket): Partial<Address> {
  return (this._peername ??= this[carrier]?.address(true)) ?? {};
}

function ownName(this: TakenSocket): Partial<Address> {
  return (this._sockname ??= this[carrier]?.address(false)) ?? {};
}

function ref(this: TakenSocket): TakenSocket {
  this[carrier]?.setRef(true);
  return this;
}

function unref(this: TakenSocket): TakenSocket {
  this[carrier]?.setRef(false);
  return this;
}

function addListener(this: TakenSocket, ...listener: Parameters<Socket['on']>): Socket {
  this[carrier]?.observe(this);
  return Socket.prototype.on.apply(this, listener);
}

function prependListener(this: TakenSocket, ...listener: Parameters<Socket['on']>): Socket {
  this[carrier]?.observe(this);
  return Socket.prototype.prependListener.apply(this, listener);
}

/** Ends the connection too. A write that failed is told to its callback alone, not by an 'error'. */
function destroyBoth(this: TakenSocket, _error: Error | null, callback: (error?: Error | null) => void): void {
  this[carrier]?.destroy();
  Socket.prototype._destroy.call(this, null, callback);
}

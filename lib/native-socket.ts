/**
 * What a socket of Node is when the driver carries its connection: a net.Socket without a handle, whose methods act on
 * the driver's connection. Raw bytes go behind what is queued and never into a frame; nothing can be read from it, because
 * what arrives is frames.
 *
 * The socket that Node accepted or connected becomes one by a change of its prototype: it costs a connection nothing.
 */
import { Socket } from 'node:net';
import { connectionOf, driver } from './dispatch.js';
import { notSentError } from './errors.js';
import type { Address } from './native.js';

/** Where a stream has the transport that took it. */
export const carrier = Symbol('transport');

/** What carries the connection that a socket stands for. */
export interface Carrier {
  readonly id: number;
  /** Keeps the socket, until the connection has ended. */
  observe(socket: NativeSocket): void;
}

/** How often a `timeout` looks for traffic in its time. */
const idleChecks = 8;

/** A `setTimeout` that runs: its time, when traffic was seen last, the bytes until then, and whether it was told. */
interface Idle {
  timeout: number;
  since: number;
  bytes: number;
  isTold: boolean;
}

const idle = Symbol('idle');

type Callback = (error?: Error | null) => void;

/** The parts of Node's socket that are private in its types. */
const parts = Socket.prototype as unknown as {
  _destroy(this: Socket, error: Error | null, callback: Callback): void;
};

/** Its methods run on Node's own sockets too, which its constructor did not make: it has no private fields. */
export class NativeSocket extends Socket {
  /** Undefined while Node's constructor runs. */
  declare [carrier]: Carrier | undefined;
  declare [idle]: Idle | undefined;
  /** Behind `remoteAddress` and its like, and what it remembers. */
  declare _peername?: Partial<Address>;
  /** Behind `localAddress`, `localPort` and `address()`, and what it remembers. */
  declare _sockname?: Partial<Address> | null;

  _getpeername(): Partial<Address> {
    return (this._peername ??= driver.address(idOf(this), true)) ?? {};
  }

  _getsockname(): Partial<Address> {
    return (this._sockname ??= driver.address(idOf(this), false)) ?? {};
  }

  /** Bytes since the opening handshake, also those that are no frames. */
  // @ts-expect-error In the types it is a property; in Node it is an accessor, too.
  override get bytesRead(): number {
    return driver.bytesRead(idOf(this));
  }

  /** Likewise; what waits to be sent counts. */
  // @ts-expect-error In Node it is an accessor, too.
  override get bytesWritten(): number {
    return driver.bytesWritten(idOf(this));
  }

  // @ts-expect-error In Node it is an accessor, too.
  override get pending(): boolean {
    return this.destroyed;
  }

  // ---- Observed: the transport keeps the socket ---------------------------------------------------------------------

  override on(name: string | symbol, listener: (...args: never[]) => void): this {
    this[carrier]?.observe(this);
    return super.on(name as string, listener as (...args: unknown[]) => void);
  }

  override addListener(name: string | symbol, listener: (...args: never[]) => void): this {
    return this.on(name, listener);
  }

  override prependListener(name: string | symbol, listener: (...args: never[]) => void): this {
    this[carrier]?.observe(this);
    return super.prependListener(name as string, listener as (...args: unknown[]) => void);
  }

  // ---- Writing ------------------------------------------------------------------------------------------------------

  override _write(data: string | Uint8Array, encoding: BufferEncoding, callback: Callback): void {
    sendRaw(this, toBuffer(data, encoding), callback);
  }

  override _writev(chunks: { chunk: string | Uint8Array; encoding: BufferEncoding }[], callback: Callback): void {
    sendRaw(this, Buffer.concat(chunks.map(({ chunk, encoding }) => toBuffer(chunk, encoding))), callback);
  }

  // Behind everything that is queued comes FIN.
  override _final(callback: Callback): void {
    sendRaw(this, Buffer.alloc(0), () => callback());
    driver.shutdown(idOf(this));
  }

  /** Node's would wait for a handle. Nothing comes this way. */
  override _read(): void {}

  // ---- The end ------------------------------------------------------------------------------------------------------

  /** Ends the connection too. A write that failed is an 'error' only for those who listen. */
  override _destroy(error: Error | null, callback: Callback): void {
    driver.destroy(idOf(this), false);
    parts._destroy.call(this, error !== null && this.listenerCount('error') > 0 ? error : null, callback);
  }

  override resetAndDestroy(): this {
    driver.destroy(idOf(this), true);
    return this.destroy();
  }

  // ---- Settings -----------------------------------------------------------------------------------------------------

  override ref(): this {
    driver.setRef(idOf(this), true);
    return this;
  }

  override unref(): this {
    driver.setRef(idOf(this), false);
    return this;
  }

  /** It is set at first. */
  override setNoDelay(noDelay: unknown = true): this {
    driver.setNoDelay(idOf(this), Boolean(noDelay));
    return this;
  }

  /** Without a delay, or with one of less than a second, the first probe comes after two hours. */
  override setKeepAlive(enable: unknown = false, initialDelay = 0): this {
    driver.setKeepAlive(idOf(this), Boolean(enable), Math.max(0, Math.trunc(initialDelay / 1000)) || 0);
    return this;
  }

  override pause(): this {
    driver.setPaused(idOf(this), true, 0);
    return super.pause();
  }

  override resume(): this {
    if (connectionOf(idOf(this))?.isPaused === false) driver.setPaused(idOf(this), false, 0);
    return super.resume();
  }

  /** Traffic of the connection puts the 'timeout' off; it comes up to an eighth late. */
  override setTimeout(timeout: number, callback?: () => void): this {
    super.setTimeout(timeout, callback); // checks both
    if (this.destroyed) return this;
    if (timeout === 0) {
      this[idle] = undefined;
    } else {
      this[carrier]?.observe(this);
      this[idle] = { timeout, since: performance.now(), bytes: this.bytesRead + this.bytesWritten, isTold: false };
      watch(this, timeout);
    }
    return this;
  }

  /** Node's timer: time to look for traffic. */
  _onTimeout(): void {
    const state = this[idle];
    if (state === undefined) return;
    const now = performance.now();
    const bytes = this.bytesRead + this.bytesWritten;
    if (bytes !== state.bytes) Object.assign(state, { bytes, since: now, isTold: false });
    const isDue = !state.isTold && now - state.since >= state.timeout - 1; // timers have whole milliseconds
    if (isDue) state.isTold = true;
    watch(this, state.timeout);
    if (isDue) this.emit('timeout');
  }
}

/** The driver's number of the connection; 0: none, or gone. */
function idOf(socket: NativeSocket): number {
  return socket[carrier]?.id ?? 0;
}

function toBuffer(data: string | Uint8Array, encoding: BufferEncoding): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, encoding) : data;
}

/**
 * The callback comes when the kernel has the bytes, or with an error when it never will. Usually that is at once: then the
 * next write of the program comes right behind, before any frame that it sends later.
 */
function sendRaw(socket: NativeSocket, bytes: Uint8Array, callback: Callback): void {
  const connection = connectionOf(idOf(socket));
  if (connection === undefined) {
    callback(notSentError());
    return;
  }
  let isDone = false;
  const done: Callback = (error) => {
    if (!isDone) callback(error);
    isDone = true;
  };
  const number = connection.remember(done);
  const held = driver.sendRaw(connection.id, bytes, number);
  if (held !== undefined && held < 0) connection.onSent(number, false);
  driver.flush();
  if (connectionOf(connection.id) !== undefined && driver.bufferedAmount(connection.id) === 0) done();
}

/** Lets Node's timer of the socket look again. */
function watch(socket: NativeSocket, timeout: number): void {
  Socket.prototype.setTimeout.call(socket, Math.ceil(timeout / idleChecks));
  (socket as { timeout?: number }).timeout = timeout;
}

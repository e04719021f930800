/**
 * A `WebSocket` as a Duplex: messages come out as chunks, and each chunk that is written goes out as a message. There is
 * backpressure both ways: a reader that is too slow pauses the socket, and a slow peer holds back the writer.
 */
import { Duplex, type DuplexOptions } from 'node:stream';
import { checkWhole, ownData } from './message-queue.js';
import type { MessageData } from './options.js';
import type { WebSocket } from './websocket.js';

/**
 * Wraps a socket in a Duplex. The socket's messages belong to the stream from now on; listen to them before anything
 * else does, because what arrived earlier is not seen.
 *
 * A Buffer that is written is sent as a binary message, a string (`decodeStrings: false`) as a text one; while the socket
 * is connecting, the stream waits. `end` starts the closing handshake; 'finish' is emitted when that is done, 'end' when
 * the socket is closed and everything was read. `destroy` terminates the socket. The socket's error is the stream's.
 *
 * @param options as for `Duplex`. With `readableObjectMode` every message is one chunk, a text message a string. Ignored:
 * `objectMode`, `writableObjectMode`, `autoDestroy` and `emitClose`, which are false, false, true and true.
 * @throws Error with the option `messageStream`.
 */
export function createWebSocketStream(socket: WebSocket, options: DuplexOptions = {}): Duplex {
  checkWhole(socket);
  return new WebSocketStream(socket, options);
}

class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;
  /** The socket failed by itself, so that it tells the peer why: it is not terminated. */
  #closesItself = false;
  /** The socket's error came after the stream was destroyed. */
  #lateError: Error | null = null;

  constructor(socket: WebSocket, options: DuplexOptions) {
    super({ ...options, autoDestroy: true, emitClose: true, objectMode: false, writableObjectMode: false });
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      if (this.destroyed) return;
      if (!this.push(this.#toChunk(data, isBinary))) socket.pause();
    });
    socket.once('error', (error) => {
      if (this.destroyed) {
        this.#lateError = error;
        return;
      }
      this.#closesItself = true;
      this.destroy(error);
    });
    socket.once('close', () => {
      if (!this.destroyed) this.push(null);
    });
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#socket.readyState === this.#socket.CONNECTING) {
      this.#socket.once('open', () => this._write(chunk, encoding, callback));
      return;
    }
    // While there is room, the next chunk may follow at once; the socket has its own copy.
    let isAnswered = false;
    const hasRoom = this.#socket.send(chunk, (error) => {
      if (!isAnswered) callback(error);
      else if (error && !this.destroyed) this.destroy(error);
    });
    if (!hasRoom) return;
    isAnswered = true;
    callback();
  }

  override _final(callback: (error?: Error | null) => void): void {
    const { readyState, CONNECTING, CLOSED } = this.#socket;
    if (readyState === CLOSED) {
      callback();
    } else if (readyState === CONNECTING) {
      this.#socket.once('open', () => this._final(callback));
    } else {
      this.#socket.once('close', () => callback());
      this.#socket.close();
    }
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) {
      callback(error);
      return;
    }
    this.#socket.once('close', () => callback(error ?? this.#lateError));
    if (!this.#closesItself) this.#socket.terminate();
  }

  #toChunk(data: MessageData, isBinary: boolean): unknown {
    if (this.readableObjectMode) return isBinary ? ownData(this.#socket, data) : toText(data);
    if (Array.isArray(data)) return Buffer.concat(data);
    return data instanceof ArrayBuffer ? Buffer.from(data) : ownData(this.#socket, data);
  }
}

function toText(data: MessageData): string {
  return typeof data === 'string' ? data : (data as Buffer).toString();
}

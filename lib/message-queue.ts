/**
 * The messages of a socket for those who ask for them one at a time: `receive` and `for await`. A socket has a queue from
 * the first time that it is asked; the socket is paused while messages that nobody takes have piled up.
 */
import { isBlob, type BlobLike } from './blob.js';
import { abortError } from './errors.js';
import type { MessageData, ReceivedMessage } from './options.js';
import type { WebSocket } from './websocket.js';

/** So many messages, or payload bytes, may wait before the socket is paused. */
const maxMessages = 16;
const maxBytes = 64 * 1024;

/** Gets a message; an error; or nothing, when none will come any more. */
type Taker = (message: ReceivedMessage | undefined, error?: Error) => void;

const queues = new WeakMap<WebSocket, MessageQueue>();

/** The queue of a socket, made when there is none. */
export function messagesOf(socket: WebSocket): MessageQueue {
  let queue = queues.get(socket);
  if (queue === undefined) queues.set(socket, (queue = new MessageQueue(socket)));
  return queue;
}

/** Nobody takes messages of this socket any more. */
export function cancelMessages(socket: WebSocket): void {
  queues.get(socket)?.cancel();
}

export class MessageQueue {
  readonly #socket: WebSocket;
  #messages: ReceivedMessage[] = [];
  #bytes = 0;
  /** Those that wait for a message, in order; only while there is none. */
  #takers: Taker[] = [];
  /** The socket is paused by us. */
  #isPausing = false;
  /** No message will be added. */
  #hasEnded = false;
  #error: Error | undefined;
  readonly #onMessage = (data: MessageData, isBinary: boolean): void => this.#add(data, isBinary);

  /** @throws Error with the option `messageStream`. */
  constructor(socket: WebSocket) {
    checkWhole(socket);
    this.#socket = socket;
    this.#hasEnded = socket.readyState === socket.CLOSED;
    if (this.#hasEnded) return;
    socket.on('message', this.#onMessage);
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', () => this.#end(this.#error));
  }

  /**
   * Takes the next message, waiting for it behind those who came earlier. Undefined: the connection is closed.
   * @throws (rejects) the socket's error, when that closed it; AbortError.
   */
  take(signal?: AbortSignal): Promise<ReceivedMessage | undefined> {
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#bytes -= sizeOf(message.data);
      if (this.#messages.length === 0) this.#stopPausing();
      return Promise.resolve(message);
    }
    if (this.#hasEnded) return this.#error === undefined ? Promise.resolve(undefined) : Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#takers.splice(this.#takers.indexOf(taker), 1);
        reject(abortError(signal as AbortSignal));
      };
      const taker: Taker = (taken, error) => {
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve(taken);
        else reject(error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#takers.push(taker);
    });
  }

  /** Drops what was not taken and what is still to come, and tells everybody that this is the end. */
  cancel(): void {
    this.#socket.off('message', this.#onMessage);
    this.#messages = [];
    this.#bytes = 0;
    this.#stopPausing();
    this.#end(undefined);
  }

  #add(data: MessageData, isBinary: boolean): void {
    const message = { data: ownData(this.#socket, data), isBinary };
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker(message);
      return;
    }
    this.#messages.push(message);
    this.#bytes += sizeOf(data);
    if (this.#socket.isPaused || (this.#messages.length < maxMessages && this.#bytes < maxBytes)) return;
    this.#isPausing = true;
    this.#socket.pause();
  }

  #stopPausing(): void {
    if (!this.#isPausing) return;
    this.#isPausing = false;
    this.#socket.resume();
  }

  #end(error: Error | undefined): void {
    this.#hasEnded = true;
    this.#error = error;
    for (const taker of this.#takers.splice(0)) taker(undefined, error);
  }
}

/**
 * For what needs whole messages.
 * @throws Error with the option `messageStream`.
 */
export function checkWhole(socket: WebSocket): void {
  if (!socket._settings?.messageStream) return;
  throw new Error(`With the option "messageStream" messages are streams: listen to 'messageStream'`);
}

/** A message to keep: the memory of a borrowed one is used again. */
export function ownData(socket: WebSocket, data: MessageData): MessageData {
  if (socket._settings?.delivery !== 'borrow') return data;
  if (Array.isArray(data)) return data.map((part) => Buffer.from(part));
  return Buffer.isBuffer(data) ? Buffer.from(data) : data;
}

function sizeOf(data: MessageData | BlobLike): number {
  if (typeof data === 'string') return data.length;
  if (isBlob(data)) return data.size;
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength;
}

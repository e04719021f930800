/** `for await (const { data, isBinary } of socket)`. */
import { messagesOf, type MessageQueue } from './message-queue.js';
import type { ReceivedMessage } from './options.js';
import type { WebSocket } from './websocket.js';

/** Gives the messages of a socket until it is closed; leaving the loop closes it, as it destroys a stream of Node's. */
export class MessageIterator implements AsyncIterableIterator<ReceivedMessage> {
  readonly #socket: WebSocket;
  readonly #messages: MessageQueue;
  #isDone = false;

  /** Keeps messages from now on, also before the first one is asked for. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#messages = messagesOf(socket);
  }

  async next(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    if (this.#isDone) return { done: true, value: undefined };
    let message: ReceivedMessage | undefined;
    try {
      message = await this.#messages.take();
    } finally {
      if (message === undefined) this.#isDone = true;
    }
    return message === undefined ? { done: true, value: undefined } : { done: false, value: message };
  }

  return(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    if (!this.#isDone) {
      this.#isDone = true;
      this.#messages.cancel();
      this.#socket.close();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

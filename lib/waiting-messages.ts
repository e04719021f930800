/** Messages of `sendAsync` that wait for room, in order, with the policy 'wait'. */
import process from 'node:process';
import type { Connection } from './connection.js';
import { byteLength } from './data.js';
import { notSentError } from './errors.js';
import { noRoom } from './native.js';
import type { SendCallback, SendOptions } from './options.js';
import type { Message } from './prepared-message.js';

export interface WaitingMessage {
  payload: Message;
  /** When it was passed: a payload that was transferred meanwhile is empty. */
  bytes: number;
  isBinary: boolean;
  options: SendOptions | undefined;
  callback: SendCallback;
}

export class WaitingMessages {
  readonly #connection: Connection;
  readonly #messages: WaitingMessage[];

  /** @param first for which there is no room */
  constructor(connection: Connection, first: WaitingMessage) {
    this.#connection = connection;
    this.#messages = [first];
  }

  get endsInFragment(): boolean {
    return this.#messages.at(-1)?.options?.fin === false;
  }

  push(message: WaitingMessage): void {
    this.#messages.push(message);
  }

  /** Queues those that there is room for now; true: none waits any more. */
  admit(): boolean {
    while (this.#messages.length > 0 && admit(this.#connection, this.#messages[0])) this.#messages.shift();
    return this.#messages.length === 0;
  }

  /** Gives up the message with this callback; false: it is not here. */
  giveUp(callback: SendCallback): boolean {
    const at = this.#messages.findIndex((message) => message.callback === callback);
    if (at >= 0) this.#messages.splice(at, 1);
    return at >= 0;
  }

  /** Gives up all. */
  abort(): void {
    for (const { callback } of this.#messages.splice(0)) process.nextTick(callback, notSentError());
  }
}

/** Queues a message when there is room for it. */
export function admit(connection: Connection, message: WaitingMessage): boolean {
  const { payload, bytes, isBinary, options, callback } = message;
  if (byteLength(payload) !== bytes) {
    process.nextTick(callback, new TypeError('The data was changed while it waited to be sent'));
    return true;
  }
  try {
    const held = connection.transmit(payload, isBinary, options, callback);
    if (held === noRoom) return false;
    if (held !== undefined && held < 0) connection.refuse(payload, callback);
  } catch (error) {
    process.nextTick(callback, error);
  }
  return true;
}

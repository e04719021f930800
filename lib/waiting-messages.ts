/** `sendAsync`, and its messages that wait for room with the policy 'wait', in order. */
import process from 'node:process';
import type { Connection } from './connection.js';
import { byteLength } from './data.js';
import { driver } from './dispatch.js';
import { notSentError } from './errors.js';
import { noRoom } from './native.js';
import type { SendCallback, SendOptions } from './options.js';
import type { Message } from './prepared-message.js';
import { ReadyState } from './ready-state.js';

interface WaitingMessage {
  payload: Message;
  /** When it was passed: a payload that was transferred meanwhile is empty. */
  bytes: number;
  isBinary: boolean;
  options: SendOptions | undefined;
  callback: SendCallback;
}

/** Queues a message, with the policy 'wait' when there is room for it. The callback is always called. */
export function sendAsync(
  connection: Connection,
  payload: Message,
  isBinary: boolean,
  options: SendOptions | undefined,
  callback: SendCallback,
): void {
  if (connection.settings.backpressure !== 'wait' || connection.readyState !== ReadyState.Open) {
    connection.send(payload, isBinary, options, callback);
  } else if (connection.queue !== undefined) {
    connection.queue.sendAsync(payload, isBinary, options, callback);
  } else {
    const message = { payload, bytes: byteLength(payload), isBinary, options, callback };
    if (connection.waiting !== undefined) connection.waiting.push(message);
    else if (!admit(connection, message)) connection.waiting = new WaitingMessages(connection, message);
  }
}

/** Gives up the message of `sendAsync` with this callback. False: it does not wait, or no more. */
export function giveUp(connection: Connection, callback: SendCallback): boolean {
  return connection.waiting?.giveUp(callback) === true || connection.queue?.giveUp(callback) === true;
}

/** The messages of a connection that wait for room; it has them while there is one. */
export class WaitingMessages {
  readonly #connection: Connection;
  readonly #messages: WaitingMessage[];

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

  /** Queues those that there is room for now. */
  admit(): void {
    while (this.#messages.length > 0 && admit(this.#connection, this.#messages[0])) this.#messages.shift();
    if (this.#messages.length === 0) this.#connection.waiting = undefined;
  }

  /** Queues those that `maxBackpressure` leaves room for, before what `send` got. Returns whether none waits any more. */
  makeWay(): boolean {
    while (this.#messages.length > 0 && transmit(this.#connection, this.#messages[0])) this.#messages.shift();
    if (this.#messages.length > 0) return false;
    this.#connection.waiting = undefined;
    return true;
  }

  /** Gives up the message with this callback; false: it is not here. */
  giveUp(callback: SendCallback): boolean {
    const at = this.#messages.findIndex((message) => message.callback === callback);
    if (at < 0) return false;
    this.#messages.splice(at, 1);
    this.admit();
    return true;
  }

  /** Gives up all. */
  abort(): void {
    this.#connection.waiting = undefined;
    for (const { callback } of this.#messages.splice(0)) process.nextTick(callback, notSentError());
  }
}

/** Queues a message; false: more than the high-water mark waits, or there is no room yet. */
function admit(connection: Connection, message: WaitingMessage): boolean {
  return driver.bufferedAmount(connection.id) <= connection.settings.highWaterMark && transmit(connection, message);
}

/** Queues a message; false: there is no room yet. */
function transmit(connection: Connection, message: WaitingMessage): boolean {
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

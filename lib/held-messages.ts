/**
 * Messages that came while the socket was paused; while there are any, later ones queue up behind them. They are delivered
 * in a turn of their own, and when a handler pauses again or throws, the rest stays. Nothing is read before all are
 * delivered.
 */
import process from 'node:process';
import { watchMessages } from './emit.js';
import type { Connection } from './connection.js';

/** A received message that waits. */
interface HeldMessage {
  data: Buffer | string;
  isBinary: boolean;
  isOwn: boolean;
}

export class HeldMessages {
  readonly #connection: Connection;
  readonly #messages: HeldMessage[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  push(data: Buffer | string, isBinary: boolean, isOwn: boolean): void {
    this.#messages.push({ data, isBinary, isOwn });
  }

  /** Delivers them, not before the program's present call has returned. */
  releaseSoon(): void {
    if (this.#connection.settings.allowSynchronousEvents) process.nextTick(release, this);
    else setImmediate(release, this); // between two of them, the callbacks of promises run
  }

  /** Delivers them, then the end of the connection when it waits behind them. */
  release(): void {
    const connection = this.#connection;
    let isDone = false;
    watchMessages();
    try {
      while (connection.held === this && !connection.isPaused) {
        const { data, isBinary, isOwn } = this.#messages.shift() as HeldMessage;
        if (this.#messages.length === 0) connection.held = undefined;
        connection.deliver(data, isBinary, isOwn);
        if (!connection.settings.allowSynchronousEvents) return;
      }
      isDone = true;
    } finally {
      // The rest comes later, when a handler's exception has been reported.
      if (!isDone) this.releaseSoon();
    }
    if (!connection.isPaused) connection.transport.setPaused(false);
    connection.endIfDue();
  }
}

function release(messages: HeldMessages): void {
  messages.release();
}

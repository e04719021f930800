/** Callbacks of sends, by the number that goes to the driver with the data and comes back when it was handed over. */
import { drained, maxCallback } from './native.js';
import type { SendCallback } from './options.js';

export class SendCallbacks {
  readonly #callbacks = new Map<number, SendCallback>();
  #last = drained;

  /** Keeps a callback; returns its number. */
  add(callback: SendCallback): number {
    this.#last = this.#last === maxCallback ? drained + 1 : this.#last + 1;
    this.#callbacks.set(this.#last, callback);
    return this.#last;
  }

  /** Gives a callback back, once. */
  take(number: number): SendCallback | undefined {
    const callback = this.#callbacks.get(number);
    this.#callbacks.delete(number);
    return callback;
  }
}

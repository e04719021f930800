/** The callbacks of a connection's sends, by the numbers with which the driver tells what became of them. */
import { inContext } from './async-context.js';
import { drained, maxCallback } from './native.js';
import type { ResolvedSettings, SendCallback } from './options.js';

export class SendCallbacks {
  readonly #callbacks = new Map<number, SendCallback>();
  readonly #keepsContext: boolean;
  /** The number of the callback that is added next. */
  next = drained + 1;

  constructor(settings: ResolvedSettings) {
    this.#keepsContext = settings.asyncContext;
  }

  /** Keeps a callback; returns its number. */
  add(callback: SendCallback): number {
    const number = this.next;
    this.next = number === maxCallback ? drained + 1 : number + 1;
    this.#callbacks.set(number, this.#keepsContext ? inContext(callback) : callback);
    return number;
  }

  /** Takes a callback out. */
  take(number: number): SendCallback | undefined {
    const callback = this.#callbacks.get(number);
    this.#callbacks.delete(number);
    return callback;
  }
}

/** The callbacks of a connection's sends, by the numbers with which the driver tells what became of them. */
import { inContext } from './async-context.js';
import { drained, maxCallback } from './native.js';
import type { ResolvedSettings, SendCallback } from './options.js';

export class SendCallbacks {
  readonly #callbacks = new Map<number, SendCallback>();
  readonly #keepsContext: boolean;
  #last = drained;

  constructor(settings: ResolvedSettings) {
    this.#keepsContext = settings.asyncContext;
  }

  /** Keeps a callback; returns its number. */
  add(callback: SendCallback): number {
    this.#last = this.#last === maxCallback ? drained + 1 : this.#last + 1;
    this.#callbacks.set(this.#last, this.#keepsContext ? inContext(callback) : callback);
    return this.#last;
  }

  /** Takes a callback out. */
  take(number: number): SendCallback | undefined {
    const callback = this.#callbacks.get(number);
    this.#callbacks.delete(number);
    return callback;
  }
}

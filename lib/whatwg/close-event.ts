/** The CloseEvent interface: Node's own where it has one (from Node 23 on). */
import type { CloseEvent as CloseEventInterface, CloseEventConstructor } from './types.js';
import { defineInterface, dictionary, domString, requireArguments, unsignedShort, usvString } from './webidl.js';

const OwnCloseEvent = class CloseEvent extends Event implements CloseEventInterface {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, eventInitDict: object = {}) {
    requireArguments(arguments.length, 1, 'The constructor of CloseEvent');
    const init = dictionary(eventInitDict, 'The second argument of CloseEvent');
    const { bubbles, cancelable, composed, code = 0, reason = '', wasClean = false } = init;
    super(domString(type), { bubbles: Boolean(bubbles), cancelable: Boolean(cancelable), composed: Boolean(composed) });
    this.#code = unsignedShort(code);
    this.#reason = usvString(reason);
    this.#wasClean = Boolean(wasClean);
  }

  get wasClean(): boolean {
    return this.#wasClean;
  }

  get code(): number {
    return this.#code;
  }

  get reason(): string {
    return this.#reason;
  }
};
defineInterface(OwnCloseEvent, ['wasClean', 'code', 'reason']);

export type CloseEvent = CloseEventInterface;

/** The event of a connection that is gone. */
export const CloseEvent: CloseEventConstructor =
  (globalThis as { CloseEvent?: CloseEventConstructor }).CloseEvent ?? OwnCloseEvent;

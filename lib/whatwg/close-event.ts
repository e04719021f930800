/** The CloseEvent interface: Node's own where it has one (from Node 23 on). */
import type { CloseEventConstructor } from './types.js';
import { defineInterface, dictionary, domString, requireArguments, unsignedShort, usvString } from './webidl.js';

/** The connection is gone. */
export interface CloseEvent extends Event {
  /** The status of the peer's Close frame; 1005: the frame had none, 1006: there was none, or the connection failed. */
  readonly code: number;
  /** The reason of the peer's Close frame. */
  readonly reason: string;
  /** Whether the closing handshake was done. */
  readonly wasClean: boolean;
}

const OwnCloseEvent = class CloseEvent extends Event {
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

/** The class of `CloseEvent`. */
export const CloseEvent: CloseEventConstructor =
  (globalThis as { CloseEvent?: CloseEventConstructor }).CloseEvent ?? OwnCloseEvent;

/** Event handler IDL attributes (HTML): `onopen` and its kin. */

/** What a program may assign; other objects are kept and do nothing. */
type Handler = object | null;

type Change = (this: EventTarget, type: string, listener: (event: Event) => void) => void;

/** As they were when this was loaded: a class of the program's may have methods of these names. */
const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype as unknown as Readonly<
  Record<'addEventListener' | 'removeEventListener', Change>
>;

interface EventHandler {
  value: object;
  /** Stands in the target's list of listeners, at the place where the handler was first set. */
  readonly listener: (event: Event) => void;
}

export class EventHandlers {
  readonly #target: EventTarget;
  readonly #handlers = new Map<string, EventHandler>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get(type: string): Handler {
    return this.#handlers.get(type)?.value ?? null;
  }

  /** Anything but an object counts as null ([LegacyTreatNonObjectAsNull]). */
  set(type: string, value: unknown): void {
    const known = this.#handlers.get(type);
    const isHandler = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (!isHandler) {
      if (known === undefined) return;
      this.#handlers.delete(type);
      remove.call(this.#target, type, known.listener);
    } else if (known !== undefined) {
      known.value = value;
    } else {
      this.#add(type, value);
    }
  }

  #add(type: string, value: object): void {
    const target = this.#target;
    const handler: EventHandler = {
      value,
      listener: (event) => {
        const callback = handler.value;
        if (typeof callback === 'function' && callback.call(target, event) === false) event.preventDefault();
      },
    };
    this.#handlers.set(type, handler);
    add.call(target, type, handler.listener);
  }
}

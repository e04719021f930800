/** Fires events at an EventTarget: they are trusted ones, as only the program's own `dispatchEvent` makes others. */

/** Gives the object that was passed instead of one of its own, so that the fields of its subclass are added to that. */
const Same = function (object: object) {
  return object;
} as unknown as new (object: object) => object;

/**
 * Makes an event trusted. `isTrusted` is a property of each event by Web IDL ([LegacyUnforgeable]); Node keeps what it says in
 * a WeakSet that only Node's own code can add to, and that takes longer than everything else about an event.
 */
class Trusted extends Same {
  readonly isTrusted = true;
}

/** As it was when this was loaded: a class of the program's may have a method of this name. */
const dispatchEvent = Reflect.get(EventTarget.prototype, 'dispatchEvent') as (
  this: EventTarget,
  event: object,
) => boolean;

/** Fires an event. What listeners throw is reported by Node as an uncaught exception, and later listeners still run. */
export function fire(target: EventTarget, event: Event): void {
  dispatchEvent.call(target, new Trusted(event));
}

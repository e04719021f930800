/**
 * What many objects have to do after the same time each, with one timer of Node for all of them. They are in the order in
 * which they were added, which is that in which they fall due, so that adding and removing cost the same for any number.
 */

/** Milliseconds: the timer rests at least so long, or a tenth of the delay, and then serves all that are due at once. */
const maxRest = 100;

/** Objects that wait, each for the same delay. The timer does not keep the process alive. */
export class DueList<T> {
  readonly #delay: number;
  readonly #rest: number;
  readonly #onDue: (item: T, now: number) => void;
  /** When each is due; on the clock of `performance.now`. */
  readonly #due = new Map<T, number>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param delay in milliseconds
   * @param onDue gets each item, no more in the list, and the time; it must not throw
   */
  constructor(delay: number, onDue: (item: T, now: number) => void) {
    this.#delay = delay;
    this.#rest = Math.min(maxRest, delay / 10);
    this.#onDue = onDue;
  }

  /** Starts the delay of an item, anew when it waits already. */
  add(item: T, now: number): void {
    this.#due.delete(item);
    this.#due.set(item, now + this.#delay);
    this.#timer ??= this.#startTimer(this.#delay);
  }

  delete(item: T): void {
    this.#due.delete(item);
    if (this.#due.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #startTimer(delay: number): NodeJS.Timeout {
    return setTimeout(() => this.#serve(), delay).unref();
  }

  #serve(): void {
    const now = performance.now();
    let next: number | undefined;
    for (const [item, due] of this.#due) {
      if (due > now) {
        next = due; // so are all behind it, also those that were added just now
        break;
      }
      this.#due.delete(item);
      this.#onDue(item, now);
    }
    clearTimeout(this.#timer); // onDue may have started one
    this.#timer = next === undefined ? undefined : this.#startTimer(Math.max(next - now, this.#rest));
  }
}

/** A function that finds the list for a delay. Equal delays have one, which stays: programs have few different ones. */
export function dueLists<T>(onDue: (item: T, now: number) => void): (delay: number) => DueList<T> {
  const lists = new Map<number, DueList<T>>();
  return (delay) => {
    let list = lists.get(delay);
    if (list === undefined) lists.set(delay, (list = new DueList(delay, onDue)));
    return list;
  };
}

/**
 * Checks of what callers pass. Wrong arguments throw a TypeError (another type) or RangeError (another value) that says what
 * is allowed.
 */
import { describe } from './describe.js';

/** Longest timer of Node, in milliseconds. */
const maxTimeout = 2 ** 31 - 1;

/** Checks a whole number from 0 to `max`. */
export function count(name: string, value: unknown, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number') {
    throw new TypeError(`The option "${name}" must be a number, not ${describe(value)}`);
  }
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`The option "${name}" must be a whole number from 0 to ${max}, not ${value}`);
  }
  return value;
}

/** Checks a port; digits are one too, as the environment has them. */
export function portOption(value: unknown): number {
  return count('port', typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value, 65_535);
}

/** Checks a duration. */
export function milliseconds(name: string, value: unknown): number {
  return count(name, value, maxTimeout);
}

/** Checks a name. */
export function oneOf<T extends string>(name: string, allowed: readonly T[], value: T): T {
  if (!allowed.includes(value)) {
    const quoted = allowed.map((one) => `'${one}'`);
    const names = [quoted.slice(0, -1).join(', '), quoted[quoted.length - 1]].join(' or ');
    throw new TypeError(`The option "${name}" must be ${names}, not ${describe(value)}`);
  }
  return value;
}

/** Checks a function that may be missing. */
export function functionOption(name: string, value: unknown): void {
  if (value !== undefined && value !== null && typeof value !== 'function') {
    throw new TypeError(`The option "${name}" must be a function, not ${describe(value)}`);
  }
}

/** Checks an AbortSignal that may be missing. */
export function signalOption(value: unknown): AbortSignal | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || !('aborted' in value)) {
    throw new TypeError(`The option "signal" must be an AbortSignal, not ${describe(value)}`);
  }
  return value as AbortSignal;
}

/** Checks a callback that may be missing. */
export function callback(value: unknown): void {
  if (value !== undefined && value !== null && typeof value !== 'function') {
    throw new TypeError(`The callback must be a function, not ${describe(value)}`);
  }
}

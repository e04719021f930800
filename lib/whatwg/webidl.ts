/**
 * What Web IDL asks of interfaces, operations and arguments, and JavaScript's classes do not give by themselves: conversions,
 * counts of arguments, enumerable members, constants and tags.
 */
import { toUSVString } from 'node:util';
import { isArrayBuffer } from 'node:util/types';
import { describe } from '../describe.js';

/** A member of an interface was called on something else. */
export function illegalInvocation(name: string): TypeError {
  return new TypeError(`Illegal invocation: this is not a ${name}`);
}

/** @throws TypeError for less than `needed` arguments. */
export function requireArguments(given: number, needed: number, what: string): void {
  if (given >= needed) return;
  throw new TypeError(`${what} needs ${needed} argument${needed === 1 ? '' : 's'}, but got ${given}`);
}

/** DOMString. @throws TypeError for a symbol. */
export function domString(value: unknown): string {
  return ''.concat(value as string); // unlike String(), which takes symbols
}

/** USVString: surrogates that stand alone become U+FFFD. @throws TypeError for a symbol. */
export function usvString(value: unknown): string {
  return toUSVString(domString(value));
}

/** [Clamp] unsigned short: the nearest one, of two the even one. @throws TypeError for a symbol or a BigInt. */
export function clampedUnsignedShort(value: unknown): number {
  const clamped = Math.min(Math.max(value as number, 0), 65_535);
  if (Number.isNaN(clamped)) return 0;
  const below = Math.floor(clamped);
  const rest = clamped - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** unsigned short: modulo 65,536. @throws TypeError for a symbol or a BigInt. */
export function unsignedShort(value: unknown): number {
  return Uint16Array.of(value as number)[0];
}

/** Whether the value is an object for Web IDL. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A dictionary; its members are converted where they are read. @throws TypeError when the value is no object. */
export function dictionary(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new TypeError(`${what} must be an object, not ${describe(value)}`);
  return value as Record<string, unknown>;
}

/** The iteration method of an object; undefined: it is no sequence. */
export function iteratorOf(value: object): unknown {
  return (value as Partial<Iterable<unknown>>)[Symbol.iterator] ?? undefined;
}

/** A sequence of strings. @throws TypeError when it cannot be iterated, or a member cannot be converted. */
export function stringSequence(value: unknown, convert: (member: unknown) => string, what: string): string[] {
  if (!isObject(value) || typeof iteratorOf(value) !== 'function') {
    throw new TypeError(`${what} must be an iterable of strings, not ${describe(value)}`);
  }
  const strings: string[] = [];
  for (const member of value as Iterable<unknown>) strings.push(convert(member));
  return strings;
}

/**
 * BufferSource, as it stands without [AllowShared] and [AllowResizable]; undefined: the value is none.
 * @throws TypeError for a view of shared memory, and for memory that may change its size.
 */
export function bufferSource(value: unknown): ArrayBuffer | Uint8Array | undefined {
  if (isArrayBuffer(value)) return isResizable(value) ? refuseResizable() : value;
  return ArrayBuffer.isView(value) ? viewSource(value) : undefined;
}

function viewSource(view: ArrayBufferView): Uint8Array {
  const { buffer } = view;
  if (!isArrayBuffer(buffer)) throw new TypeError('A view of shared memory cannot be sent: copy it first');
  if (isResizable(buffer)) refuseResizable();
  return view instanceof Uint8Array ? view : new Uint8Array(buffer, view.byteOffset, view.byteLength);
}

function isResizable(memory: ArrayBufferLike): boolean | undefined {
  return (memory as { resizable?: boolean }).resizable;
}

function refuseResizable(): never {
  throw new TypeError('An ArrayBuffer that can be resized cannot be sent: copy it first');
}

/** Whether the value is a Blob of Node's, and nothing that looks like one. */
export function isBlob(value: unknown): value is Blob {
  if (!(value instanceof Blob)) return false;
  try {
    Reflect.get(Blob.prototype, 'size', value); // throws for anything else
    return true;
  } catch {
    return false;
  }
}

/** A promise and the functions that settle it. A rejection that nobody looks at is nobody's mistake. */
export class Deferred<T> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    this.promise.catch(() => {});
  }
}

/** What makes a class the interface object of Web IDL. */
export function defineInterface(
  Interface: { readonly name: string; readonly prototype: object },
  members: readonly string[],
  constants: Readonly<Record<string, number>> = {},
): void {
  const { prototype } = Interface;
  for (const member of members) Object.defineProperty(prototype, member, { enumerable: true });
  for (const [name, value] of Object.entries(constants)) {
    Object.defineProperty(Interface, name, { value, enumerable: true });
    Object.defineProperty(prototype, name, { value, enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: Interface.name, configurable: true });
}

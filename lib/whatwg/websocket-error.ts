/** The WebSocketError interface: what closes a WebSocketStream with a code, and what its end is told with. */
import { validateClose, statusFor } from './closing.js';
import type { WebSocketErrorConstructor } from './types.js';
import {
  clampedUnsignedShort,
  defineInterface,
  dictionary,
  domString,
  illegalInvocation,
  isObject,
  usvString,
} from './webidl.js';

/** An error that says with which code and reason a connection ended, or has to end. */
export interface WebSocketError extends DOMException {
  /** Null: there is none. */
  readonly closeCode: number | null;
  /** Why the connection ended, or has to end; may be empty. */
  readonly reason: string;
}

/** A WebSocketCloseInfo, converted. */
export interface CloseInfo {
  code: number | null;
  reason: string;
}

/** @throws TypeError when the value is no object, or a member cannot be converted. */
export function closeInfo(value: unknown): CloseInfo {
  const { closeCode, reason } = dictionary(value, 'A WebSocketCloseInfo');
  return {
    code: closeCode === undefined ? null : clampedUnsignedShort(closeCode),
    reason: reason === undefined ? '' : usvString(reason),
  };
}

let read: (value: unknown) => CloseInfo | undefined;
let make: (message: string, code: number | null, reason: string) => WebSocketErrorClass;

class WebSocketErrorClass extends DOMException {
  #closeCode: number | null;
  #reason: string;

  constructor(message: unknown = '', init: unknown = {}) {
    super(domString(message), 'WebSocketError');
    const { code, reason } = closeInfo(init);
    validateClose(code, reason);
    this.#closeCode = statusFor(code, reason) ?? null;
    this.#reason = reason;
  }

  get closeCode(): number | null {
    return WebSocketErrorClass.#of(this).#closeCode;
  }

  get reason(): string {
    return WebSocketErrorClass.#of(this).#reason;
  }

  static {
    read = (value) =>
      isObject(value) && #closeCode in value ? { code: value.#closeCode, reason: value.#reason } : undefined;
    make = (message, code, reason) => {
      const error = new WebSocketErrorClass(message);
      error.#closeCode = code;
      error.#reason = reason;
      return error;
    };
  }

  static #of(value: unknown): WebSocketErrorClass {
    if (!isObject(value) || !(#closeCode in value)) throw illegalInvocation('WebSocketError');
    return value;
  }
}

Object.defineProperty(WebSocketErrorClass, 'name', { value: 'WebSocketError' });
defineInterface(WebSocketErrorClass, ['closeCode', 'reason']);

/** The code and reason of a WebSocketError; undefined: the value is none. */
export function readWebSocketError(value: unknown): CloseInfo | undefined {
  return read(value);
}

/** An error with any code: programs may use few. */
export function makeWebSocketError(message: string, code: number | null, reason: string): WebSocketError {
  return make(message, code, reason);
}

/** The class of `WebSocketError`. */
export const WebSocketError = WebSocketErrorClass as unknown as WebSocketErrorConstructor;

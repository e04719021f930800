/**
 * The arguments of `send`, `ping`, `pong` and `close` in the form that the driver takes: a string or bytes. Nothing is
 * copied that need not be.
 */
import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { describe } from './describe.js';
import type { BinaryType, MessageData, SendCallback, SendOptions } from './options.js';
import type { Message } from './prepared-message.js';

/** What the driver sends. */
export type Payload = string | Uint8Array | ArrayBuffer;

/** A message of `sendAsync` that waits for room. */
export interface WaitingMessage {
  payload: Message;
  /** When it was passed: a payload that was transferred meanwhile is empty. */
  bytes: number;
  isBinary: boolean;
  options: SendOptions | undefined;
  callback: SendCallback;
}

const empty = new Uint8Array(0);

/** Most bytes in a control frame (RFC 6455, 5.5). */
const maxControlBytes = 125;
/** ... of which two are a Close frame's status. */
const maxReasonBytes = maxControlBytes - 2;

/**
 * What `ws` accepts: strings, numbers, buffers, views and arrays of numbers; nothing, null and false are empty.
 * @throws TypeError for everything else.
 */
export function toPayload(data: unknown): Payload {
  if (typeof data === 'string' || data instanceof Uint8Array || types.isArrayBuffer(data)) return data;
  if (data === undefined || data === null || data === false) return empty;
  if (typeof data === 'number') return String(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (types.isSharedArrayBuffer(data)) return new Uint8Array(data);
  if (Array.isArray(data)) return Buffer.from(data as number[]);
  throw new TypeError(
    `The data must be a string, a number, a Buffer, an ArrayBuffer or a view of one, or an array of bytes, ` +
      `not ${describe(data)}`,
  );
}

/** A binary message as `binaryType` says. `isOwn`: no other message lies in its memory. */
export function toMessageData(data: Buffer, type: BinaryType, isOwn: boolean): MessageData {
  if (type === 'nodebuffer') return data;
  if (type === 'fragments') return [data];
  const memory = data.buffer as ArrayBuffer;
  if (isOwn && data.length === memory.byteLength) return memory;
  return memory.slice(data.byteOffset, data.byteOffset + data.length);
}

/** Bytes that a payload takes on the wire. */
export function byteLength(payload: Message): number {
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
}

/**
 * The payload of a ping or a pong.
 * @throws TypeError as `toPayload`; RangeError above 125 bytes.
 */
export function toControlPayload(data: unknown): string | Uint8Array {
  const payload = toPayload(data);
  const bytes = byteLength(payload);
  if (bytes > maxControlBytes) {
    throw new RangeError(`The data of a ping or pong must be at most ${maxControlBytes} bytes, not ${bytes}`);
  }
  return types.isArrayBuffer(payload) ? new Uint8Array(payload) : payload;
}

/** Whether a Close frame may carry the status (RFC 6455, 7.4; the registry). */
function isCloseStatus(status: number): boolean {
  return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) || (status >= 3000 && status <= 4999);
}

/**
 * Checks a close status.
 * @throws TypeError when it is no whole number; RangeError when a Close frame must not carry it.
 */
export function checkCloseStatus(status: unknown): number {
  if (typeof status !== 'number' || !Number.isInteger(status)) {
    throw new TypeError(`The close code must be a whole number, not ${describe(status)}`);
  }
  if (!isCloseStatus(status)) {
    throw new RangeError(`The close code must be 1000-1003, 1007-1014 or 3000-4999, not ${status}`);
  }
  return status;
}

/**
 * The reason of a Close frame.
 * @throws TypeError as `toPayload`, and for bytes that are not UTF-8; RangeError above 123 bytes.
 */
export function toReason(reason: unknown): string | Uint8Array {
  const payload = toPayload(reason);
  const bytes = byteLength(payload);
  if (typeof payload !== 'string' && !isUtf8(payload)) throw new TypeError('The close reason must be valid UTF-8');
  if (bytes > maxReasonBytes) {
    throw new RangeError(`The close reason must be at most ${maxReasonBytes} bytes of UTF-8, not ${bytes}`);
  }
  return types.isArrayBuffer(payload) ? new Uint8Array(payload) : payload;
}

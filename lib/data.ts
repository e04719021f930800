/**
 * The arguments of `send`, `ping`, `pong` and `close` in the form that the driver takes: a string or bytes. Nothing is
 * copied that need not be.
 */
import { isUtf8 } from 'node:buffer';
import { types } from 'node:util';
import { BlobReader, isBlob } from './blob.js';
import { describe } from './describe.js';
import type { BinaryType, MessageData } from './options.js';

/** The status when no Close frame came, and when one came without a status (RFC 6455, 7.1.5 and 7.1.6). */
export const abnormalClosure = 1006;
export const noStatus = 1005;

/** Something unexpected happened to the one that closes (RFC 6455, 7.4.1). */
export const internalError = 1011;

/** Try again later (the registry of close codes). */
export const tryAgainLater = 1013;

/** What the driver sends. */
export type Payload = string | Uint8Array | ArrayBuffer;

/** What a ping or a pong carries; a Blob has to be read first. */
export type ControlPayload = string | Uint8Array | BlobReader;

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
  if (Array.isArray(data)) return joinArray(data);
  throw new TypeError(
    `The data must be a string, a number, a Buffer, an ArrayBuffer or a view of one, or an array of these or of bytes, ` +
      `not ${describe(data)}`,
  );
}

/**
 * An array of bytes, or of buffers and views in their order: what `binaryType` 'fragments' gives can be sent as it is.
 * @throws TypeError for another element; RangeError for a number that is no byte.
 */
function joinArray(array: readonly unknown[]): Uint8Array {
  if (array.length > 0 && typeof array[0] === 'object') return Buffer.concat(array.map(toBytes));
  for (const byte of array) {
    if (typeof byte !== 'number') throw elementError(byte);
    // From -128 on, because signed bytes are bytes too.
    if (!Number.isInteger(byte) || byte < -128 || byte > 255) {
      throw new RangeError(`A byte in an array must be a whole number from -128 to 255, not ${byte}`);
    }
  }
  return Buffer.from(array as number[]);
}

function toBytes(element: unknown): Uint8Array {
  if (element instanceof Uint8Array) return element;
  if (ArrayBuffer.isView(element)) return new Uint8Array(element.buffer, element.byteOffset, element.byteLength);
  if (types.isAnyArrayBuffer(element)) return new Uint8Array(element);
  throw elementError(element);
}

function elementError(element: unknown): TypeError {
  return new TypeError(
    `An array of data must hold bytes only, or Buffers, ArrayBuffers and views of them only, not ${describe(element)}`,
  );
}

/** A binary message as `binaryType` says. `isOwn`: no other message lies in its memory. */
export function toMessageData(data: Buffer, type: BinaryType, isOwn: boolean): MessageData {
  if (type === 'nodebuffer') return data;
  if (type === 'fragments') return [data];
  if (type === 'blob') return new Blob([data]) as unknown as MessageData; // its memory is its own
  const memory = data.buffer as ArrayBuffer;
  if (isOwn && data.length === memory.byteLength) return memory;
  return new Uint8Array(data).buffer; // a third of the time of ArrayBuffer's own `slice`
}

/** Bytes of a payload; of a Blob those that it announces. */
export function byteLength(payload: string | { readonly byteLength: number }): number {
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
}

/**
 * The payload of a ping or a pong.
 * @throws TypeError as `toPayload`; RangeError above 125 bytes.
 */
export function toControlPayload(data: unknown): ControlPayload {
  const payload = isBlob(data) ? new BlobReader(data) : toPayload(data);
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

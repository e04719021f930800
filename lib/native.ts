/**
 * Loads the native module and starts this thread's driver: one for each copy of this file in each worker thread.
 * Its records are read by dispatch.ts, which hands in the callbacks.
 */
import type { DriverCallbacks, EventKind, NativeModule, StartedDriver, WriteState as States } from '../types/native.js';
import { loadBinary } from './binary.js';

export type {
  Address,
  DeflateSettings,
  Driver,
  DriverCallbacks,
  HeaderList,
  HResultError,
  SessionLimits,
} from '../types/native.js';

/** A member of an enumeration as the number that it stands for. */
type ValueOf<Member extends number> = `${Member}` extends `${infer Value extends number}` ? Value : never;

/** The values of `EventKind`, which has none at run time: a `const enum` of a declaration file is only a type. */
export const Kind = {
  Text: 1,
  Binary: 2,
  Ping: 3,
  Pong: 4,
  Close: 5,
  Fault: 6,
  Closed: 7,
  Sent: 8,
  End: 9,
  Shutdown: 10,
  Fragment: 11,
} as const satisfies { [Name in keyof typeof EventKind]: ValueOf<(typeof EventKind)[Name]> };

/** The values of `WriteState`, likewise. */
export const WriteState = {
  Waiting: 0,
  Failed: 1,
  UnderWay: 2,
  Done: 3,
} as const satisfies { [Name in keyof typeof States]: ValueOf<(typeof States)[Name]> };
export type WriteState = (typeof WriteState)[keyof typeof WriteState];

/** Bits of the last word of the record of a fragment. */
export const FragmentFlag = { Binary: 1, First: 2, Last: 4 } as const;

/** Bits of the `operation` of `Driver.send`. */
export const SendFlag = { Binary: 1, Fin: 2, Compress: 4, OwnKey: 8 } as const;

/** The callback number's place in the `operation` of `Driver.send`; with it, the operation is a small integer of V8. */
export const callbackShift = 4;
export const maxCallback = 2 ** 27 - 1;

/** The callback number with which the driver tells that nothing waits any more. */
export const drained = 1;

/** What the driver returns for a send: nothing, the wire bytes that wait above the high-water mark, or a negative HRESULT. */
export type Held = number | undefined;

/** What the driver returns for a message that `maxBackpressure` leaves no room for: ERROR_INSUFFICIENT_BUFFER. */
export const noRoom = 0x8007007a | 0;

/** Words of one event record: id, kind, a, b, c, d. */
export const recordWords = 6;

/** Words of one record of a write: id, offset, length, state. */
export const writeWords = 4;

/** The source of a payload that lies in the driver's receive memory. */
export const borrowedSource = 0xffffffff;

/** Low bits of a connection's id that number its slot; the others are the slot's generation. */
const slotBits = 20;
export const slotMask = (1 << slotBits) - 1;

/**
 * Bytes that are still read in a pause, so that a Close frame or an end of the stream shows when little stands before it.
 * Each pause has so many; the next pause begins when everything held was delivered.
 */
export const readAhead = 64 * 1024;

/** The native module. */
export const native: NativeModule = loadBinary().module;

/** Starts the driver of this copy of the library. */
export function startDriver(callbacks: DriverCallbacks): StartedDriver {
  return native.startDriver(callbacks);
}

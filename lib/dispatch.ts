/**
 * The driver's events, handed to the connections they belong to. This file owns the driver of the thread and the table
 * of its connections; native code calls `onEvents` once for each batch and `onWrite` for each write to a stream.
 */
import { markAsUntransferable } from 'node:worker_threads';
import { Kind, recordWords, slotMask, startDriver } from './native.js';

/** What a connection learns from the driver, in the order in which it happened. */
export interface DriverEvents {
  readonly id: number;
  /** `isOwn`: nobody else uses the buffer. */
  onMessage(buffer: ArrayBuffer, offset: number, length: number, isBinary: boolean, isOwn: boolean): void;
  onPing(data: Buffer): void;
  onPong(data: Buffer): void;
  /** The peer's Close frame. */
  onCloseFrame(status: number, reason: Buffer): void;
  /** The peer broke the protocol or a limit; `status` was sent to it. */
  onFault(sentence: string, status: number): void;
  /** The data of the send with this callback number was handed over, or never will be. */
  onSent(callback: number, ok: boolean): void;
  /** The peer sends no more bytes. */
  onEnd(): void;
  /** Stream transport: everything was written; the stream can be ended. */
  onShutdown(): void;
  /** The transport is gone; the last event. */
  onClosed(): void;
  /** Stream transport: write these bytes. */
  onWrite(bytes: Buffer): void;
}

/** Connections by slot. The slot's generation is in the id, so that a late event finds nobody else. */
const connections: (DriverEvents | undefined)[] = [];

/** Adds a connection to the table. */
export function register(connection: DriverEvents): void {
  connections[connection.id & slotMask] = connection;
}

/** Removes a connection, after its last event. */
export function unregister(connection: DriverEvents): void {
  const slot = connection.id & slotMask;
  if (connections[slot] === connection) connections[slot] = undefined;
}

const { driver, records, cursor } = startDriver({ onEvents, onWrite });

/** The driver of this thread. */
export { driver };

function onEvents(count: number, payload: ArrayBuffer, large: ArrayBuffer[]): void {
  // Messages share this buffer: transferring one to another thread must not empty the others.
  if (payload.byteLength > 0) markAsUntransferable(payload);
  // The place is kept before the handler runs: when it throws, native code calls again for the records behind it.
  for (let at = cursor[0]; at < count; at = cursor[0]) {
    cursor[0] = at + 1;
    const word = at * recordWords;
    const id = records[word];
    const connection = connections[id & slotMask];
    if (connection !== undefined && connection.id === id) deliver(connection, word, payload, large);
  }
}

function deliver(connection: DriverEvents, word: number, payload: ArrayBuffer, large: ArrayBuffer[]): void {
  const offset = records[word + 2];
  const length = records[word + 3];
  const value = records[word + 5];
  const source = records[word + 4];
  switch (records[word + 1]) {
    case Kind.Text:
    case Kind.Binary: {
      const isBinary = records[word + 1] === Kind.Binary;
      if (source === 0) connection.onMessage(payload, offset, length, isBinary, false);
      else connection.onMessage(large[source - 1], offset, length, isBinary, true);
      break;
    }
    case Kind.Sent:
      connection.onSent(value, source === 0);
      break;
    case Kind.Ping:
      connection.onPing(Buffer.from(source === 0 ? payload : large[source - 1], offset, length));
      break;
    case Kind.Pong:
      connection.onPong(Buffer.from(source === 0 ? payload : large[source - 1], offset, length));
      break;
    case Kind.Close:
      connection.onCloseFrame(value, Buffer.from(source === 0 ? payload : large[source - 1], offset, length));
      break;
    case Kind.Fault:
      connection.onFault(Buffer.from(source === 0 ? payload : large[source - 1], offset, length).toString(), value);
      break;
    case Kind.End:
      connection.onEnd();
      break;
    case Kind.Shutdown:
      connection.onShutdown();
      break;
    case Kind.Closed:
      connection.onClosed();
      break;
  }
}

function onWrite(id: number, bytes: Uint8Array): void {
  const connection = connections[id & slotMask];
  if (connection === undefined || connection.id !== id) return;
  connection.onWrite(Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength));
}

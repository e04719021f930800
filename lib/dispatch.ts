/**
 * The driver's events, handed to the connections they belong to. This file owns the driver of the thread and the table
 * of its connections; native code calls `onEvents` once for each batch and `onWrite` for each write to a stream.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import { markAsUntransferable } from 'node:worker_threads';
import { Kind, recordWords, slotMask, startDriver } from './native.js';

/** What a connection learns from the driver, in the order in which it happened. */
export interface DriverEvents {
  readonly id: number;
  /** `isOwn`: no other message lies in the memory of `data`. */
  onMessage(data: Buffer, isBinary: boolean, isOwn: boolean): void;
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

function onEvents(count: number, payload: Buffer, large: Buffer[]): void {
  const shared = payload.buffer as ArrayBuffer;
  // Messages share this memory: transferring one to another thread must not empty the others.
  if (payload.length > 0) markAsUntransferable(shared);
  // The place is kept before the handler runs: when it throws, native code calls again for the records behind it.
  for (let at = cursor[0]; at < count; at = cursor[0]) {
    cursor[0] = at + 1;
    const word = at * recordWords;
    const id = records[word];
    const connection = connections[id & slotMask];
    if (connection === undefined || connection.id !== id) continue;
    const source = records[word + 4];
    const kind = records[word + 1];
    if (kind === Kind.Sent) {
      connection.onSent(records[word + 5], source === 0);
      continue;
    }
    const data = source === 0 ? Buffer.from(shared, records[word + 2], records[word + 3]) : large[source - 1];
    if (kind <= Kind.Binary) connection.onMessage(data, kind === Kind.Binary, source !== 0);
    else deliver(connection, kind, data, records[word + 5]);
  }
}

/** Everything but messages and sent messages. */
function deliver(connection: DriverEvents, kind: number, data: Buffer, value: number): void {
  switch (kind) {
    case Kind.Ping:
      connection.onPing(data);
      break;
    case Kind.Pong:
      connection.onPong(data);
      break;
    case Kind.Close:
      connection.onCloseFrame(value, data);
      break;
    case Kind.Fault:
      connection.onFault(data.toString(), value);
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

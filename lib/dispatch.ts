/**
 * The driver's events, handed to the connections they belong to. This file owns the driver of the thread and the table
 * of its connections; native code calls `onEvents` once for each batch and `onWrite` once for all streams that a flush writes to.
 */
import { Buffer, isAscii } from 'node:buffer'; // the global Buffer is a getter
import process from 'node:process';
import { markAsUntransferable } from 'node:worker_threads';
import { watchMessages } from './emit.js';
import { borrowedSource, Kind, recordWords, slotMask, startDriver, WriteState, writeWords } from './native.js';
import type { ResolvedSettings, SendCallback } from './options.js';

/** What a connection learns from the driver, in the order in which it happened. */
export interface DriverEvents {
  readonly id: number;
  readonly isPaused: boolean;
  /** Gives the callback of a send a number for the driver. */
  remember(callback: SendCallback | undefined): number;
  readonly settings: Pick<ResolvedSettings, 'textType' | 'allowSynchronousEvents'>;
  /** A text message, when strings are wanted. */
  onText(text: string): void;
  /** Any other message. `source`: 0 for memory shared with other messages, `borrowedSource`, else its own. */
  onMessage(data: Buffer, isBinary: boolean, source: number): void;
  /** A piece of a message, with bits of `FragmentFlag`. */
  onFragment(data: Buffer, flags: number): void;
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
}

/** A stream that connections write to. */
export interface WritableTransport {
  readonly id: number;
  /** Writes bytes of the driver; returns what became of them. */
  write(bytes: Buffer): WriteState;
}

/** Connections by slot. The slot's generation is in the id, so that a late event finds nobody else. */
const connections: (DriverEvents | undefined)[] = [];

/** Streams of connections, likewise. */
const streams: (WritableTransport | undefined)[] = [];
let streamCount = 0;

/** The memory of the latest small writes, which more of them may share. A large one is not kept. */
let writtenMemory: ArrayBuffer | undefined;
const largestShared = 4096;

/** Adds a connection to the table. */
export function register(connection: DriverEvents): void {
  connections[connection.id & slotMask] = connection;
}

/** The connection with this number, until its last event. */
export function connectionOf(id: number): DriverEvents | undefined {
  const connection = connections[id & slotMask];
  return connection?.id === id ? connection : undefined;
}

/** Removes a connection, after its last event. */
export function unregister(connection: DriverEvents): void {
  const slot = connection.id & slotMask;
  if (connections[slot] === connection) connections[slot] = undefined;
}

/** Adds the stream of a connection. */
export function registerStream(stream: WritableTransport): void {
  streams[stream.id & slotMask] = stream;
  streamCount++;
}

/** Removes it, after the connection's last event. */
export function unregisterStream(stream: WritableTransport): void {
  const slot = stream.id & slotMask;
  if (streams[slot] !== stream) return;
  streams[slot] = undefined;
  streamCount--;
}

/** What `subarray` makes of a Buffer: a constructor without the checks of `Buffer.from`. */
const View = (Buffer as unknown as Record<symbol, new (memory: ArrayBuffer, offset: number, length: number) => Buffer>)[
  Symbol.species
];

const { driver, records, cursor, writes } = startDriver({ onEvents, onWrite });

/** The driver of this thread. */
export { driver };

/** The size of a Buffer that the payloads of several small batches share. */
const poolSize = 16 * 1024;

/** The memory of the latest payloads. */
let receivedMemory: ArrayBuffer | undefined;

/**
 * Strings out of a batch: when all of its bytes are ASCII, one string is made of the batch and messages are cut out of
 * that, which is cheaper than decoding each. (Not out of a pool, of which the batch is only a part.)
 */
const texts = {
  batch: undefined as Buffer | undefined,
  ascii: undefined as string | undefined,

  slice(batch: Buffer, offset: number, length: number): string {
    if (batch.length === poolSize) return batch.toString('utf8', offset, offset + length);
    if (this.batch !== batch) {
      this.batch = batch;
      this.ascii = isAscii(batch) ? batch.toString('latin1') : undefined;
    }
    return this.ascii?.slice(offset, offset + length) ?? batch.toString('utf8', offset, offset + length);
  },

  release(): void {
    this.batch = undefined;
    this.ascii = undefined;
  },
};

/** Node's way to run the callbacks of `process.nextTick` and of promises; on record as deprecated (DEP0134). */
const tickCallback = (process as { _tickCallback?: () => void })._tickCallback;

/**
 * Runs them, as Node's timers do between two of their callbacks. It takes a tenth of the time of another call from native
 * code. What one of them throws must not leave from here, where Node's stack of asynchronous contexts still has its own; a
 * microtask that throws is reported at once, as an uncaught exception, and clears that stack.
 */
function runTicks(run: () => void): void {
  for (;;) {
    try {
      run();
      return;
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function onEvents(count: number, payload: Buffer, large: Buffer[], borrowed: Buffer): void {
  const shared = payload.buffer as ArrayBuffer;
  // Messages share this memory: transferring one to another thread must not empty the others.
  if (payload.length > 0 && shared !== receivedMemory) markAsUntransferable((receivedMemory = shared));
  if (borrowed.length > 0) markAsUntransferable(borrowed.buffer);
  watchMessages();
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
    if (kind === Kind.Text && connection.settings.textType === 'string') {
      if (source === 0) connection.onText(texts.slice(payload, records[word + 2], records[word + 3]));
      else connection.onText(dataAt(word, shared, large, borrowed).toString());
    } else {
      const data = dataAt(word, shared, large, borrowed);
      if (kind <= Kind.Binary) connection.onMessage(data, kind === Kind.Binary, source);
      else deliver(connection, kind, data, records[word + 5]);
    }
    if (connection.settings.allowSynchronousEvents) continue;
    // Where Node cannot be asked to, native code calls again for the records behind, after the callbacks of promises.
    if (tickCallback === undefined) break;
    runTicks(tickCallback);
  }
  if (cursor[0] >= count) texts.release();
  if (streamCount === 0) return;
  const bytes = driver.takeWrites();
  if (bytes !== undefined) onWrite(bytes, 0);
}

/** The payload of a record. */
function dataAt(word: number, shared: ArrayBuffer, large: Buffer[], borrowed: Buffer): Buffer {
  const source = records[word + 4];
  if (source === 0) return new View(shared, records[word + 2], records[word + 3]);
  if (source !== borrowedSource) return large[source - 1];
  return new View(borrowed.buffer as ArrayBuffer, records[word + 2], records[word + 3]);
}

/** Everything but messages and sent messages. */
function deliver(connection: DriverEvents, kind: number, data: Buffer, value: number): void {
  switch (kind) {
    case Kind.Fragment:
      connection.onFragment(data, value);
      break;
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

/** Writes from the record `first` on. */
function onWrite(bytes: Buffer, first: number): void {
  const memory = bytes.buffer as ArrayBuffer;
  // Writes share this memory, too.
  if (memory !== writtenMemory) {
    markAsUntransferable(memory);
    writtenMemory = memory.byteLength > largestShared ? undefined : memory;
  }
  let chunk: Buffer | undefined;
  let offset = -1;
  for (let word = first * writeWords; writes[word] !== 0; word += writeWords) {
    const id = writes[word];
    // The state stands before the stream runs: when it throws, native code calls again for the records behind.
    writes[word + 3] = WriteState.Failed;
    const stream = streams[id & slotMask];
    if (stream === undefined || stream.id !== id) continue;
    // The writes of a broadcast have the same place.
    if (chunk === undefined || writes[word + 1] !== offset) {
      offset = writes[word + 1];
      chunk = Buffer.from(memory, offset, writes[word + 2]);
    }
    writes[word + 3] = stream.write(chunk);
  }
}

/**
 * One message for many sockets: converted once, and queued on all of them by one call of the driver.
 */
import { BlobReader } from './blob.js';
import { withQueueFor } from './send-queue.js';
import type { Connection } from './connection.js';
import { driver } from './dispatch.js';
import { noRoom, SendFlag } from './native.js';
import { describe } from './describe.js';
import type { SendData } from './options.js';
import type { BroadcastOptions } from './server-options.js';
import { kindOf, MessageKind, PreparedMessage, toMessage, type Message } from './prepared-message.js';
import type { WebSocket } from './websocket.js';

/**
 * Queues a whole message on those of the sockets that are open; returns on how many.
 * @throws TypeError for other data, or invalid options.
 */
export function broadcast(
  sockets: Iterable<WebSocket>,
  data: SendData | PreparedMessage,
  options: BroadcastOptions,
): number {
  const { filter, except, compress = true } = options;
  checkFilter(filter);
  const message = toMessage(data);
  const payload = message instanceof BlobReader ? new SharedBlobReader(message.blob) : message;
  const isBinary = options.binary ?? kindOf(payload) !== MessageKind.Text;
  let putOff = 0;
  const connections: Connection[] = [];
  for (const socket of sockets) {
    const connection = socket._connection;
    if (connection?.takesBroadcast() && socket !== except && (filter === undefined || filter(socket))) {
      if (connection.queue === undefined && !(payload instanceof BlobReader)) connections.push(connection);
      else putOff += withQueueFor(payload, connection, () => sendLater(connection, payload, isBinary, compress));
    }
  }
  if (payload instanceof BlobReader) return putOff;
  const ids = Uint32Array.from(connections, (connection) => connection.id);
  const flags = SendFlag.Fin | (isBinary ? SendFlag.Binary : 0) | (compress ? SendFlag.Compress : 0);
  const count = driver.broadcast(ids, payload, flags);
  // What is left of the ids names those that have no room; each follows its own policy.
  for (let i = 0; i < ids.length && count < ids.length; i++) {
    if (ids[i] !== 0) connections[i].overflow(undefined);
  }
  return putOff + count;
}

/** Queues the message behind a Blob; returns 1, or 0 when there was no room. */
function sendLater(connection: Connection, payload: Message, isBinary: boolean, compress: boolean): number {
  if (connection.queue === undefined) return 0; // the filter has just closed it
  if (connection.queue.send(payload, isBinary, { compress }, undefined) !== noRoom) return 1;
  connection.overflow(undefined);
  return 0;
}

/** Reads a Blob once for many connections, which share its bytes. */
class SharedBlobReader extends BlobReader {
  #message: Promise<PreparedMessage> | undefined;

  override read(): Promise<PreparedMessage> {
    this.#message ??= super.read().then((bytes) => new PreparedMessage(bytes as Uint8Array));
    return this.#message;
  }
}

function checkFilter(filter: unknown): void {
  if (filter !== undefined && typeof filter !== 'function') {
    throw new TypeError(`The option "filter" must be a function, not ${describe(filter)}`);
  }
}

/**
 * One message for many sockets: converted once, and queued on all of them by one call of the driver.
 */
import type { Connection } from './connection.js';
import { driver } from './dispatch.js';
import { SendFlag } from './native.js';
import { describe } from './describe.js';
import type { BroadcastOptions, SendData } from './options.js';
import { isBinaryMessage, toMessage, type PreparedMessage } from './prepared-message.js';
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
  const payload = toMessage(data);
  const isBinary = options.binary ?? isBinaryMessage(payload);
  const connections: Connection[] = [];
  for (const socket of sockets) {
    const connection = socket._connection;
    if (connection?.takesBroadcasts && socket !== except && (filter === undefined || filter(socket))) {
      connections.push(connection);
    }
  }
  const ids = Uint32Array.from(connections, (connection) => connection.id);
  const flags = SendFlag.Fin | (isBinary ? SendFlag.Binary : 0) | (compress ? SendFlag.Compress : 0);
  const count = driver.broadcast(ids, payload, flags);
  // What is left of the ids names those that have no room; each follows its own policy.
  for (let i = 0; i < ids.length && count < ids.length; i++) {
    if (ids[i] !== 0) connections[i].overflow(undefined);
  }
  return count;
}

function checkFilter(filter: unknown): void {
  if (filter !== undefined && typeof filter !== 'function') {
    throw new TypeError(`The option "filter" must be a function, not ${describe(filter)}`);
  }
}

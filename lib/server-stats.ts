/**
 * What a server counts: requests and connections here, when they end, which is rare; messages and bytes in the driver. What
 * waits is added up when it is asked for.
 */
import { driver } from './dispatch.js';
import type { WebSocket } from './websocket.js';

/** What `WebSocketServer.stats` tells; counts are since the server was made. */
export interface ServerStats {
  /** Connections that are not closed yet: open ones and those in the closing handshake. */
  connections: number;
  /** Requests that became connections: `connections` and `closed` together. */
  accepted: number;
  /** Requests that were refused. A client that was gone before it got an answer is counted nowhere. */
  refused: number;
  /**
   * `refused` by the HTTP status of the answer. A request that was given to a 'wsClientError' listener counts with the
   * status that it gets without one.
   */
  refusedByStatus: Record<number, number>;
  /** Connections that were closed. */
  closed: number;
  /** `closed` by the code of the 'close' event: 1005 for a Close frame without a status, 1006 for none. */
  closedByCode: Record<number, number>;
  /** Whole messages that arrived on all connections, also those that no listener has seen yet. */
  messagesReceived: number;
  /** Whole messages that `send` and `broadcast` accepted, on all connections; some may still wait, or never be sent. */
  messagesSent: number;
  /** Bytes that arrived: frames with their headers, behind the opening handshake, before TLS. */
  bytesReceived: number;
  /** Bytes that were handed to the kernel, or to the stream: frames with their headers, behind the opening handshake, before TLS. */
  bytesSent: number;
  /** The `bufferedAmount` of all connections together: payload bytes that wait for slow peers. */
  bufferedAmount: number;
  /** Connections on which more than `highWaterMark` payload bytes wait. */
  slowConnections: number;
}

export class ServerMeter {
  /** Counts messages and bytes of the connections that are made with it. */
  readonly traffic = driver.createTraffic();
  readonly #refusals = new Map<number, number>();
  readonly #closes = new Map<number, number>();

  refused(status: number): void {
    increment(this.#refusals, status);
  }

  closed(code: number): void {
    increment(this.#closes, code);
  }

  /** @param sockets those that are not closed @param highWaterMark of each, in bytes */
  read(sockets: ReadonlySet<WebSocket>, highWaterMark: number): ServerStats {
    let bufferedAmount = 0;
    let slowConnections = 0;
    for (const socket of sockets) {
      const bytes = socket.bufferedAmount;
      bufferedAmount += bytes;
      if (bytes > highWaterMark) slowConnections++;
    }
    const closed = sum(this.#closes);
    const [messagesReceived, messagesSent, bytesReceived, bytesSent] = driver.readTraffic(this.traffic);
    return {
      connections: sockets.size,
      accepted: sockets.size + closed,
      refused: sum(this.#refusals),
      refusedByStatus: Object.fromEntries(this.#refusals),
      closed,
      closedByCode: Object.fromEntries(this.#closes),
      messagesReceived,
      messagesSent,
      bytesReceived,
      bytesSent,
      bufferedAmount,
      slowConnections,
    };
  }
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sum(counts: Map<number, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

// What the page shows: twice a second, while somebody looks, one JSON text with the totals and the connections.
//
// It is made once for all viewers and handed to broadcast(); with nobody on /stats no timer runs. A viewer that does not
// keep up misses samples instead of making them wait.
import { createRequire } from 'node:module';
import { WebSocketServer } from 'websocket-component';

const interval = 500; // milliseconds
const maxRows = 100; // connections that are listed; more are only counted
const maxBacklog = 256 * 1024; // bytes that may wait for one viewer

const { version } = createRequire(import.meta.url)('websocket-component/package.json');

export class Monitor {
  /** The endpoint of the viewers. */
  server;
  #observed;
  #rows = new Map(); // by socket, the oldest first
  #lastId = 0;
  #timer;
  #cpu = new CpuMeter();

  /** @param observed the servers whose totals are told @param options of the viewers' server */
  constructor(observed, options) {
    this.#observed = observed;
    this.server = new WebSocketServer({
      ...options,
      maxPayload: 125, // viewers have nothing to say
      maxBackpressure: maxBacklog,
      backpressure: 'drop',
    });
    this.server.on('connection', (socket, request) => this.#welcome(socket, request));
  }

  /** Lists a connection until it closes. Returns its counts of messages, which the caller keeps up to date. */
  watch(socket, request, path) {
    const counts = { received: 0, sent: 0 };
    const { remoteAddress, remotePort } = request.socket;
    const row = {
      id: ++this.#lastId,
      path,
      address: `${remoteAddress}:${remotePort}`,
      since: performance.now(),
      counts,
    };
    this.#rows.set(socket, row);
    socket.on('close', () => this.#rows.delete(socket));
    return counts;
  }

  #welcome(socket, request) {
    this.watch(socket, request, '/stats');
    socket.on('error', (error) => console.error(`/stats: ${error.message}`));
    socket.on('close', () => {
      if (this.server.clients.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    this.#timer ??= setInterval(() => this.#tell(), interval);
  }

  #tell() {
    this.server.broadcast(JSON.stringify(this.#sample()));
    for (const viewer of this.server.clients) this.#rows.get(viewer).counts.sent += 1;
  }

  #sample() {
    return {
      time: performance.now(), // milliseconds since the process began
      program: {
        version,
        node: process.version,
        system: `${process.platform} ${process.arch}`,
        memory: process.memoryUsage.rss(), // bytes
        cpu: this.#cpu.read(), // of one core, since the last sample
      },
      totals: sum(this.#observed.map((server) => server.stats())),
      connections: [...this.#rows].slice(0, maxRows).map(describe),
      unlisted: Math.max(0, this.#rows.size - maxRows),
    };
  }
}

function describe([socket, { id, path, address, since, counts }]) {
  const stream = socket._socket; // counts bytes on the wire
  return {
    id,
    path,
    address,
    transport: socket.transport,
    age: Math.round(performance.now() - since), // milliseconds
    bytesReceived: stream.bytesRead,
    bytesSent: stream.bytesWritten,
    messagesReceived: counts.received,
    messagesSent: counts.sent,
    ping: socket.latency, // milliseconds; absent until the first pong
  };
}

/** Adds objects of numbers, and of such objects, up. */
function sum(objects) {
  const total = {};
  for (const object of objects) {
    for (const [key, value] of Object.entries(object)) {
      total[key] = typeof value === 'number' ? (total[key] ?? 0) + value : sum([total[key] ?? {}, value]);
    }
  }
  return total;
}

class CpuMeter {
  #usage = process.cpuUsage();
  #readAt = performance.now();

  /** The share of one core that the process has used since the last call. */
  read() {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#usage); // microseconds
    const share = (user + system) / 1000 / (now - this.#readAt);
    this.#usage = process.cpuUsage();
    this.#readAt = now;
    return share;
  }
}

// The load, in a thread of its own so that drawing does not disturb what is measured: sends binary messages to /echo that
// carry their sending time, and counts and times what comes back.
//
// In:  { isRunning, rate, size, connections }   rate: messages a second on all connections together; 0: as many as can be
// Out: { open, connections, seconds, echoed, bytes, p50, p99 }   twice a second; p50 and p99 in milliseconds, or null
import { Link } from './link.js';

const interval = 500; // milliseconds
const timestampBytes = 8;
const maxConnections = 64;
const maxSize = 64 * 1024;
// On their way at a time; with more, the queues of the browser would be measured and not the server.
const maxMessagesInFlight = 128;
const maxBytesInFlight = 2 * 1024 * 1024;

let settings = { isRunning: false, rate: 0, size: 64, connections: 1 };
let message = new Uint8Array(settings.size);
const clients = [];
let next = 0; // the client whose turn it is
let due = 0; // messages, and the fraction of the next one
let lastTurn = performance.now();
let lastReport = performance.now();
let echoed = 0;
let bytes = 0;
let roundTrips = [];

class Client {
  inFlight = 0;

  constructor() {
    this.link = new Link('/echo', {
      open: () => (this.inFlight = 0),
      message: (data) => {
        roundTrips.push(performance.now() - new DataView(data).getFloat64(0));
        this.inFlight -= 1;
        echoed += 1;
        bytes += data.byteLength;
        if (settings.rate === 0 && settings.isRunning) this.send(); // the next one, without waiting for a turn
      },
    });
  }

  /** Whether there was room for one more. */
  send() {
    const most = Math.min(maxMessagesInFlight, maxBytesInFlight / settings.size) / settings.connections;
    if (!this.link.isOpen || this.inFlight >= Math.max(1, Math.floor(most))) return false;
    new DataView(message.buffer).setFloat64(0, performance.now());
    this.link.socket.send(message);
    this.inFlight += 1;
    return true;
  }
}

addEventListener('message', ({ data }) => {
  settings = {
    ...data,
    connections: Math.min(data.connections, maxConnections),
    size: Math.min(Math.max(data.size, timestampBytes), maxSize),
  };
  if (message.length !== settings.size) message = new Uint8Array(settings.size);
  const wanted = settings.isRunning ? settings.connections : 0;
  while (clients.length > wanted) clients.pop().link.end();
  while (clients.length < wanted) clients.push(new Client());
});

/** Sends what is due, to one client after the other. A thread that slept makes up for a tenth of a second at most. */
function turn() {
  const now = performance.now();
  due += (Math.min(now - lastTurn, 100) * settings.rate) / 1000;
  lastTurn = now;
  if (settings.rate === 0) due = settings.isRunning ? maxMessagesInFlight : 0;
  for (let refused = 0; due >= 1 && refused < clients.length;) {
    next = (next + 1) % clients.length;
    if (clients[next].send()) {
      due -= 1;
      refused = 0;
    } else {
      refused += 1;
    }
  }
  due = Math.min(due, 1); // what nobody had room for is not made up for
}

function report() {
  const now = performance.now();
  const sorted = Float64Array.from(roundTrips).sort();
  const percentile = (share) => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
  postMessage({
    open: clients.filter(({ link }) => link.isOpen).length,
    connections: settings.connections,
    seconds: (now - lastReport) / 1000,
    echoed,
    bytes,
    p50: percentile(0.5),
    p99: percentile(0.99),
  });
  lastReport = now;
  echoed = 0;
  bytes = 0;
  roundTrips = [];
}

setInterval(turn, 4);
setInterval(report, interval);

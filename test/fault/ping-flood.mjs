// Peers that send pings without end and read nothing: few answers wait for each, and others are served meanwhile.
import { once } from 'node:events';
import { WebSocket } from 'websocket-component';
import { encodeFrame, fits, KiB, MiB, Opcode, pause, rawClient, report } from './common.mjs';
import { startServer } from './server-process.mjs';

const milliseconds = Number(process.argv[2]);
const isStream = process.env.WEBSOCKET_COMPONENT_TRANSPORT === 'stream';
const pongSize = 127;
// A write that is blocked has the rest of a pong and the newest then; behind it one waits. Streams are given one write of
// up to 16 KiB, before they can tell that it is blocked. What the process grew by is V8's heap and what allocators keep; the
// pongs of a second would be more than a hundred MiB.
const [peers, mostResident] = [10, 32 * MiB];
const mostWaiting = isStream ? 16 * KiB + 2 * pongSize : 3 * pongSize;
const server = await startServer({}, { collects: true });
const { bytes } = encodeFrame({ opcode: Opcode.ping, payload: { binary: 125 } }, true);
const flood = Buffer.concat(Array.from({ length: 500 }, () => bytes));
let sent = 0;
let isOver = false;

/** Sends pings a few at a time, each of which is answered, until no more answers are sent: the sockets are full. */
async function fill(sockets) {
  const few = flood.subarray(0, 100 * bytes.length);
  for (let [last, rounds] = [0, 0]; rounds < 10; rounds++) {
    for (let i = 0; i < 50; i++) {
      for (const socket of sockets) socket.write(few);
      sent += 100 * sockets.length;
      await pause(1);
    }
    const { bytesSent } = await server.ask();
    if (bytesSent > last) rounds = 0;
    last = bytesSent;
  }
}

/** Resolves when the flood is over. */
async function run(socket) {
  socket.pause();
  while (!isOver && socket.writable) {
    sent += 500;
    await new Promise((resolve) => socket.write(flood, resolve));
  }
}

async function floodFor(time) {
  const sockets = await Promise.all(Array.from({ length: peers }, () => rawClient(server.url)));
  isOver = false;
  setTimeout(() => (isOver = true), time);
  const other = new WebSocket(server.url);
  await once(other, 'open');
  await fill(sockets);
  const runs = sockets.map(run);
  for (let i = 0; i < 5; i++) {
    other.send('meanwhile');
    await once(other, 'message');
  }
  other.terminate();
  await Promise.all(runs);
  await pause(100);
  return sockets;
}

// The first flood is what the process grows by, and the second one what is held for it.
for (const socket of await floodFor(500)) socket.destroy();
await pause(100);
const before = (await server.ask()).memory;
sent = 0;
const sockets = await floodFor(milliseconds);
const stable = async (name) => {
  for (let last = -1; ;) {
    const seen = await server.ask();
    if (seen[name] === last) return seen;
    last = seen[name];
    await pause(200);
  }
};
const blocked = await stable('bytesReceived');
const grown = blocked.memory - before;
let arrived = 0;
for (const socket of sockets) socket.on('data', (bytes) => (arrived += bytes.length)).resume();
const { bytesSent } = await stable('bytesSent');
const waiting = (bytesSent - blocked.bytesSent) / peers;
for (const socket of sockets) socket.destroy();
const [status] = await server.end();
report(
  `${sent} pings from ${peers} peers that do not read: ${waiting.toFixed(0)} bytes wait for each, the process grew by ${(grown / MiB).toFixed(1)} MiB, others served`,
  waiting <= mostWaiting && arrived > 0 && fits(grown, mostResident) && sent > 50_000 && status === 0,
);

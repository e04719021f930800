// Peers that send pings without end and read nothing: few answers wait for each, and others are served meanwhile.
import { once } from 'node:events';
import { WebSocket } from 'websocket-component';
import { encodeFrame, KiB, Opcode, pause, rawClient, report } from './common.mjs';
import { startServer } from './server-process.mjs';

const milliseconds = Number(process.argv[2]);
// A stream of Node holds a write under way and 64 KiB that it has read; 16 KiB of answers may wait behind that.
const [peers, mostEach] = [40, 256 * KiB];
const server = await startServer({}, { collects: true });
const { bytes } = encodeFrame({ opcode: Opcode.ping, payload: { binary: 125 } }, true);
const flood = Buffer.concat(Array.from({ length: 500 }, () => bytes));
let sent = 0;
let isOver = false;

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
const each = ((await server.ask()).memory - before) / peers;
for (const socket of sockets) socket.destroy();
const [status] = await server.end();
report(
  `${sent} pings from ${peers} peers that do not read: ${(each / KiB).toFixed(1)} KiB held for each, others served`,
  each < mostEach && sent > 50_000 && status === 0,
);

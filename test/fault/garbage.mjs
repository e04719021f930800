// Sockets that nobody holds: they work while they are open, and are collected when they have ended.
import { WebSocket } from 'websocket-component';
import { KiB, MiB, pause, report, serve, until } from './common.mjs';

const count = Number(process.argv[2]);
const { server, url } = await serve();
const held = [];
const alive = () => held.filter((ref) => ref.deref() !== undefined).length;
let echoed = 0;
let ended = 0;

server.on('connection', (socket) => {
  held.push(new WeakRef(socket));
  socket.on('message', (data) => socket.send(data));
  socket.on('close', () => ended++);
});
function open() {
  const socket = new WebSocket(url);
  held.push(new WeakRef(socket));
  socket.on('message', () => echoed++);
  socket.on('open', () => setTimeout((ref) => ref.deref()?.send('still here'), 50, new WeakRef(socket)));
  socket.on('close', () => ended++);
}
for (let i = 1; i <= count; i++) {
  open();
  if (i % 100 === 0) await until(() => server.clients.size === i);
}
await until(() => server.clients.size === count && held.length === 2 * count);
for (let i = 0; i < 5; i++) {
  globalThis.gc();
  await pause(20);
}
await until(() => echoed === count);
const working = alive();
await new Promise((resolve) => server.close({ timeout: 5000 }, resolve));
await until(() => ended === 2 * count);
// The first client of a process stays, in ws too: Node keeps something of the first request.
const mostLeft = 1;
for (let i = 0; i < 200 && alive() > mostLeft; i++) {
  await pause(10); // what was looked at is kept until the end of the turn
  globalThis.gc();
  await pause(10);
}
const left = alive();

// Of a large message nothing is kept when its connection has ended.
const large = 32 * MiB - KiB; // the last write is as large as the others
const again = await serve();
again.server.on('connection', (socket) => {
  socket.on('message', (data) => socket.send(data));
});
const before = process.memoryUsage().arrayBuffers;
await new Promise((resolve) => {
  const socket = new WebSocket(again.url);
  socket.on('open', () => socket.send(Buffer.alloc(large)));
  socket.on('message', () => socket.terminate()); // the message is the last thing that is written
  socket.on('close', resolve);
});
await new Promise((resolve) => again.server.close(resolve));
const mostKept = 256 * KiB;
let kept = large;
for (let i = 0; i < 200 && kept > mostKept; i++) {
  await pause(10);
  globalThis.gc();
  kept = process.memoryUsage().arrayBuffers - before;
}

report(
  `${2 * count} sockets that nobody holds: ${working} alive while open, ${echoed} of ${count} echoes, ${left} left after ` +
    `the end; ${(kept / KiB).toFixed(0)} KiB left of a message of 32 MiB`,
  working === 2 * count && echoed === count && left <= mostLeft && kept <= mostKept,
);

// Sockets that nobody holds: they work while they are open, and are collected when they have ended.
import { WebSocket } from 'websocket-component';
import { pause, report, serve, until } from './common.mjs';

const count = Number(process.argv[2]);
const { server, url } = await serve();
const held = [];
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
const kept = held.filter((ref) => ref.deref() !== undefined).length;
await new Promise((resolve) => server.close({ timeout: 5000 }, resolve));
await until(() => ended === 2 * count);
const alive = () => held.filter((ref) => ref.deref() !== undefined).length;
// The first client of a process stays, in ws too: Node keeps something of the first request.
const mostLeft = 1;
for (let i = 0; i < 200 && alive() > mostLeft; i++) {
  await pause(10); // what was looked at is kept until the end of the turn
  globalThis.gc();
  await pause(10);
}
const left = alive();
report(
  `${2 * count} sockets that nobody holds: ${kept} alive while open, ${echoed} of ${count} echoes, ${left} left after the end`,
  kept === 2 * count && echoed === count && left <= mostLeft,
);

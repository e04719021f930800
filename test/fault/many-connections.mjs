// As many connections at once as descriptors allow, client and server in processes of their own: all are served, and after
// their end nothing is left.
import { once } from 'node:events';
import { WebSocket } from 'websocket-component';
import { pause, report } from './common.mjs';
import { startServer } from './server-process.mjs';

const count = Number(process.argv[2]);
const atOnce = 200;
const server = await startServer();
const before = (await server.ask()).memory;
const sockets = [];
let wrong = 0;
while (sockets.length < count) {
  const some = Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => new WebSocket(server.url));
  for (const socket of some) socket.on('error', () => wrong++);
  await Promise.all(some.map((socket) => once(socket, 'open')));
  sockets.push(...some);
}
const { connections, memory } = await server.ask();
const echoes = sockets.map((socket, i) => {
  const echo = once(socket, 'message');
  socket.send(String(i));
  return echo;
});
for (const [i, [data]] of (await Promise.all(echoes)).entries()) if (String(data) !== String(i)) wrong++;
const closes = sockets.map((socket) => once(socket, 'close'));
for (const socket of sockets) socket.close(1000);
for (const [code] of await Promise.all(closes)) if (code !== 1000) wrong++;
await pause(500);
const after = await server.ask();
const [status] = await server.end();
report(
  `${connections} connections at once, ${((memory - before) / count / 1024).toFixed(1)} KiB each in the server, ${wrong} wrong, ` +
    `${after.connections} left`,
  connections === count && wrong === 0 && after.connections === 0 && status === 0,
);

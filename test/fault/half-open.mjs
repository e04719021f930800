// Peers that are there for TCP and say nothing more: each is found when a ping was not answered in time.
import { report, rawClient, serve, until } from './common.mjs';

const mostLate = Number(process.argv[2]);
const [peers, pingInterval, pingTimeout] = [200, 700, 700];
const { server, url } = await serve({ pingInterval, pingTimeout });
const times = [];
const codes = new Set();
server.on('connection', (socket) => {
  const started = performance.now();
  socket.on('error', (error) => codes.add(error.code));
  socket.on('close', () => times.push(performance.now() - started));
});
const sockets = await Promise.all(Array.from({ length: peers }, () => rawClient(url)));
await until(() => times.length === peers);
for (const socket of sockets) socket.destroy();
server.close();
const [least, most] = [Math.min(...times), Math.max(...times)];
const due = pingInterval + pingTimeout;
report(
  `${times.length} of ${peers} half-open peers found after ${least.toFixed(0)} to ${most.toFixed(0)} ms; due after ${due} ms`,
  times.length === peers &&
    codes.size === 1 &&
    codes.has('WS_ERR_PING_TIMEOUT') &&
    least > due - 1000 &&
    most < due + mostLate,
);

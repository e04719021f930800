// Clients that send their request at a byte each second: all are cut when the handshake's time is over, and cost little. On a
// port of the WebSocket server by `handshakeTimeout`; with `foreign`, on an HTTP server of the program by what SECURITY.md
// says.
import { fits, pause, rawConnect, report, until } from './common.mjs';
import { startServer } from './server-process.mjs';

const [clients, timeout, mostLate] = process.argv.slice(2, 5).map(Number);
const isForeign = process.argv[5] === 'foreign';
const mostMemory = 16 * 1024;
const http = { headersTimeout: timeout, requestTimeout: timeout, connectionsCheckingInterval: 500 };
const server = await startServer(isForeign ? { http } : { handshakeTimeout: timeout });
// What the first connections of a process cost is not what each costs.
const warm = Array.from({ length: 50 }, () => rawConnect(server.port).end('GET / HTTP/1.1\r\n\r\n').resume());
await until(() => warm.every((socket) => socket.destroyed));
const before = (await server.ask()).memory;
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
const times = [];
const sockets = [];
for (let i = 0; i < clients; i++) {
  const socket = rawConnect(server.port);
  sockets.push(socket);
  const started = performance.now();
  socket.on('close', () => times.push(performance.now() - started));
  socket.on('connect', () => {
    socket.resume();
    socket.write(request[0]); // Node counts from the first byte
  });
  if (i % 50 === 49) await pause(2);
}
let sent = 1;
const timer = setInterval(() => {
  for (const socket of sockets) if (socket.writable) socket.write(request[sent % request.length]);
  sent++;
}, 1000);
await pause(timeout / 2);
const each = ((await server.ask()).memory - before) / clients;
await until(() => times.length === clients, 3 * timeout + 20_000);
clearInterval(timer);
const [least, most] = [Math.min(...times), Math.max(...times)];
await server.end();
report(
  `${clients} handshakes of 1 byte/s${isForeign ? " on a program's own server" : ''}, timeout ${timeout} ms: ${times.length} cut after ${least.toFixed(0)} to ` +
    `${most.toFixed(0)} ms, ${(each / 1024).toFixed(1)} KiB each`,
  times.length === clients && least > timeout - 1000 && most < timeout + mostLate && fits(each, mostMemory),
);

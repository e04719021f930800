// An echo server in a process of its own, for the programs that measure or limit it. Argument: options as JSON; with `http`
// the WebSocket server is on an HTTP server with these options, which the program made. Prints its port; answers each line
// on stdin with its memory, processor time, connections and traffic, and collects garbage before unless it is told not to;
// ends when stdin ends.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { getHeapStatistics } from 'node:v8';
import { residentMemory, serve, serveOn } from './common.mjs';

const { http, ...options } = JSON.parse(process.argv[2] ?? '{}');
const host = http && createServer(http);
const { server, port } = host === undefined ? await serve(options) : await serveOn(host, options);
let received = 0;
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    received++;
    socket.send(data, { binary: isBinary });
  });
});
console.log(port);
// Garbage between two collections is not what connections hold.
if (process.argv[3] === 'collect') setInterval(globalThis.gc, 20).unref();
const lines = createInterface(process.stdin);
lines.on('line', (line) => {
  if (line !== 'as it is') globalThis.gc();
  const { bytesReceived, bytesSent } = server.stats();
  const connections = server.clients.size;
  const { user, system } = process.cpuUsage();
  const memory = residentMemory();
  const heapUsed = getHeapStatistics().used_heap_size; // takes no descriptor, as process.memoryUsage does
  const milliseconds = (user + system) / 1000;
  console.log(JSON.stringify({ memory, heapUsed, milliseconds, connections, received, bytesReceived, bytesSent }));
});
await once(lines, 'close');
server.close({ timeout: 0 });
host?.close();

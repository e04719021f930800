// Headers that promise 2^63 bytes and more, and as much as is allowed: nothing is reserved for what has not come.
import { once } from 'node:events';
import { encodeFrame, fits, KiB, Opcode, rawClient, report } from './common.mjs';
import { startServer } from './server-process.mjs';

const each = 50;
const lengths = [1n << 63n, (1n << 64n) - 1n, (1n << 63n) - 1n, 100n * 1024n * 1024n + 1n, 100n * 1024n * 1024n];
const server = await startServer();
for (let i = 0; i < 20; i++) (await rawClient(server.url)).destroy();
const before = (await server.ask()).memory;
const sockets = [];
const statuses = new Map();
for (const declaredLength of lengths) {
  for (let i = 0; i < each; i++) {
    const socket = await rawClient(server.url);
    sockets.push(socket);
    socket.write(encodeFrame({ opcode: Opcode.binary, payload: 'begins', declaredLength, lengthSize: 8 }, true).bytes);
    if (declaredLength === lengths.at(-1)) continue; // is waited for
    socket.resume();
    const [answer] = await once(socket, 'data');
    const status = answer.readUInt16BE(2);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
}
const grown = ((await server.ask()).memory - before) / sockets.length;
for (const socket of sockets) socket.destroy();
const [status] = await server.end();
const seen = [...statuses].map(([code, count]) => `${count} × ${code}`).join(', ');
report(
  `${sockets.length} frames of 100 MiB to 2^64-1 bytes announced: ${seen}, ${(grown / KiB).toFixed(1)} KiB each`,
  statuses.get(1002) === 2 * each && statuses.get(1009) === 2 * each && fits(grown, 64 * KiB) && status === 0,
);

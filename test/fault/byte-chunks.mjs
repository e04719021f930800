// A frame of 1 MiB that comes in chunks of one byte: time grows with its length, and little more than its bytes is held.
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { WebSocketServer } from 'websocket-component';
import { encodeFrame, MiB, Opcode, report, residentMemory } from './common.mjs';

const mostRetained = 1.25 * MiB;
const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const server = new WebSocketServer({ noServer: true });

/** A connection over a stream in memory, whose chunks are those that are pushed. */
function open() {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': key,
    'sec-websocket-version': '13',
  };
  const rawHeaders = Object.entries(headers).flat();
  const socket = accept(stream, { method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: stream });
  return { stream, socket };
}
function accept(stream, request) {
  let opened;
  server.handleUpgrade(request, stream, Buffer.alloc(0), (socket) => (opened = socket));
  return opened;
}

async function push(stream, bytes) {
  for (let i = 0; i < bytes.length; i++) {
    stream.push(bytes.subarray(i, i + 1));
    if (i % 4096 === 4095) await new Promise(setImmediate);
  }
  await new Promise(setImmediate);
}

/** Messages of this size on several connections at once: what allocators reuse would hide what one of them holds. */
async function measure(size, count) {
  const { bytes } = encodeFrame({ opcode: Opcode.binary, payload: { binary: size } }, true);
  const connections = Array.from({ length: count }, open);
  globalThis.gc();
  const before = residentMemory();
  const started = process.cpuUsage();
  for (const { stream } of connections) await push(stream, bytes.subarray(0, -1));
  const { user, system } = process.cpuUsage(started);
  globalThis.gc();
  globalThis.gc();
  const retained = (residentMemory() - before) / count;
  let isWhole = true;
  for (const { stream, socket } of connections) {
    const message = once(socket, 'message');
    stream.push(bytes.subarray(-1));
    const [data] = await message;
    isWhole &&= data.length === size;
    socket.terminate();
  }
  return { retained, milliseconds: (user + system) / 1000 / count, isWhole };
}

await measure(MiB / 4, 2); // what is paid once
const quarter = await measure(MiB / 4, 4);
const { retained, milliseconds, isWhole } = await measure(MiB, 4);
const factor = milliseconds / quarter.milliseconds;
report(
  `1 MiB in chunks of one byte: ${milliseconds.toFixed(0)} ms of processor time, ${factor.toFixed(1)} times that of a quarter, ` +
    `${(retained / MiB).toFixed(2)} MiB held`,
  isWhole && factor < 12 && retained <= mostRetained,
);
server.close();

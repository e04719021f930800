// Requests with too many header fields, or fields without end, are refused while they come; those that hold back the end
// of a head of 15 KiB hold little; offers of 15 KiB are understood in linear time. Others are served meanwhile. A
// client refuses a response without end.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { WebSocket } from 'websocket-component';
import { fits, KiB, pause, rawConnect, report, until } from './common.mjs';
import { startServer } from './server-process.mjs';

const each = Number(process.argv[2]);
const handshakeTimeout = 2000;
const [mostMemory, mostTime] = [128 * KiB, 50];
const fields = ['Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const head = ['GET / HTTP/1.1', ...fields, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='].join('\r\n');
const lines = Array.from({ length: 10_000 }, (_, i) => `\r\nX-${i}: 1`).join('');
const floods = {
  '10,000 fields': `${head}${lines}\r\n\r\n`,
  'a field of 1 MiB': `${head}\r\nX: ${'x'.repeat(KiB * KiB)}`,
  'a name of 1 MiB': `${head}\r\n${'x'.repeat(KiB * KiB)}`,
  'a path of 1 MiB': `GET /${'x'.repeat(KiB * KiB)}`,
};
const offers = [
  `\r\nSec-WebSocket-Extensions: permessage-deflate${'; client_max_window_bits=9; client_max_window_bits'.repeat(290)}`,
  `\r\nSec-WebSocket-Extensions: ${'permessage-deflate; client_max_window_bits=77, '.repeat(300)}x`,
  `\r\nSec-WebSocket-Extensions: x; y="${'\\a'.repeat(7000)}"`,
  `\r\nSec-WebSocket-Extensions: ${','.repeat(14_000)}x`,
  `\r\nSec-WebSocket-Extensions: ${'constructor; __proto__=1; hasOwnProperty, '.repeat(340)}toString`,
  `\r\nSec-WebSocket-Protocol: ${Array.from({ length: 2000 }, (_, i) => `p${i}`).join(', ')}`,
];

const server = await startServer({ handshakeTimeout, perMessageDeflate: true });
let served = 0;
/** Somebody else, who is served. */
async function serveOther() {
  const other = new WebSocket(server.url);
  await once(other, 'open');
  other.send('meanwhile');
  await once(other, 'message');
  served++;
  other.terminate();
}

/** Sends a request; the status of its answer, or how it ended without one. */
function ask(text) {
  const socket = rawConnect(server.port);
  const answer = new Promise((resolve) => {
    socket.once('data', (data) => resolve(String(data).slice(9, 12)));
    socket.on('close', () => resolve('cut'));
  });
  socket.write(text, 'latin1');
  return answer.finally(() => socket.destroy());
}

const statuses = new Map();
for (const text of Object.values(floods)) {
  const answers = Array.from({ length: each }, () => ask(text));
  await serveOther();
  for (const status of await Promise.all(answers)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
}
const refused = (statuses.get('431') ?? 0) + (statuses.get('cut') ?? 0);

const before = await server.ask();
const held = Array.from({ length: 2 * each }, () => rawConnect(server.port));
let cut = 0;
for (const socket of held) {
  socket.resume().on('close', () => cut++);
  socket.write(`${head}${lines.slice(0, 15 * KiB - head.length)}`);
}
await pause(handshakeTimeout / 4);
const memory = ((await server.ask()).memory - before.memory) / held.length;
await serveOther();
await until(() => cut === held.length);

const answered = new Map();
const { milliseconds } = await server.ask();
for (const offer of offers) {
  for (let i = 0; i < each; i++) {
    const status = await ask(`${head}${offer}\r\n\r\n`);
    answered.set(status, (answered.get(status) ?? 0) + 1);
  }
}
const time = ((await server.ask()).milliseconds - milliseconds) / (each * offers.length);
const [status] = await server.end();

const endless = createServer((socket) => {
  const flood = () => {
    while (socket.writable && !socket.writableNeedDrain) socket.write(lines);
  };
  socket.on('error', () => {}).on('drain', flood);
  socket.write('HTTP/1.1 101 Switching Protocols');
  flood();
}).listen(0, '127.0.0.1');
await once(endless, 'listening');
const errors = new Map();
for (let i = 0; i < each; i++) {
  const client = new WebSocket(`ws://127.0.0.1:${endless.address().port}`);
  const [{ code }] = await once(client, 'error');
  errors.set(code, (errors.get(code) ?? 0) + 1);
}
endless.close();
const list = (counts) => [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
const total = each * Object.keys(floods).length;
report(
  `${total} heads of up to 1 MiB: ${list(statuses)}; ${held.length} that do not end: ${cut} cut, ` +
    `${(memory / KiB).toFixed(1)} KiB each; ${each * offers.length} offers of 15 KiB: ${list(answered)}, ` +
    `${time.toFixed(1)} ms each; ${served} others served; ${each} clients: ${list(errors)}`,
  refused === total &&
    cut === held.length &&
    fits(memory, mostMemory) &&
    (answered.get('101') ?? 0) + (answered.get('400') ?? 0) === each * offers.length &&
    time < mostTime &&
    served === Object.keys(floods).length + 1 &&
    errors.get('HPE_HEADER_OVERFLOW') === each &&
    status === 0,
);

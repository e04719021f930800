// Peers that do not end a connection as they should: they do not answer the Close frame, keep TCP open behind theirs, or
// send without end behind it. Each connection ends within closeTimeout, on either side, and a flood is not kept.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { WebSocket } from 'websocket-component';
import { acceptConnection } from '../conformance/runner/handshake.mjs';
import { closePayload, encodeFrame, FrameDecoder, fits, MiB, Opcode } from './common.mjs';
import { heldMemory, rawClient, report, residentMemory, serve, until } from './common.mjs';

const [each, closeTimeout, mostLate] = process.argv.slice(2).map(Number);
const mostHeld = 8 * MiB;
const mostMemory = 256 * MiB; // resident, of which most is what V8 has not collected of the peers, who are here, too
const mostEarly = 50;
const ends = ['never answers', 'keeps TCP open', 'floods instead of an answer', 'floods behind its Close frame'];
/** What a socket of the program saw: its end, after so many milliseconds, and messages behind the Close frame of the peer. */
const seen = Object.fromEntries(ends.map((end) => [end, { codes: new Map(), times: [], late: 0, errors: 0 }]));
const rawSockets = [];
let flooded = 0;

/** The peer's part, on a raw socket. */
function misbehave(socket, end, isClient) {
  rawSockets.push(socket);
  const decoder = new FrameDecoder(!isClient);
  const closeFrame = encodeFrame({ opcode: Opcode.close, payload: closePayload(1000) }, isClient).bytes;
  const message = encodeFrame({ opcode: Opcode.binary, payload: { binary: 60_000 } }, isClient).bytes;
  const flood = () => {
    while (socket.writable && !socket.writableNeedDrain) {
      socket.write(message);
      flooded += message.length;
    }
  };
  socket.on('data', (chunk) => {
    if (!decoder.push(chunk).some(({ opcode }) => opcode === Opcode.close)) return;
    if (end === 'keeps TCP open' || end === 'floods behind its Close frame') socket.write(closeFrame);
    if (!end.startsWith('floods')) return;
    socket.on('drain', flood);
    flood();
  });
  socket.on('error', () => {});
  socket.resume();
}

/** The program's part: it closes. */
function watch(socket, end) {
  const { codes, times } = seen[end];
  const started = performance.now();
  socket.on('message', () => {
    if (end === 'floods behind its Close frame') seen[end].late++;
  });
  socket.on('error', () => seen[end].errors++);
  socket.on('close', (code) => {
    times.push(performance.now() - started);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  });
  socket.close(1000);
}

const before = residentMemory();
const heldBefore = await heldMemory();
const { server, url } = await serve({ closeTimeout });
const raw = createServer({ allowHalfOpen: true }, async (socket) => {
  const { path } = await acceptConnection(socket, () => ({}));
  misbehave(socket, ends[Number(path.slice(1))], false);
}).listen(0, '127.0.0.1');
await once(raw, 'listening');
for (const [number, end] of ends.entries()) {
  for (let i = 0; i < each; i++) {
    const connected = once(server, 'connection');
    misbehave(await rawClient(url), end, true);
    watch((await connected)[0], end);
    const socket = new WebSocket(`ws://127.0.0.1:${raw.address().port}/${number}`, { closeTimeout });
    await once(socket, 'open');
    watch(socket, end);
  }
}
const isOver = await until(() => ends.every((end) => seen[end].times.length === 2 * each), 30_000);
const grown = residentMemory() - before;
await new Promise((resolve) => server.close({ timeout: 0 }, resolve));
raw.close();
for (const socket of rawSockets.splice(0)) socket.destroy();
const held = (await heldMemory()) - heldBefore;
let isMet = isOver && fits(grown, mostMemory) && fits(held, mostHeld) && flooded > each * MiB;
const figures = ends.map((end) => {
  const { codes, times, late, errors } = seen[end];
  const [least, most] = [Math.min(...times), Math.max(...times)];
  const isAnswered = end === 'keeps TCP open' || end === 'floods behind its Close frame';
  isMet &&=
    most < closeTimeout + mostLate && late === 0 && errors === 0 && codes.get(isAnswered ? 1000 : 1006) === 2 * each;
  isMet &&= isAnswered || least > closeTimeout - mostEarly;
  return `${end}: ${[...codes.keys()].join()} after ${least.toFixed(0)} to ${most.toFixed(0)} ms`;
});
report(
  `${2 * each} peers of each kind, closeTimeout ${closeTimeout} ms: ${figures.join('; ')}; ${(flooded / MiB).toFixed(0)} MiB ` +
    `were sent, ${(held / MiB).toFixed(1)} MiB is held at the end, memory grew by ${(grown / MiB).toFixed(1)} MiB`,
  isMet,
);

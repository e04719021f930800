// A frame that a server reads byte by byte (socket_faults.c): time grows with its length, and little more than its bytes is
// held. Memory is counted where it is given out (heap_peak.c): since before the process had a message larger than 10 bytes,
// so that nothing that was kept hides what is held. V8's heap is counted since the code ran that reads messages.
import { once } from 'node:events';
import { openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { bytesOf, encodeFrame, fits, FrameDecoder, isSanitized, KiB, MiB, Opcode } from './common.mjs';
import { pause, rawClient, report } from './common.mjs';
import { compileLibraries } from './preload.mjs';
import { startServer } from './server-process.mjs';

const size = Number(process.argv[2]) * KiB;
/** Beside the bytes themselves: 1.25 MiB for 1 MiB. */
const mostBeside = MiB / 4;
// A sanitizer has its own malloc, which heap_peak.c would take from it.
const libraries = compileLibraries('socket_faults.c', ...(isSanitized ? [] : ['../soak/heap_peak.c']));
const counts = path.join(libraries.folder, 'heap');
const [now, most] = [0, 8]; // where heap_peak.c has the bytes that malloc and the addon hold
writeFileSync(counts, Buffer.alloc(16));
const file = openSync(counts, 'r+');
const server = await startServer({}, { env: { ...libraries.env, SOCKET_FAULTS: 'bytes', HEAP_PEAK: counts } });
let isWhole = true;

function read(at) {
  const bytes = Buffer.alloc(8);
  readSync(file, bytes, 0, 8, at);
  return Number(bytes.readBigInt64LE());
}
function beginPeak() {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(read(now)));
  writeSync(file, bytes, 0, 8, most);
}

/** What the server holds, and has of V8's heap, when less is not seen any more: what was collected is given back later. */
async function memory() {
  let [held, heap] = [Infinity, Infinity];
  for (let same = 0; same < 6; same++) {
    const { heapUsed } = await server.ask();
    await pause(10);
    if (read(now) < held - KiB) same = 0;
    held = Math.min(held, read(now));
    heap = Math.min(heap, heapUsed);
  }
  return { held, heap };
}

/** A message of this size: the processor time of all but its last byte, and the memory then. */
async function send(length) {
  const socket = await rawClient(server.url);
  const { bytes } = encodeFrame({ opcode: Opcode.binary, payload: { binary: length } }, true);
  const before = await server.ask();
  beginPeak();
  socket.write(bytes.subarray(0, -1));
  let seen = before;
  while (seen.bytesReceived < before.bytesReceived + bytes.length - 1) {
    await pause(50);
    seen = await server.ask(false);
  }
  const peak = read(most);
  const { held, heap } = await memory();
  socket.write(bytes.subarray(-1));
  const frames = [];
  const decoder = new FrameDecoder(false);
  socket.resume();
  while (frames.length === 0) frames.push(...decoder.push((await once(socket, 'data'))[0]));
  isWhole &&= frames[0].payload.equals(bytesOf({ binary: length }));
  socket.destroy();
  while ((await server.ask(false)).connections > 0) await pause(10);
  return { milliseconds: seen.milliseconds - before.milliseconds, held, heap, peak };
}

await send(10);
const first = await memory();
const quarter = await send(size / 4);
const { heap: heapBefore } = await memory();
const { milliseconds, held, heap, peak } = await send(size);
const [status] = await server.end();
libraries.remove();
const retained = held - first.held + heap - heapBefore;
const factor = milliseconds / quarter.milliseconds;
report(
  `${size / KiB} KiB in reads of one byte: ${milliseconds.toFixed(0)} ms of processor time, ${factor.toFixed(1)} times that ` +
    `of a quarter; ${(retained / MiB).toFixed(3)} MiB held before its last byte, ` +
    `${((peak - first.held) / MiB).toFixed(3)} MiB of malloc at most`,
  isWhole && status === 0 && factor < 8 && fits(retained, size + mostBeside),
);

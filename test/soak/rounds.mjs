// npm run soak [-- ROUNDS]: connect, echo and close, many times, in one process that is client and server; messages of
// 0 bytes to 1 MiB, text and binary.
// Afterwards the process must have the descriptors and handles that it had at the start, and the memory that it had after the
// first tenth of the rounds. Prints both; ends with status 1 when one of them grew.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from '../../dist/esm.mjs';

// A fixed young generation: the one that V8 grows with the load would look like a leak.
const flags = ['--expose-gc', '--max-semi-space-size=2'];
if (!flags.every((flag) => process.execArgv.includes(flag))) {
  const args = [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}

const rounds = Number(process.argv[2] ?? 10_000);
const concurrency = 20;
const steps = 10;
const allowedGrowth = 8 * 1024 * 1024; // bytes of resident memory between the first tenth and the end: allocator noise

if (!Number.isInteger(rounds) || rounds < steps) {
  console.error(`The number of rounds must be a whole number of at least ${steps}.`);
  process.exit(2);
}
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}`;

// How often each size comes, of a hundred rounds: the borders of the frame formats and of the ways memory is handled.
const shares = [
  [0, 5],
  [20, 30],
  [125, 10],
  [126, 10],
  [1000, 15],
  [4096, 10],
  [16_384, 8],
  [65_535, 5],
  [65_536, 5],
  [1_048_576, 2],
];
const sizes = shares.flatMap(([size, share]) => Array.from({ length: share }, () => size));
const content = Buffer.alloc(1_048_576, 'soak');
let rounded = 0;

async function round() {
  const number = rounded++;
  const payload = content.subarray(0, sizes[(number * 37) % sizes.length]); // 37: mixed, and each as often as it should
  const isText = number % 2 === 0;
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.send(payload, { binary: !isText });
  const [data, isBinary] = await once(socket, 'message');
  if (!data.equals(payload) || isBinary === isText) throw new Error('The echo differs from what was sent.');
  const closed = once(socket, 'close');
  socket.close(1000);
  const [code] = await closed;
  if (code !== 1000) throw new Error(`The connection was closed with ${code}.`);
  return socket.transport;
}

async function run(count) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await round();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** Lets what is closing finish closing. */
async function settle() {
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Without those of stdout and stderr, which are made when they are first used.
const handles = () => process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY)Wrap$/.test(name)).length;
const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : NaN);
const mebibytes = (bytes) => (bytes / 1024 / 1024).toFixed(1);

const transport = await round();
await settle();
const descriptorsBefore = descriptors();
const handlesBefore = handles();
console.log(`transport ${transport}, ${rounds} rounds, ${concurrency} at a time`);
console.log(
  `${'rounds'.padStart(8)} ${'descriptors'.padStart(12)} ${'handles'.padStart(8)} ${'resident MiB'.padStart(13)} ${'heap MiB'.padStart(9)}`,
);
report(0);

const started = performance.now();
let residentEarly = 0;
for (let step = 1; step <= steps; step++) {
  await run(Math.round(rounds / steps));
  await settle();
  if (step === 1) residentEarly = process.memoryUsage.rss();
  report(step);
}
const seconds = (performance.now() - started) / 1000;

const grown = process.memoryUsage.rss() - residentEarly;
const leaked = descriptors() - descriptorsBefore;
const leakedHandles = handles() - handlesBefore;
console.log(
  `${(rounds / seconds).toFixed(0)} rounds/s; descriptors ${leaked >= 0 ? '+' : ''}${leaked}; ` +
    `handles ${leakedHandles >= 0 ? '+' : ''}${leakedHandles}; memory since the first tenth ${mebibytes(grown)} MiB`,
);
await server.close({ timeout: 1000 });

if (leaked > 0) fail(`${leaked} descriptors were not closed`);
if (leakedHandles > 0) fail(`${leakedHandles} handles were not closed`);
if (grown > allowedGrowth) fail(`resident memory grew by more than ${mebibytes(allowedGrowth)} MiB`);

function report(step) {
  const { rss, heapUsed } = process.memoryUsage();
  const done = String(Math.round((rounds / steps) * step));
  console.log(
    `${done.padStart(8)} ${String(descriptors()).padStart(12)} ${String(handles()).padStart(8)} ${mebibytes(rss).padStart(13)} ${mebibytes(heapUsed).padStart(9)}`,
  );
}

function fail(message) {
  console.error(`Failed: ${message}.`);
  process.exitCode = 1;
}

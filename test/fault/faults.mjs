// Things that go wrong, each with the figure that it must meet.
//   npm run fault [-- --long] [--filter WORD] [--transport native | stream]   everything with its figure
//   npm run fault -- --asan                                                   with AddressSanitizer and its leak check
//   node faults.mjs native | stream [--filter WORD] [--json FILE]             as a suite of `npm test`
// Each fault is a program of its own (see common.mjs): one that crashes or hangs fails alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildNative } from '../../scripts/build.mjs';
import { asanEnvironment } from '../../scripts/sanitizers.mjs';

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'string' },
    filter: { type: 'string' },
    transport: { type: 'string' },
    long: { type: 'boolean' },
    asan: { type: 'boolean' },
  },
  allowPositionals: true,
});
const minute = 60_000;
/** Milliseconds that something may come late: as it has to be, and on a machine that does a lot besides. */
const [late, busy] = [1000, 10_000];

/** The program, what it does, its arguments, and those of --long. @type {[string, string, unknown[], unknown[]][]} */
const faults = [
  ['worker-terminate', 'worker.terminate() at any moment', [12], [500]],
  ['process-exit', 'process.exit with open sockets', [1], [12]],
  ['garbage', 'sockets that nobody holds are collected when they have ended', [50], [2000]],
  ['reentrancy', 'send, close, terminate, pause and server.close in every event', [], []],
  ['peers', 'resets, half-closes and garbage in every state', [], []],
  ['closing', 'peers that do not end as they should', [4, 700, busy], [30, 3000, late]],
  ['short-writes', 'writes of any size, and EAGAIN between them', [], []],
  ['every-offset', 'EAGAIN at every byte', ['cut', 20], ['cut', 1]],
  ['every-offset', 'EPIPE at every byte', ['broken', 20], ['broken', 1]],
  ['emfile', 'more clients than descriptors', [], []],
  ['slow-handshakes', 'handshakes of a byte each second', [1000, 2000, busy], [1000, 10_000, late]],
  [
    'slow-handshakes',
    "handshakes of a byte each second, on the program's own server",
    [100, 2000, busy, 'foreign'],
    [1000, 10_000, late, 'foreign'],
  ],
  ['header-floods', 'header fields without end', [10], [100]],
  ['lengths', 'frames that announce up to 2^64-1 bytes', [], []],
  ['byte-chunks', 'a frame of 1 MiB in chunks of one byte', [128], [1024]],
  ['ping-flood', 'pings from peers that do not read', [1500], [20_000]],
  ['half-open', 'half-open peers', [busy], [late]],
  ['slow-reader', '250 MiB to a reader of a byte each second', [], []],
  ['many-connections', '15,000 connections at once', [500], [15_000]],
];

/** They need a shell that limits descriptors, or a library put in front of libc. */
const linuxOnly = new Set(['short-writes', 'every-offset', 'byte-chunks', 'emfile']);

const env = { ...process.env };
if (values.asan) {
  const addon = path.join(buildNative('asan', { targets: ['addon'] }), 'websocket_component.node');
  Object.assign(env, asanEnvironment(), { WEBSOCKET_COMPONENT_BINARY: addon });
}
const timeout = (values.long || values.asan ? 10 : 2) * minute;

/** Without descriptors the sanitizer cannot look at memory, and takes objects for what they are not. */
const notSanitized = new Set(['emfile']);

const tests = [];

async function run(transport, [program, title, quick, long]) {
  const name = `${transport}: ${title}`;
  const args = values.long ? long : quick;
  if (values.filter !== undefined && !name.includes(values.filter)) return;
  if (linuxOnly.has(program) && process.platform !== 'linux') {
    console.log(`${name}\n  skipped: only on Linux`);
    return;
  }
  if (values.asan && notSanitized.has(program)) {
    console.log(`${name}\n  skipped: not with a sanitizer`);
    return;
  }
  const file = fileURLToPath(new URL(`${program}.mjs`, import.meta.url));
  const started = performance.now();
  const child = spawn(process.execPath, ['--expose-gc', file, ...args.map(String)], {
    env: { ...env, WEBSOCKET_COMPONENT_TRANSPORT: transport },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout,
    killSignal: 'SIGKILL',
  });
  const [figure, [status, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  const failed = status !== 0;
  const end = failed ? `\n  FAILED: it ended with ${signal ?? `status ${status}`}` : '';
  console.log(`${name}\n  ${figure.trim()}${end}`);
  tests.push({ name, seconds: (performance.now() - started) / 1000, failed });
}

const chosen = positionals[0] ?? values.transport;
const transports = chosen === undefined ? ['native', 'stream'] : [chosen];
const runs = transports.flatMap((transport) => faults.map((fault) => [transport, fault]));
const worker = async () => {
  for (let next = runs.shift(); next !== undefined; next = runs.shift()) await run(...next);
};
// Most of them wait most of the time.
await Promise.all([worker(), worker()]);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(tests));
const failures = tests.filter(({ failed }) => failed).length;
console.log(`${tests.length - failures} passed, ${failures} failed`);
process.exitCode = failures > 0 || (tests.length === 0 && values.filter === undefined) ? 1 : 0;

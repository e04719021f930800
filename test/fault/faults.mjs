// Things that go wrong, each with the figure that it must meet.
//   npm run fault [-- --long] [--filter WORD] [--transport native | stream]   everything with its figure
//   node faults.mjs native | stream [--filter WORD] [--json FILE]             as a suite of `npm test`
// Each fault is a program of its own (see common.mjs): one that crashes or hangs fails alone.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'string' },
    filter: { type: 'string' },
    transport: { type: 'string' },
    long: { type: 'boolean' },
  },
  allowPositionals: true,
});
const minute = 60_000;

/** The program, what it does, its arguments, and those of --long; null: only there. @type {[string, string, unknown[] | null, unknown[]][]} */
const faults = [
  ['worker-terminate', 'worker.terminate() at any moment', [12], [500]],
  ['process-exit', 'process.exit with open sockets', [1], [12]],
  ['garbage', 'sockets that nobody holds are collected when they have ended', [50], [2000]],
  ['short-writes', 'writes of any size, and EAGAIN between them', [], []],
  ['emfile', 'more clients than descriptors', [], []],
  ['slow-handshakes', 'handshakes of a byte each second', [1000, 2000], [1000, 10_000]],
  ['lengths', 'frames that announce up to 2^64-1 bytes', [], []],
  ['byte-chunks', 'a frame of 1 MiB in chunks of one byte', [], []],
  ['ping-flood', 'pings from peers that do not read', [1500], [20_000]],
  ['half-open', 'half-open peers', [], []],
  ['slow-reader', '250 MiB to a reader of a byte each second', [], []],
  ['many-connections', '15,000 connections at once', null, [15_000]],
];

const tests = [];

function run(transport, [program, title, quick, long]) {
  const name = `${transport}: ${title}`;
  const args = values.long ? long : quick;
  if (args === null || (values.filter !== undefined && !name.includes(values.filter))) return;
  const file = fileURLToPath(new URL(`${program}.mjs`, import.meta.url));
  const env = { ...process.env, WEBSOCKET_COMPONENT_TRANSPORT: transport };
  const started = performance.now();
  const { status, signal, stdout } = spawnSync(process.execPath, ['--expose-gc', file, ...args.map(String)], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: values.long ? 10 * minute : minute,
  });
  const seconds = (performance.now() - started) / 1000;
  const failed = status !== 0;
  console.log(
    `${name}\n  ${stdout.trim()}${failed ? `\n  FAILED: it ended with ${signal ?? `status ${status}`}` : ''}`,
  );
  tests.push({ name, seconds, failed });
}

const chosen = positionals[0] ?? values.transport;
for (const transport of chosen === undefined ? ['native', 'stream'] : [chosen]) {
  for (const fault of faults) run(transport, fault);
}
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(tests));
const failures = tests.filter(({ failed }) => failed).length;
console.log(`${tests.length - failures} passed, ${failures} failed`);
process.exitCode = failures > 0 || (tests.length === 0 && values.filter === undefined) ? 1 : 0;

// A process with busy connections ends in the middle of anything: with the status that it wants, and with no signal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { exiting, report } from './common.mjs';

const rounds = Number(process.argv[2]);
const places = [
  'timer',
  'message',
  'sent',
  'close',
  'open',
  'connection',
  'handshake',
  'pong',
  'promise',
  'throw',
  'idle',
];
const file = fileURLToPath(new URL('load.mjs', import.meta.url));
const runs = Array.from({ length: rounds }, (_, i) =>
  places.map((place, j) => [place, 60 + ((i * 37 + j * 13) % 150)]),
).flat();
const wrong = [];
const total = runs.length;

async function work() {
  for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
    const [place, delay] = run;
    const child = spawn(process.execPath, [file, place, String(delay)], {
      env: exiting,
      stdio: 'ignore',
      timeout: 30_000,
    });
    const [code, signal] = await once(child, 'exit');
    if (code !== (place === 'throw' ? 1 : 7)) wrong.push(`${place} after ${delay} ms: ${signal ?? code}`);
  }
}

await Promise.all([work(), work()]);
report(
  `${total} processes ended with connections at ${places.length} places: ${wrong.length} wrong ${wrong.join(', ')}`,
  wrong.length === 0,
);

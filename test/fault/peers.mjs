// A peer that resets, half-closes, closes or sends garbage, in every state of a connection, on either side: the cells of
// the fire tests, each of which ends once and in time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { exiting, report } from './common.mjs';

const file = fileURLToPath(new URL('../lib/fire-program.mjs', import.meta.url));
const module = createRequire(import.meta.url).resolve('websocket-component');
const child = spawn(process.execPath, [file, module, 'faults'], { env: exiting, stdio: ['ignore', 'pipe', 'inherit'] });
const [{ results, strange }, [status, signal]] = await Promise.all([json(child.stdout), once(child, 'exit')]);
const wrong = results.flatMap((cell) => cell.broken.map((why) => `${cell.role}, ${cell.state}, ${cell.fault}: ${why}`));
wrong.push(...strange);
const count = (name) => new Set(results.map((cell) => cell[name])).size;
const resets = results.filter(({ fault }) => fault.includes('reset')).length;
const longest = Math.max(...results.map(({ milliseconds }) => milliseconds));
report(
  `${results.length} ends of a peer, ${count('fault')} kinds in ${count('state')} states in both roles, ${resets} with a ` +
    `reset: ${wrong.length} wrong, the longest took ${longest} ms ${wrong.slice(0, 5).join('; ')}`,
  wrong.length === 0 && results.length > 300 && (signal ?? status) === 0,
);

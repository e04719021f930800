// npm run soak:mixed [-- --ci] [--minutes N] [--seed N] [--connections N] [--transport native | stream]
//
// Clients of every kind (this package's on both transports, ws, raw sockets) exchange messages of 0 bytes to 1 MiB with
// servers on both transports, or on the one that is named, in every way there is, for 30 minutes; with --ci for 3. A
// quarter of the connections survives, others are closed by either side, reset, cut, half-closed, or end with garbage.
//   - On what was not killed, nothing may be lost, doubled, reordered or altered: each end checks what comes, and what both
//     ends counted is compared. Connections on which the server does something wrong on purpose have to be noticed.
//   - At the end descriptors, handles and memory are what they were behind the first sixth of the time (the warm-up), when
//     there was no connection either. A leak on purpose has to be noticed.
// Every process is one of its own. What is random follows from the seed, which is printed. Ends with "N passed, N failed".
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge } from './mixed/plan.mjs';

const { values } = parseArgs({
  options: {
    ci: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    connections: { type: 'string', default: '90' },
    transport: { type: 'string' },
  },
});
const minute = 60_000;
const MiB = 2 ** 20;
/** What may differ without anything being lost: what allocators keep, and caches that V8 fills. Bytes. */
const noise = { rss: 48 * MiB, heapUsed: 4 * MiB, external: 4 * MiB };

const total = positive('minutes', values.minutes ?? (values.ci ? '3' : '30')) * minute;
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
if (!Number.isInteger(seed)) throw new RangeError('The seed must be a whole number.');
const connections = positive('connections', values.connections);

function positive(name, text) {
  const number = Number(text);
  if (!(number > 0)) throw new RangeError(`--${name} must be a number above 0, not ${text}.`);
  return number;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// ---- Results ------------------------------------------------------------------------------------------------------------

const results = { passed: 0, failed: 0 };

function expect(name, problems) {
  results[problems.length === 0 ? 'passed' : 'failed']++;
  console.log(`${problems.length === 0 ? 'passed' : 'FAILED'}: ${name}`);
  for (const problem of problems.slice(0, 10)) console.log(`  ${problem}`);
  if (problems.length > 10) console.log(`  and ${problems.length - 10} more`);
}

// ---- Connections: both ends of each tell what they saw ------------------------------------------------------------------

/** Records of one end, until the other one tells too. */
const halves = new Map();
/** What was wrong, by the number of the connection. */
const problems = new Map();
const ended = { closed: 0, killed: 0 };

function take(record) {
  const other = halves.get(record.id);
  if (other === undefined) {
    halves.set(record.id, record);
    return;
  }
  halves.delete(record.id);
  const [client, server] = record.side === 'client' ? [record, other] : [other, record];
  const found = judge(client, server);
  if (found.length > 0) problems.set(record.id, found);
  ended[client.code === 1000 ? 'closed' : 'killed']++;
}

// ---- Processes ----------------------------------------------------------------------------------------------------------

class Part {
  #child;
  #exited;

  constructor(name, file, transport, args) {
    this.name = name;
    this.isOurs = !args.includes('others');
    this.#child = fork(fileURLToPath(new URL(`mixed/${file}`, import.meta.url)), args.map(String), {
      execArgv: ['--expose-gc', '--max-semi-space-size=2'], // a young generation that grows would look like a leak
      env: { ...process.env, WEBSOCKET_COMPONENT_TRANSPORT: transport },
    });
    this.#child.on('message', ({ record }) => record && take(record));
    this.#exited = once(this.#child, 'exit').then(([code, signal]) => code ?? signal);
    void this.#exited.then((end) => {
      if (end === 0 && !this.#child.connected && isEnding) return;
      console.log(`FAILED: the process ${name} ended with ${end}`);
      process.exit(1);
    });
  }

  /** Has the process carry out a command; resolves with what it answers. */
  ask(command, args = {}) {
    this.#child.send({ command, ...args });
    return new Promise((resolve) => {
      const onMessage = (message) => {
        if (!('answer' in message)) return;
        this.#child.off('message', onMessage);
        resolve(message.answer);
      };
      this.#child.on('message', onMessage);
    });
  }

  end() {
    this.#child.disconnect();
    return this.#exited;
  }
}

let isEnding = false;
const transports = values.transport === undefined ? ['native', 'stream'] : [values.transport];
const servers = transports.map((transport) => new Part(`server, ${transport}`, 'server.mjs', transport, [seed]));
const ports = (await Promise.all(servers.map((server) => server.ask('ports')))).flat();
const clients = [
  ['clients, native', 'native', 'ours'],
  ['clients, stream', 'stream', 'ours'],
  ['clients, ws and raw', 'native', 'others'],
].map(([name, transport, role], i) => {
  const args = [role, seed, (i + 1) * 10_000_000, Math.ceil(connections / 3), ...ports];
  return new Part(name, 'clients.mjs', transport, args);
});
const parts = [...servers, ...clients];
const askAll = (list, command, args) => Promise.all(list.map((part) => part.ask(command, args)));

/** What the second sample has more of than the first one, beyond noise. */
function growth(before, after, isOurs) {
  const found = [];
  for (const name of ['descriptors', 'handles', 'connections']) {
    if (after[name] > before[name]) found.push(`${name}: ${before[name]}, then ${after[name]}`);
  }
  for (const [name, most] of Object.entries(isOurs ? noise : {})) {
    if (after[name] - before[name] > most)
      found.push(`${name}: ${mebibytes(before[name])}, then ${mebibytes(after[name])} MiB`);
  }
  return found;
}

const mebibytes = (bytes) => (bytes / MiB).toFixed(1);
const started = performance.now();
const minutes = () => ((performance.now() - started) / minute).toFixed(1);

function print(samples) {
  const each = samples.map(({ rss, descriptors }, i) => `${parts[i].name} ${mebibytes(rss)} MiB, ${descriptors}`);
  console.log(`${minutes().padStart(5)} min  ${each.join('; ')} descriptors`);
  const sum = (name) => samples.slice(servers.length).reduce((so, one) => so + one[name], 0);
  console.log(`           ${sum('opened')} connections, ${sum('messages')} messages on those that have ended`);
}

/** Load for so many milliseconds, then none, and then a sample of each process. */
async function load(milliseconds) {
  const end = performance.now() + milliseconds;
  await askAll(parts, 'start');
  while (performance.now() < end) {
    await pause(Math.min(minute, end - performance.now()));
    if (performance.now() < end) print(await askAll(parts, 'sample', { settles: false }));
  }
  await askAll([...clients, ...servers], 'stop');
  await pause(500);
  const samples = await askAll(parts, 'sample', { settles: true });
  print(samples);
  return samples;
}

// ---- The run ------------------------------------------------------------------------------------------------------------

console.log(`seed ${seed}, ${total / minute} minutes, ${connections} connections at a time`);
await load(total / 6);

const noticed = (await askAll(clients, 'provoke')).flat();
await pause(500);
for (const name of new Set(noticed.map(([, broken]) => broken))) {
  const missed = noticed.filter(([id, broken]) => broken === name && !problems.has(id));
  expect(
    `on purpose, ${name}: it is noticed`,
    missed.map(([id]) => `not on connection ${id}`),
  );
}
for (const [id] of noticed) problems.delete(id);

const before = await askAll(parts, 'sample', { settles: true });
await askAll(servers, 'leak');
const leaking = await askAll(servers, 'sample', { settles: true });
await askAll(servers, 'repair');
const isMissed = (server, i) => growth(before[i], leaking[i], true).length < 3; // descriptor, resident and external memory
expect(
  'on purpose, a leak: it is noticed',
  servers.filter(isMissed).map(({ name }) => name),
);

const after = await load((total / 6) * 5);
expect(
  `${ended.closed} connections closed, ${ended.killed} killed: nothing lost, doubled, reordered or altered`,
  [...problems.values()].flat(),
);
expect(
  'both ends of each connection told what they saw',
  [...halves.values()].map(({ id, side }) => `only the ${side} of connection ${id}`),
);
for (const [i, { name, isOurs }] of parts.entries()) {
  const figures = `${mebibytes(before[i].rss)} MiB, then ${mebibytes(after[i].rss)}; descriptors ${before[i].descriptors}, then ${after[i].descriptors}`;
  expect(`${name}: back to the start (${figures})`, growth(before[i], after[i], isOurs));
}
isEnding = true;
await Promise.all(parts.map((part) => part.end()));
console.log(`seed ${seed}, ${minutes()} minutes`);
console.log(`${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed > 0 ? 1 : 0;

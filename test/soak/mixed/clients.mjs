// A client process of the mixed soak. Arguments: `ours` (on the transport that the environment names) or `others` (ws and
// raw clients), the seed, the number of its first connection, the number of connections at a time, and the servers' ports.
import { once } from 'node:events';
import { WebSocket } from 'websocket-component';
import { WebSocket as Ws } from 'ws';
import { Line, pause } from './line.mjs';
import { Random } from './messages.mjs';
import { breaks, downFlow, lastBroken, planOf, upFlow } from './plan.mjs';
import { sample, serveCommands } from './process.mjs';
import { openRawLine } from './raw-line.mjs';

const [role, ...numbers] = process.argv.slice(2);
const [seed, firstId, concurrency, ...ports] = numbers.map(Number);
let nextId = firstId;
let isOver = true;
const counts = { messages: 0, opened: 0 };

const kindOf = (id) => (role === 'ours' ? 'ours' : id % 2 === 0 ? 'ws' : 'raw');

/** Opens a connection; returns its line, and a promise of the record that the judge gets. */
async function open(plan, port, extra = '') {
  const { id, kind, mode, isSlow, isCompressed, random } = plan;
  const url = `ws://127.0.0.1:${port}/?id=${id}&kind=${kind}${extra}`;
  const settings = { sends: upFlow(seed, id), receives: downFlow(seed, id), mode, isSlow, random };
  if (kind === 'raw') return openRawLine(url, settings);
  const options = { perMessageDeflate: isCompressed };
  if (mode === 'borrow') options.delivery = 'borrow';
  if (mode === 'stream') options.messageStream = true;
  const socket = kind === 'ours' ? new WebSocket(url, options) : new Ws(url, options);
  const ways = kind === 'ours' ? ['whole', 'fragments', 'prepared', 'writer'] : ['whole', 'whole', 'fragments'];
  const line = new Line(socket, { ...settings, ways });
  await once(socket, 'open');
  return line;
}

/** Resolves when every message was answered but for so many, or the connection has ended. */
function answers(line, missing = 0) {
  return new Promise((resolve) => {
    line.onMessage = () => {
      if (line.received >= line.next - missing || !line.isOpen) resolve();
    };
    line.onMessage();
  });
}

async function report(line, plan) {
  const record = await line.finished;
  counts.messages += record.sent + record.received;
  process.send({ record: { id: plan.id, side: 'client', kind: plan.kind, plan: plan.end, ...record } });
}

/** One connection, from its opening to its end. */
async function live(id, port, survives) {
  const plan = planOf(seed, id, kindOf(id), survives);
  const line = await open(plan, port, survives ? '&survives' : '');
  counts.opened++;
  const { random, end, lifetime } = plan;
  const isOurs = !end.startsWith('server');
  const timer = isOurs && lifetime !== Infinity ? setTimeout(() => line.end(end), lifetime) : undefined;
  while (line.isOpen && !isOver) {
    for (let count = 1 + random.below(random.pick([2, 10, 20])); count > 0 && line.isOpen; count--) line.send();
    await answers(line);
    if (line.isOpen) await pause(random.below(1000));
  }
  clearTimeout(timer);
  line.end('client-close');
  await report(line, plan);
}

async function load() {
  isOver = false;
  const slot = async (number) => {
    const survives = number % 5 === 0;
    const random = new Random(seed, firstId, number);
    while (!isOver) await live(nextId++, random.pick(ports), survives);
  };
  await Promise.all(Array.from({ length: concurrency }, (_, number) => slot(number)));
}

/** Connections on which the server does something wrong. @returns {Promise<[number, string][]>} their numbers, and what */
async function provoke() {
  const all = ports.flatMap((port) => breaks.map((broken) => ({ id: nextId++, port, broken })));
  const one = async ({ id, port, broken }) => {
    const plan = planOf(seed, id, kindOf(id), true);
    const line = await open(plan, port, `&survives&break=${broken}`);
    for (let i = 0; i <= lastBroken; i++) line.send();
    await answers(line, 1);
    await pause(2000); // until the server has come to the one that it loses; behind a Close it would answer nothing
    line.end('client-close');
    await report(line, plan);
  };
  await Promise.all(all.map(one));
  return all.map(({ id, broken }) => [id, broken]);
}

let running;
serveCommands({
  provoke,
  start: () => {
    running = load();
  },
  stop: () => {
    isOver = true;
    return running;
  },
  sample: async ({ settles }) => ({ ...(await sample(settles)), ...counts }),
});

// Runs the cells of the fire tests against one implementation and prints what each saw, as JSON:
//   node fire-program.mjs MODULE handlers | reference | faults
// In a process of its own, because handlers throw: Jest would catch that. Cells run side by side.
import { createRequire } from 'node:module';
import { faultCells, startFault } from './fire-faults.mjs';
import { handlerCells, referenceCells, startHandlers } from './fire-handlers.mjs';
import { brokenRules } from './fire-rules.mjs';

const [, , module, table] = process.argv;
const ws = createRequire(import.meta.url)(module);
const [cells, start] = {
  handlers: [handlerCells, startHandlers],
  reference: [referenceCells, startHandlers],
  faults: [faultCells, startFault],
}[table];

const concurrency = 16;
const longest = 40_000; // milliseconds for one cell

/** Exceptions that no cell threw on purpose. */
const strange = [];
process.on('uncaughtException', (error) => {
  if (error.record) error.record.log('uncaught');
  else strange.push(String(error.stack));
});
process.on('unhandledRejection', (error) => strange.push(`rejection ${String(error.stack)}`));

/** What happened in a cell, in order. */
class Record {
  events = [];
  /** How often the callback of each send was called. */
  callbacks = {};
  isReached = false;
  #onClosed;
  closed = new Promise((resolve) => (this.#onClosed = resolve));

  log(text) {
    this.events.push(text);
  }

  /** Logs the events of a socket. */
  watch(socket, ...names) {
    for (const name of names.length > 0 ? names : ['open', 'message', 'ping', 'pong', 'error', 'close']) {
      socket.on(name, (value) => {
        const isError = value instanceof Error;
        this.log(value === undefined ? name : `${name} ${isError ? (value.code ?? value.message) : value}`);
        if (name === 'close') this.#onClosed();
      });
    }
  }

  /** A callback for a send. */
  callback(name) {
    this.callbacks[name] = 0;
    return (error) => {
      this.callbacks[name]++;
      this.log(`sent ${name}${error ? ' failed' : ''}`);
    };
  }

  /** Throws an exception that is meant to be uncaught. */
  throwOnPurpose() {
    throw Object.assign(new Error('on purpose'), { record: this });
  }
}

/** Waits for what a cell may still have under way. */
async function settle(record) {
  for (let i = 0; i === 0 || (!record.isReached && i < 200); i++)
    await new Promise((resolve) => setTimeout(resolve, 3));
  for (let i = 0; i < 4; i++) await new Promise(setImmediate);
}

async function run(cell) {
  const record = new Record();
  let timer;
  const timeout = new Promise((resolve) => (timer = setTimeout(resolve, longest, 'timeout')));
  const started = performance.now();
  const cleanups = [];
  const end = await Promise.race([start(cell, record, ws, (f) => cleanups.push(f)), timeout]);
  const milliseconds = Math.round(performance.now() - started);
  clearTimeout(timer);
  if (end === 'timeout') record.log('TIMEOUT');
  await settle(record); // something behind the end?
  for (const cleanup of cleanups) cleanup();
  const { events, callbacks, isReached } = record;
  const seen = { ...cell, events, callbacks, isReached, milliseconds };
  const isServer = cell.role === 'server';
  const hasSocket =
    !isServer || (cell.state === undefined ? 'first' in callbacks : !cell.state.includes('the handshake'));
  return { ...seen, broken: brokenRules(seen, hasSocket) };
}

const results = [];
let next = 0;
async function worker() {
  while (next < cells.length) {
    const at = next++;
    results[at] = await run(cells[at]);
  }
}
await Promise.all(Array.from({ length: concurrency }, worker));
process.stdout.write(JSON.stringify({ results, strange }), () => process.exit());

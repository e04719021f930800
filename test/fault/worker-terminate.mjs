// Workers with busy connections are terminated at moments that nobody chose: while they start, work and end.
import { Worker } from 'node:worker_threads';
import { descriptors, pause, report, until } from './common.mjs';

const count = Number(process.argv[2]);
const mostDelay = 250;
const file = new URL('load.mjs', import.meta.url);
let next = 0;
let errors = 0;

async function run() {
  while (next < count) {
    // Spread evenly, from the start of the worker on, and in another order for each pair of neighbours.
    const delay = ((next++ * 0.618034) % 1) * mostDelay;
    const worker = new Worker(file, { workerData: 'never' });
    worker.on('error', (error) => {
      errors++;
      console.error(error);
    });
    await pause(delay);
    await worker.terminate();
  }
}

await new Worker(file, { workerData: 'never' }).terminate(); // what stays open once is open now
const before = descriptors();
await Promise.all([run(), run()]);
await until(() => descriptors() <= before);
const left = Math.max(0, descriptors() - before);
report(
  `${count} workers terminated at 0 to ${mostDelay} ms: ${errors} errors, ${left} descriptors left`,
  errors === 0 && left === 0,
);

// Workers with busy connections are terminated at moments that nobody chose: while they start, work and end. Files do not
// count: Node leaves those of modules open that it was reading then. (Between any two calls of Node-API:
// test/package/termination.mjs.)
import { Worker } from 'node:worker_threads';
import { descriptorsBesideFiles, pause, report, until } from './common.mjs';

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
const before = descriptorsBesideFiles();
await Promise.all([run(), run()]);
await until(() => descriptorsBesideFiles() <= before);
const left = Math.max(0, descriptorsBesideFiles() - before);
report(
  `${count} workers terminated at 0 to ${mostDelay} ms: ${errors} errors, ${left} descriptors left`,
  errors === 0 && left === 0,
);

// Three worker threads with a server and a client each; then the main thread.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const echo = new URL('./echo.mjs', import.meta.url);
const ends = await Promise.all([1, 2, 3].map(() => once(new Worker(echo), 'exit')));
if (ends.some(([status]) => status !== 0)) throw new Error(`workers ended with ${ends.join(', ')}`);
await import('./echo.mjs');
console.log('workers: ok');

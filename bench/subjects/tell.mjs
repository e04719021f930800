// How a subject talks to the runner: one message when it is ready, and its memory when it is asked.
import { setTimeout as sleep } from 'node:timers/promises';

/** Sends a message to the runner; prints it when the subject was started by hand. */
export function tell(message) {
  if (process.send) process.send(message);
  else console.log(JSON.stringify(message));
}

// Two collections: what finalizers of the first let go is taken by the second.
async function residentMemory() {
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    await sleep(200);
  }
  return process.memoryUsage.rss();
}

process.on('message', async (message) => {
  if (message === 'memory') tell({ rss: await residentMemory() });
});
// The runner's end is ours.
process.on('disconnect', () => process.exit());

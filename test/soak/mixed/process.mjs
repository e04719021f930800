// What the processes of the mixed soak have in common: commands from the judge, and samples of what they hold.
import { readdirSync } from 'node:fs';
import { pause } from './line.mjs';

/** Carries out commands, `{ command, ...arguments }`; what a command returns is sent back. The end of the judge is theirs. */
export function serveCommands(commands) {
  process.on('message', ({ command, ...args }) => {
    void Promise.resolve(commands[command](args)).then((answer) => process.send({ answer: answer ?? null }));
  });
  process.on('disconnect', () => process.exit());
}

/** What the process holds now, behind a collection of garbage. */
export async function sample(settles) {
  for (let i = 0; i < (settles ? 20 : 1); i++) {
    globalThis.gc();
    await pause(settles ? 50 : 0);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY)Wrap$/.test(name)).length;
  return { rss, heapUsed, external, handles, descriptors: descriptors() };
}

function descriptors() {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0; // it cannot be seen here
  }
}

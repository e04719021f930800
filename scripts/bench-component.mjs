// npm run bench:component: what the component costs. Times of the payload kernels and of whole messages
// (google-benchmark), then instructions for each message (count-instructions.mjs).
//   --filter WORD   only the benchmarks whose name matches
import path from 'node:path';
import { buildNative, orExplain } from './build.mjs';
import { root, run, takeOption, which } from './run.mjs';

const filter = takeOption(process.argv, 'filter');
const build = orExplain(() => buildNative('bench', { targets: ['component_benchmarks'] }));
// One core, so that the scheduler's moves are not measured.
const pinned = which('taskset') ? ['taskset', '-c', '0'] : [];
let status = 0;
for (const name of ['kernels_bench', 'messages_bench']) {
  const command = [
    ...pinned,
    path.join(build, name),
    ...(filter === undefined ? [] : [`--benchmark_filter=${filter}`]),
  ];
  status ||= run(command[0], command.slice(1));
}
if (filter === undefined) {
  console.log('\nInstructions for each message of 20 bytes:');
  status ||= run(process.execPath, [path.join(root, 'scripts/count-instructions.mjs')]);
}
process.exitCode = status;

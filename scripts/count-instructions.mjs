// Instructions for each 20-byte message through the component, counted by callgrind: the same on every run and every
// busy machine. All calls that a message needs are counted, in the steady state: the difference of two runs of different
// length, divided by the messages between them.
//   --annotate SCENARIO   where the instructions of one scenario go
// Fails when a message takes more than the aims below.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { buildNative, orExplain } from './build.mjs';
import { capture, run, takeOption, which } from './run.mjs';

/** The most instructions for a message through each face. */
const aims = { 'C++': 300, C: 700 };
const warmUp = 200;
const rounds = 2000;

const chosen = takeOption(process.argv, 'annotate');
if (!which('valgrind')) {
  console.error('valgrind was not found. Install it, on Debian: apt-get install valgrind');
  process.exit(1);
}
const build = orExplain(() => buildNative('bench', { targets: ['instructions'] }));
const program = path.join(build, 'instructions');
const profile = path.join(build, 'callgrind.out');

function count(scenario, times) {
  const result = capture('valgrind', [
    '--tool=callgrind',
    `--callgrind-out-file=${profile}`,
    program,
    scenario,
    String(times),
  ]);
  const collected = /Collected\s*:\s*(\d+)/.exec(result.stderr);
  if (result.status !== 0 || collected === null) throw new Error(result.all);
  return Number(collected[1]);
}

if (chosen !== undefined) {
  count(chosen, rounds);
  run('callgrind_annotate', ['--inclusive=no', '--threshold=95', profile]);
} else {
  let missed = 0;
  for (const line of capture(program, []).stdout.trim().split('\n')) {
    const [messages, scenario] = [Number(line.slice(0, line.indexOf(' '))), line.slice(line.indexOf(' ') + 1)];
    const each = (count(scenario, warmUp + rounds) - count(scenario, warmUp)) / (rounds * messages);
    const aim = scenario.includes('C++') ? aims['C++'] : aims.C;
    if (each > aim) missed++;
    console.log(`${each.toFixed(0).padStart(6)}  (at most ${aim})  ${scenario}${each > aim ? '  MISSED' : ''}`);
  }
  if (missed > 0) console.log(`${missed} scenarios take more instructions than aimed at`);
  process.exitCode = missed > 0 ? 1 : 0;
}
rmSync(profile, { force: true });

// npm run fuzz [-- TARGET...]: builds the libFuzzer targets with clang (preset fuzz) and runs one on each core.
// Each target runs for twenty minutes or ten million executions, whichever ends first.
//   --seconds N   instead of twenty minutes
//   --runs N      instead of ten million executions
//   --ci          40 seconds of processor time for all targets together
// What libFuzzer learns is kept in build/fuzz/corpus/ for the next run; an input that fails is left in
// build/fuzz/findings/. Ends with the line "N passed, N failed".
import { mkdirSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { buildNative, orExplain } from './build.mjs';
import { root, runBeside, takeOption } from './run.mjs';

const args = process.argv.slice(2);
const seconds = takeOption(args, 'seconds');
const runs = takeOption(args, 'runs');
const ci = args.includes('--ci');
const seeds = path.join(root, 'test/fuzz/corpus');
const known = readdirSync(seeds).sort();
const chosen = args.filter((arg) => !arg.startsWith('-'));
for (const name of chosen.filter((one) => !known.includes(one))) {
  console.error(`There is no fuzz target ${name}; there are ${known.join(', ')}.`);
  process.exit(1);
}
const targets = chosen.length > 0 ? chosen : known;

const build = orExplain(() => buildNative('fuzz', { targets: ['fuzz'] }));
const findings = path.join(build, 'findings');
mkdirSync(findings, { recursive: true });

const secondsEach = ci ? Math.floor(40 / targets.length) : Number(seconds ?? 1200);
const limits = [`-max_total_time=${secondsEach}`, `-runs=${Number(runs ?? 10_000_000)}`];
const rows = [];
const waiting = [...targets];
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await fuzz(next);
  }),
);

async function fuzz(target) {
  console.log(`── ${target}`);
  const corpus = path.join(build, 'corpus', target);
  mkdirSync(corpus, { recursive: true });
  const started = Date.now();
  const { status, output } = await runBeside(
    path.join(build, `fuzz_${target}`),
    [...limits, `-artifact_prefix=${path.join(findings, `${target}-`)}`, '-print_final_stats=1', '-verbosity=0']
      .concat(['-timeout=20', '-rss_limit_mb=2048'])
      .concat([corpus, path.join(seeds, target)]),
  );
  const executions = Number(/stat::number_of_executed_units:\s+(\d+)/.exec(output)?.[1] ?? 0);
  const failed = status !== 0 || executions === 0;
  if (failed) console.error(output);
  rows.push({ target, executions, seconds: Math.round((Date.now() - started) / 1000), failed });
}

console.log();
for (const { target, executions, seconds: took, failed } of rows) {
  const result = failed ? 'FAILED' : 'no finding';
  console.log(`${target.padEnd(14)} ${String(executions).padStart(10)} executions in ${took} s: ${result}`);
}
const failures = rows.filter((row) => row.failed).length;
if (failures > 0) console.log(`The inputs are in ${path.relative(root, findings)}/.`);
console.log(`${rows.length - failures} passed, ${failures} failed`);
process.exitCode = failures > 0 ? 1 : 0;

// npm run bench: what a message costs on this package's servers and clients, and on others'. See bench/README.md.
//   --scenario c,d     only these (bench/scenarios.mjs)
//   --subject ours,ws  only these (bench/subjects.mjs)
//   --rounds 3         measurements of each, in turn; the median counts
//   --seconds 1        length of a measurement in processor time of the measured process, after --warmup 1
//   --before FOLDER    also another checkout of this package, built there by "npm run build"; is this one slower?
//   --quick            one round, shorter, for a first look
//   --self-test        checks the load generator against servers and clients that echo wrongly
//   --no-build         measures what was built before
//   --json FILE, --svg FILE, --markdown FILE   writes the results
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { barsOf } from '../bench/bars.mjs';
import { compareWithBefore, withBefore } from '../bench/before.mjs';
import { chart } from '../bench/chart.mjs';
import { machine } from '../bench/machine.mjs';
import { markdown, verdict } from '../bench/markdown.mjs';
import { measure } from '../bench/measure.mjs';
import { scenarios } from '../bench/scenarios.mjs';
import { selfTest } from '../bench/selftest.mjs';
import { summarise } from '../bench/statistics.mjs';
import { subjects } from '../bench/subjects.mjs';
import { align, number, rowsOf } from '../bench/table.mjs';
import { buildLibrary, buildNative, orExplain } from './build.mjs';
import { root, takeOption, which } from './run.mjs';

const args = process.argv.slice(2);
const quick = takeFlag('quick');
const mayBuild = !takeFlag('no-build');
const isSelfTest = takeFlag('self-test');
const chosenScenarios = choose('scenario', scenarios);
const before = takeOption(args, 'before');
const asked = choose('subject', subjects);
const chosenSubjects = before === undefined ? asked : withBefore(asked, before);
const allSubjects = { ...subjects, ...chosenSubjects };
const rounds = takeNumber('rounds', quick ? 1 : 3);
const times = { seconds: takeNumber('seconds', quick ? 0.5 : 1), warmup: takeNumber('warmup', quick ? 0.5 : 1) };
const files = Object.fromEntries(['json', 'svg', 'markdown'].map((kind) => [kind, takeOption(args, kind)]));
if (args.length > 0) stop(`unknown: ${args.join(' ')}`);
if (process.platform !== 'linux' || !which('taskset')) stop('the benchmark needs Linux and taskset');

const build = path.join(root, 'build/bench');
if (mayBuild) {
  orExplain(() => {
    buildNative('release', { targets: ['addon'] });
    buildLibrary();
    buildNative('bench', { targets: ['load'] });
  });
}

if (isSelfTest) process.exit((await selfTest(build)) ? 0 : 1);

for (const name of Object.keys(chosenSubjects)) {
  const reason = chosenSubjects[name].missing?.();
  if (reason === undefined) continue;
  console.warn(`left out: ${name}, because ${reason}`);
  delete chosenSubjects[name];
}

// Rounds are interleaved, so that a slow minute of the machine meets every subject.
const measured = {};
let failed = false;
for (let round = 0; round < rounds; round++) {
  for (const [scenarioName, scenario] of Object.entries(chosenScenarios)) {
    for (const [name, subject] of Object.entries(chosenSubjects)) {
      if (!takesPart(subject, scenarioName, scenario)) continue;
      showProgress(`round ${round + 1} of ${rounds}: ${scenarioName} ${name}`);
      try {
        const figures = await measure(subject, scenario, build, timesFor(scenario));
        ((measured[scenarioName] ??= {})[name] ??= []).push(figures);
      } catch (error) {
        showProgress('');
        console.error(`FAILED ${scenarioName} ${name}: ${error.message}`);
        failed = true;
      }
    }
  }
}
showProgress('');

const results = {};
const bars = {};
for (const [scenarioName, bySubject] of Object.entries(measured)) {
  const scenario = scenarios[scenarioName];
  results[scenarioName] = Object.fromEntries(
    Object.entries(bySubject).map(([name, figures]) => [name, summarise(figures)]),
  );
  bars[scenarioName] = barsOf(scenario, results[scenarioName]);
  console.log(`\n${scenarioName}: ${scenario.title}`);
  console.log(align(rowsOf(scenario, results[scenarioName], allSubjects)));
  for (const bar of bars[scenarioName]) console.log(describe(bar));
  for (const { name, ratio, noise, verdict } of compareWithBefore(bySubject)) {
    const percent = number(100 * noise, 2);
    console.log(`  ${verdict}: ${name}, before ÷ now ${number(ratio)}, noise ± ${percent} % (${rounds} rounds)`);
  }
}
const all = { machine: machine(), times, rounds, results, bars, measured };
if (files.json) writeFileSync(files.json, `${JSON.stringify(all, null, 2)}\n`);
if (files.svg) writeFileSync(files.svg, chart(results));
if (files.markdown) writeFileSync(files.markdown, markdown(all, scenarios, allSubjects, files.markdown));
process.exitCode = failed ? 1 : 0;

function describe(bar) {
  const required = bar.atMost === undefined ? `at least ${bar.atLeast}` : `at most ${bar.atMost}`;
  const aim = bar.aim === undefined ? '' : `, aim ${bar.aim}`;
  return `  ${verdict(bar)}: ${bar.what} ${number(bar.value)} (${required}${aim})`;
}

function timesFor({ warmupFactor = 1 }) {
  return { ...times, warmup: times.warmup * warmupFactor };
}

function takesPart(subject, name, scenario) {
  if (subject.only) return subject.only.includes(name);
  return scenario.mode !== 'echo-server' || subject.client !== undefined;
}

function choose(option, all) {
  const list = takeOption(args, option);
  if (list === undefined) return { ...all };
  const names = list.split(',');
  const wrong = names.filter((name) => !(name in all));
  if (wrong.length > 0) stop(`--${option} takes ${Object.keys(all).join(', ')}; not ${wrong.join(', ')}`);
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

function takeFlag(name) {
  const index = args.indexOf(`--${name}`);
  if (index >= 0) args.splice(index, 1);
  return index >= 0;
}

function takeNumber(name, otherwise) {
  const text = takeOption(args, name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!(value > 0)) stop(`--${name} takes a number above 0, not ${text}`);
  return value;
}

function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

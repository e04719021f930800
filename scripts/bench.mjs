// npm run bench: what a message costs on this package's servers and clients, and on others'. See bench/README.md.
//   --scenario c,d     only these (bench/scenarios.mjs)
//   --subject ours,ws  only these (bench/subjects.mjs)
//   --rounds 3         measurements of each, in turn; the median counts
//   --seconds 1        length of a measurement in processor time of the measured process, after --warmup 1
//   --quick            one round, shorter, for a first look
//   --no-build         measures what was built before
//   --json FILE, --svg FILE, --markdown FILE   writes the results
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { measure } from '../bench/measure.mjs';
import { scenarios } from '../bench/scenarios.mjs';
import { summarise } from '../bench/statistics.mjs';
import { subjects } from '../bench/subjects.mjs';
import { align, rowsOf } from '../bench/table.mjs';
import { buildLibrary, buildNative, orExplain } from './build.mjs';
import { root, takeOption, which } from './run.mjs';

const args = process.argv.slice(2);
const quick = takeFlag('quick');
const mayBuild = !takeFlag('no-build');
const chosenScenarios = choose('scenario', scenarios);
const chosenSubjects = choose('subject', subjects);
const rounds = takeNumber('rounds', quick ? 1 : 3);
const times = { seconds: takeNumber('seconds', quick ? 0.5 : 1), warmup: takeNumber('warmup', quick ? 0.5 : 1) };
const files = { json: takeOption(args, 'json') };
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
        const figures = await measure(subject, scenario, build, times);
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
for (const [scenarioName, bySubject] of Object.entries(measured)) {
  results[scenarioName] = Object.fromEntries(
    Object.entries(bySubject).map(([name, figures]) => [name, summarise(figures)]),
  );
  console.log(`\n${scenarioName}: ${scenarios[scenarioName].title}`);
  console.log(align(rowsOf(scenarios[scenarioName], results[scenarioName], subjects)));
}
if (files.json) writeFileSync(files.json, `${JSON.stringify({ times, rounds, results, measured }, null, 2)}\n`);
process.exitCode = failed ? 1 : 0;

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

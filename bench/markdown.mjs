// bench/RESULTS.md: the machine, what had to be reached, the tables. The section of notes, written by hand, is kept.
import { existsSync, readFileSync } from 'node:fs';
import { number, rowsOf } from './table.mjs';

const notesHead = '## Notes';

/**
 * @param run `{ machine, times, rounds, results, bars }` of scripts/bench.mjs
 * @param file where it will be written
 */
export function markdown(run, scenarios, subjects, file) {
  const { machine, times, rounds, results, bars } = run;
  const parts = [
    '# Results of the benchmark',
    'Made by `npm run bench -- --markdown bench/RESULTS.md`; [README.md](README.md) says what is measured and how.',
    table([['', ''], ...Object.entries(machine)]),
    `Medians; rounds: ${rounds}, each ${times.seconds} s of processor time after ${times.warmup} s of warm-up.`,
    '## What has to be reached',
    'How many times cheaper than `ws` (processor time of a message), and for idle connections the memory of each.',
    table([
      ['Scenario', 'What', 'Reached', 'Required', 'Aim', ''],
      ...Object.entries(bars).flatMap(([name, list]) =>
        list.map((bar) => [
          `${name}: ${scenarios[name].title}`,
          bar.what,
          number(bar.value),
          bar.atMost === undefined ? `≥ ${bar.atLeast}` : `≤ ${bar.atMost}`,
          bar.aim === undefined ? '' : String(bar.aim),
          verdict(bar),
        ]),
      ),
    ]),
    '## Tables',
    'CPU µs, user and system are of the measured process, for each message (in f for each delivery, in h for each round).',
    ...Object.entries(results).flatMap(([name, bySubject]) => [
      `### ${name}: ${scenarios[name].title}`,
      table(rowsOf(scenarios[name], bySubject, subjects)),
    ]),
    notesOf(file),
  ];
  return `${parts.join('\n\n').trim()}\n`;
}

export function verdict({ hit, reachesAim }) {
  if (!hit) return 'miss';
  return reachesAim ? 'hit, aim' : 'hit';
}

function notesOf(file) {
  if (!existsSync(file)) return notesHead;
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(`\n${notesHead}\n`);
  return start < 0 ? notesHead : text.slice(start).trim();
}

function table([head, ...rows]) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const numbers = ([first, ...others]) =>
    `| ${[first.padEnd(widths[0]), ...others.map((text, i) => text.padStart(widths[i + 1]))].join(' | ')} |`;
  return [line(head), rule, ...rows.map(numbers)].join('\n');
}

/** The results of `conformance` for people: what differs, then a table of the families. */
import { count, paletteOf, printable, wrap } from './terminal.js';

/** A result of the suite (test/conformance/runner/result.mjs), as far as it is used here. */
export interface CaseResult {
  id: string;
  family: number;
  familyTitle: string;
  verdict: 'passed' | 'lenient' | 'failed';
  differences: string[];
}

/** Failed cases that are described; the others are counted. */
const mostDetails = 10;
const mostIds = 6;

/** Failed cases one by one, lenient ones by what they differ in. */
export function describeDetails(results: readonly CaseResult[], format: (result: CaseResult) => string): string[] {
  const { red, yellow, dim } = paletteOf(process.stdout);
  const failed = results.filter(({ verdict }) => verdict === 'failed');
  const columns = process.stdout.isTTY ? process.stdout.columns : Infinity;
  const lines = failed
    .slice(0, mostDetails)
    .flatMap((one) => printable(format(one)).split('\n'))
    .map((line) => wrap(line, columns).replace(/^failed/, red('failed')));
  const hidden = failed.length - mostDetails;
  if (hidden > 0) lines.push(dim(`        … ${count(hidden)} more failed; --verbose prints all`));

  const kinds = new Map<string, string[]>();
  for (const { id, verdict, differences } of results) {
    if (verdict !== 'lenient') continue;
    const kind = differences.map((text) => text.split(':')[0]).join(', ');
    kinds.set(kind, [...(kinds.get(kind) ?? []), id]);
  }
  for (const [kind, ids] of kinds) {
    const shown = ids.slice(0, mostIds).join(', ') + (ids.length > mostIds ? ` … ${count(ids.length)} cases` : '');
    lines.push(`${yellow('lenient')} ${kind.padEnd(9)} ${dim(shown)}`);
  }
  return lines.length === 0 ? [] : [...lines, ''];
}

/** The table, and how long it took. */
export function describeFamilies(results: readonly CaseResult[], seconds: number): string[] {
  const { bold, dim, red, green, yellow } = paletteOf(process.stdout);
  const families = new Map<string, CaseResult[]>();
  for (const one of results) {
    const name = `${String(one.family).padStart(2)} ${one.familyTitle}`;
    families.set(name, [...(families.get(name) ?? []), one]);
  }
  const columns = ['passed', 'lenient', 'failed'] as const;
  const colours = { passed: green, lenient: yellow, failed: red };
  const width = Math.max(...[...families.keys()].map((name) => name.length), 'family'.length + 3);
  const row = (name: string, list: readonly CaseResult[]): string => {
    const cells = columns.map((column) => {
      const many = list.filter(({ verdict }) => verdict === column).length;
      const cell = count(many).padStart(9);
      return many === 0 ? dim(cell) : colours[column](cell);
    });
    return name.padEnd(width) + cells.join('');
  };
  return [
    dim(`${'   family'.padEnd(width)}${columns.map((name) => name.padStart(9)).join('')}`),
    ...[...families].map(([name, list]) => row(name, list)),
    row('   all', results).replace('all', bold('all')),
    '',
    dim(`${count(results.length)} cases in ${seconds.toFixed(1)} s`),
  ];
}

// The tables on the terminal.
import { ratio } from './statistics.mjs';

export function number(value, digits = 3) {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  if (Math.abs(value) >= 10 ** digits) return Math.round(value).toLocaleString('en-US');
  return Number(value.toPrecision(digits)).toString();
}

const timeColumns = {
  'CPU µs': (row) => number(row.cpu),
  user: (row) => number(row.user),
  system: (row) => number(row.system),
  'least–greatest': (row) => `${number(row.least)}–${number(row.greatest)}`,
  'msg/s': (row) => number(row.rate),
  'CPU %': (row) => number(100 * row.busy),
  'p50 µs': (row) => number(row.p50),
  'p99 µs': (row) => number(row.p99),
  'peak MiB': (row) => number(row.peak / 2 ** 20),
};
const memoryColumns = {
  'KiB at first': (row) => number(row.atFirst),
  slope: (row) => number(row.slope),
  'least–greatest': (row) => `${number(row.least)}–${number(row.greatest)}`,
};

/**
 * @param results summaries by subject
 * @returns rows of text, the first one the head
 */
export function rowsOf(scenario, results, subjects) {
  const columns = scenario.mode === 'idle' ? memoryColumns : timeColumns;
  const head = ['', ...Object.keys(columns), 'ws ÷ it'];
  const rows = Object.entries(results).map(([name, summary]) => [
    subjects[name].title,
    ...Object.values(columns).map((column) => column(summary)),
    number(ratio(results.ws, summary)),
  ]);
  return [head, ...rows];
}

/** Aligns the columns: the first to the left, the others to the right. */
export function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '))
    .join('\n');
}

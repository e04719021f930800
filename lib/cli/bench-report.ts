/** The result of `bench`: for people with a drawing of the latencies, and as JSON. */
import type { Load, LoadOptions } from './load.js';
import { bar, bytes, count, paletteOf, printable } from './terminal.js';

const percentiles = [50, 90, 99, 99.9] as const;
const mostRanges = 14;
const mostBarCells = 40;
const leastBarCells = 8;

/** The result as data; times are milliseconds. */
export function loadJson(load: Load, options: LoadOptions): object {
  const { latencies, handshakes } = load;
  return {
    url: options.url,
    transport: load.transport,
    extensions: load.extensions,
    connections: { wanted: options.connections, opened: load.opened, failed: load.failed, lost: load.lost },
    message: { type: options.isBinary ? 'binary' : 'text', bytes: options.payload.length },
    inFlight: options.inFlight,
    rate: options.rate,
    seconds: load.measured / 1000,
    messages: latencies.count,
    messagesPerSecond: perSecond(load),
    wrongAnswers: load.wrong,
    handshake: { p50: handshakes.percentile(50), max: handshakes.max },
    latency: {
      min: latencies.min,
      mean: latencies.mean,
      ...Object.fromEntries(percentiles.map((percent) => [`p${percent}`, latencies.percentile(percent)])),
      max: latencies.max,
    },
    histogram: latencies.ranges(mostRanges),
    processor: load.processor,
    errors: Object.fromEntries(load.errors),
  };
}

function perSecond(load: Load): number {
  return load.measured === 0 ? 0 : (load.latencies.count / load.measured) * 1000;
}

/** The result for people. */
export function describeLoad(load: Load, options: LoadOptions): string {
  const { bold, dim, red, yellow } = paletteOf(process.stdout);
  const { latencies, handshakes } = load;
  const rate = perSecond(load);
  const size = options.payload.length;
  const setting = [
    `${count(load.opened)} ${load.opened === 1 ? 'connection' : 'connections'}`,
    `${bytes(size)} ${options.isBinary ? 'binary' : 'text'}`,
    `${count(options.inFlight)} in flight`,
    ...(options.rate === undefined ? [] : [`${count(options.rate)} messages/s wanted`]),
    `${load.transport} transport`,
    ...(load.extensions === '' ? [] : [load.extensions]),
  ];
  const rows: [string, string, string, string][] = [
    ['Time', (load.measured / 1000).toFixed(1), 's', ''],
    ['Messages', count(latencies.count), '', `${count(Math.round(rate))} a second`],
    ['Payload', ...figure(latencies.count * size), `${bytes(Math.round(rate * size))} a second, each way`],
    ['Handshake', milliseconds(handshakes.percentile(50)), 'ms', `slowest ${milliseconds(handshakes.max)} ms`],
    ['This client', String(Math.round(load.processor * 100)), '%', 'of a core'],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = [
    bold(printable(options.url)),
    dim(setting.join(' · ')),
    '',
    ...rows.map(([name, value, unit, more]) => {
      const figures = `${value.padStart(widths[1])} ${unit.padEnd(widths[2])}`;
      return `  ${dim(name.padEnd(widths[0] + 2))}${more === '' ? figures.trimEnd() : `${figures}   ${dim(more)}`}`;
    }),
  ];
  if (latencies.count > 0) lines.push('', ...latencyTable(load), '', ...drawing(load));
  const problems = problemsOf(load);
  if (problems.length > 0) lines.push('', ...problems.map((problem) => `${red('problem')} ${printable(problem)}`));
  if (load.processor > 0.95) {
    lines.push('', `${yellow('note')} This client had no processor time left: the server may be faster than this.`);
  }
  return lines.join('\n');
}

/** A number of bytes, and its unit. */
function figure(value: number): [string, string] {
  const [number, unit] = bytes(value).split(' ');
  return [number, unit];
}

function latencyTable({ latencies }: Load): string[] {
  const { bold, dim } = paletteOf(process.stdout);
  const columns: [string, number][] = [
    ['min', latencies.min],
    ...percentiles.map((percent): [string, number] => [`p${percent}`, latencies.percentile(percent)]),
    ['max', latencies.max],
  ];
  const cells = columns.map(([, value]) => milliseconds(value));
  const width = Math.max(...cells.map((cell) => cell.length), 5) + 3;
  return [
    bold('Latency, ms'),
    `  ${dim(
      columns
        .map(([name]) => name.padStart(width))
        .join('')
        .slice(1),
    )}`,
    `  ${cells
      .map((cell) => cell.padStart(width))
      .join('')
      .slice(1)}`,
  ];
}

function drawing({ latencies }: Load): string[] {
  const { bold, dim, cyan } = paletteOf(process.stdout);
  const ranges = latencies.ranges(mostRanges);
  const most = Math.max(...ranges.map((range) => range.count));
  const decimals = Math.max(...ranges.map(({ from }) => decimalsOf(from)), ...ranges.map(({ to }) => decimalsOf(to)));
  const labels = ranges.map(({ from, to }) => [from.toFixed(decimals), to.toFixed(decimals)]);
  const width = Math.max(...labels.flat().map((label) => label.length));
  const columns = process.stdout.isTTY ? process.stdout.columns : 80;
  const barCells = Math.min(Math.max(columns - 2 * width - 17, leastBarCells), mostBarCells);
  return [
    bold('Distribution, ms'),
    ...ranges.map(({ count: many }, index) => {
      const [from, to] = labels[index].map((label) => label.padStart(width));
      const percent = (many / latencies.count) * 100;
      const part = (many > 0 && percent < 0.005 ? '<0.01' : percent.toFixed(2)).padStart(7);
      const drawn = many === 0 ? '' : bar(Math.max(many / most, 1 / barCells / 8), barCells);
      return `  ${from} ${dim('–')} ${to} ${dim(`${part} %`)}  ${cyan(drawn)}`.trimEnd();
    }),
  ];
}

function problemsOf(load: Load): string[] {
  const problems = [...load.errors].map(([problem, times]) =>
    times === 1 ? problem : `${problem} (${count(times)} times)`,
  );
  if (load.failed > 0) problems.push(`${count(load.failed)} connections could not be opened`);
  if (load.lost > 0) problems.push(`${count(load.lost)} connections were lost`);
  if (load.wrong > 0) problems.push(`${count(load.wrong)} answers were not what was sent`);
  if (load.latencies.count === 0) problems.push('no answer came: the server has to send every message back');
  return problems;
}

function milliseconds(value: number): string {
  return count(value, 3);
}

/** The decimals that a bound of a range needs. */
function decimalsOf(value: number): number {
  return value === 0 ? 0 : Math.max(0, String(Number(value.toPrecision(3))).split('.')[1]?.length ?? 0);
}

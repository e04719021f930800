/**
 * What the program writes to a terminal: colours, a line of progress, and text of a peer, which must not be able to move
 * the cursor. Colours are Node's own (`util.styleText`), so the package needs none for them.
 */
import type { WriteStream } from 'node:tty';
import * as util from 'node:util';

/** A function for each style that is used; without colours they return their text. */
export type Palette = Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>;

type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'hasColors' | 'columns'>>;

/** The palette for a stream: colours when it is a terminal that has them. `hasColors` heeds NO_COLOR, FORCE_COLOR and TERM. */
export function paletteOf(stream: Output): Palette {
  // Node.js before 20.12 has no styleText.
  const styleText: typeof util.styleText | undefined =
    stream.isTTY && stream.hasColors?.() ? util.styleText : undefined;
  const style = (format: keyof Palette) => (text: string) =>
    styleText === undefined ? text : styleText(format, text, { validateStream: false });
  return {
    bold: style('bold'),
    dim: style('dim'),
    red: style('red'),
    green: style('green'),
    yellow: style('yellow'),
    cyan: style('cyan'),
  };
}

/** A line at the bottom of a terminal that is written over; nothing on other streams. */
export class StatusLine {
  readonly #stream: Output;
  #isShown = false;

  constructor(stream: Output) {
    this.#stream = stream;
  }

  /** @param text without colours, cut to the width of the terminal */
  show(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#stream.write(`\r${text.slice(0, (this.#stream.columns ?? 80) - 1)}\x1b[K`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.#stream.write('\r\x1b[K');
    this.#isShown = false;
  }
}

/** A bar of so many cells, `part` of it full, in eighths of a cell. */
export function bar(part: number, cells: number): string {
  const eighths = Math.round(Math.min(Math.max(part, 0), 1) * cells * 8);
  const rest = eighths % 8;
  return '█'.repeat(Math.floor(eighths / 8)) + (rest === 0 ? '' : '▏▎▍▌▋▊▉'[rest - 1]);
}

/** The line of progress: a bar, then text. */
export function progress(part: number, text: string): string {
  const cells = 24;
  const full = Math.round(Math.min(part, 1) * cells);
  return `  ${'━'.repeat(full)}${'╌'.repeat(cells - full)}  ${text}`;
}

/** Breaks a line between words. What follows begins where its text does: behind the last wide gap of its beginning. */
export function wrap(line: string, columns: number): string {
  const indent = /^(?:.{0,22} {2})?/.exec(line)?.[0].length ?? 0;
  const rows: string[] = [];
  let row = line.slice(0, indent);
  for (const word of line.slice(indent).split(' ')) {
    const isFirst = row.length <= indent;
    if (!isFirst && row.length + 1 + word.length > columns) {
      rows.push(row);
      row = ' '.repeat(indent) + word;
    } else {
      row += isFirst ? word : ` ${word}`;
    }
  }
  return [...rows, row].join('\n');
}

/** Text of a peer with control characters made visible, but for tabs and newlines. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** 1234567 as 1,234,567, with so many decimals. */
export function count(value: number, decimals = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A number of bytes for people. */
export function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), units.length - 1);
  if (power === 0) return `${value} ${value === 1 ? 'byte' : 'bytes'}`;
  return `${count(value / 1024 ** power, 1).replace(/\.0$/, '')} ${units[power]}`;
}

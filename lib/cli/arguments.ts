/**
 * The options of a command as a table: what `--help` prints and what `node:util` parses. Node's parseArgs does all that a
 * package for arguments would do here, so the package needs none.
 */
import { parseArgs } from 'node:util';

/** What is wrong with a command line; the message says what is allowed. The exit status is 2. */
export class UsageError extends Error {}

/** An option of a command. */
export interface Option {
  name: string;
  /** One letter. */
  short?: string;
  /** What the help calls its value; without it, the option is a switch. */
  value?: string;
  /** It may be given more than once. */
  isMultiple?: boolean;
  /** What it does, with its default. */
  help: string;
}

/** A command of the program. */
export interface Command {
  name: string;
  /** What the help calls its arguments: `<url>`. */
  operands: string;
  /** One sentence without a full stop. */
  summary: string;
  options: readonly Option[];
  /** Text below the options. */
  notes?: string;
  /** @returns the exit status */
  run: (args: Arguments) => number | Promise<number>;
}

/** Of every command. */
export const helpOption: Option = { name: 'help', short: 'h', help: 'print this help' };

/** A range of numbers. */
interface Range {
  min?: number;
  max?: number;
  isWhole?: boolean;
}

/** What a command line holds. */
export class Arguments {
  readonly operands: readonly (string | undefined)[];
  readonly #values: Record<string, string | boolean | (string | boolean)[] | undefined>;

  /** @throws UsageError for an option that is not in the table, or has no value where it needs one. */
  constructor(options: readonly Option[], args: readonly string[]) {
    const config = Object.fromEntries(
      options.map(({ name, short, value, isMultiple = false }) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', multiple: isMultiple, ...(short && { short }) } as const,
      ]),
    );
    try {
      const { values, positionals } = parseArgs({ args: [...args], options: config, allowPositionals: true });
      this.#values = values;
      this.operands = positionals;
    } catch (error) {
      // Behind its first sentence Node explains how to pass operands that begin with a dash.
      throw new UsageError((error as Error).message.replace(/\. To specify a positional argument.*$/s, ''));
    }
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  list(name: string): readonly string[] {
    return (this.#values[name] as string[] | undefined) ?? [];
  }

  /** @throws UsageError when it is no number of the range. */
  number<Default extends number | undefined>(name: string, fallback: Default, range: Range = {}): number | Default {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const { min = 0, max = Number.MAX_SAFE_INTEGER, isWhole = true } = range;
    const value = text.trim() === '' ? NaN : Number(text);
    if (!(value >= min && value <= max) || (isWhole && !Number.isInteger(value))) {
      const limits = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new UsageError(`--${name} must be a ${isWhole ? 'whole ' : ''}number ${limits}, not '${text}'`);
    }
    return value;
  }

  /** The only operand. @throws UsageError when there is none, or another one. */
  operand(what: string): string {
    const [first, second] = this.operands;
    if (first === undefined) throw new UsageError(`${what} is missing`);
    if (second !== undefined) throw new UsageError(`There is one argument too many: '${second}'`);
    return first;
  }

  /** @throws UsageError when there is one. */
  noOperand(): void {
    if (this.operands[0] !== undefined) throw new UsageError(`There is one argument too many: '${this.operands[0]}'`);
  }
}

/** The lines about options: aligned, and wrapped at 80 columns. */
export function describeOptions(options: readonly Option[]): string[] {
  const rows = options.map(({ name, short, value, help }) => {
    const left = `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return [left, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, help]) =>
    wrap(help, 80 - width).map((line, index) => (index === 0 ? left : '').padEnd(width) + line),
  );
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

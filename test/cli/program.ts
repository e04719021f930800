// Runs the program as a process of its own: with pipes, or on a pseudo terminal that Python's pty module makes.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { afterTest, root, until } from '../lib/support';

export const program = join(root, 'dist/cli/main.js');
const python = process.platform === 'linux' ? '/usr/bin/python3' : 'python3';
/** Milliseconds after which a program that does not end is killed; no test comes near it. */
const mostTime = 25_000;

/** What `hasColors` looks at: none of it comes from where the tests run. */
const noOpinion = Object.fromEntries(
  ['CI', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'NO_COLOR', 'TEAMCITY_VERSION', 'TF_BUILD', 'TMUX'].map((name) => [
    name,
    undefined,
  ]),
);

/** Forwards its stdin and stdout to a program on a pseudo terminal, and ends with its status. */
const onTerminal = `import os, pty, sys
status = pty.spawn(['sh', '-c', 'stty cols $TERMINAL_COLUMNS rows 24; exec "$@"', 'sh'] + sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))`;

/** A program that runs. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = '';
  stderr = '';
  /** Resolves when it has ended, and its output was read. */
  readonly ended: Promise<{ stdout: string; stderr: string; status: number | null; signal: string | null }>;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(command, args, { env: { ...process.env, ...env }, timeout: mostTime, killSignal: 'SIGKILL' });
    this.child.stdin.on('error', () => {}); // it may end before it has read everything
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) =>
      this.child.on('close', (status, signal) => resolve({ stdout: this.stdout, stderr: this.stderr, status, signal })),
    );
    afterTest(() => this.child.kill('SIGKILL'));
  }

  /** Waits until it has printed this. */
  async prints(text: string): Promise<void> {
    const all = () => this.stdout + this.stderr;
    await until(() => all().includes(text) || this.child.exitCode !== null, `the output of ${text}`);
    if (!all().includes(text)) throw new Error(`It ended without ${text}: ${all()}`);
  }

  /** Types on the terminal, or writes to the pipe. */
  type(text: string): void {
    this.child.stdin.write(text);
  }
}

/** Starts it with pipes; stdin stays open. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  return new Program(process.execPath, [program, ...args], { ...noOpinion, ...env });
}

/** Starts it on a pseudo terminal; what it prints to stdout and stderr is in `stdout`. */
export function startOnTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const plain = { ...noOpinion, NO_COLOR: '1', TERM: 'xterm', TERMINAL_COLUMNS: '80', ...env };
  return new Program(python, ['-c', onTerminal, process.execPath, program, ...args], plain);
}

/** Runs it with this on stdin, to its end. */
export function run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Program['ended'] {
  const started = start(args, env);
  started.child.stdin.end(input);
  return started.ended;
}

/** The events of `--json`, without their time. */
export function eventsOf(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { time, ...event } = JSON.parse(line) as Record<string, unknown>;
      expect(new Date(time as string).toISOString()).toBe(time);
      return event;
    });
}

/** What a terminal of 80 columns shows, and has scrolled out of sight: the lines that this text leaves. */
export function screenOf(text: string): string[] {
  const rows = [''];
  let [x, y] = [0, 0];
  // eslint-disable-next-line no-control-regex -- a terminal's language
  for (const match of text.matchAll(/\x1b\[\??([\d;]*)([A-Za-z])|[^]/gu)) {
    const [token, count, name] = match as string[] & [string, string?, string?];
    const by = Number(count ?? '') || 1;
    if (token === '\n') y++;
    else if (token === '\r') x = 0;
    else if (name === 'A') y = Math.max(y - by, 0);
    else if (name === 'C') x += by;
    else if (name === 'D') x = Math.max(x - by, 0);
    else if (name === 'G') x = by - 1;
    else if (name === 'J' || name === 'K') rows[y] = rows[y].slice(0, x);
    else if (name === undefined) {
      if (x === 80) [x, y] = [0, y + 1];
      rows[y] = `${(rows[y] ?? '').slice(0, x).padEnd(x)}${token}${(rows[y] ?? '').slice(x + 1)}`;
      x++;
    }
    if (name === 'J') rows.length = y + 1;
    while (rows.length <= y) rows.push('');
  }
  return rows.map((row) => row.trimEnd());
}

/** A prompt at the bottom of the terminal (Node's readline), with lines printed above it, and a history that is kept. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline';

const historyLines = 500;

export interface PromptHandlers {
  onLine: (line: string) => void;
  /** Ctrl-C, or Ctrl-D on an empty line. */
  onEnd: () => void;
}

export class Prompt {
  readonly #readline: Interface;
  readonly #historyFile: string | undefined;
  #isOpen = true;

  /** @param keepsHistory whether lines are kept in a file of the user */
  constructor({ onLine, onEnd }: PromptHandlers, keepsHistory: boolean) {
    this.#historyFile = keepsHistory ? historyFile() : undefined;
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt: '> ',
      history: readHistory(this.#historyFile),
      historySize: historyLines,
      removeHistoryDuplicates: true,
    });
    let history: readonly string[] | undefined;
    this.#readline.on('history', (lines: string[]) => (history = lines));
    this.#readline.on('line', (line) => {
      onLine(line);
      if (this.#isOpen) this.#readline.prompt();
    });
    this.#readline.on('SIGINT', onEnd);
    this.#readline.on('close', () => {
      const wasOpen = this.#isOpen;
      this.#isOpen = false;
      if (this.#historyFile !== undefined && history !== undefined) writeHistory(this.#historyFile, history);
      if (wasOpen) onEnd();
    });
    this.#readline.prompt();
  }

  /** Prints above the prompt, and leaves what is being typed as it is. */
  print(text: string): void {
    if (!this.#isOpen) {
      process.stdout.write(`${text}\n`);
      return;
    }
    const { rows } = this.#readline.getCursorPos();
    moveCursor(process.stdout, 0, -rows);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
    // readline moves up by the rows that it remembers before it draws the prompt again.
    process.stdout.write(`${text}\n${'\n'.repeat(rows)}`);
    this.#readline.prompt(true);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
    this.#readline.close();
  }
}

/** In the user's folder for state (XDG Base Directory Specification; on Windows the local application data). */
function historyFile(): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = process.env;
  const state = process.platform === 'win32' ? LOCALAPPDATA : XDG_STATE_HOME;
  return join(state ?? join(homedir(), '.local/state'), 'websocket-component', 'history');
}

/** The newest line first. */
function readHistory(file: string | undefined): string[] {
  try {
    return file === undefined ? [] : readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return []; // the first time, or a folder that cannot be read
  }
}

/** Readable by the user alone, because messages may hold secrets. */
function writeHistory(file: string, lines: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${lines.slice(0, historyLines).join('\n')}\n`, { mode: 0o600 });
  } catch {
    // a history is a convenience
  }
}

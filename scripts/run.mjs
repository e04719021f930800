// Shared by the scripts: paths, running a program, finding a program on PATH.
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a program in the project's folder, its output on ours. Returns its exit status (1 when it was killed). */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) console.error(`${program}: ${result.error.message}`);
  return result.status ?? 1;
}

/**
 * Runs a program while others run, and returns its status and output.
 * @param {object} options of `spawn`; `timeout` in milliseconds
 * @returns {Promise<{ status: number, output: string }>}
 */
export function runBeside(program, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      killSignal: 'SIGKILL',
      ...options,
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ status: 1, output: `${output}${program}: ${error.message}\n` }));
    child.on('close', (status, signal) => {
      if (signal !== null) output += `${program}: ended by ${signal}\n`;
      resolve({ status: status ?? 1, output });
    });
  });
}

/** Runs a program and returns its status and output (stdout and stderr together in `all`). */
export function capture(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  const stdout = result.stdout ?? '';
  const stderr = result.stderr ?? '';
  return { status: result.status ?? 1, stdout, stderr, all: stdout + stderr + (result.error?.message ?? '') };
}

/** The full path of a program, or undefined when PATH does not have it. */
export function which(program) {
  const suffixes = process.platform === 'win32' ? (process.env.PATHEXT ?? '.EXE').split(';') : [''];
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const suffix of suffixes) {
      const file = path.join(folder, program + suffix);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // not here
      }
    }
  }
  return undefined;
}

/** Takes `--name value` out of a list of arguments. */
export function takeOption(args, name) {
  const index = args.indexOf(`--${name}`);
  return index < 0 ? undefined : args.splice(index, 2)[1];
}

/** The program of a package in node_modules, as arguments for `node`. */
export function nodeProgram(file) {
  return path.join(root, 'node_modules', file);
}

// A copy of the native module that calls other functions than those of Node-API, and the library that has them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { capture } from '../../scripts/run.mjs';

/** Runs a program, and throws what it printed when it fails. @returns {string} its output */
export function must(program, args, options = {}) {
  const result = capture(program, args, { timeout: 60_000, ...options });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.status}\n${result.all}`);
  return result.stdout;
}

/**
 * Makes both in a folder of its own.
 * @param {string} binary the native module
 * @param {string} folder
 * @param {Record<string, string>} names for each function that is replaced another name, as long, so that it fits
 * @param {string} source of the library, in C
 * @returns {NodeJS.ProcessEnv} the environment in which programs use them
 */
export function replaceFunctions(binary, folder, names, source) {
  mkdirSync(folder, { recursive: true });
  const [library, copy] = [path.join(folder, 'functions.so'), path.join(folder, 'websocket_component.node')];
  const bytes = readFileSync(binary);
  for (const [name, replacement] of Object.entries(names)) {
    const at = bytes.indexOf(`\0${name}\0`);
    if (at < 0 || replacement.length !== name.length) throw new Error(`${binary} does not use ${name}`);
    bytes.write(replacement, at + 1);
  }
  writeFileSync(copy, bytes);
  must(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: source });
  return { ...process.env, WEBSOCKET_COMPONENT_BINARY: copy, LD_PRELOAD: library };
}

/** The names of functions that the native module takes from elsewhere; those with a version come from the system. */
export function importsOf(binary) {
  const lines = must('nm', ['-D', '--undefined-only', binary]).split('\n');
  const names = lines.map((line) => /^\s+U ([^@\s]+)$/.exec(line)?.[1]).filter((name) => name !== undefined);
  if (!names.includes('napi_create_function')) throw new Error(`nm lists: ${lines.join(' ')}`);
  return names;
}

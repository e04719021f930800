// Libraries that are put in front of libc in a process that a program starts. Linux only.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Compiles them into a folder of their own, which the caller removes.
 * @param {...string} sources C files, relative to this folder
 * @returns {{ env: object, folder: string, remove: () => void }} `env`: what such a process needs in its environment
 */
export function compileLibraries(...sources) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fault-'));
  const libraries = sources.map((source) => {
    const library = path.join(folder, `${path.basename(source, '.c')}.so`);
    const file = fileURLToPath(new URL(source, import.meta.url));
    const { status } = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, file, '-ldl'], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, LD_PRELOAD: '' }, // no sanitizer for the compiler
    });
    if (status !== 0) throw new Error(`${source} could not be compiled`);
    return library;
  });
  const env = { LD_PRELOAD: [process.env.LD_PRELOAD, ...libraries].filter(Boolean).join(':') };
  return { env, folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** What socket_faults.c is told, by mode; and how often it did what it was told, when its process has ended. */
export function socketFaults(mode) {
  const { env, folder, remove } = compileLibraries('socket_faults.c');
  const log = path.join(folder, 'times');
  const takeCount = () => {
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    rmSync(log);
    return lines.reduce((sum, line) => sum + Number(line), 0);
  };
  return { env: { ...env, SOCKET_FAULTS: mode, SOCKET_FAULTS_LOG: log }, takeCount, remove };
}

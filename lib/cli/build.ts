/** `build`: builds the native module of this package from its sources, for systems that no binary package is for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from './arguments.js';
import { Status } from './status.js';

const root = join(__dirname, '../..');

export const build: Command = {
  name: 'build',
  operands: '',
  summary: 'Build the native module from its sources',
  options: [],
  notes: `Needs CMake, a C++ compiler, and the headers of OpenSSL and zlib; it says what
is missing and how to install it. Nothing is downloaded.

Exit status: 0 built, 1 not built, 2 wrong usage.`,
  run: async (args) => {
    args.noOperand();
    console.error('Building the native module, which takes a minute or two …');
    const child = spawn(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    return code === 0 ? Status.Ok : Status.Failed;
  },
};

// Programs around WebSocket libraries of others, which take the other side of a conversation (conversation.ts). As
// servers they print "port N"; as clients they read URLs from standard input.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './conversation';
import { Program } from './peers';

export type Role = 'server' | 'client';

/** A library, and the program around it. */
export interface EchoProgram {
  name: string;
  roles: Role[];
  /** What this system lacks to run it. */
  missing?: string;
  /** What it cannot do, or does in another way. */
  ability: Pick<Peer, 'canPing' | 'closeAnswer'>;
  /** @param options of its command line: `--compress` */
  start: (role: Role, options?: string[]) => Program;
}

const both: Role[] = ['server', 'client'];

/** Debian's python3, because its libraries belong to it; elsewhere the one on the path. */
const python = process.platform === 'linux' ? '/usr/bin/python3' : 'python3';

function pythonLibrary(name: string, library: string, ability: EchoProgram['ability'] = {}): EchoProgram {
  const found = spawnSync(python, ['-c', `import importlib.util as i; exit(i.find_spec("${library}") is None)`]);
  return {
    name,
    roles: both,
    missing: found.status === 0 ? undefined : `Python's ${library}`,
    ability,
    start: (role, options = []) =>
      Program.start(python, [join(__dirname, 'python_echo.py'), library, role, ...options]),
  };
}

export const websockets = pythonLibrary("Python's websockets", 'websockets');
export const aiohttp = pythonLibrary("Python's aiohttp", 'aiohttp', { closeAnswer: 1000 });
export const tornado = pythonLibrary("Python's Tornado", 'tornado');

/** The package of its header files, from which the program is built. */
const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'libwebsockets'], { encoding: 'utf8' });

export const libwebsockets: EchoProgram = {
  name: 'libwebsockets',
  roles: both,
  missing: flags.status === 0 ? undefined : 'libwebsockets',
  ability: {},
  start: (role, options = []) => {
    const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
    const program = join(folder, 'libwebsockets_echo');
    try {
      const source = join(__dirname, 'libwebsockets_echo.c');
      execFileSync('cc', ['-std=gnu11', '-O2', '-o', program, source, ...flags.stdout.trim().split(/\s+/)]);
      return Program.start(program, [role, ...options]);
    } finally {
      rmSync(folder, { recursive: true }); // the program runs already
    }
  },
};

export const nodeClient: EchoProgram = {
  name: "Node's own client",
  roles: ['client'],
  ability: { canPing: false },
  start: () => {
    const flag = Number.parseInt(process.versions.node) < 22 ? ['--experimental-websocket', '--no-warnings'] : [];
    return Program.start(process.execPath, [...flag, join(__dirname, 'node_echo.mjs')]);
  },
};

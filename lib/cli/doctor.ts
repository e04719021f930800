/** `doctor`: what this installation consists of, whether it works, and what helps when it does not. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { glibcVersion } from '../targets.js';
import type { Command } from './arguments.js';
import { messageOf, Status } from './status.js';
import { bytes, paletteOf } from './terminal.js';

const root = join(__dirname, '../..');

/** What is found out, as `--json` prints it. */
interface Findings {
  version: string;
  runtime: { name: string; version: string; nodeApi: string | undefined };
  system: { platform: string; arch: string; libc: string | undefined };
  package: string;
  /** Undefined when it could not be loaded. */
  binary?: { file: string; bytes: number; component: string; openssl: string; zlib: string };
  /** Of an echo over the loopback interface. */
  echo?: { transport: string; milliseconds: number };
  /** When the binary is missing: what would build it, by kind. */
  tools?: { name: string; found: string | undefined }[];
  problem?: string;
  help?: string;
}

export const doctor: Command = {
  name: 'doctor',
  operands: '',
  summary: 'Show runtime, binary and versions, and try an echo',
  options: [{ name: 'json', help: 'print it as JSON' }],
  notes: 'Exit status: 0 everything works, 1 something does not, 2 wrong usage.',
  run: async (args) => {
    args.noOperand();
    const findings = await examine();
    console.log(args.flag('json') ? JSON.stringify(findings, null, 2) : describe(findings));
    return findings.problem === undefined ? Status.Ok : Status.Failed;
  },
};

async function examine(): Promise<Findings> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const findings: Findings = { version, runtime: runtime(), system: system(), package: root };
  let versions;
  try {
    versions = (await import('../index.js')).component.versions;
  } catch (error) {
    const problem = messageOf(error);
    const { cause } = error as { cause?: { code?: string } };
    if (cause?.code === 'ERR_DLOPEN_DISABLED') return { ...findings, problem }; // no build helps where addons are forbidden
    return { ...findings, tools: buildTools(), problem, help: 'npx websocket-component build' };
  }
  // Whoever loaded it: the module cache knows from where.
  const file = Object.keys(require.cache).find((name) => name.endsWith('websocket_component.node')) ?? 'unknown';
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  findings.binary = { file, bytes: size, ...versions };
  try {
    return { ...findings, echo: await tryEcho() };
  } catch (error) {
    return { ...findings, problem: `An echo over the loopback interface failed: ${messageOf(error)}` };
  }
}

/** Sends a message to a server in this process and back. */
async function tryEcho(): Promise<Findings['echo']> {
  const { WebSocket, WebSocketServer } = await import('../index.js');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const signal = AbortSignal.timeout(5000);
  try {
    await once(server, 'listening', { signal });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await once(socket, 'open', { signal });
    const started = performance.now();
    socket.send('hello');
    await once(socket, 'message', { signal });
    const milliseconds = Math.round((performance.now() - started) * 1000) / 1000;
    const closed = once(socket, 'close', { signal });
    socket.close(1000);
    await closed;
    return { transport: socket.transport ?? 'unknown', milliseconds };
  } finally {
    await server.close({ timeout: 0 });
  }
}

function runtime(): Findings['runtime'] {
  const { versions } = process;
  const other = ['bun', 'deno', 'electron'].find((name) => versions[name] !== undefined);
  if (other === undefined) return { name: 'Node.js', version: versions.node, nodeApi: versions.napi };
  const name = other[0].toUpperCase() + other.slice(1);
  return { name, version: versions[other] ?? '', nodeApi: versions.napi };
}

function system(): Findings['system'] {
  const { platform, arch } = process;
  return { platform, arch, libc: platform === 'linux' ? libc() : undefined };
}

function libc(): string {
  const glibc = glibcVersion();
  return glibc === undefined ? 'musl' : `glibc ${glibc}`;
}

/** What scripts/build.mjs looks for on PATH. */
function buildTools(): Findings['tools'] {
  const kinds = {
    CMake: ['cmake'],
    'C++ compiler': process.platform === 'win32' ? [] : ['c++', 'g++', 'clang++'],
    'ninja or make': process.platform === 'win32' ? [] : ['ninja', 'make'],
  };
  return Object.entries(kinds)
    .filter(([, programs]) => programs.length > 0)
    .map(([name, programs]) => ({
      name,
      found: programs.find((program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0),
    }));
}

function describe(findings: Findings): string {
  const { version, runtime: run, system: on, binary, echo, tools, problem, help } = findings;
  const { bold, dim, red, green } = paletteOf(process.stdout);
  const rows = [
    ['Runtime', `${run.name} ${run.version}${run.nodeApi === undefined ? '' : dim(` · Node-API ${run.nodeApi}`)}`],
    ['System', `${on.platform} ${on.arch}${on.libc === undefined ? '' : dim(` · ${on.libc}`)}`],
    ['Package', findings.package],
    ['Binary', binary === undefined ? red('not loaded') : `${binary.file}${dim(` · ${bytes(binary.bytes)}`)}`],
  ];
  if (binary !== undefined) {
    rows.push(
      ['Component', binary.component],
      ['OpenSSL', binary.openssl.replace(/^OpenSSL /, '')],
      ['zlib', binary.zlib],
    );
  }
  if (echo !== undefined) {
    const detail = echo.transport === 'native' ? ' · stream for wss:' : '';
    rows.push(
      ['Transport', `${echo.transport}${dim(detail)}`],
      ['Echo', `${green('works')}${dim(` · ${echo.milliseconds} ms`)}`],
    );
  }
  for (const { name, found } of tools ?? []) rows.push([name, found ?? red('not found')]);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = [
    bold(`websocket-component ${version}`),
    '',
    ...rows.map(([name, value]) => `  ${dim(name.padEnd(width))}${value}`),
  ];
  if (problem !== undefined) lines.push('', `${red('problem')} ${problem}`);
  if (help !== undefined && problem?.includes(help) !== true) lines.push('', `This builds the binary: ${bold(help)}`);
  return lines.join('\n');
}

// Starts the examples as their header comments say: the commands of the tests are taken from there.
import { execFile, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket as WsClient, type ClientOptions } from 'ws';
import { Program, root } from '../interop/peers';

/** Milliseconds after which a program that does not end is killed; no test comes near it. */
const mostTime = 25_000;

jest.setTimeout(60_000); // several programs for a test, and others beside them

const running = new Set<{ stop: () => unknown }>();

afterEach(async () => {
  for (const one of running) await one.stop();
  running.clear();
});

/** An example that serves. */
export interface Server {
  program: Program;
  /** Where it says that it listens. */
  url: string;
  port: number;
}

/** Starts a server on a port that the system chooses, and waits until it listens. */
export async function serve(file: string, env: NodeJS.ProcessEnv = {}, cwd = root): Promise<Server> {
  const program = start(file, [], { PORT: '0', ...env }, cwd);
  const url = await program.waitForLine(/^listening on (\S+)/);
  return { program, url, port: Number(new URL(url).port) };
}

/** Starts an example with pipes. */
export function start(file: string, args: string[] = [], env: NodeJS.ProcessEnv = {}, cwd = root): Program {
  const child = spawn(process.execPath, [join(root, 'examples', file), ...args], {
    cwd,
    env: { ...process.env, ...env },
  });
  const program = new Program(child);
  running.add(program);
  return program;
}

/** The commands of an example's header comment that begin so, without what is said about them. */
export function commandsOf(file: string, begin: string): string[] {
  const [header] =
    /^(?:(?:#|\/\/).*\n)+/.exec(readFileSync(join(root, 'examples', file), 'utf8').replace(/^#!.*\n/, '')) ?? [];
  const commands = (header ?? '').split('\n').map((line) => line.replace(/^(#|\/\/) */, '').split(/ {3,}/)[0]);
  return commands.filter((command) => command.startsWith(begin));
}

/** Runs the command of a header comment that begins so, with other words in place of some. */
export function runCommand(file: string, begin: string, words: Record<string, string>, input = '', cwd = root) {
  const commands = commandsOf(file, begin);
  expect(commands).toHaveLength(1);
  const all: Record<string, string> = {
    'npx websocket-component': `'${process.execPath}' '${join(root, 'dist/cli/main.js')}'`,
    ...words,
  };
  let [command] = commands;
  for (const [word, other] of Object.entries(all)) command = command.replaceAll(word, other);
  command = command.replace(/^node /, `'${process.execPath}' `).replaceAll(' examples/', ` ${root}/examples/`);
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile('sh', ['-c', command], { cwd, timeout: mostTime }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** What a client has received, and nobody has asked for yet. */
const inboxes = new WeakMap<WsClient, AsyncIterator<[data: Buffer, isBinary: boolean]>>();

/** A client of another implementation. */
export async function connect(url: string, options: ClientOptions = {}): Promise<WsClient> {
  const socket = new WsClient(url, options);
  running.add({ stop: () => socket.terminate() });
  inboxes.set(socket, on(socket, 'message', { close: ['close'] }) as AsyncIterator<[Buffer, boolean]>);
  await once(socket, 'open');
  return socket;
}

/** The next message; each is given once, in order. */
export async function nextMessage(socket: WsClient): Promise<{ data: Buffer; isBinary: boolean }> {
  const { done, value } = (await inboxes.get(socket)?.next()) ?? {};
  if (done !== false) throw new Error('the connection was closed instead of a message');
  const [data, isBinary] = value as [Buffer, boolean];
  return { data, isBinary };
}

/** The next message, which is a text. */
export async function nextText(socket: WsClient): Promise<string> {
  const { data, isBinary } = await nextMessage(socket);
  expect(isBinary).toBe(false);
  return data.toString();
}

/** The code and the reason with which a connection is closed. */
export function closed(socket: WsClient): Promise<[code: number, reason: string]> {
  return new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));
}

/** How a server refuses a handshake. */
export function refusal(url: string, options: ClientOptions = {}) {
  return new Promise<{ status?: number; challenge?: string; body: string }>((resolve, reject) => {
    const socket = new WsClient(url, options);
    socket.once('open', () => reject(new Error('it was accepted'))).once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('end', () =>
        resolve({ status: response.statusCode, challenge: response.headers['www-authenticate'], body }),
      );
    });
  });
}

/** Ends a server with a signal: these clients are closed with 1001, it ends in order, and what it complained of is this. */
export async function endsInOrder(
  server: Server,
  signal: NodeJS.Signals,
  clients: WsClient[],
  errors: string | RegExp = '',
): Promise<void> {
  const codes = clients.map(async (client) => (await closed(client))[0]);
  server.program.signal(signal);
  expect(await Promise.all(codes)).toEqual(clients.map(() => 1001));
  expect(await server.program.end()).toBe(0);
  if (errors instanceof RegExp) expect(server.program.errors).toMatch(errors);
  else expect(server.program.errors).toBe(errors);
}

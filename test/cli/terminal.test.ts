// The interactive parts, on a pseudo terminal.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebSocket } from '../../lib';
import { afterTest, connect, nextMessage, serve, serveEcho } from '../lib/support';
import { startOnTerminal, screenOf } from './program';

const controlC = '\x03';
const controlD = '\x04';
const up = '\x1b[A';

/** The environment of a user with a state folder of their own. */
function user(): { env: NodeJS.ProcessEnv; history: string } {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  afterTest(() => rmSync(folder, { recursive: true }));
  return { env: { XDG_STATE_HOME: folder }, history: join(folder, 'websocket-component', 'history') };
}

test('what is typed is sent, what comes is shown, and commands are obeyed', async () => {
  const { url } = await serveEcho({ perMessageDeflate: true });
  const { env, history } = user();
  const started = startOnTerminal(['connect', url], env);
  await started.prints('> ');
  started.type('hello\r');
  await started.prints('< hello');
  started.type('/binary 68656c6c6f\r');
  await started.prints('< 68 65 6c 6c 6f  hello  5 bytes');
  started.type(`/binary ${'00'.repeat(20)}\r`);
  await started.prints('< 20 bytes');
  started.type('/ping are you there\r');
  await started.prints('pong "are you there" after ');
  started.type('/binary xyz\r');
  await started.prints('binary data is pairs of hexadecimal digits');
  started.type('/help\r');
  await started.prints('sends a ping, and shows how long');
  started.type('/close 4000 bye\r');
  const { status } = await started.ended;
  const lines = screenOf(started.stdout);
  expect(lines.filter((line) => line.startsWith('connected'))).toEqual([`connected ${url}/ · permessage-deflate`]);
  expect(lines).toContain(`  ${'00 '.repeat(16)} ${'.'.repeat(16)}`);
  expect(lines.at(-2)).toBe('closed 4000: "bye"');
  expect(status).toBe(0);

  const kept = readFileSync(history, 'utf8').split('\n');
  expect([kept[0], kept.at(-2)]).toEqual(['/close 4000 bye', 'hello']);
  expect(statSync(history).mode & 0o777).toBe(0o600);
});

test('arrow keys bring back what was typed in the last session; --no-history keeps nothing', async () => {
  const { url } = await serveEcho();
  const { env } = user();
  for (const [input, options] of [
    ['first', []],
    ['secret', ['--no-history']],
  ] as const) {
    const started = startOnTerminal(['connect', url, ...options], env);
    await started.prints('> ');
    started.type(`${input}\r`);
    await started.prints(`< ${input}`);
    started.type(controlD);
    expect((await started.ended).status).toBe(0);
  }
  const again = startOnTerminal(['connect', url], env);
  await again.prints('> ');
  again.type(`${up}\r`);
  await again.prints('< first');
  again.type(controlC);
  expect((await again.ended).status).toBe(0);
});

test('a message that comes while a line is typed is shown above it, and cannot move the cursor', async () => {
  const { server, url } = await serve();
  const connected = once(server, 'connection');
  const started = startOnTerminal(['connect', url], user().env);
  const [socket] = (await connected) as [WebSocket];
  await started.prints('> ');
  const long = `half a line ${'x'.repeat(100)}`; // more than the terminal is wide
  started.type(long);
  await started.prints('xxxx');
  socket.send('\x1b[2Jnews\nin two lines');
  await started.prints('in two lines');
  started.type(' and its end\r');
  expect((await nextMessage(socket)).data.toString()).toBe(`${long} and its end`);
  expect(screenOf(started.stdout).join('\n')).toContain('< \\x1b[2Jnews\n  in two lines\n');
  socket.close(1011, 'enough');
  expect((await started.ended).status).toBe(3);
  expect(screenOf(started.stdout).join('\n')).toContain('closed 1011 internal error: "enough"');
});

test('colours are for terminals that have them', async () => {
  const { server, url } = await serve();
  server.on('connection', (socket) => socket.close(1000));
  const run = async (env: NodeJS.ProcessEnv): Promise<string> => {
    const started = startOnTerminal(['connect', url, '--no-history'], env);
    await started.ended;
    return started.stdout;
  };
  const [coloured, plain, dumb] = await Promise.all([
    run({ NO_COLOR: undefined, TERM: 'xterm-256color' }),
    run({ NO_COLOR: '1', TERM: 'xterm-256color' }),
    run({ NO_COLOR: undefined, TERM: 'dumb' }),
  ]);
  expect(coloured).toContain('\x1b[32mconnected\x1b[39m');
  expect(plain).toContain('connected ws://');
  expect(dumb).toContain('connected ws://');
});

test('a server sends what is typed to all, and shows which client sent what', async () => {
  const started = startOnTerminal(['listen', '--port', '0']);
  await started.prints('listening on ws://127.0.0.1:');
  const url = /ws:[^\s]+/.exec(started.stdout)![0];
  const [first, second] = [await connect(url), await connect(url)];
  const messages = Promise.all([first, second].map(nextMessage));
  await started.prints('#2 connected');
  started.type('hello all\r');
  expect((await messages).map(({ data }) => data.toString())).toEqual(['hello all', 'hello all']);
  second.send('hello');
  await started.prints('#2 < hello');
  const pinged = once(first, 'ping');
  started.type('/ping\r');
  await pinged;
  const closed = once(first, 'close');
  started.type(controlC);
  expect((await closed)[0]).toBe(1001);
  expect((await started.ended).status).toBe(0);
});

test('a measurement shows its progress, and Ctrl-C ends it with the result so far, drawn as wide as it can be', async () => {
  const { url } = await serveEcho();
  const options = ['--duration', '60', '--warmup', '0', '-c', '2'];
  const started = startOnTerminal(['bench', url, ...options], { TERMINAL_COLUMNS: '50' });
  await started.prints('messages/s');
  started.type(controlC);
  const { status } = await started.ended;
  const lines = screenOf(started.stdout);
  const drawing = lines
    .slice(lines.indexOf('Distribution, ms') + 1)
    .filter((line) => line.includes('▏') || line.includes('█'));
  expect(drawing.length).toBeGreaterThan(0);
  expect(Math.max(...drawing.map((line) => line.length))).toBeLessThanOrEqual(50);
  expect(status).toBe(0);
});

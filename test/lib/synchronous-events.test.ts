// allowSynchronousEvents: whether the callbacks of promises run between two messages that arrived together.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { WebSocket } from '../../lib';
import { pair, root, textOf, until } from './support';

/** Notes each message, and what promises do three steps later. */
function note(server: WebSocket): string[] {
  const seen: string[] = [];
  server.on('message', (data) => {
    const text = textOf(data);
    seen.push(text);
    void Promise.resolve()
      .then(() => {})
      .then(() => {})
      .then(() => seen.push(`after ${text}`));
  });
  return seen;
}

const interleaved = (count: number): string[] => Array.from({ length: count }, (_, i) => [`${i}`, `after ${i}`]).flat();

describe.each(['buffer', 'string'] as const)('text as a %s', (textType) => {
  test('false: they run after each message', async () => {
    const { peer: server, client } = await pair({ allowSynchronousEvents: false, textType });
    const seen = note(server);
    for (let i = 0; i < 300; i++) client.send(`${i}`);
    await until(() => seen.length === 600);
    expect(seen).toEqual(interleaved(300));
  });
});

test('true, the default: they run after the messages that arrived together', async () => {
  const { peer: server, client } = await pair({});
  const seen = note(server);
  for (let i = 0; i < 300; i++) client.send(`${i}`);
  await until(() => seen.length === 600);
  expect(seen).not.toEqual(interleaved(300));
  expect(seen.filter((text) => !text.startsWith('after'))).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`));
});

test('false: pings and pongs count, too', async () => {
  const { peer: server, client } = await pair({ allowSynchronousEvents: false });
  const seen = note(server);
  for (const event of ['ping', 'pong'] as const) {
    server.on(event, () => {
      seen.push(event);
      queueMicrotask(() => seen.push(`after ${event}`));
    });
  }
  client.ping();
  client.pong();
  client.send('0');
  await until(() => seen.length === 6);
  // Pings and pongs may leave in front of messages.
  for (let i = 0; i < seen.length; i += 2) expect(seen[i + 1]).toBe(`after ${seen[i]}`);
});

test('false: messages held by a pause come one by one, and before the close', async () => {
  const { peer: server, client } = await pair({ allowSynchronousEvents: false });
  const seen = note(server);
  server.on('close', () => seen.push('close'));
  server.once('message', () => server.pause());
  for (let i = 0; i < 5; i++) client.send(`${i}`);
  await until(() => server.isPaused);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toEqual(['0', 'after 0']);
  server.on('message', () => {
    server.pause();
    server.resume();
  });
  server.resume();
  client.close();
  await until(() => seen.length === 11);
  expect(seen).toEqual([...interleaved(5), 'close']);
});

test('false: a handler that throws loses nothing', () => {
  // In a process of its own: Jest catches what nobody caught.
  const program = `
    const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const seen = [];
    process.on('exit', () => console.log(JSON.stringify(seen)));
    process.on('uncaughtException', (error) => seen.push(error.message));
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', allowSynchronousEvents: false }, () => {
      const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
      socket.on('open', () => { for (let i = 0; i < 4; i++) socket.send(String(i)); socket.close(); });
    });
    server.on('connection', (peer) => {
      peer.on('message', (data) => {
        Promise.resolve().then(() => {}).then(() => seen.push('after ' + data));
        if (String(data) !== '2') throw new Error('thrown ' + data);
      });
      peer.on('close', () => server.close());
    });
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  const seen = JSON.parse(stdout) as string[];
  // Where a handler throws, the callbacks of its promises may come with those of the next.
  expect(seen.filter((text) => text.startsWith('thrown'))).toEqual(['thrown 0', 'thrown 1', 'thrown 3']);
  expect(seen.filter((text) => text.startsWith('after'))).toEqual(['after 0', 'after 1', 'after 2', 'after 3']);
  expect(seen.indexOf('after 2')).toBeLessThan(seen.indexOf('thrown 3'));
});

test('false: what a callback throws between two messages is an uncaught exception, and loses nothing', () => {
  const program = `
    const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const seen = [];
    process.on('exit', () => console.log(JSON.stringify(seen)));
    process.on('uncaughtException', (error) => seen.push(error.message));
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', allowSynchronousEvents: false }, () => {
      const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
      socket.on('open', () => { for (let i = 0; i < 50; i++) socket.send(String(i)); socket.close(); });
    });
    server.on('connection', (peer) => {
      peer.on('message', (data) => {
        seen.push(String(data));
        process.nextTick(() => { throw new Error('tick ' + data); });
        process.nextTick(() => { throw new Error('second tick ' + data); });
        queueMicrotask(() => { throw new Error('microtask ' + data); });
      });
      peer.on('close', () => server.close());
    });
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([stderr, status]).toEqual(['', 0]);
  const seen = JSON.parse(stdout) as string[];
  const of = (i: number): string[] => [`${i}`, `microtask ${i}`, `second tick ${i}`, `tick ${i}`];
  for (let i = 0; i < 50; i++) expect(seen.slice(i * 4, i * 4 + 4).sort()).toEqual(of(i));
  expect(seen).toHaveLength(200);
});

// pingInterval, pingTimeout, latency and idleTimeout: who is found to be gone, who is not, and what it costs.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { WebSocket } from '../../lib';
import { Connection } from '../../lib/connection';
import { DueList } from '../../lib/due-list';
import {
  acceptText,
  afterTest,
  client,
  closed,
  delay,
  frame,
  onceWithoutError,
  pair,
  rawClient,
  rawServer,
  record,
  root,
  serve,
  until,
} from './support';

/** A raw client that reads and never answers, and the server's socket for it. */
async function silentClient(
  options: object,
): Promise<{ socket: WebSocket; peer: Awaited<ReturnType<typeof rawClient>> }> {
  const { server, port } = await serve(options);
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  return { socket, peer };
}

describe('pingInterval', () => {
  test('pings are answered, the round trip is measured, and no pong event tells of it', async () => {
    const { client: socket, peer } = await pair({ pingInterval: 30 });
    expect([socket.latency, peer.latency]).toEqual([undefined, undefined]);
    const seen = record(peer, 'pong', 'error', 'close');
    const pinged = record(socket, 'ping');
    await until(() => pinged.length >= 3 && peer.latency !== undefined);
    expect(pinged.slice(0, 2)).toEqual(['ping: keep-alive:1', 'ping: keep-alive:2']);
    expect(peer.latency).toBeGreaterThan(0);
    expect(peer.latency).toBeLessThan(1000);
    expect(seen).toEqual([]);
    expect(socket.latency).toBeUndefined();
  });

  test('pings of the program are as ever', async () => {
    const { peer } = await pair({ pingInterval: 20 });
    const seen = record(peer, 'pong');
    await until(() => peer.latency !== undefined);
    peer.ping('mine');
    await until(() => seen.length > 0);
    expect(seen).toEqual(['pong: mine']);
  });

  test('clients ping, too', async () => {
    const { client: socket, peer } = await pair({}, { pingInterval: 20 });
    const seen = record(peer, 'ping');
    await until(() => socket.latency !== undefined);
    expect(seen[0]).toBe('ping: keep-alive:1');
  });

  test('a peer that is gone is cut: error, then close with 1006', async () => {
    const { socket, peer } = await silentClient({ pingInterval: 100, pingTimeout: 150 });
    const seen = record(socket, 'error', 'close');
    const start = Date.now();
    const [error] = await onceWithoutError(socket, 'error');
    expect(Date.now() - start).toBeGreaterThan(200);
    expect(Date.now() - start).toBeLessThan(1250);
    expect(error).toMatchObject({ name: 'Error', code: 'WS_ERR_PING_TIMEOUT' });
    expect((error as Error).message).toContain('pingTimeout (150 ms)');
    expect((await closed(socket)).code).toBe(1006);
    expect(seen).toEqual([expect.stringMatching(/^error: /), 'close: 1006']);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    await peer.rest();
  });

  test('a client finds that its server is gone', async () => {
    const url = await rawServer(async (peer) => peer.write(acceptText(await peer.takeHead())));
    const socket = client(url, undefined, { pingInterval: 30, pingTimeout: 50 });
    const seen = record(socket, 'open', 'error', 'close');
    const [error] = await onceWithoutError(socket, 'error');
    expect(error).toMatchObject({ code: 'WS_ERR_PING_TIMEOUT' });
    await closed(socket);
    expect(seen.length).toBe(3);
  });

  test('with a pingTimeout longer than the interval there is one ping until it is over', async () => {
    const { socket, peer } = await silentClient({ pingInterval: 20, pingTimeout: 300 });
    await onceWithoutError(socket, 'error');
    expect(await peer.rest()).toEqual(frame(9, 'keep-alive:1', { mask: false }));
  });

  test.each([
    ['messages', 1],
    ['pings', 9],
    ['unsolicited pongs', 10],
  ])('%s count as life', async (_name, opcode) => {
    const { socket, peer } = await silentClient({ pingInterval: 50, pingTimeout: 100 });
    const seen = record(socket, 'error', 'close');
    for (let i = 0; i < 12; i++) {
      await delay(50);
      peer.write(frame(opcode, 'x'));
    }
    expect(seen).toEqual([]);
    await onceWithoutError(socket, 'error');
  });

  test('pingTimeout: 0 never cuts, and goes on pinging', async () => {
    const { socket, peer } = await silentClient({ pingInterval: 20, pingTimeout: 0 });
    await until(() => peer.received.length >= 3 * 14);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(peer.received.includes('keep-alive:3')).toBe(true);
  });

  test('a paused socket does not condemn its peer, and has another interval when it goes on', async () => {
    const { client: socket, peer } = await pair({ pingInterval: 30, pingTimeout: 60 });
    const seen = record(peer, 'message', 'error', 'close');
    await until(() => peer.latency !== undefined);
    peer.pause();
    socket.send('while paused');
    await delay(300);
    expect([seen, peer.readyState]).toEqual([[], WebSocket.OPEN]);
    peer.resume();
    await delay(300);
    expect(seen).toEqual(['message: while paused']);
  });

  test('a loop that was blocked does not condemn peers whose pongs have arrived', async () => {
    const { server, url } = await serve({ pingInterval: 300, pingTimeout: 300 });
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const script = `new (require('./dist/cjs.cjs'))('${url}').on('error', () => {})`;
    const other = spawn(process.execPath, ['-e', script], { cwd: root });
    afterTest(() => other.kill());
    const [peer] = await connected;
    const seen = record(peer, 'error', 'close');
    for (let round = 0; round < 4; round++) {
      await delay(1);
      for (const end = Date.now() + 700; Date.now() < end;);
    }
    await delay(200);
    expect(seen).toEqual([]);
    expect(peer.latency).toBeGreaterThan(0);
  });

  test('nothing is pinged or cut while the connection closes', async () => {
    const { socket, peer } = await silentClient({ pingInterval: 50, pingTimeout: 50, closeTimeout: 400 });
    const seen = record(socket, 'error', 'close');
    socket.close(1000);
    await onceWithoutError(socket, 'close');
    expect(seen).toEqual(['close: 1006']);
    expect(await peer.rest()).toEqual(Buffer.from([0x88, 2, 3, 0xe8]));
  });

  test('an error handler that throws does not keep the connection', () => {
    const script = `
      const { WebSocketServer } = require('./dist/cjs.cjs');
      const net = require('node:net');
      const server = new WebSocketServer({ port: 0, pingInterval: 20, pingTimeout: 20 }, () => {
        const raw = net.connect(server.address().port);
        raw.write(${JSON.stringify('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')});
        raw.on('error', () => {}).resume();
      });
      process.on('uncaughtException', (error) => console.log(error.code));
      server.on('connection', (socket) => {
        socket.on('close', (code) => { console.log(code); server.close(); });
      });`;
    const output = execFileSync(process.execPath, ['-e', script], { cwd: root, timeout: 20_000 }).toString();
    expect(output).toBe('WS_ERR_PING_TIMEOUT\n1006\n');
  });
});

describe('idleTimeout', () => {
  test('a silent peer gets a Close frame with 1001', async () => {
    const { client: socket, peer } = await pair({ idleTimeout: 200 });
    const start = Date.now();
    const seen = record(peer, 'error', 'close');
    expect(await closed(socket)).toEqual({ code: 1001, reason: 'The connection was idle' });
    expect(Date.now() - start).toBeGreaterThan(190);
    expect(Date.now() - start).toBeLessThan(1200);
    await until(() => seen.length > 0);
    expect(seen).toEqual(['close: 1001']);
  });

  test('a peer that is gone is cut after closeTimeout more', async () => {
    const { socket } = await silentClient({ idleTimeout: 100, closeTimeout: 100 });
    expect(await closed(socket)).toEqual({ code: 1006, reason: '' });
  });

  test('messages keep it open; what is sent does not', async () => {
    const { client: socket, peer } = await pair({ idleTimeout: 200 });
    const end = closed(socket);
    for (let i = 0; i < 10; i++) {
      await delay(50);
      socket.send('alive');
    }
    expect(peer.readyState).toBe(WebSocket.OPEN);
    const timer = setInterval(() => peer.send('hello'), 20);
    expect((await end).code).toBe(1001);
    clearInterval(timer);
  });

  test('answers to pingInterval keep it open', async () => {
    const { peer } = await pair({ idleTimeout: 100, pingInterval: 30 });
    await delay(500);
    expect(peer.readyState).toBe(WebSocket.OPEN);
  });

  test('a pause does not count', async () => {
    const { client: socket, peer } = await pair({ idleTimeout: 100 });
    peer.pause();
    await delay(300);
    expect(peer.readyState).toBe(WebSocket.OPEN);
    peer.resume();
    expect((await closed(socket)).code).toBe(1001);
  });
});

test.each<[string, object, string]>([
  ['pingTimeout', { pingInterval: 100, pingTimeout: 500 }, 'error'],
  ['idleTimeout', { idleTimeout: 600, closeTimeout: 50 }, 'close'],
])('%s: a message that drips in counts as life while it does', async (_name, options, end) => {
  const { socket, peer } = await silentClient(options);
  const seen = record(socket, 'error', 'close');
  const message = frame(2, Buffer.alloc(1 << 20, 'x'));
  const size = Math.ceil(message.length / 30);
  const arrived = once(socket, 'message') as Promise<[Buffer]>;
  for (let at = 0; at < message.length; at += size) {
    peer.write(message.subarray(at, at + size));
    await delay(50);
  }
  expect((await arrived)[0].length).toBe(1 << 20);
  expect([seen, socket.readyState]).toEqual([[], WebSocket.OPEN]);
  peer.write(message.subarray(0, 100)); // another one, which stops
  await onceWithoutError(socket, end);
});

describe('what it costs', () => {
  test('without the options a connection is a plain one', async () => {
    const { client: socket, peer } = await pair();
    for (const one of [socket, peer]) expect(Object.getPrototypeOf(one._connection)).toBe(Connection.prototype);
  });

  test('sockets with the same interval share one timer, which ends with the last of them', async () => {
    const setTimer = jest.spyOn(globalThis, 'setTimeout');
    const due: number[] = [];
    const list = new DueList<number>(123, (item) => due.push(item));
    for (let i = 0; i < 1000; i++) list.add(i, performance.now());
    expect(setTimer.mock.calls.filter(([, ms]) => ms === 123).length).toBe(1);
    setTimer.mockRestore();
    for (let i = 0; i < 1000; i += 2) list.delete(i);
    await until(() => due.length === 500);
    expect(due).toEqual(Array.from({ length: 500 }, (_, i) => 2 * i + 1));
    list.add(1, performance.now());
    list.delete(1);
    await delay(200);
    expect(due.length).toBe(500);
  });

  test('it does not hold the process', () => {
    const script = `
      const { WebSocketServer, WebSocket } = require('./dist/cjs.cjs');
      const { DueList } = require('./dist/due-list.js');
      new DueList(60_000, () => {}).add({}, performance.now());`;
    const start = Date.now();
    execFileSync(process.execPath, ['-e', script], { cwd: root, timeout: 20_000 });
    expect(Date.now() - start).toBeLessThan(15_000);
  });
});

test.each<[string, object, string]>([
  ['pingInterval', { pingInterval: -1 }, 'RangeError'],
  ['pingTimeout', { pingTimeout: 1.5 }, 'RangeError'],
  ['idleTimeout', { idleTimeout: '1' }, 'TypeError'],
])('an invalid %s throws', (name, options, kind) => {
  expect(() => new WebSocket('ws://127.0.0.1:1', options)).toThrow(
    expect.objectContaining({ name: kind, message: expect.stringContaining(`"${name}"`) }),
  );
});

test('the defaults', async () => {
  const { server } = await serve();
  expect(server.options).toMatchObject({ pingInterval: 0, pingTimeout: 20_000, idleTimeout: 0 });
});

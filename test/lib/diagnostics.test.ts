// The channels of node:diagnostics_channel.
import { spawnSync } from 'node:child_process';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { join } from 'node:path';
import type {
  DiagnosticsChannels,
  DiagnosticsClose,
  DiagnosticsError,
  DiagnosticsHandshake,
  DiagnosticsMessage,
  WebSocket,
} from '../../lib';
import {
  afterTest,
  client,
  closed,
  connect,
  delay,
  frame,
  onceWithoutError,
  pair,
  rawClient,
  RawPeer,
  requestText,
  root,
  serve,
  textOf,
  until,
} from './support';

/** Subscribes until the end of the test. */
function listen<N extends keyof DiagnosticsChannels>(
  name: N,
  handler: (message: DiagnosticsChannels[N]) => void,
): () => void {
  const subscriber = (message: unknown): void => handler(message as DiagnosticsChannels[N]);
  subscribe(name, subscriber);
  const stop = (): void => void unsubscribe(name, subscriber);
  afterTest(stop);
  return stop;
}

describe('handshake', () => {
  test('both ends of a connection, before the program learns of it', async () => {
    const seen: DiagnosticsHandshake[] = [];
    const order: string[] = [];
    listen('websocket-component:handshake', (message) => {
      seen.push(message);
      order.push(message.server ? 'server' : 'client');
    });
    const { server, url } = await serve();
    server.on('connection', () => order.push('connection'));
    const socket = client(`${url}/path`, ['a', 'b']);
    socket.on('open', () => order.push('open'));
    await once(socket, 'open');
    const [peer] = server.clients;
    expect(seen).toHaveLength(2);
    const [atServer, atClient] = seen[0].server ? seen : [seen[1], seen[0]];
    expect(atServer).toMatchObject({ status: 101, request: { url: '/path' } });
    expect([atServer.server === server, atServer.socket === peer]).toEqual([true, true]);
    expect([atClient.socket === socket, atClient.status, socket.protocol]).toEqual([true, 101, 'a']);
    expect([atClient.server, atClient.request]).toEqual([undefined, undefined]);
    expect(order.indexOf('server')).toBeLessThan(order.indexOf('connection'));
    expect(order.indexOf('client')).toBeLessThan(order.indexOf('open'));
  });

  test('a refusal', async () => {
    const seen: DiagnosticsHandshake[] = [];
    listen('websocket-component:handshake', (message) => seen.push(message));
    const { server, port } = await serve({ path: '/chat' });
    const peer = await RawPeer.connect(port);
    peer.write(requestText());
    await peer.rest();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ status: 404, request: { url: '/' }, socket: undefined });
    expect(seen[0].server === server).toBe(true);
  });
});

describe('message', () => {
  test('each one on either end, before its listeners', async () => {
    const { client: socket, peer } = await pair();
    const seen: string[] = [];
    const stop = listen('websocket-component:message', ({ socket: to, data, isBinary }) => {
      seen.push(`${to === peer ? 'peer' : 'client'} ${isBinary} ${textOf(data)}`);
    });
    peer.on('message', (data, isBinary) => {
      seen.push(`listener ${textOf(data)}`);
      peer.send(data, { binary: isBinary });
    });
    socket.send('text');
    socket.send(Buffer.from('bytes'));
    await until(() => seen.length === 6);
    expect(seen.slice(0, 4)).toEqual(['peer false text', 'listener text', 'peer true bytes', 'listener bytes']);
    expect(seen.slice(4)).toEqual(['client false text', 'client true bytes']);
    stop();
    socket.send('unseen');
    await until(() => seen.length === 7);
    await delay(20);
    expect(seen.slice(6)).toEqual(['listener unseen']);
  });

  test('is the object that the listener gets, also without a listener and as a string', async () => {
    const { client: socket, peer } = await pair({ textType: 'string' });
    const seen: DiagnosticsMessage[] = [];
    listen('websocket-component:message', (message) => seen.push(message));
    socket.send('text');
    await until(() => seen.length === 1);
    expect(seen[0].data).toBe('text');
    peer.binaryType = 'arraybuffer';
    let got: unknown;
    peer.on('message', (data) => (got = data));
    socket.send(Buffer.from('x'));
    await until(() => got !== undefined);
    expect(seen[1].data).toBe(got);
    expect(got).toBeInstanceOf(ArrayBuffer);
  });

  test('messages that waited out a pause, when they are delivered', async () => {
    const { url, server } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const socket = await connect(url);
    const [peer] = await connected;
    const seen: string[] = [];
    peer.on('message', () => peer.pause());
    socket.send('1');
    socket.send('2');
    await until(() => peer.isPaused);
    listen('websocket-component:message', ({ data }) => seen.push(textOf(data)));
    await delay(20);
    expect(seen).toEqual([]);
    peer.resume();
    await until(() => seen.length === 1);
    expect(seen).toEqual(['2']);
  });
});

describe('error and close', () => {
  test('a connection that ends in order: close on both ends, once', async () => {
    const seen: DiagnosticsClose[] = [];
    const errors: DiagnosticsError[] = [];
    listen('websocket-component:close', (message) => seen.push(message));
    listen('websocket-component:error', (message) => errors.push(message));
    const { client: socket, peer } = await pair();
    socket.close(4001, 'bye');
    await closed(socket);
    await until(() => seen.length === 2);
    expect(new Set(seen.map((message) => message.socket))).toEqual(new Set([socket, peer]));
    for (const { code, reason } of seen) expect([code, reason.toString()]).toEqual([4001, 'bye']);
    expect(errors).toEqual([]);
  });

  test('a fault of the peer: error, then close, each before its event', async () => {
    const { server, port } = await serve();
    const order: string[] = [];
    listen('websocket-component:error', ({ error }) => order.push(`channel ${(error as { code?: string }).code}`));
    listen('websocket-component:close', ({ code }) => order.push(`channel ${code}`));
    server.on('connection', (socket) => {
      socket.on('error', () => order.push('error'));
      socket.on('close', () => order.push('close'));
    });
    const peer = await rawClient(port);
    peer.write(frame(3));
    await peer.rest();
    peer.socket.end();
    await until(() => order.length === 4);
    expect(order).toEqual(['channel WS_ERR_INVALID_OPCODE', 'error', 'channel 1006', 'close']);
  });

  test('a handshake that fails on the client', async () => {
    const { url } = await serve({ path: '/chat' });
    const seen: string[] = [];
    listen('websocket-component:handshake', ({ socket }) => socket && seen.push('handshake'));
    listen('websocket-component:error', ({ error }) => seen.push(error.message));
    listen('websocket-component:close', ({ code }) => seen.push(String(code)));
    await onceWithoutError(Object.assign(client(url), { onerror: () => {} }), 'close');
    expect(seen).toEqual(['Unexpected server response: 404', '1006']);
  });
});

test('without subscribers nothing is made', async () => {
  const published: string[] = [];
  const names = ['handshake', 'message', 'close', 'error'].map((name) => `websocket-component:${name}`);
  const channels = names.map((name) => channel(name));
  for (const one of channels) one.publish = () => void published.push(String(one.name));
  try {
    const { client: socket, peer } = await pair();
    const got = once(peer, 'message');
    socket.send('x');
    await got;
    socket.close();
    await closed(socket);
  } finally {
    for (const one of channels) Reflect.deleteProperty(one, 'publish');
  }
  expect(published).toEqual([]);
});

// In a process of its own: Jest catches what nobody caught.
test('a subscriber that throws does no harm', () => {
  const program = `
    const { subscribe } = require('node:diagnostics_channel');
    const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const seen = [];
    process.on('uncaughtException', (error) => seen.push(error.message));
    for (const name of ['handshake', 'message', 'close']) {
      subscribe('websocket-component:' + name, () => { throw new Error('thrown in ' + name); });
    }
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
      const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
      socket.on('open', () => { socket.send('1'); socket.send('2'); socket.close(1000); });
    });
    server.on('connection', (peer) => {
      peer.on('message', (data) => seen.push('got ' + data));
      peer.on('close', (code) => { seen.push('closed ' + code); server.close(); });
    });
    process.on('exit', () => console.log(JSON.stringify(seen)));
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  const seen = JSON.parse(stdout) as string[];
  expect(seen.filter((text) => text.startsWith('got') || text.startsWith('closed'))).toEqual([
    'got 1',
    'got 2',
    'closed 1000',
  ]);
  const thrown = seen.filter((text) => text.startsWith('thrown')).sort();
  expect(thrown).toEqual(
    ['close', 'close', 'handshake', 'handshake', 'message', 'message'].map((n) => `thrown in ${n}`),
  );
});

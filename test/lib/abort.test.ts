// Signals that abort connecting and sending, and disposal of sockets and servers.
import { execFileSync } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import WS from 'ws';
import { WebSocket, WebSocketServer } from '../../lib';
import {
  afterTest,
  client,
  closed,
  delay,
  nextMessage,
  onceWithoutError,
  pair,
  rawServer,
  record,
  root,
  serve,
  textOf,
  until,
  type RawPeer,
} from './support';

const abortError = { name: 'AbortError', code: 'ABORT_ERR', message: 'The operation was aborted' };

describe('signal of a client', () => {
  test('aborts the handshake: error, then close with 1006, and the server is left', async () => {
    const peers: RawPeer[] = [];
    const url = await rawServer((peer) => void peers.push(peer));
    const controller = new AbortController();
    const socket = client(url, undefined, { signal: controller.signal });
    const seen = record(socket, 'open', 'error', 'close');
    await until(() => peers.length === 1 && peers[0].received.length > 0);
    controller.abort('why');
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    const [[error]] = await Promise.all([onceWithoutError(socket, 'error'), closed(socket)]);
    expect(error).toMatchObject({ ...abortError, cause: 'why' });
    expect(seen).toEqual(['error: The operation was aborted', 'close: 1006']);
    await until(() => peers[0].ended);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('aborted before: nothing is sent, and nothing thrown', async () => {
    let connections = 0;
    const url = await rawServer(() => connections++);
    const socket = client(url, undefined, { signal: AbortSignal.abort() });
    const [[error], { code }] = await Promise.all([onceWithoutError(socket, 'error'), closed(socket)]);
    expect(error).toMatchObject(abortError);
    expect(code).toBe(1006);
    await delay(20);
    expect(connections).toBe(0);
  });

  test('AbortSignal.timeout limits the connecting', async () => {
    const url = await rawServer(() => {});
    const socket = client(url, undefined, { signal: AbortSignal.timeout(30) });
    const [error] = await onceWithoutError(socket, 'error');
    expect(error).toMatchObject({ ...abortError, cause: expect.objectContaining({ name: 'TimeoutError' }) });
  });

  test('has no effect once the socket is open, as in ws, and the signal is left alone', async () => {
    const { server, url } = await serve();
    server.on('connection', (peer) => peer.on('message', () => peer.send('still here')));
    const run = async (Client: typeof WebSocket): Promise<string[]> => {
      const controller = new AbortController();
      const socket = new Client(url, { signal: controller.signal });
      const seen = record(socket, 'open', 'message', 'error', 'close');
      await once(socket, 'open');
      await delay(10);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      controller.abort();
      socket.send('hello');
      await nextMessage(socket);
      socket.terminate();
      await closed(socket);
      return seen;
    };
    const expected = ['open', 'message: still here', 'close: 1006'];
    expect(await run(WebSocket)).toEqual(expected);
    expect(await run(WS as unknown as typeof WebSocket)).toEqual(expected);
  });

  test('holds for redirects', async () => {
    const second: RawPeer[] = [];
    const target = await rawServer((peer) => void second.push(peer));
    const url = await rawServer(async (peer) => {
      await peer.takeHead();
      peer.write(`HTTP/1.1 302 Found\r\nLocation: ${target}\r\nContent-Length: 0\r\n\r\n`);
    });
    const controller = new AbortController();
    const socket = client(url, undefined, { followRedirects: true, signal: controller.signal });
    await until(() => second.length === 1);
    controller.abort();
    expect((await onceWithoutError(socket, 'error'))[0]).toMatchObject(abortError);
  });

  test('another signal is a TypeError', () => {
    expect(() => new WebSocket('ws://127.0.0.1:1', { signal: {} as AbortSignal })).toThrow(
      new TypeError('The option "signal" must be an AbortSignal, not an instance of Object'),
    );
  });
});

describe('signal of sendAsync', () => {
  test('aborted before: the message is not sent', async () => {
    const { client: socket, peer } = await pair();
    await expect(socket.sendAsync('no', { signal: AbortSignal.abort() })).rejects.toMatchObject(abortError);
    await socket.sendAsync('yes', { signal: new AbortController().signal });
    expect((await nextMessage(peer)).data.toString()).toBe('yes');
  });

  test('a message that waits is given up; those before and behind it are sent', async () => {
    const { client: socket, peer } = await pair({ backpressure: 'wait', maxBackpressure: 1000 });
    socket.pause();
    const controller = new AbortController();
    const { signal } = controller;
    const big = peer.sendAsync(Buffer.alloc(32 * 1024 * 1024), { signal });
    const sent = [peer.sendAsync('a'), peer.sendAsync('b', { signal }), peer.sendAsync('c')];
    await delay(50);
    controller.abort();
    await expect(sent[1]).rejects.toMatchObject(abortError);
    expect(getEventListeners(signal, 'abort').length).toBe(1); // the big one was accepted, and is not yet sent
    const seen: number[] = [];
    const texts: string[] = [];
    socket.on('message', (data, isBinary) => {
      seen.push((data as Buffer).length);
      if (!isBinary) texts.push(textOf(data));
    });
    socket.resume();
    await Promise.all([big, sent[0], sent[2]]);
    await until(() => seen.length === 3);
    expect(seen[0]).toBe(32 * 1024 * 1024);
    expect(texts).toEqual(['a', 'c']);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('giving up the first one makes way for a smaller one', async () => {
    const limit = 40 * 1024 * 1024;
    const { client: socket, peer } = await pair({
      backpressure: 'wait',
      highWaterMark: limit,
      maxBackpressure: limit,
    });
    socket.pause();
    const controller = new AbortController();
    peer.send(Buffer.alloc(30 * 1024 * 1024));
    const large = peer.sendAsync(Buffer.alloc(30 * 1024 * 1024), { signal: controller.signal });
    const small = peer.sendAsync('small');
    const before = peer.bufferedAmount;
    controller.abort();
    await expect(large).rejects.toMatchObject(abortError);
    expect(peer.bufferedAmount).toBe(before + 5);
    socket.terminate();
    await expect(small).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test('with the other policies, too, an accepted message is sent', async () => {
    const { client: socket, peer } = await pair();
    const controller = new AbortController();
    const sent = socket.sendAsync('sent', { signal: controller.signal });
    controller.abort();
    await sent;
    expect((await nextMessage(peer)).data.toString()).toBe('sent');
  });

  test('another signal is a TypeError', async () => {
    const { client: socket } = await pair();
    await expect(socket.sendAsync('x', { signal: 1 as never })).rejects.toThrow(TypeError);
  });
});

describe('Symbol.asyncDispose', () => {
  test('closes a socket and waits for close', async () => {
    const { client: socket, peer } = await pair();
    const end = closed(peer);
    const disposable: AsyncDisposable = socket;
    await disposable[Symbol.asyncDispose]();
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    expect((await end).code).toBe(1005);
    await socket[Symbol.asyncDispose]();
  });

  test('is not held up by messages that nobody takes', async () => {
    const { client: socket, peer } = await pair();
    const first = peer.receive();
    for (let i = 0; i < 1000; i++) socket.send(Buffer.alloc(5000));
    await first;
    await until(() => peer.isPaused);
    await peer[Symbol.asyncDispose]();
    await expect(peer.receive()).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test('gives up a socket that connects, and throws no error', async () => {
    const url = await rawServer(() => {});
    const socket = new WebSocket(url);
    await socket[Symbol.asyncDispose]();
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    await new WebSocket(null)[Symbol.asyncDispose]();
  });

  test('closes a server and its clients', async () => {
    const { server, url } = await serve();
    const socket = client(url);
    const end = closed(socket);
    await once(socket, 'open');
    const disposable: AsyncDisposable = server;
    await disposable[Symbol.asyncDispose]();
    expect((await end).code).toBe(1001);
    let closes = 0;
    server.on('close', () => closes++);
    await server[Symbol.asyncDispose]();
    await delay(10);
    expect(closes).toBe(0);
  });

  test('a Node.js without it loads the package', () => {
    const script = `
      const { Symbol: Real } = globalThis;
      const Old = Object.assign((name) => Real(name), { prototype: Real.prototype });
      for (const name of Object.getOwnPropertyNames(Real)) {
        if (!['length', 'name', 'prototype', 'asyncDispose', 'dispose'].includes(name)) Old[name] = Real[name];
      }
      globalThis.Symbol = Old;
      const { WebSocket, WebSocketServer } = require('./dist/index.js');
      const names = [WebSocket, WebSocketServer].map(({ prototype }) => 'undefined' in prototype);
      console.log(Symbol.asyncDispose, Real.asyncDispose in WebSocketServer.prototype, ...names);`;
    const output = execFileSync(process.execPath, ['-e', script], { cwd: root, timeout: 20_000 }).toString();
    expect(output).toBe('undefined false false false\n');
  });
});

test('a server made to be disposed of', async () => {
  const server = new WebSocketServer({ noServer: true });
  afterTest(() => server.close());
  await server[Symbol.asyncDispose]();
});

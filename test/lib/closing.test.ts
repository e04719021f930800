import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import WS, { WebSocketServer as WSServer } from 'ws';
import { WebSocket } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  closed,
  closePayload,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawClient,
  rawServer,
  record,
  serve,
  textOf,
} from './support';

describe('a close code and reason arrive and come back', () => {
  const cases: [number | undefined, string, number][] = [
    [undefined, '', 1005],
    [1000, '', 1000],
    [1001, 'going away', 1001],
    [1003, '', 1003],
    [1007, '', 1007],
    [1014, 'gateway', 1014],
    [3000, 'é€😀', 3000],
    [4999, 'x'.repeat(123), 4999],
  ];

  test.each(cases)('from the client: %p %p', async (code, reason, expected) => {
    const { client: socket, peer } = await pair();
    const both = Promise.all([closed(socket), closed(peer)]);
    socket.close(code, reason);
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    expect(await both).toEqual([
      { code: expected, reason },
      { code: expected, reason },
    ]);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  test.each(cases)('from the server: %p %p', async (code, reason, expected) => {
    const { client: socket, peer } = await pair();
    const both = Promise.all([closed(socket), closed(peer)]);
    peer.close(code, reason);
    expect(await both).toEqual([
      { code: expected, reason },
      { code: expected, reason },
    ]);
  });

  test('from a ws client', async () => {
    const { server, url } = await serve();
    const socket = new WS(url);
    const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'open')])) as [[WebSocket], unknown];
    const both = Promise.all([closed(socket), closed(peer)]);
    socket.close(3001, 'bye');
    expect(await both).toEqual([
      { code: 3001, reason: 'bye' },
      { code: 3001, reason: 'bye' },
    ]);
  });

  test('from a ws server', async () => {
    const server = new WSServer({ port: 0, host: '127.0.0.1' });
    afterTest(() => server.close());
    server.on('connection', (peer) => peer.close(3001, 'bye'));
    await once(server, 'listening');
    const socket = client(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await closed(socket)).toEqual({ code: 3001, reason: 'bye' });
  });
});

test('both sides closing at once each get the code of the other', async () => {
  const { client: socket, peer } = await pair();
  const both = Promise.all([closed(socket), closed(peer)]);
  socket.close(3000, 'client');
  peer.close(3001, 'server');
  expect(await both).toEqual([
    { code: 3001, reason: 'server' },
    { code: 3000, reason: 'client' },
  ]);
});

test('what was sent before a close arrives before it', async () => {
  const { client: socket, peer } = await pair();
  const seen = record(peer, 'message', 'close');
  for (let i = 0; i < 5; i++) socket.send(String(i));
  const both = Promise.all([closed(socket), closed(peer)]);
  socket.close(1000);
  await both;
  expect(seen).toEqual(['message: 0', 'message: 1', 'message: 2', 'message: 3', 'message: 4', 'close: 1000']);
});

test('messages still arrive after close(), until the other side closes', async () => {
  const { client: socket, peer } = await pair();
  const seen = record(socket, 'message', 'close');
  socket.close(1000);
  peer.send('late');
  await closed(socket);
  expect(seen).toEqual(['message: late', 'close: 1000']);
});

test('terminate ends both sides with 1006', async () => {
  const { client: socket, peer } = await pair();
  const both = Promise.all([closed(socket), closed(peer)]);
  socket.terminate();
  expect(socket.readyState).toBe(WebSocket.CLOSING);
  expect(await both).toEqual([
    { code: 1006, reason: '' },
    { code: 1006, reason: '' },
  ]);
});

describe('terminate in a handler', () => {
  const cases: [string, (socket: WebSocket, peer: WebSocket) => void][] = [
    ['message', (_, peer) => [1, 2, 3].forEach((n) => peer.send(String(n)))],
    ['ping', (_, peer) => [1, 2, 3].forEach(() => peer.ping())],
    ['pong', (socket) => socket.ping()],
    ['close', (_, peer) => peer.close()],
  ];
  test.each(cases)('of %s: it is not called again, and close comes once', async (name, act) => {
    const { client: socket, peer } = await pair();
    let calls = 0;
    let closes = 0;
    socket.on(name as 'message', () => {
      calls++;
      socket.terminate();
    });
    socket.on('close', () => closes++);
    const both = Promise.all([closed(socket), closed(peer)]);
    act(socket, peer);
    await both;
    expect([calls, closes]).toEqual([1, 1]);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  test('of open', async () => {
    const { url } = await serve();
    const socket = client(url);
    socket.on('open', () => socket.terminate());
    expect(await closed(socket)).toEqual({ code: 1006, reason: '' });
  });

  test('of connection', async () => {
    const { server, url } = await serve();
    server.on('connection', (peer) => peer.terminate());
    const socket = client(url);
    expect(await closed(socket)).toEqual({ code: 1006, reason: '' });
    expect(server.clients.size).toBe(0);
  });

  test('of upgrade: the client gives up with an error', async () => {
    const { url } = await serve();
    const socket = client(url);
    const seen = record(socket, 'open', 'error', 'close');
    socket.on('upgrade', () => socket.terminate());
    await closed(socket);
    expect(seen).toEqual(['error: WebSocket was closed before the connection was established', 'close: 1006']);
  });

  test('of error', async () => {
    const { server, port } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const peer = await rawClient(port);
    const [socket] = await connected;
    const seen = record(socket, 'error', 'close');
    socket.on('error', () => socket.terminate());
    peer.write(frame(3));
    await closed(socket);
    expect(seen).toEqual(['error: Invalid WebSocket frame: the opcode is unknown', 'close: 1006']);
  });
});

test('close in a message handler still delivers what the batch holds', async () => {
  const { client: socket, peer } = await pair();
  const seen = record(socket, 'message', 'close');
  socket.once('message', () => socket.close(1000));
  peer.send('1');
  peer.send('2');
  await closed(socket);
  expect(seen).toEqual(['message: 1', 'message: 2', 'close: 1000']);
});

test('a peer that never answers the Close frame is cut after closeTimeout', async () => {
  const { server, port } = await serve({ closeTimeout: 100 });
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  const started = Date.now();
  socket.close(1000);
  expect(await peer.take(4)).toEqual(frame(8, closePayload(1000), { mask: false }));
  expect(await closed(socket)).toEqual({ code: 1006, reason: '' });
  expect(Date.now() - started).toBeGreaterThanOrEqual(90);
});

test('a server that keeps the connection open after the closing handshake is cut by the client after closeTimeout', async () => {
  const url = await rawServer(async (peer) => {
    const head = await peer.takeHead();
    peer.write(acceptText(head));
    peer.write(frame(8, closePayload(1000), { mask: false }));
  });
  const socket = client(url, undefined, { closeTimeout: 100 });
  expect(await closed(socket)).toEqual({ code: 1000, reason: '' });
});

test('the end of the stream without a Close frame is 1006', async () => {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  socket.on('error', () => {});
  const seen = record(socket, 'message', 'close');
  peer.write(frame(1, 'last'));
  peer.socket.end();
  expect(await closed(socket)).toEqual({ code: 1006, reason: '' });
  expect(seen).toEqual(['message: last', 'close: 1006']);
  await peer.rest();
});

test('the answer to a message in the same packet as the Close frame is sent, before the answer to that', async () => {
  const { server, port } = await serve();
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`re: ${textOf(data)}`)));
  const peer = await rawClient(port);
  peer.write(frame(1, 'a'), frame(1, 'b'), frame(8, closePayload(1000, 'bye')));
  const expected = Buffer.concat([
    frame(1, 're: a', { mask: false }),
    frame(1, 're: b', { mask: false }),
    frame(8, closePayload(1000, 'bye'), { mask: false }),
  ]);
  expect((await peer.rest()).toString('hex')).toBe(expected.toString('hex'));
});

test('a half-closing client still gets the answer to its last message', async () => {
  const { server, port } = await serve();
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`re: ${textOf(data)}`)));
  const peer = await rawClient(port);
  peer.write(frame(1, 'last'));
  peer.socket.end();
  expect(await peer.rest()).toEqual(frame(1, 're: last', { mask: false }));
});

test('a reset connection is closed with 1006 and no error', async () => {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  const seen = record(socket, 'error', 'close');
  const end = closed(socket);
  peer.socket.resetAndDestroy();
  await end;
  expect(seen).toEqual(['close: 1006']);
});

test('a Close frame that came with a reset is seen', async () => {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  const seen = record(socket, 'message', 'error', 'close');
  const end = closed(socket);
  peer.write(frame(1, 'a'), frame(8, closePayload(4000, 'why')));
  await onceWithoutError(socket, 'message');
  peer.socket.resetAndDestroy();
  await end;
  expect(seen).toEqual(['message: a', 'close: 4000']);
});

test('the peer is not answered when it is gone: closing a dead connection is quiet', async () => {
  const { client: socket, peer } = await pair();
  const end = closed(peer);
  socket.terminate();
  peer.close(1000);
  peer.close(1000);
  peer.terminate();
  await end;
  peer.close(1000);
  peer.terminate();
  expect(peer.readyState).toBe(WebSocket.CLOSED);
});

test('close before the connection is made is an error, then close', async () => {
  const { url } = await serve();
  for (const end of ['close', 'terminate'] as const) {
    const socket = client(url);
    const seen = record(socket, 'open', 'error', 'close');
    socket[end]();
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    await closed(socket);
    expect(seen).toEqual(['error: WebSocket was closed before the connection was established', 'close: 1006']);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  }
});

test('destroying the stream under a connection closes it', async () => {
  const { client: socket, peer } = await pair();
  const both = Promise.all([closed(socket), closed(peer)]);
  peer._socket!.destroy();
  expect(await both).toEqual([
    { code: 1006, reason: '' },
    { code: 1006, reason: '' },
  ]);
});

test('messages exchanged with close follow each other on many connections at once', async () => {
  const { server, url } = await serve();
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer)));
  const results = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const socket = client(url);
      await once(socket, 'open');
      socket.send(String(i));
      const { data } = await nextMessage(socket);
      const end = closed(socket);
      socket.close(3000 + i);
      return [data.toString(), (await end).code];
    }),
  );
  expect(results).toEqual(Array.from({ length: 100 }, (_, i) => [String(i), 3000 + i]));
});

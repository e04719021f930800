// One message for many sockets.
import { once } from 'node:events';
import { WebSocket, type ServerOptions, type WebSocketServer } from '../../lib';
import { afterTest, connect, delay, onceWithoutError, serve, textOf, until } from './support';

interface Group {
  server: WebSocketServer;
  clients: WebSocket[];
  /** The server's socket for each client. */
  peers: WebSocket[];
  /** What each client received. */
  received: string[][];
}

async function group(count: number, options: ServerOptions = {}): Promise<Group> {
  const { server, url } = await serve(options);
  const made: Group = { server, clients: [], peers: [], received: [] };
  for (let i = 0; i < count; i++) {
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const client = await connect(url);
    const received: string[] = [];
    client.on('message', (data, isBinary) => received.push(`${isBinary ? 'binary' : 'text'} ${textOf(data)}`));
    made.clients.push(client);
    made.received.push(received);
    made.peers.push((await connected)[0]);
  }
  return made;
}

test('reaches every open socket, as text or binary', async () => {
  const { server, received } = await group(3);
  expect(server.broadcast('text ✓')).toBe(3);
  expect(server.broadcast(Buffer.from('bytes'))).toBe(3);
  expect(server.broadcast('as bytes', { binary: true })).toBe(3);
  expect(server.broadcast(new Uint8Array([65]).buffer, { binary: false })).toBe(3);
  expect(server.broadcast(7, { compress: false })).toBe(3);
  await until(() => received.every((list) => list.length === 5));
  for (const list of received) {
    expect(list).toEqual(['text text ✓', 'binary bytes', 'binary as bytes', 'text A', 'text 7']);
  }
});

test.each([0, 1, 125, 4095, 4096, 16 * 1024, 70_000, 1 << 20])('%d bytes, changed afterwards', async (size) => {
  const { server, received } = await group(3, { clientTracking: false });
  const data = Buffer.alloc(size, 'x');
  expect(server.broadcast(data)).toBe(3);
  data.fill('-');
  expect(server.broadcast('é'.repeat(size))).toBe(3);
  await until(() => received.every((list) => list.length === 2));
  for (const list of received) {
    expect(list[0] === `binary ${'x'.repeat(size)}`).toBe(true);
    expect(list[1] === `text ${'é'.repeat(size)}`).toBe(true);
  }
});

test('keeps its place among what is sent to one socket', async () => {
  const { server, peers, received } = await group(2);
  for (const [before, size] of [
    ['1', 1],
    ['2', 20_000],
  ] as const) {
    peers[0].send(before);
    server.broadcast('x'.repeat(size));
    peers[0].send('after');
  }
  await until(() => received[0].length === 6 && received[1].length === 2);
  expect(received[0].map((text) => text.length)).toEqual([6, 6, 10, 6, 20_005, 10]);
});

test('leaves out whom it is told to, and who cannot take a message', async () => {
  const { server, peers, received } = await group(5);
  expect(server.broadcast('but 0', { except: peers[0] })).toBe(4);
  expect(server.broadcast('odd', { filter: (socket) => peers.indexOf(socket) % 2 === 1 })).toBe(2);
  expect(server.broadcast('nobody', { filter: () => false })).toBe(0);
  expect(server.broadcast('4', { except: peers[3], filter: (socket) => peers.indexOf(socket) > 2 })).toBe(1);
  peers[0].close();
  peers[1].send('begin ', { fin: false });
  expect(server.broadcast('whole')).toBe(3);
  peers[1].send('end');
  expect(server.broadcast('last')).toBe(4);
  await until(() => received[1].includes('text last') && received[4].includes('text last'));
  expect(received).toEqual([
    [],
    ['text but 0', 'text odd', 'text begin end', 'text last'],
    ['text but 0', 'text whole', 'text last'],
    ['text but 0', 'text odd', 'text whole', 'text last'],
    ['text but 0', 'text 4', 'text whole', 'text last'],
  ]);
});

test('a filter may close sockets and broadcast', async () => {
  const { server, peers, received } = await group(3);
  let inner = 0;
  const count = server.broadcast('outer', {
    filter: (socket) => {
      if (socket === peers[2]) {
        inner = server.broadcast('inner');
        peers[0].terminate();
      }
      return true;
    },
  });
  expect([inner, count]).toEqual([3, 2]);
  await until(() => received[1].length === 2 && received[2].length === 2);
  expect(received[1]).toEqual(['text inner', 'text outer']);
});

test('checks its arguments', async () => {
  const { server } = await group(1);
  expect(() => server.broadcast(Symbol('x') as never)).toThrow(TypeError);
  expect(() => server.broadcast('x', { filter: 1 as never })).toThrow('filter');
  expect(server.broadcast(new ArrayBuffer(0))).toBe(1);
});

test('without sockets, and on a closed server', async () => {
  const { server } = await serve();
  expect(server.broadcast('x')).toBe(0);
  await server.close({ timeout: 0 });
  expect(server.broadcast('x')).toBe(0);
});

test.each(['close', 'drop', 'wait'] as const)('a slow socket follows its policy: %p', async (backpressure) => {
  const { server, clients, peers, received } = await group(3, { backpressure, maxBackpressure: 1 << 20 });
  clients[1].pause();
  const data = Buffer.alloc(400_000);
  const total = 60;
  const counts: number[] = [];
  for (let i = 0; i < total; i++) {
    counts.push(server.broadcast(data));
    await until(() => peers[0].bufferedAmount === 0 && peers[2].bufferedAmount === 0);
    await delay(0);
  }
  await until(() => received[0].length === total && received[2].length === total);
  expect(counts[0]).toBe(3);
  expect(counts.at(-1)).toBe(2);
  expect(peers[1].readyState).toBe(backpressure === 'close' ? WebSocket.CLOSING : WebSocket.OPEN);
  const taken = counts.filter((count) => count === 3).length;
  afterTest(() => clients[1].terminate());
  const end = backpressure === 'close' ? onceWithoutError(clients[1], 'close') : undefined;
  clients[1].resume();
  await until(() => received[1].length === taken);
  if (end) expect((await end)[0]).toBe(1013);
});

test('counts for drain', async () => {
  const { server, clients, peers } = await group(1);
  clients[0].pause();
  expect(server.broadcast(Buffer.alloc(16 << 20))).toBe(1);
  expect(peers[0].send('x')).toBe(false);
  clients[0].resume();
  await onceWithoutError(peers[0], 'drain');
  expect(peers[0].bufferedAmount).toBe(0);
});

// asyncContext: the AsyncLocalStorage context of a connection.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from '../../lib';
import { afterTest, client, closed, onceWithoutError, pair, serve, serveEcho, until } from './support';

const storage = new AsyncLocalStorage<string>();

/** The store in which each listener of the socket runs, as 'event: store'. */
function contexts(socket: WebSocket): string[] {
  const seen: string[] = [];
  for (const name of ['open', 'upgrade', 'message', 'ping', 'pong', 'error', 'close']) {
    socket.on(name, () => seen.push(`${name}: ${storage.getStore()}`));
  }
  return seen;
}

test('a client: the context of its constructor, for every event', async () => {
  const { url, server } = await serveEcho();
  const [one, two] = ['one', 'two'].map((store) =>
    storage.run(store, () => client(url, undefined, { asyncContext: true })),
  );
  const seen = [contexts(one), contexts(two)];
  await Promise.all([once(one, 'open'), once(two, 'open')]);
  await until(() => server.clients.size === 2);
  for (const socket of [one, two]) storage.run('other', () => socket.send('x'));
  for (const peer of server.clients) peer.ping();
  one.ping();
  two.ping();
  await until(() => seen.every((list) => ['message', 'ping', 'pong'].every((name) => list.join().includes(name))));
  one.close();
  two.close();
  await Promise.all([closed(one), closed(two)]);
  for (const [i, store] of ['one', 'two'].entries()) {
    const names = ['close', 'message', 'open', 'ping', 'pong', 'upgrade'];
    expect([...seen[i]].sort()).toEqual(names.map((name) => `${name}: ${store}`));
  }
  expect(storage.getStore()).toBeUndefined();
});

test('a client whose handshake fails', async () => {
  const { url } = await serve({ path: '/chat' });
  const socket = storage.run('store', () => client(url, undefined, { asyncContext: true }));
  const seen = contexts(socket);
  await onceWithoutError(socket, 'close');
  expect(seen).toEqual(['error: store', 'close: store']);
});

test('a server: the context of handleUpgrade, a different one for each connection', async () => {
  const server = new WebSocketServer({ noServer: true, asyncContext: true });
  const http = createServer();
  afterTest(() => http.close());
  const seen = new Map<string, string[]>();
  http.on('upgrade', (request, stream, head) => {
    storage.run(String(request.url), () =>
      server.handleUpgrade(request, stream, head, (socket) => seen.set(String(request.url), contexts(socket))),
    );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  for (const path of ['/a', '/b']) {
    const socket = client(url + path);
    await once(socket, 'open');
    socket.send('1');
    await new Promise((resolve) => setTimeout(resolve, 5));
    socket.send(Buffer.from('2'));
    socket.close();
    await closed(socket);
    await until(() => seen.get(path)?.length === 3);
    expect(seen.get(path)).toEqual([`message: ${path}`, `message: ${path}`, `close: ${path}`]);
  }
});

test('callbacks and promises: the context of the call', async () => {
  const { client: socket } = await pair({}, { asyncContext: true });
  const stores: unknown[] = [];
  await storage.run('send', async () => {
    await new Promise<void>((resolve) =>
      socket.send('x', () => {
        stores.push(storage.getStore());
        resolve();
      }),
    );
    await socket.sendAsync('y');
    stores.push(storage.getStore());
  });
  await storage.run(
    'ping',
    () =>
      new Promise<void>((resolve) =>
        socket.ping('p', true, () => {
          stores.push(storage.getStore());
          resolve();
        }),
      ),
  );
  expect(stores).toEqual(['send', 'send', 'ping']);
});

test('after a pause, behind an exception and with addEventListener', async () => {
  const { url, server } = await serve();
  const socket = storage.run('store', () => client(url, undefined, { asyncContext: true }));
  await once(socket, 'open');
  await until(() => server.clients.size === 1);
  const seen: unknown[] = [];
  socket.addEventListener('message', (event) => seen.push([event.data, storage.getStore()]));
  socket.on('message', () => socket.pause());
  for (const peer of server.clients) for (const text of ['1', '2']) peer.send(text);
  await until(() => seen.length === 1);
  storage.run('resume', () => socket.resume());
  await until(() => seen.length === 2);
  expect(seen).toEqual([
    ['1', 'store'],
    ['2', 'store'],
  ]);
});

test('emit of a class of its own is still called', async () => {
  const names: unknown[] = [];
  class Own extends WebSocket {
    override emit(...args: Parameters<WebSocket['emit']>): boolean {
      names.push(args[0]);
      return super.emit(...args);
    }
  }
  const { url } = await serveEcho();
  const socket = storage.run('store', () => new Own(url, { asyncContext: true }));
  const seen = contexts(socket);
  await once(socket, 'open');
  socket.send('x');
  await until(() => seen.includes('message: store'));
  socket.close();
  await closed(socket);
  expect(names).toEqual(expect.arrayContaining(['open', 'message', 'close']));
});

test('off by default: emit is not replaced', async () => {
  const { client: socket, peer } = await pair();
  expect([Object.hasOwn(socket, 'emit'), Object.hasOwn(peer, 'emit')]).toEqual([false, false]);
});

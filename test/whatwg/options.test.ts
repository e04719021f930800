// Node's additions: the second argument as an object of options.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Agent } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { connect as netConnect, type AddressInfo } from 'node:net';
import { WebSocketServer } from '../../lib';
import { WebSocket, WebSocketStream } from '../../lib/whatwg';
import { afterTest, makeCertificate, rawServer, serve } from '../lib/support';
import { ending, failed, make, next, open, openStream, record, rejection } from './support';

test('headers, origin, protocols: in the request', async () => {
  const { server, url } = await serve();
  const requests: IncomingMessage[] = [];
  server.on('connection', (_peer, request) => requests.push(request));
  const socket = await open(url, { headers: { 'X-One': '1' }, origin: 'http://here', protocols: ['a', 'b'] });
  expect(socket.protocol).toBe('a');
  await openStream(url, { headers: { 'X-One': '2' }, protocols: new Set(['b']) });
  expect(requests.map(({ headers }) => [headers['x-one'], headers.origin, headers['sec-websocket-protocol']])).toEqual([
    ['1', 'http://here', 'a, b'],
    ['2', undefined, 'b'],
  ]);
});

test('agent and createConnection make the connection', async () => {
  const { url, port } = await serve();
  const used: string[] = [];
  class OwnAgent extends Agent {
    override createConnection(...args: unknown[]): never {
      used.push('agent');
      return netConnect(...(args as [never])) as never;
    }
  }
  await open(url, { agent: new OwnAgent() as never });
  await open('ws://elsewhere.invalid/', {
    createConnection: () => {
      used.push('createConnection');
      return netConnect(port, '127.0.0.1');
    },
  });
  expect(used[used.length - 1]).toBe('createConnection');
});

test('TLS options', async () => {
  const certificate = makeCertificate();
  const https = createServer(certificate);
  const server = new WebSocketServer({ server: https });
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  afterTest(() => {
    void server.close({ timeout: 0 });
    https.close();
  });
  const url = `https://localhost:${(https.address() as AddressInfo).port}/`;
  const options = { ca: certificate.cert, family: 4 };
  expect((await open(url, options)).url).toMatch(/^wss:\/\/localhost:/);
  await openStream(url, options);
  const refused = make(url, { family: 4 });
  const seen = record(refused);
  expect(await ending(refused)).toEqual([1006, '', false]);
  expect(seen).toEqual(failed);
});

test('signal gives up connecting, and nothing later', async () => {
  const url = await rawServer(() => {});
  const aborting = new AbortController();
  const socket = make(url, { signal: aborting.signal });
  const seen = record(socket);
  aborting.abort();
  expect(seen).toEqual([]);
  expect(await ending(socket)).toEqual([1006, '', false]);
  expect(seen).toEqual(failed);

  const { url: echo } = await serve();
  const late = new AbortController();
  const open1 = await open(echo, { signal: late.signal });
  late.abort();
  await new Promise(setImmediate);
  expect(open1.readyState).toBe(1);
});

test('handshakeTimeout and pingTimeout fail the connection', async () => {
  const url = await rawServer(() => {});
  expect(await ending(make(url, { handshakeTimeout: 10 }))).toEqual([1006, '', false]);
  const { url: silent } = await serve({ autoPong: false });
  const socket = make(silent, { pingInterval: 10, pingTimeout: 10 });
  const seen = record(socket);
  expect(await ending(socket)).toEqual([1006, '', false]);
  expect(seen).toEqual(['open in 1', 'microtasks', ...failed]);
});

test('invalid options are refused at the call', () => {
  expect(() => new WebSocket('ws://127.0.0.1:1/', { maxPayload: -1 })).toThrow(RangeError);
  expect(() => new WebSocket('ws://127.0.0.1:1/', { signal: 3 as never })).toThrow(TypeError);
  expect(() => new WebSocketStream('ws://127.0.0.1:1/', { pingInterval: 'x' as never })).toThrow(TypeError);
});

test('what would break the standard has no effect', async () => {
  const { server, url } = await serve();
  server.on('connection', (peer) => peer.send('text'));
  const more = { textType: 'buffer', delivery: 'borrow', allowSynchronousEvents: true, skipUTF8Validation: true };
  const socket = make(url, { ...more, protocols: [] });
  expect((await next<MessageEvent>(socket, 'message')).data).toBe('text');
});

test('redirects are not followed, whatever is passed', async () => {
  const url = await rawServer(async (peer) => {
    await peer.takeHead();
    peer.write('HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n');
  });
  const more = { followRedirects: true } as never;
  expect(await ending(make(url, more))).toEqual([1006, '', false]);
  const stream = new WebSocketStream(url, more);
  expect((await rejection(stream.opened)).name).toBe('WebSocketError');
});

test('asyncContext: listeners run in the context that the socket was made in', async () => {
  const { server, url } = await serve();
  server.on('connection', (peer) => {
    peer.send('text');
    peer.close();
  });
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const socket = storage.run('mine', () => make(url, { asyncContext: true }));
  for (const type of ['open', 'message', 'close']) {
    socket.addEventListener(type, () => seen.push([type, storage.getStore()]));
  }
  await ending(socket);
  expect(seen).toEqual([
    ['open', 'mine'],
    ['message', 'mine'],
    ['close', 'mine'],
  ]);
});

test('diagnostics channels tell of these sockets, too', async () => {
  const { server, url } = await serve();
  server.on('connection', (peer) => peer.send('text'));
  const seen: unknown[] = [];
  const channel = 'websocket-component:message';
  const note = (message: unknown): void => {
    seen.push((message as { data: unknown }).data);
  };
  subscribe(channel, note);
  afterTest(() => unsubscribe(channel, note));
  const socket = await open(url);
  await next(socket, 'message');
  expect(seen).toEqual(['text']);
});

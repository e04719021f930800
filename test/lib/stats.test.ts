// server.stats(): what a server has counted.
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { WebSocketServer, type ServerStats, type VerifyClient, type WebSocket } from '../../lib';
import { closed, connect, onceWithoutError, pair, RawPeer, requestText, serve, until } from './support';

const nothing: ServerStats = {
  connections: 0,
  accepted: 0,
  refused: 0,
  refusedByStatus: {},
  closed: 0,
  closedByCode: {},
  messagesReceived: 0,
  messagesSent: 0,
  bytesReceived: 0,
  bytesSent: 0,
  bufferedAmount: 0,
  slowConnections: 0,
};

async function ask(port: number, fields: Record<string, string | undefined>, line?: string): Promise<void> {
  const peer = await RawPeer.connect(port);
  peer.write(requestText(fields, line));
  await peer.rest();
}

test('a new server has counted nothing', () => {
  expect(new WebSocketServer({ noServer: true }).stats()).toEqual(nothing);
});

test('connections, and how they were closed', async () => {
  const { server, url } = await serve({ clientTracking: false });
  const clients = [];
  for (let i = 0; i < 5; i++) clients.push(await connect(url));
  await until(() => server.stats().connections === 5);
  expect(server.stats()).toEqual({ ...nothing, connections: 5, accepted: 5 });
  clients[0].close(1000);
  clients[1].close(4001, 'bye');
  clients[2].close();
  clients[3].terminate();
  await until(() => server.stats().connections === 1);
  const closedByCode = { 1000: 1, 4001: 1, 1005: 1, 1006: 1 };
  expect(server.stats()).toMatchObject({ connections: 1, accepted: 5, closed: 4, closedByCode });
  const end = closed(clients[4]);
  await server.close({ code: 1001 });
  await end;
  expect(server.stats()).toMatchObject({ connections: 0, accepted: 5, closedByCode: { ...closedByCode, 1001: 1 } });
});

test('refusals by status', async () => {
  let done = 0;
  const { server, url, port } = await serve({
    path: '/chat',
    maxConnections: 1,
    allowedOrigins: ['https://example.com'],
    verifyClient: (info, accept) => {
      done++;
      accept(info.req.headers['x-test'] === undefined, 402);
    },
  });
  const line = 'GET /chat HTTP/1.1';
  await ask(port, {}); // another path
  await ask(port, { 'Sec-WebSocket-Version': '8' }, line);
  await ask(port, { 'Sec-WebSocket-Key': 'short' }, line);
  await ask(port, { 'Sec-WebSocket-Protocol': 'a,a' }, line);
  await ask(port, { Origin: 'https://example.org' }, line);
  await ask(port, { 'X-Test': 'no' }, line);
  expect(done).toBe(1);
  await connect(`${url}/chat`);
  await ask(port, {}, line); // one too many
  const refusedByStatus = { 400: 2, 402: 1, 403: 1, 404: 1, 426: 1, 503: 1 };
  expect(server.stats()).toEqual({ ...nothing, connections: 1, accepted: 1, refused: 7, refusedByStatus });
});

test.each<[string, VerifyClient]>([
  ['an exception of the program', () => fail()],
  ['a refusal with an impossible status', (_info, accept) => accept(false, 9999)],
])('%s counts as 500', (_name, verifyClient) => {
  const server = new WebSocketServer({ noServer: true, verifyClient });
  const request = { method: 'GET', url: '/', headers: validHeaders, rawHeaders: [], socket: {} };
  const stream = new PassThrough();
  expect(() => server.handleUpgrade(request as never, stream, Buffer.alloc(0), () => {})).toThrow(RangeError);
  expect(server.stats()).toMatchObject({ refused: 1, refusedByStatus: { 500: 1 } });
});

const validHeaders = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};

function fail(): never {
  throw new RangeError('of the program');
}

test('a request that a wsClientError listener answers counts with the status that it would get', async () => {
  const { server, port } = await serve();
  server.on('wsClientError', (_error, stream) => stream.end('HTTP/1.1 418 I am a teapot\r\n\r\n'));
  await ask(port, { 'Sec-WebSocket-Key': undefined });
  expect(server.stats()).toMatchObject({ refused: 1, refusedByStatus: { 400: 1 } });
});

test('a client that was gone is counted nowhere', async () => {
  const server = new WebSocketServer({ noServer: true });
  const { server: http, port } = await serve();
  http.removeAllListeners('connection');
  const peer = await RawPeer.connect(port);
  peer.socket.destroy();
  await once(peer.socket, 'close');
  const request = { method: 'GET', url: '/', headers: validHeaders, rawHeaders: [], socket: {} };
  server.handleUpgrade(request as never, peer.socket, Buffer.alloc(0), () => {});
  expect(server.stats()).toEqual(nothing);
});

test('messages and bytes on the wire, of all connections together', async () => {
  const { server, client, peer, url } = await pair();
  const other = await connect(url);
  const [otherPeer] = [...server.clients].filter((socket) => socket !== peer);

  const arrived = [once(peer, 'message'), once(otherPeer, 'message'), once(client, 'pong')];
  client.send('1234'); // 4 bytes, a header of 2, a key of 4
  other.send(Buffer.from('12'), { fin: false });
  other.send('34'); // 8 and 8
  client.ping('12'); // 8
  await Promise.all(arrived);
  const bytes = { bytesReceived: 10 + 8 + 8 + 8, bytesSent: 4 };
  expect(server.stats()).toEqual({ ...nothing, connections: 2, accepted: 2, messagesReceived: 2, ...bytes });

  peer.send('1234');
  expect(server.broadcast('12')).toBe(2);
  otherPeer.send('in ', { fin: false });
  otherPeer.send('parts', { fin: true });
  await until(() => server.stats().bytesSent === 4 + 6 + 4 + 4 + 5 + 7);
  expect(server.stats()).toMatchObject({ messagesReceived: 2, messagesSent: 4, bytesReceived: bytes.bytesReceived });
});

test('messages and bytes of a connection that is gone stay counted, and other servers have counts of their own', async () => {
  const { server, client, peer } = await pair();
  const idle = await pair();
  client.send('1234');
  await once(peer, 'message');
  client.terminate();
  await until(() => server.stats().closed === 1);
  expect(server.stats()).toMatchObject({ connections: 0, messagesReceived: 1, bytesReceived: 10 });
  expect(idle.server.stats()).toEqual({ ...nothing, connections: 1, accepted: 1 });
});

test('what waits for slow peers', async () => {
  const { server, client, peer, url } = await pair({ highWaterMark: 1000 });
  await connect(url);
  client.pause();
  const size = 32 << 20;
  peer.send(Buffer.alloc(size));
  await until(() => peer.bufferedAmount > 0);
  const stats = server.stats();
  expect(stats).toMatchObject({ connections: 2, slowConnections: 1, messagesSent: 1 });
  expect(stats.bytesSent).toBeLessThan(size);
  expect(stats.bufferedAmount).toBe(peer.bufferedAmount);
  expect(stats.bufferedAmount).toBeGreaterThan(1000);
  client.resume();
  await onceWithoutError(peer, 'drain');
  expect(server.stats()).toMatchObject({ bufferedAmount: 0, slowConnections: 0, bytesSent: size + 10 });
});

test('the socket that a close event is about is counted as closed already', async () => {
  const { server, client, peer } = await pair();
  let seen: ServerStats | undefined;
  peer.on('close', function (this: WebSocket) {
    seen = server.stats();
  });
  client.close(1000);
  await closed(client);
  await until(() => seen !== undefined);
  expect(seen).toMatchObject({ connections: 0, closed: 1, closedByCode: { 1000: 1 } });
});

// setSocket: a connection whose handshake somebody else has made; and the other semi-public parts.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  closed,
  closePayload,
  duplexPair,
  expectedTransport,
  frame,
  nextMessage,
  pair,
  record,
} from './support';

test('a TCP socket, its handshake made by hand', async () => {
  const server = createServer((stream) => {
    stream.once('data', (head: Buffer) => {
      stream.write(acceptText(head.toString()));
      const socket = new WebSocket(null, undefined, {});
      const seen = record(socket, 'open');
      socket.setSocket(stream, Buffer.alloc(0), { maxPayload: 10 });
      expect([seen, socket.readyState, socket.transport]).toEqual([['open'], WebSocket.OPEN, expectedTransport]);
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
    });
  }).listen(0, '127.0.0.1');
  afterTest(() => server.close());
  await once(server, 'listening');
  const socket = client(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(socket, 'open');
  socket.send('hello');
  expect((await nextMessage(socket)).data.toString()).toBe('hello');
  const end = closed(socket);
  socket.send('longer than ten');
  expect(await end).toMatchObject({ code: 1009 });
});

test('a Duplex without a descriptor, with bytes in head', async () => {
  const [ours, theirs] = duplexPair();
  const socket = new WebSocket(null);
  socket.setSocket(ours, frame(1, 'in the head'));
  expect((await nextMessage(socket)).data.toString()).toBe('in the head');
  const received = once(theirs, 'data') as Promise<[Buffer]>;
  socket.send('out');
  expect((await received)[0]).toEqual(frame(1, 'out', { mask: false }));
  const end = closed(socket);
  theirs.write(frame(8, closePayload(1000)));
  theirs.end();
  theirs.resume();
  expect(await end).toEqual({ code: 1000, reason: '' });
});

test('the side of a client, when _isServer was set to false; the server has a request that a program made', async () => {
  const [ours, theirs] = duplexPair();
  const server = new WebSocketServer({ noServer: true });
  // Not from Node's parser: the lower-case fields are all there is.
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': 13,
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const request = { method: 'GET', url: '/', headers } as unknown as IncomingMessage;
  const response = once(theirs, 'data') as Promise<[Buffer]>;
  const connected = new Promise<WebSocket>((resolve) => server.handleUpgrade(request, ours, Buffer.alloc(0), resolve));
  expect((await response)[0].toString()).toMatch(/^HTTP\/1.1 101 /);

  const socket = new WebSocket(null);
  socket._isServer = false;
  expect([socket._isServer, socket.url]).toEqual([false, '']);
  socket.setSocket(theirs, Buffer.alloc(0), { maxPayload: 0 });
  socket._isServer = true; // too late
  expect([socket._isServer, socket.readyState]).toEqual([false, WebSocket.OPEN]);
  const peer = await connected;
  peer.on('message', (data, isBinary) => peer.send(data as Buffer, { binary: isBinary }));
  const sent = once(ours, 'data') as Promise<[Buffer]>;
  socket.send('masked');
  expect((await sent)[0].subarray(0, 2)).toEqual(Buffer.from([0x81, 0x80 | 6]));
  expect((await nextMessage(socket)).data.toString()).toBe('masked');
  const ends = Promise.all([closed(socket), closed(peer)]);
  socket.close(3000, 'done');
  expect(await ends).toEqual(Array(2).fill({ code: 3000, reason: 'done' }));
});

test('throws for a client, a socket that is open, a stream that is taken, and wrong options', async () => {
  const { client: socket, peer } = await pair();
  const [ours] = duplexPair();
  const head = Buffer.alloc(0);
  expect(() => socket.setSocket(ours, head, {})).toThrow('setSocket needs a socket that was made with null');
  socket._isServer = true;
  expect(socket._isServer).toBe(false);
  expect(() => peer.setSocket(ours, head, {})).toThrow('setSocket needs a socket that was made with null');
  expect(() => new WebSocket(null).setSocket(peer._socket!, head, {})).toThrow('a stream of its own');
  expect(() => new WebSocket(null).setSocket(ours, head, { maxPayload: -1 })).toThrow(RangeError);
});

test('_isServer tells the sides apart', async () => {
  const { client: socket, peer } = await pair();
  expect([socket._isServer, peer._isServer, new WebSocket(null)._isServer]).toEqual([false, true, true]);
});

test('_socket has the addresses of both ends, before and after', async () => {
  const { client: socket, peer, url } = await pair();
  const port = Number(new URL(url).port);
  const [ours, theirs] = [socket._socket as Socket, peer._socket as Socket];
  expect([ours.remoteAddress, ours.remotePort, theirs.localPort]).toEqual(['127.0.0.1', port, port]);
  expect(theirs.remotePort).toBe(ours.localPort);
  expect(new WebSocket(null)._socket).toBe(null);
});

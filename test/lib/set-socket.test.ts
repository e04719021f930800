// setSocket: a connection whose handshake somebody else has made; and the other semi-public parts.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { WebSocket } from '../../lib';
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

test('throws for a client, a socket that is open, a stream that is taken, and wrong options', async () => {
  const { client: socket, peer } = await pair();
  const [ours] = duplexPair();
  const head = Buffer.alloc(0);
  expect(() => socket.setSocket(ours, head, {})).toThrow('setSocket needs a socket that was made with null');
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

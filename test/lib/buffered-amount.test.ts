// bufferedAmount of a connection that is lost while data waits: what was never handed over counts for ever.
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from '../../lib';
import { acceptText, closed, connect, delay, frame, pair, rawServer, until, type RawPeer } from './support';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What a client counts as sent when the kernel has only a part of it: the native transport hands over 16 KiB at once. */
const underWay = { native: 16 * KiB, stream: MiB };

/** A client that sent as much as the kernel takes, and more, to a peer that does not read. */
async function connectStuck(options: ClientOptions = {}) {
  let accept: (peer: RawPeer) => void;
  const accepted = new Promise<RawPeer>((resolve) => (accept = resolve));
  const url = await rawServer(async (peer) => {
    peer.write(acceptText(await peer.takeHead()));
    accept(peer);
  });
  const [socket, peer] = await Promise.all([connect(url, undefined, options), accepted]);
  socket.on('error', () => {});
  peer.socket.pause();
  const total = 12 * MiB;
  for (let i = 0; i < 3; i++) socket.send(Buffer.alloc(total / 3));
  for (let last = -1; last !== socket.bufferedAmount;) {
    last = socket.bufferedAmount;
    await delay(10);
  }
  expect(socket.bufferedAmount).toBeGreaterThan(MiB);
  return { socket, peer, total };
}

const endings: [what: string, options: ClientOptions, end: (socket: WebSocket, peer: RawPeer) => void][] = [
  ['the peer resets', {}, (_socket, peer) => peer.socket.resetAndDestroy()],
  ['terminate', {}, (socket) => socket.terminate()],
  ['the close timeout', { closeTimeout: 10 }, (socket) => socket.close(1000, 'a reason')],
];

test.each(endings)('it keeps what waited, and only grows: %s', async (_what, options, end) => {
  const { socket, peer, total } = await connectStuck(options);
  const waited = socket.bufferedAmount;
  end(socket, peer);
  await closed(socket);
  const kept = socket.bufferedAmount;
  expect(kept).toBeGreaterThan(MiB);
  expect(kept).toBeLessThanOrEqual(waited);
  expect(kept).toBeLessThan(total);
  socket.send('12345');
  expect(socket.bufferedAmount).toBe(kept + 5);
  socket.send(Buffer.alloc(10));
  await delay(10);
  socket.terminate();
  expect(socket.bufferedAmount).toBe(kept + 15);
});

test('it is exact: the rest is what the peer can read', async () => {
  const { socket, peer, total } = await connectStuck();
  const { transport } = socket;
  socket.terminate();
  await closed(socket);
  peer.socket.resume();
  await until(() => peer.ended);
  const received = peer.received.length - 3 * 14;
  expect(received + socket.bufferedAmount).toBeGreaterThanOrEqual(total - 3 * 14);
  expect(received + socket.bufferedAmount).toBeLessThanOrEqual(total + underWay[transport!]);
});

test('it does not fall between the end of the connection and its close event', async () => {
  const { socket, peer } = await connectStuck();
  socket.pause();
  peer.write(frame(2, 'message', { mask: false }), frame(2, 'message', { mask: false }));
  const amounts: number[] = [];
  socket.on('message', () => amounts.push(socket.bufferedAmount));
  socket.on('close', () => amounts.push(socket.bufferedAmount));
  await delay(10);
  peer.socket.resetAndDestroy();
  await once(socket, 'close');
  await delay(1);
  expect(amounts[0]).toBeGreaterThan(MiB);
  expect([...amounts, socket.bufferedAmount]).toEqual(new Array(amounts.length + 1).fill(amounts[0]));
});

test('what a Blob waited for is kept, too', async () => {
  const { client: socket, peer } = await pair();
  socket.send(new Blob(['12345']));
  socket.send('behind');
  expect(socket.bufferedAmount).toBe(11);
  socket.terminate();
  expect(socket.bufferedAmount).toBe(11);
  await Promise.all([closed(socket), closed(peer)]);
  expect(socket.bufferedAmount).toBe(11);
});

test('it is 0 when everything was sent, and does not count the Close frame', async () => {
  const { client: socket, peer } = await pair();
  socket.send('text');
  socket.close(1000, 'reason');
  expect(socket.bufferedAmount).toBe(4);
  await Promise.all([closed(socket), closed(peer)]);
  expect([socket.bufferedAmount, peer.bufferedAmount]).toEqual([0, 0]);
});

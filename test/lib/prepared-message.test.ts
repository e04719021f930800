// Messages that are made once and sent often.
import { once } from 'node:events';
import { PreparedMessage, type ServerOptions } from '../../lib';
import { afterTest, connect, pair, textOf, until } from './support';

/** A server's socket and what its client receives. */
async function listening(
  options: ServerOptions = {},
): Promise<Awaited<ReturnType<typeof pair>> & { received: string[] }> {
  const made = await pair(options);
  const received: string[] = [];
  made.client.on('message', (data, isBinary) => received.push(`${isBinary ? 'binary' : 'text'} ${textOf(data)}`));
  return { ...made, received };
}

test.each([0, 1, 125, 4095, 4096, 16 * 1024, 70_000, 1 << 20])(
  '%d bytes, sent from both ends and broadcast, changed afterwards',
  async (size) => {
    const { server, peer, client, received } = await listening();
    const atServer: string[] = [];
    peer.on('message', (data, isBinary) => atServer.push(`${isBinary ? 'binary' : 'text'} ${textOf(data)}`));
    const data = Buffer.alloc(size, 'x');
    const binary = new PreparedMessage(data);
    const text = new PreparedMessage('é'.repeat(size));
    data.fill('-');
    expect([binary.byteLength, binary.isBinary]).toEqual([size, true]);
    expect([text.byteLength, text.isBinary]).toEqual([size * 2, false]);
    for (const message of [binary, text, binary]) peer.send(message);
    expect(server.broadcast(text)).toBe(1);
    await peer.sendAsync(binary);
    client.send(text);
    client.send(binary);
    await until(() => received.length === 5 && atServer.length === 2);
    const [x, e] = [`binary ${'x'.repeat(size)}`, `text ${'é'.repeat(size)}`];
    expect(received.map((one) => [x, e].indexOf(one))).toEqual([0, 1, 0, 1, 0]);
    expect(atServer.map((one) => [x, e].indexOf(one))).toEqual([1, 0]);
  },
);

test('is text or binary as it was made, unless a send says otherwise', async () => {
  const { server, peer, received } = await listening();
  const bytes = new PreparedMessage('bytes', { binary: true });
  const text = new PreparedMessage(Buffer.from('text'), { binary: false });
  peer.send(bytes);
  peer.send(text);
  peer.send(bytes, { binary: false });
  server.broadcast(text, { binary: true });
  peer.send(new PreparedMessage(7));
  await until(() => received.length === 5);
  expect(received).toEqual(['binary bytes', 'text text', 'text bytes', 'binary text', 'text 7']);
});

test('can be a part of a fragmented message', async () => {
  const { peer, received } = await listening();
  const part = new PreparedMessage('part ');
  peer.send(part, { fin: false });
  peer.send(part, { fin: false });
  peer.send('end');
  await until(() => received.length === 1);
  expect(received).toEqual(['text part part end']);
});

test('outlives the object that was sent, and waits in one copy on sockets that do not read', async () => {
  const { server, client: first, received } = await listening({ maxBackpressure: 1 << 30, closeTimeout: 100 });
  const url = `ws://127.0.0.1:${(server.address() as { port: number }).port}`;
  const clients = [first];
  for (let i = 0; i < 9; i++) clients.push(await connect(url));
  const sockets = server.clients;
  await until(() => sockets.size === 10);
  for (const client of clients) client.pause();
  afterTest(() => {
    for (const client of clients) client.terminate();
  });
  const size = 32 << 20;
  const before = process.memoryUsage.rss();
  (() => {
    const message = new PreparedMessage(Buffer.alloc(size, 'x'));
    for (const socket of sockets) socket.send(message);
  })();
  const held = [...sockets].map((socket) => socket.bufferedAmount);
  expect(Math.min(...held)).toBeGreaterThan(16 << 20);
  // The message, the Buffer that it was made of, and what the kernel took; ten copies would be 320 MiB.
  expect(process.memoryUsage.rss() - before).toBeLessThan(4 * size);
  first.resume();
  await until(() => received.length === 1);
  expect(received[0] === `binary ${'x'.repeat(size)}`).toBe(true);
}, 60_000);

test('what is no message is refused', async () => {
  const { server, peer } = await listening();
  const message = new PreparedMessage('x');
  expect(() => new PreparedMessage({} as never)).toThrow(TypeError);
  expect(() => new PreparedMessage('x', { binary: 1 as never })).toThrow(
    '"binary" must be true or false, not the number 1',
  );
  expect(() => peer.ping(message as never)).toThrow(TypeError);
  expect(() => peer.close(1000, message as never)).toThrow(TypeError);
  const copy = Object.create(PreparedMessage.prototype) as PreparedMessage;
  expect(() => peer.send(copy)).toThrow('data must be');
  expect(() => server.broadcast(copy)).toThrow('data must be');
  expect(peer.bufferedAmount).toBe(0);
});

test('to a socket that is closed it is refused like every message', async () => {
  const { peer, client } = await listening();
  client.terminate();
  await once(peer, 'close');
  expect(peer.send(new PreparedMessage('four'))).toBe(false);
  expect(peer.bufferedAmount).toBe(4);
});

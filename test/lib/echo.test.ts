import { once, type EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import WS, { WebSocketServer as WSServer } from 'ws';
import { afterTest, connect, expectedTransport, nextMessage, pair, serveEcho } from './support';

const sizes = [0, 1, 125, 126, 65_535, 65_536, 16 * 1024 * 1024];

/** Text of so many bytes of UTF-8 with characters of one to four bytes. */
function textOf(size: number): string {
  return 'aé€😀'.repeat(Math.floor(size / 10)) + 'x'.repeat(size % 10);
}

function bytesOf(size: number): Buffer {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, i) => 255 - i)));
}

interface Client extends EventEmitter {
  send(data: string | Buffer): unknown;
}

async function exchange(socket: Client, size: number): Promise<void> {
  const text = textOf(size);
  socket.send(text);
  const first = await nextMessage(socket);
  expect(first.isBinary).toBe(false);
  expect(first.data.equals(Buffer.from(text))).toBe(true);

  const bytes = bytesOf(size);
  socket.send(bytes);
  const second = await nextMessage(socket);
  expect(second.isBinary).toBe(true);
  expect(Buffer.isBuffer(second.data)).toBe(true);
  expect(second.data.equals(bytes)).toBe(true);
}

describe('text and binary messages come back byte for byte', () => {
  test.each(sizes)('%i bytes, our client and our server', async (size) => {
    const { url } = await serveEcho();
    const socket = await connect(url);
    expect(socket.transport).toBe(expectedTransport);
    await exchange(socket, size);
  });

  test.each(sizes)('%i bytes, our client and a ws server', async (size) => {
    const server = new WSServer({ port: 0, host: '127.0.0.1' });
    afterTest(() => server.close());
    server.on('connection', (peer) => peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary })));
    await once(server, 'listening');
    const socket = await connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await exchange(socket, size);
  });

  test.each(sizes)('%i bytes, a ws client and our server', async (size) => {
    const { url } = await serveEcho();
    const socket = new WS(url, { perMessageDeflate: false });
    afterTest(() => socket.terminate());
    await once(socket, 'open');
    await exchange(socket, size);
  });
});

test('a ws client that offers permessage-deflate is served without it by a server that does not have it on', async () => {
  const { url } = await serveEcho();
  const socket = new WS(url);
  afterTest(() => socket.terminate());
  await once(socket, 'open');
  expect(socket.extensions).toBe('');
  await exchange(socket, 1000);
});

test('ten thousand messages of mixed sizes keep their order', async () => {
  const { url } = await serveEcho();
  const socket = await connect(url);
  const total = 10_000;
  const lengthOf = (i: number): number => (i % 100 === 0 ? 5000 : i % 7 === 0 ? 300 : 10);
  let next = 0;
  const done = new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error('closed')));
    socket.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      const i = next++;
      if (bytes.readUInt32BE(0) !== i || bytes.length !== lengthOf(i) || !isBinary) reject(new Error(`message ${i}`));
      if (next === total) resolve();
    });
  });
  for (let i = 0; i < total; i++) {
    const message = Buffer.alloc(lengthOf(i), i & 255);
    message.writeUInt32BE(i, 0);
    socket.send(message);
  }
  await done;
});

test('messages that a handler keeps are not changed by later ones', async () => {
  const { url } = await serveEcho();
  const socket = await connect(url);
  const kept: Buffer[] = [];
  socket.on('message', (data) => kept.push(data as Buffer));
  for (let i = 0; i < 2000; i++) socket.send(Buffer.alloc(1 + (i % 6000), i & 255));
  await new Promise<void>((resolve) => socket.on('message', () => kept.length === 2000 && resolve()));
  kept.forEach((data, i) => expect(data.equals(Buffer.alloc(1 + (i % 6000), i & 255))).toBe(true));
});

test('a message in parts arrives whole, and the first part decides its type', async () => {
  const { url } = await serveEcho();
  const socket = await connect(url);
  socket.send('one, ', { fin: false });
  socket.send(Buffer.from('two, '), { fin: false });
  socket.send('three', { fin: true });
  const first = await nextMessage(socket);
  expect([first.data.toString(), first.isBinary]).toEqual(['one, two, three', false]);
  socket.send('next');
  expect((await nextMessage(socket)).data.toString()).toBe('next');
});

describe('what is sent', () => {
  const view = new Uint16Array([0x4142, 0x4344]);
  const shared = new SharedArrayBuffer(2);
  new Uint8Array(shared).set([7, 8]);
  test.each<[string, unknown, object | undefined, Buffer, boolean]>([
    ['a string', 'héllo', undefined, Buffer.from('héllo'), false],
    ['a string as binary', 'héllo', { binary: true }, Buffer.from('héllo'), true],
    ['a Buffer as text', Buffer.from('héllo'), { binary: false }, Buffer.from('héllo'), false],
    ['a lone surrogate becomes U+FFFD', 'a\ud800b', undefined, Buffer.from('a\ufffdb'), false],
    ['a number', 12.5, undefined, Buffer.from('12.5'), false],
    ['zero', 0, undefined, Buffer.from('0'), false],
    ['a Uint8Array of a part', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), undefined, Buffer.from([2, 3]), true],
    ['a Uint16Array', view, undefined, Buffer.from(view.buffer), true],
    ['a DataView', new DataView(view.buffer, 1, 2), undefined, Buffer.from(view.buffer, 1, 2), true],
    ['an ArrayBuffer', view.buffer, undefined, Buffer.from(view.buffer), true],
    ['a SharedArrayBuffer', shared, undefined, Buffer.from([7, 8]), true],
    ['an array of bytes', [1, 2, 255, -1], undefined, Buffer.from([1, 2, 255, 255]), true],
    ['an empty array', [], undefined, Buffer.alloc(0), true],
    ['an array of one Buffer', [Buffer.from('abc')], undefined, Buffer.from('abc'), true],
    ['an array of Buffers as text', [Buffer.from('é'), Buffer.from('!')], { binary: false }, Buffer.from('é!'), false],
    ['an array of views', [view, shared, view.buffer], undefined, Buffer.from('BADC\x07\x08BADC', 'latin1'), true],
    ['nothing', undefined, undefined, Buffer.alloc(0), true],
  ])('%s', async (_name, data, options, expected, isBinary) => {
    const { url } = await serveEcho();
    const socket = await connect(url);
    socket.send(data as Buffer, options);
    const message = await nextMessage(socket);
    expect(message.data.equals(expected)).toBe(true);
    expect(message.isBinary).toBe(isBinary);
  });

  test("what binaryType 'fragments' gave", async () => {
    const { client: socket, peer } = await pair();
    peer.binaryType = 'fragments';
    peer.on('message', (data) => peer.send(data));
    socket.send('frag', { fin: false, binary: true });
    socket.send('ments');
    expect((await nextMessage(socket)).data.toString()).toBe('fragments');
  });

  test.each([
    [['text'], TypeError],
    [[1, '2'], TypeError],
    [[1, Buffer.from('a')], TypeError],
    [[Buffer.from('a'), 1], TypeError],
    [[[1]], TypeError],
    [[undefined], TypeError],
    [[null], TypeError],
    [[256], RangeError],
    [[-129], RangeError],
    [[1.5], RangeError],
    [[NaN], RangeError],
  ])('not %j', async (array, error) => {
    const { client: socket } = await pair();
    for (const call of [() => socket.send(array as number[]), () => socket.ping(array as number[])]) {
      expect(call).toThrow(error);
      expect(call).toThrow(/array/);
    }
  });
});

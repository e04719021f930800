// send(data) and bufferedAmount, in every state.
import { once } from 'node:events';
import { WebSocket } from '../../lib/whatwg';
import { acceptText, afterTest, delay, rawServer, serve, until, textOf, type RawPeer } from '../lib/support';
import { idleSocket } from './idl';
import { ending, make, next, open, record, thrownName } from './support';

/** A server that gathers messages: strings, and Buffers for binary ones. */
async function serveGather(): Promise<{ url: string; received: (string | Buffer)[] }> {
  const { server, url } = await serve();
  const received: (string | Buffer)[] = [];
  server.on('connection', (peer) => {
    peer.on('message', (data, isBinary) => received.push(isBinary ? (data as Buffer) : textOf(data)));
  });
  return { url, received };
}

test('CONNECTING: an InvalidStateError, behind the conversion', () => {
  const socket = idleSocket();
  for (const data of ['text', '', new ArrayBuffer(1), new Uint8Array(1), new Blob(['x'])]) {
    expect(thrownName(() => socket.send(data))).toBe('InvalidStateError');
  }
  expect(() => socket.send(Symbol('s') as never)).toThrow(TypeError);
  expect(socket.bufferedAmount).toBe(0);
});

test('a string is a text message, with lone surrogates replaced', async () => {
  const { url, received } = await serveGather();
  const socket = await open(url);
  const texts = ['', 'text', 'grüß', '😀', 'a\ud800b', '\udc00', '\ud83d', 'x'.repeat(70_000), '\ud800'.repeat(30_000)];
  for (const text of texts) socket.send(text);
  await until(() => received.length === texts.length);
  expect(received).toEqual(texts.map((text) => Buffer.from(text).toString()));
  expect(received[4]).toBe('a\ufffdb');
});

test('other values are converted to a string', async () => {
  const { url, received } = await serveGather();
  const socket = await open(url);
  const values = [1, null, undefined, true, 12n, [1, 2], {}, { toString: () => 'made' }, new Date(NaN)];
  for (const value of values) socket.send(value as never);
  socket.send(new SharedArrayBuffer(2));
  socket.send(Object.create(Blob.prototype) as never);
  socket.send({
    get [Symbol.toStringTag]() {
      return 'Blob';
    },
    size: 1,
    arrayBuffer: () => {},
  } as never);
  await until(() => received.length === values.length + 3);
  expect(received).toEqual([
    ...['1', 'null', 'undefined', 'true', '12', '1,2', '[object Object]', 'made', 'Invalid Date'],
    ...['[object SharedArrayBuffer]', '[object Blob]', '[object Blob]'],
  ]);
  expect(() => socket.send(Symbol('s') as never)).toThrow(TypeError);
  expect(() => socket.send(Object.create(null) as never)).toThrow(TypeError);
});

test('an ArrayBuffer is a binary message, as it is at the call', async () => {
  const { url, received } = await serveGather();
  const socket = await open(url);
  const memory = Uint8Array.of(1, 2, 3).buffer;
  socket.send(memory);
  new Uint8Array(memory).fill(9);
  socket.send(new ArrayBuffer(0));
  const moved = Uint8Array.of(4).buffer;
  socket.send(moved);
  structuredClone(moved, { transfer: [moved] });
  socket.send(moved); // detached: empty
  await until(() => received.length === 4);
  expect(received).toEqual([Buffer.of(1, 2, 3), Buffer.alloc(0), Buffer.of(4), Buffer.alloc(0)]);
});

test('a view is a binary message of its section', async () => {
  const { url, received } = await serveGather();
  const socket = await open(url);
  const memory = Uint8Array.from({ length: 16 }, (_, i) => i).buffer;
  const views = [
    new Uint8Array(memory, 2, 3),
    new DataView(memory, 1, 2),
    new Float64Array(memory, 8, 1),
    Buffer.from([7]),
  ];
  for (const view of [...views, new Uint16Array(memory, 4, 2), new Uint8ClampedArray(memory, 0, 1)]) socket.send(view);
  await until(() => received.length === 6);
  expect(received.map((data) => [...(data as Buffer)])).toEqual([
    ...[[2, 3, 4], [1, 2], [8, 9, 10, 11, 12, 13, 14, 15], [7], [4, 5, 6, 7], [0]],
  ]);
});

test('shared and resizable memory is a TypeError', async () => {
  const { url } = await serveGather();
  const socket = await open(url);
  const resizable = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer)(4, {
    maxByteLength: 8,
  });
  for (const data of [
    resizable,
    new Uint8Array(resizable),
    new DataView(resizable),
    new Uint8Array(new SharedArrayBuffer(4)),
  ]) {
    expect(() => socket.send(data)).toThrow(TypeError);
  }
  expect(socket.bufferedAmount).toBe(0);
});

test('a Blob is a binary message, and what is sent behind it waits for it', async () => {
  const { url, received } = await serveGather();
  const socket = await open(url);
  socket.send(new Blob(['blob ', Uint8Array.of(1)]));
  socket.send('behind');
  expect(socket.bufferedAmount).toBe(12);
  await until(() => received.length === 2);
  expect(received).toEqual([Buffer.from('blob \x01'), 'behind']);
  await until(() => socket.bufferedAmount === 0);
});

describe('bufferedAmount', () => {
  test('grows by the bytes of UTF-8 or of the data, without framing', async () => {
    const { url } = await serveGather();
    const socket = await open(url);
    const sizes: [data: string | ArrayBuffer | Uint8Array | Blob, bytes: number][] = [
      ['text', 4],
      ['grüß', 6],
      ['\ud800', 3],
      ['', 0],
      [new ArrayBuffer(5), 5],
      [new Uint8Array(new ArrayBuffer(9), 1, 3), 3],
      [new Blob(['xy']), 2],
      [new Uint8Array(100_000), 100_000],
    ];
    let sum = 0;
    for (const [data, bytes] of sizes) {
      socket.send(data);
      expect(socket.bufferedAmount).toBe((sum += bytes));
    }
  });

  test('does not fall during a task and its microtasks, and falls later', async () => {
    const { url, received } = await serveGather();
    const socket = await open(url);
    await delay(1); // a task of its own
    socket.send('x'.repeat(1000));
    for (const end = Date.now() + 20; Date.now() < end;) expect(socket.bufferedAmount).toBe(1000);
    await Promise.resolve();
    expect(socket.bufferedAmount).toBe(1000);
    await until(() => received.length === 1);
    await until(() => socket.bufferedAmount === 0);
  });

  test.each(['close', 'the end of the connection'])('only grows after %s', async (state) => {
    const { server, url } = await serve();
    const socket = await open(url);
    socket.close();
    if (state !== 'close') await next(socket, 'close');
    expect(socket.readyState).toBe(state === 'close' ? 2 : 3);
    socket.send('text');
    socket.send(new Blob(['blob']));
    expect(socket.bufferedAmount).toBe(8);
    await delay(5);
    if (socket.readyState !== 3) await next(socket, 'close');
    socket.send(new Uint8Array(3));
    socket.send(new ArrayBuffer(1));
    socket.send('ä');
    expect(socket.bufferedAmount).toBe(14);
    expect(server.clients.size).toBe(0);
  });

  const losses: [how: string, lose: (socket: WebSocket, peer: RawPeer) => void][] = [
    ['the peer resets the connection', (_socket, peer) => peer.socket.resetAndDestroy()],
    ['the close timeout', (socket) => socket.close(1000, 'reason')],
  ];
  test.each(losses)('keeps what waited when the connection is lost, and only grows: %s', async (_how, lose) => {
    const accepted: RawPeer[] = [];
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead()));
      peer.socket.pause();
      accepted.push(peer);
    });
    const socket = await open(url, { closeTimeout: 10 });
    socket.send(new Uint8Array(12_000_000));
    socket.send('behind');
    await delay(20);
    const waited = socket.bufferedAmount;
    const amounts: number[] = [];
    for (const type of ['error', 'close']) socket.addEventListener(type, () => amounts.push(socket.bufferedAmount));
    lose(socket, accepted[0]);
    await ending(socket);
    const kept = socket.bufferedAmount;
    expect(kept).toBeGreaterThan(1_000_000);
    expect(kept).toBeLessThanOrEqual(waited);
    expect(amounts).toEqual(amounts.map(() => kept));
    socket.send('text');
    await delay(5);
    expect(socket.bufferedAmount).toBe(kept + 4);
  });

  test('grows on a socket that never opened', async () => {
    const socket = idleSocket();
    socket.close();
    socket.send('text');
    expect([socket.readyState, socket.bufferedAmount]).toEqual([2, 4]);
    await next(socket, 'close');
    socket.send(new Uint8Array(2));
    expect([socket.readyState, socket.bufferedAmount]).toEqual([3, 6]);
  });

  test('does not count the Close frame', async () => {
    const { url } = await serveGather();
    const socket = await open(url);
    socket.send('text');
    socket.close(3000, 'reason');
    expect(socket.bufferedAmount).toBe(4);
    await next(socket, 'close');
    expect(socket.bufferedAmount).toBe(0);
  });
});

test('no room: the bytes count, and the connection fails: error, then close', async () => {
  const { server, url } = await serve();
  const [socket, [peer]] = await Promise.all([open(url, { maxBackpressure: 100_000 }), once(server, 'connection')]);
  const seen = record(socket);
  afterTest(() => (peer as { terminate(): void }).terminate());
  (peer as { pause(): void }).pause();
  socket.send(new Uint8Array(50_000_000)); // one message is always taken
  await delay(10);
  const before = socket.bufferedAmount;
  socket.send(new Uint8Array(100_000));
  expect(socket.bufferedAmount).toBe(before + 100_000);
  expect(socket.readyState).toBe(2);
  expect(seen).toEqual([]);
  (peer as { resume(): void }).resume();
  expect(await ending(socket)).toEqual([1006, '', false]);
  expect(seen).toEqual(['error in 3', 'microtasks', 'close in 3', 'microtasks']);
});

test('an open socket without any reference but its listeners lives', async () => {
  const { server, url } = await serve();
  const received: string[] = [];
  await new Promise<void>((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve();
    socket.onmessage = ({ data }) => received.push(textOf(data));
  });
  await until(() => server.clients.size === 1);
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) (await import('node:v8')).setFlagsFromString('--expose-gc');
  for (let i = 0; i < 3; i++) {
    (gc ?? ((await import('node:vm')).runInNewContext('gc') as () => void))();
    await delay(5);
  }
  const [peer] = server.clients;
  peer.send('still there');
  await until(() => received.length === 1);
  peer.close();
});

test('url, protocol and extensions stay what they were', async () => {
  const { url } = await serve();
  const socket = make(`${url}/path`, ['chat']);
  const seen: unknown[] = [];
  const look = () => seen.push([socket.url, socket.protocol, socket.extensions]);
  look();
  await next(socket, 'open');
  look();
  socket.close();
  await next(socket, 'close');
  look();
  expect(seen).toEqual([
    [`${url}/path`, '', ''],
    [`${url}/path`, 'chat', ''],
    [`${url}/path`, 'chat', ''],
  ]);
});

// createWebSocketStream: a socket as a Duplex.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Duplex, PassThrough, type DuplexOptions } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createWebSocketStream, WebSocket } from '../../lib';
import {
  acceptText,
  client,
  closed,
  delay,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawServer,
  record,
  root,
  serve,
  serveEcho,
  until,
} from './support';

async function streamAndPeer(
  options?: DuplexOptions,
  clientOptions = {},
): Promise<{ stream: Duplex; socket: WebSocket; peer: WebSocket }> {
  const { client: socket, peer } = await pair({}, clientOptions);
  return { stream: createWebSocketStream(socket, options), socket, peer };
}

test('is a Duplex, and a static of the class', async () => {
  const { stream } = await streamAndPeer();
  expect(stream).toBeInstanceOf(Duplex);
  expect(WebSocket.createWebSocketStream).toBe(createWebSocketStream);
});

describe('what is read', () => {
  test('messages are chunks of bytes; the options are those of Duplex', async () => {
    const { stream, peer } = await streamAndPeer({ encoding: 'utf8' });
    peer.send('text ');
    peer.send(Buffer.from('bytes'));
    peer.close();
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).toBe('text bytes');
  });

  test('with readableObjectMode each message is one chunk, a text message a string', async () => {
    const { stream, peer } = await streamAndPeer({ readableObjectMode: true, objectMode: true });
    for (const data of ['text', Buffer.from('bytes'), '', Buffer.alloc(0)]) peer.send(data);
    peer.close();
    const chunks: unknown[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks).toEqual(['text', Buffer.from('bytes'), '', Buffer.alloc(0)]);
    expect(stream.writableObjectMode).toBe(false);
  });

  test.each(['nodebuffer', 'arraybuffer', 'fragments'] as const)('with binaryType %s', async (binaryType) => {
    const { stream, socket, peer } = await streamAndPeer();
    socket.binaryType = binaryType;
    peer.send(Buffer.from('one '));
    peer.send(Buffer.from('two'));
    peer.close();
    expect((await buffer(stream)).toString()).toBe('one two');
  });

  test("with textType: 'string' and delivery: 'borrow', what waits in the stream stays what it was", async () => {
    const { stream, peer } = await streamAndPeer(
      { readableHighWaterMark: 1 << 20 },
      { delivery: 'borrow', textType: 'string' },
    );
    for (let i = 0; i < 100; i++) {
      peer.send(Buffer.alloc(1000, i));
      peer.send(`${i} `);
      if (i % 10 === 0) await delay(1);
    }
    peer.close();
    await until(() => stream.readableLength > 100_000);
    const expected = Array.from({ length: 100 }, (_, i) =>
      Buffer.concat([Buffer.alloc(1000, i), Buffer.from(`${i} `)]),
    );
    expect((await buffer(stream)).equals(Buffer.concat(expected))).toBe(true);
  });

  test('a reader that does not read pauses the socket, and nothing is lost', async () => {
    const { stream, socket, peer } = await streamAndPeer();
    const message = Buffer.alloc(64 * 1024, 'x');
    for (let i = 0; i < 400; i++) peer.send(message);
    await until(() => socket.isPaused);
    await delay(50);
    expect(stream.readableLength).toBeLessThan(3 * message.length);
    expect(peer.bufferedAmount).toBeGreaterThan(0);
    peer.close();
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(400 * message.length);
  });
});

describe('what is written', () => {
  test('chunks are binary messages; with decodeStrings: false strings are text', async () => {
    const { stream, peer } = await streamAndPeer({ decodeStrings: false });
    const first = nextMessage(peer);
    stream.write(Buffer.from('bytes'));
    expect(await first).toEqual({ data: Buffer.from('bytes'), isBinary: true });
    stream.write('text');
    expect(await nextMessage(peer)).toEqual({ data: Buffer.from('text'), isBinary: false });
  });

  test('waits for the connection, and end waits too', async () => {
    const { server, url } = await serve();
    const stream = createWebSocketStream(client(url));
    const messages: string[] = [];
    const end = new Promise((resolve) =>
      server.on('connection', (peer) => {
        peer.on('message', (data) => messages.push((data as Buffer).toString()));
        peer.on('close', resolve);
      }),
    );
    stream.write('one');
    stream.write('two');
    stream.end('three');
    stream.resume();
    const closed = onceWithoutError(stream, 'close');
    expect(await end).toBe(1005);
    expect(messages).toEqual(['one', 'two', 'three']);
    await closed;
  });

  test('a slow peer holds the writer back', async () => {
    const { stream, peer } = await streamAndPeer();
    peer.pause();
    const chunk = Buffer.alloc(256 * 1024);
    stream.resume();
    let written = 0;
    for (let isHeldBack = false; !isHeldBack;) {
      do written++;
      while (stream.write(chunk));
      const drained = once(stream, 'drain').then(() => true);
      isHeldBack = !(await Promise.race([drained, delay(200)]));
    }
    expect(stream.writableLength).toBeLessThanOrEqual(2 * chunk.length);
    let received = 0;
    peer.on('message', (data) => (received += (data as Buffer).length));
    peer.resume();
    stream.end();
    await once(stream, 'finish');
    expect(received).toBe(written * chunk.length);
  }, 20_000);

  test('many small chunks leave together', async () => {
    const { stream, peer } = await streamAndPeer();
    let count = 0;
    peer.on('message', () => count++);
    for (let i = 0; i < 1000; i++) stream.write('x');
    stream.end();
    stream.resume();
    await once(stream, 'close');
    expect(count).toBe(1000);
  });

  test.each([
    ['CLOSING', 2],
    ['CLOSED', 3],
  ])('to a socket that is %s is an error', async (name, state) => {
    const { stream, socket } = await streamAndPeer();
    socket.close();
    if (state === 3) await onceWithoutError(socket, 'close');
    const ended = onceWithoutError(stream, 'close');
    stream.write('late');
    const [error] = await onceWithoutError(stream, 'error');
    expect((error as Error).message).toBe(`WebSocket is not open: readyState ${state} (${name})`);
    expect(stream.destroyed).toBe(true);
    await ended;
  });

  test('what was taken and never sent is an error', async () => {
    const { stream, socket, peer } = await streamAndPeer({ writableHighWaterMark: 1 << 24 });
    peer.pause();
    stream.resume();
    stream.on('error', () => {});
    const failed = onceWithoutError(stream, 'error');
    for (let i = 0; i < 64; i++) stream.write(Buffer.alloc(256 * 1024));
    // Until the network takes no more, so that the socket holds a message that it cannot send.
    for (let before = -1; socket.bufferedAmount === 0 || stream.writableLength !== before;) {
      before = stream.writableLength;
      await delay(100);
    }
    socket.terminate();
    expect(((await failed)[0] as NodeJS.ErrnoException).code).toBe('WS_ERR_CONNECTION_CLOSED');
  });
});

describe('the end', () => {
  test("the peer's close ends the stream; it is closed when it was ended too", async () => {
    const { stream, peer } = await streamAndPeer();
    const seen = record(stream, 'end', 'finish', 'close');
    stream.resume();
    peer.close();
    await once(stream, 'end');
    expect(stream.destroyed).toBe(false);
    stream.end();
    await once(stream, 'close');
    expect(seen).toEqual(['end', 'finish', 'close']);
  });

  test('end starts the closing handshake', async () => {
    const { stream, peer } = await streamAndPeer();
    const seen = record(stream, 'end', 'finish', 'close');
    const end = closed(peer);
    stream.resume();
    stream.end('last');
    expect(await end).toEqual({ code: 1005, reason: '' });
    await until(() => seen.length === 3);
    expect(seen.at(-1)).toBe('close');
  });

  test('destroy terminates the socket, with an error and without', async () => {
    for (const error of [new Error('enough'), undefined]) {
      const { stream, socket, peer } = await streamAndPeer();
      const seen = record(stream, 'error', 'close');
      const end = closed(peer);
      stream.destroy(error);
      expect(socket.readyState).toBe(WebSocket.CLOSING);
      expect(await end).toEqual({ code: 1006, reason: '' });
      await until(() => stream.closed);
      expect(seen).toEqual(error ? ['error: enough', 'close'] : ['close']);
    }
  });

  test('destroy while connecting is an error', async () => {
    const { url } = await serve();
    const stream = createWebSocketStream(client(url));
    const seen = record(stream, 'error', 'close');
    stream.destroy();
    await until(() => stream.closed);
    expect(seen).toEqual(['error: WebSocket was closed before the connection was established', 'close']);
  });

  test('a handshake that fails is an error, and there is no finish', async () => {
    const url = await rawServer(async (peer) =>
      peer.write(acceptText(await peer.takeHead()).replace(/Accept: .*/, 'Accept: x')),
    );
    const stream = createWebSocketStream(client(url));
    const seen = record(stream, 'finish', 'error', 'close');
    stream.end('never');
    await onceWithoutError(stream, 'close');
    expect(seen).toEqual(['error: Invalid Sec-WebSocket-Accept header', 'close']);
  });

  test("a fault of the peer is the stream's error, and the peer is told", async () => {
    let told: Promise<Buffer> | undefined;
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead()), frame(5, '', { mask: false }));
      told = peer.rest();
      peer.socket.on('end', () => peer.socket.end());
    });
    const stream = createWebSocketStream(client(url));
    const seen = record(stream, 'error', 'close');
    await onceWithoutError(stream, 'close');
    expect(seen).toEqual(['error: Invalid WebSocket frame: the opcode is unknown', 'close']);
    expect((await told!)[0]).toBe(0x88);
  });

  test('an error that nobody listens to is thrown', () => {
    const program = `
      const { WebSocket, createWebSocketStream } = require(${JSON.stringify(join(root, 'dist/cjs.cjs'))});
      createWebSocketStream(new WebSocket('ws://127.0.0.1:1'));
      process.on('uncaughtException', (error) => console.log(error.code));
    `;
    const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
    expect(stdout).toBe('ECONNREFUSED\n');
  });
});

test('a pipeline through an echo server carries every byte', async () => {
  const { url } = await serveEcho();
  const source = new PassThrough();
  const stream = createWebSocketStream(client(url));
  const sent: Buffer[] = [];
  let received = 0;
  const total = 3_000_000;
  const back = new Promise<void>((resolve, reject) => {
    const parts: Buffer[] = [];
    stream.on('error', reject);
    stream.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      received += chunk.length;
      if (received === total) {
        expect(Buffer.concat(parts).equals(Buffer.concat(sent))).toBe(true);
        resolve();
      }
    });
  });
  for (let i = 0, at = 0; at < total; i++) {
    const chunk = Buffer.alloc(Math.min(total - at, 1 + ((i * 7919) % 70_000)), i);
    sent.push(chunk);
    source.write(chunk);
    at += chunk.length;
  }
  source.pipe(stream, { end: false });
  await back;
  source.end();
  stream.end();
  await once(stream, 'close');
});

test('pipeline ends with the socket', async () => {
  const { stream, peer } = await streamAndPeer();
  peer.send('all');
  peer.close();
  const chunks: Buffer[] = [];
  await pipeline(stream, async (source) => {
    for await (const chunk of source) chunks.push(chunk as Buffer);
  });
  expect(Buffer.concat(chunks).toString()).toBe('all');
});

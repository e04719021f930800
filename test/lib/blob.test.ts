// Blobs: sent, with what is sent behind them, and received.
import { once } from 'node:events';
import { openAsBlob, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WS from 'ws';
import { PreparedMessage, WebSocket, WebSocketServer, type MessageData } from '../../lib';
import {
  afterTest,
  client,
  closed,
  connect,
  delay,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawClient,
  record,
  serve,
  serveEcho,
  textOf,
  until,
} from './support';

/** A Blob of a library of its own, whose bytes come when the test says so. */
class LateBlob {
  readonly type = '';
  readonly [Symbol.toStringTag] = 'Blob';
  isRead = false;
  arrive: () => void = () => {};
  fail: (error: Error) => void = () => {};
  readonly #bytes = new Promise<ArrayBuffer>((resolve, reject) => {
    this.arrive = () => resolve(new Uint8Array(Buffer.from(this.text)).buffer);
    this.fail = reject;
  });

  constructor(
    readonly text: string,
    readonly size = Buffer.byteLength(text),
  ) {}

  /** ws asks for it. */
  stream(): never {
    throw new Error('not used');
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    this.isRead = true;
    return this.#bytes;
  }
}

/** What a socket receives, as 'text …' and 'binary …', and pings. */
function heard(socket: WebSocket): string[] {
  const list: string[] = [];
  socket.on('message', (data, isBinary) => list.push(`${isBinary ? 'binary' : 'text'} ${textOf(data)}`));
  socket.on('ping', (data) => list.push(`ping ${textOf(data)}`));
  socket.on('pong', (data) => list.push(`pong ${textOf(data)}`));
  return list;
}

const cause = new Error('The file was changed');

describe('sent', () => {
  test.each([0, 1, 125, 126, 4096, 70_000, 1 << 20])('%i bytes, from both ends', async (size) => {
    const { url } = await serveEcho();
    const socket = await connect(url);
    const bytes = Buffer.alloc(size, 'abc');
    expect(typeof socket.send(new Blob([bytes]))).toBe('boolean');
    const { data, isBinary } = await nextMessage(socket);
    expect([isBinary, data.equals(bytes)]).toEqual([true, true]);
  });

  test('a File, a slice, as text, and with the promise', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    socket.send(new Blob(['file']).slice(1, 3));
    socket.send(new Blob(['text ✓']), { binary: false });
    await socket.sendAsync(new Blob(['promise']));
    await until(() => list.length === 3);
    expect(list).toEqual(['binary il', 'text text ✓', 'binary promise']);
  });

  test('the callback comes when the bytes were handed over', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const blob = new LateBlob('late');
    const calls: unknown[] = [];
    socket.send(blob, (error) => calls.push(error));
    await delay(20);
    expect([blob.isRead, calls]).toEqual([true, []]);
    blob.arrive();
    await until(() => calls.length === 1 && list.length === 1);
    expect([calls, list]).toEqual([[undefined], ['binary late']]);
  });

  test('everything behind it keeps its order, and may be changed at once', async () => {
    const { server, client: socket, peer } = await pair();
    const list = heard(socket);
    const [first, second] = [new LateBlob('first'), new LateBlob('second')];
    const bytes = Buffer.from('bytes');
    const order: number[] = [];
    peer.send('before');
    peer.send(first, () => order.push(1));
    peer.send('text', () => order.push(2));
    peer.send(bytes);
    bytes.fill('-');
    peer.send(new Uint8Array([65, 66]).buffer);
    const whole = server.broadcast('broadcast');
    peer.send(second, () => order.push(3));
    peer.send(new PreparedMessage('prepared'));
    const promise = peer.sendAsync('last').then(() => order.push(4));
    expect(whole).toBe(1);
    second.arrive();
    await delay(20);
    expect([list, second.isRead]).toEqual([['text before'], false]);
    first.arrive();
    await promise;
    await until(() => list.length === 9);
    expect(list).toEqual([
      ...['text before', 'binary first', 'text text', 'binary bytes', 'binary AB', 'text broadcast'],
      ...['binary second', 'text prepared', 'text last'],
    ]);
    expect(order).toEqual([1, 2, 3, 4]);
    peer.send('afterwards');
    await until(() => list.length === 10);
    expect(peer.bufferedAmount).toBe(0);
  });

  test('is a part of a message in parts, and no broadcast comes between', async () => {
    const { server, client: socket, peer } = await pair();
    const list = heard(socket);
    const blob = new LateBlob('b');
    peer.send('a', { fin: false });
    peer.send(blob, { fin: false });
    expect(server.broadcast('between')).toBe(0);
    peer.send('c');
    expect(server.broadcast('behind')).toBe(1);
    blob.arrive();
    await until(() => list.length === 2);
    expect(list).toEqual(['text abc', 'text behind']);
  });

  test('bufferedAmount counts what is not read yet', async () => {
    const { client: socket } = await pair();
    const blob = new LateBlob('12345');
    socket.send(blob);
    socket.send('678');
    expect(socket.bufferedAmount).toBe(8);
    blob.arrive();
    await until(() => socket.bufferedAmount === 0);
  });

  test('pings and pongs go ahead of it, and wait for one of a Blob', async () => {
    const { client: socket, peer } = await pair({ autoPong: false });
    const list = heard(peer);
    const [message, ping] = [new LateBlob('message'), new LateBlob('blob')];
    socket.send(message);
    socket.ping('ahead');
    await until(() => list.length === 1);
    socket.ping(ping);
    socket.pong('behind');
    ping.arrive();
    await delay(20);
    expect(list).toEqual(['ping ahead']);
    message.arrive();
    await until(() => list.length === 4);
    expect([...list].sort()).toEqual(['binary message', 'ping ahead', 'ping blob', 'pong behind']);
    expect(list.indexOf('pong behind')).toBeGreaterThan(list.indexOf('ping blob'));
    let calls = 0;
    socket.pong(new Blob(['alone']), false, () => calls++);
    await until(() => list.length === 5 && calls === 1);
    expect(() => socket.ping(new Blob(['x'.repeat(126)]))).toThrow(RangeError);
  });

  test('close waits for it, and nothing is taken behind the close', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const end = closed(peer);
    const blob = new LateBlob('late');
    socket.send(blob);
    socket.send('behind');
    const reason = Buffer.from('bye');
    socket.close(4001, reason);
    reason.fill('-');
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    const refused = new Promise((resolve) => socket.send('refused', resolve));
    expect(await refused).toEqual(expect.objectContaining({ message: expect.stringMatching(/CLOSING/) as string }));
    await delay(20);
    expect(peer.readyState).toBe(WebSocket.OPEN);
    blob.arrive();
    expect(await closed(socket)).toEqual({ code: 4001, reason: 'bye' });
    expect([await end, list]).toEqual([{ code: 4001, reason: 'bye' }, ['binary late', 'text behind']]);
  });

  test('closeTimeout also bounds the wait for its bytes', async () => {
    const { client: socket, peer } = await pair({}, { closeTimeout: 50 });
    const errors: (Error | undefined)[] = [];
    socket.send(new LateBlob('never'), (error) => errors.push(error));
    socket.close(1000);
    expect((await closed(socket)).code).toBe(1006);
    expect(peer.readyState).toBeGreaterThan(WebSocket.OPEN - 1);
    await until(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test.each([
    ['terminate', (socket: WebSocket) => socket.terminate()],
    ['the end of the peer', (_socket: WebSocket, peer: WebSocket) => peer.terminate()],
    ["the peer's Close frame", (_socket: WebSocket, peer: WebSocket) => peer.close(1000)],
  ])('%s gives it up', async (_name, act) => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const [blob, ping] = [new LateBlob('late'), new LateBlob('ping')];
    const errors: (Error | undefined)[] = [];
    socket.send(blob, (error) => errors.push(error));
    socket.send('behind', (error) => errors.push(error));
    socket.ping(ping, undefined, (error) => errors.push(error));
    const end = onceWithoutError(socket, 'close');
    act(socket, peer);
    await end;
    await until(() => errors.length === 3);
    for (const error of errors) expect(error).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    expect(socket.bufferedAmount).toBe(14);
    blob.arrive();
    await delay(20);
    expect([list, errors.length]).toEqual([[], 3]);
  });

  test('after the end it is refused, and counts as buffered', async () => {
    const { client: socket } = await pair();
    socket.terminate();
    await closed(socket);
    expect(socket.send(new Blob(['12345']))).toBe(false);
    expect(socket.bufferedAmount).toBe(5);
    const refused = client('ws://127.0.0.1:1');
    await onceWithoutError(refused, 'error');
    refused.send(new Blob(['123']));
    refused.ping(new Blob(['4']));
    expect(refused.bufferedAmount).toBe(4);
    await expect(refused.sendAsync(new Blob(['5']))).rejects.toThrow('not open');
  });

  test('while connecting it throws', () => {
    const socket = client('ws://127.0.0.1:1');
    socket.on('error', () => {});
    expect(() => socket.send(new Blob(['x']))).toThrow('CONNECTING');
  });
});

describe('that cannot be read', () => {
  test('ends the connection: the callbacks get the reason, then error, then close', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const seen = record(socket, 'error', 'close');
    const end = closed(peer);
    const blob = new LateBlob('x');
    socket.send('before');
    socket.send(blob, (error) => seen.push(`1 ${error?.message}`));
    socket.send('behind', (error) => seen.push(`2 ${error?.message}`));
    const promise = socket.sendAsync('async').catch((error: unknown) => error);
    blob.fail(cause);
    expect(await promise).toBe(cause);
    await until(() => seen.length === 4);
    expect(seen).toEqual([`1 ${cause.message}`, `2 ${cause.message}`, `error: ${cause.message}`, 'close: 1006']);
    expect([(await end).code, list]).toEqual([1006, ['text before']]);
  });

  test('as with ws', async () => {
    const server = new WS.WebSocketServer({ port: 0, host: '127.0.0.1' });
    afterTest(() => server.close());
    await once(server, 'listening');
    const socket = new WS(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    const [peer] = (await once(server, 'connection')) as [WS];
    await (socket.readyState === WS.OPEN || once(socket, 'open'));
    const seen = record(socket, 'error', 'close');
    const end = closed(peer);
    const blob = new LateBlob('x');
    socket.send(blob as unknown as Buffer, (error) => seen.push(`1 ${error?.message}`));
    socket.send('behind', (error) => seen.push(`2 ${error?.message}`));
    blob.fail(cause);
    await until(() => seen.length === 4);
    expect(seen).toEqual([`1 ${cause.message}`, `2 ${cause.message}`, `error: ${cause.message}`, 'close: 1006']);
    expect((await end).code).toBe(1006);
  });

  test('a file that was changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
    afterTest(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'file');
    writeFileSync(path, 'content');
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    socket.send(await openAsBlob(path));
    await until(() => list.length === 1);
    expect(list).toEqual(['binary content']);
    const blob = await openAsBlob(path);
    await delay(20);
    writeFileSync(path, 'other content');
    const failed = onceWithoutError(socket, 'error');
    socket.send(blob);
    expect((await failed)[0]).toMatchObject({ name: 'NotReadableError' });
    expect((await closed(socket)).code).toBe(1006);
  });

  test('an arrayBuffer() that throws or gives something else', async () => {
    for (const arrayBuffer of [
      () => {
        throw cause;
      },
      () => Promise.resolve('text' as unknown),
    ]) {
      const { client: socket } = await pair();
      const failed = onceWithoutError(socket, 'error');
      socket.send(Object.assign(new LateBlob('x'), { arrayBuffer: arrayBuffer as LateBlob['arrayBuffer'] }));
      expect(String((await failed)[0])).toMatch(/changed|must give an ArrayBuffer/);
    }
  });

  test('during the closing handshake', async () => {
    const { client: socket } = await pair();
    const blob = new LateBlob('x');
    const seen = record(socket, 'error', 'close');
    socket.send(blob);
    socket.close(1000);
    blob.fail(cause);
    await until(() => seen.length === 2);
    expect(seen).toEqual([`error: ${cause.message}`, 'close: 1006']);
  });
});

describe('backpressure', () => {
  test('above highWaterMark send returns false, and drain follows', async () => {
    const { client: socket } = await pair({}, { highWaterMark: 1000 });
    const blob = new LateBlob('x'.repeat(1001));
    expect(socket.send(blob)).toBe(false);
    expect(socket.send('y')).toBe(false);
    blob.arrive();
    await once(socket, 'drain');
    expect(socket.send(new Blob(['z']))).toBe(true);
  });

  test.each(['drop', 'wait'] as const)('%s: what finds no room behind it is dropped', async (backpressure) => {
    const { client: socket, peer } = await pair({}, { highWaterMark: 1000, maxBackpressure: 1000, backpressure });
    const list = heard(peer);
    const blob = new LateBlob('first', 5000);
    expect(socket.send(blob)).toBe(false); // one is always accepted
    const error = await new Promise((resolve) => expect(socket.send(new Blob(['dropped']), resolve)).toBe(false));
    expect(error).toMatchObject({ code: 'WS_ERR_BACKPRESSURE' });
    blob.arrive();
    await until(() => list.length === 1);
    socket.send('next');
    await until(() => list.length === 2);
    expect(list).toEqual(['binary first', 'text next']);
  });

  test('close: the connection is closed with 1013 behind it', async () => {
    const { server, client: socket, peer } = await pair({ maxBackpressure: 1000 });
    const list = heard(socket);
    const blob = new LateBlob('first', 5000);
    peer.send(blob);
    expect(server.broadcast('dropped')).toBe(0);
    expect(peer.readyState).toBe(WebSocket.CLOSING);
    blob.arrive();
    expect((await closed(socket)).code).toBe(1013);
    expect(list).toEqual(['binary first']);
  });

  test('wait: a message of sendAsync behind it waits for room, and send is dropped meanwhile', async () => {
    const { client: socket, peer } = await pair({}, { maxBackpressure: 1 << 20, backpressure: 'wait' });
    peer.pause();
    const sizes: number[] = [];
    peer.on('message', (data) => sizes.push((data as Buffer).length));
    for (let i = 0; i < 40; i++) void socket.sendAsync(Buffer.alloc(1 << 20));
    const blob = new LateBlob('abc');
    const last = Promise.all([socket.sendAsync(blob), socket.sendAsync('last!')]);
    const dropped = await new Promise((resolve) => socket.send(new Blob(['dropped']), resolve));
    expect(dropped).toMatchObject({ code: 'WS_ERR_BACKPRESSURE' });
    blob.arrive();
    peer.resume();
    await last;
    await until(() => sizes.length === 42);
    expect(sizes.slice(39)).toEqual([1 << 20, 3, 5]);
  });
});

describe('broadcast', () => {
  test('reads it once for all, in its place on each', async () => {
    const { server, url } = await serve();
    const lists: string[][] = [];
    for (let i = 0; i < 3; i++) lists.push(heard(await connect(url)));
    await until(() => server.clients.size === 3);
    const blob = new LateBlob('x'.repeat(5000));
    let reads = 0;
    const arrayBuffer = blob.arrayBuffer.bind(blob);
    blob.arrayBuffer = () => {
      reads++;
      return arrayBuffer();
    };
    const [first] = server.clients;
    expect(server.broadcast('1')).toBe(3);
    expect(server.broadcast(blob, { except: first })).toBe(2);
    expect(server.broadcast('2')).toBe(3);
    first.terminate();
    blob.arrive();
    await until(() => lists[1].length === 3 && lists[2].length === 3);
    for (const list of lists.slice(1)) expect(list).toEqual(['text 1', `binary ${blob.text}`, 'text 2']);
    expect(reads).toBe(1);
  });

  test('a filter that ends its socket', async () => {
    const { server } = await pair();
    const filter = (socket: WebSocket): boolean => {
      socket.terminate();
      return true;
    };
    expect(server.broadcast(new Blob(['x']), { filter })).toBe(0);
  });
});

describe('received', () => {
  test.each([0, 1, 5000, 1 << 20])('binaryType blob, %i bytes', async (size) => {
    const { url } = await serveEcho();
    const socket = await connect(url);
    socket.binaryType = 'blob';
    expect(socket.binaryType).toBe('blob');
    const bytes = Buffer.alloc(size, 'abc');
    const event = new Promise<MessageData>((resolve) => socket.addEventListener('message', (e) => resolve(e.data)));
    socket.send(bytes);
    const { data, isBinary } = await nextMessage(socket);
    expect(isBinary).toBe(true);
    for (const blob of [data, await event] as unknown[]) {
      expect(blob).toBeInstanceOf(Blob);
      expect((blob as Blob).size).toBe(size);
      expect(Buffer.from(await (blob as Blob).arrayBuffer()).equals(bytes)).toBe(true);
    }
    socket.send('text');
    expect((await nextMessage(socket)).data).toEqual(Buffer.from('text'));
  });

  test('is its own also when messages are borrowed', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', delivery: 'borrow' });
    afterTest(() => server.close({ timeout: 0 }));
    await once(server, 'listening');
    const blobs: Blob[] = [];
    server.on('connection', (socket) => {
      socket.binaryType = 'blob';
      socket.on('message', (data) => blobs.push(data as unknown as Blob));
    });
    const raw = await rawClient((server.address() as { port: number }).port);
    for (const text of ['first', 'other', 'third']) {
      raw.write(frame(2, text));
      await delay(10);
    }
    await until(() => blobs.length === 3);
    expect(await Promise.all(blobs.map((blob) => blob.text()))).toEqual(['first', 'other', 'third']);
  });

  test('a Blob that came is sent back', async () => {
    const { client: socket, peer } = await pair();
    peer.binaryType = 'blob';
    peer.on('message', (data) => peer.send(data));
    socket.send(Buffer.from('there and back'));
    expect(textOf((await nextMessage(socket)).data)).toBe('there and back');
  });
});

// createMessageWriter: a message that is sent while it is written, and what stands behind it.
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocket, type MessageWriter } from '../../lib';
import {
  client,
  closed,
  closePayload,
  connect,
  delay,
  frame,
  nextMessage,
  pair,
  RawPeer,
  rawClient,
  rawServer,
  acceptText,
  record,
  root,
  serve,
  textOf,
  until,
} from './support';

const KiB = 1024;
const MiB = 1024 * KiB;

/** The frames that a server wrote, as '<first byte in hex> <payload>'. */
function framesIn(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    let length = bytes[at + 1] & 127;
    let start = at + 2;
    if (length === 126) length = bytes.readUInt16BE((start += 2) - 2);
    else if (length === 127) length = Number(bytes.readBigUInt64BE((start += 8) - 8));
    const payload = bytes.subarray(start, start + length);
    frames.push(`${bytes[at].toString(16).padStart(2, '0')} ${payload.toString()}`);
    at = start + length;
  }
  return frames;
}

/** A server's socket and the raw client at its other end. */
async function rawPair(): Promise<{ socket: WebSocket; peer: RawPeer }> {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  return { socket, peer };
}

/** What a socket receives, as 'text …' and 'binary …'. */
function heard(socket: WebSocket): string[] {
  const list: string[] = [];
  socket.on('message', (data, isBinary) => list.push(`${isBinary ? 'binary' : 'text'} ${textOf(data)}`));
  socket.on('ping', (data) => list.push(`ping ${textOf(data)}`));
  return list;
}

/** A write as a promise. */
function write(writer: Writable, chunk: string | Uint8Array, encoding: BufferEncoding = 'utf8'): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.write(chunk, encoding, (error) => (error ? reject(error) : resolve()));
  });
}

/** What happens to a writer, in order. */
function watch(writer: MessageWriter): string[] {
  const seen: string[] = [];
  writer.on('error', (error) => seen.push((error as NodeJS.ErrnoException).code ?? error.message));
  writer.on('finish', () => seen.push('finish'));
  writer.on('close', () => seen.push('close'));
  return seen;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the message', () => {
  test('leaves piece by piece, the last with FIN', async () => {
    const { socket, peer } = await rawPair();
    const writer = socket.createMessageWriter();
    writer.write('one');
    await turn();
    writer.write(Buffer.from('two'));
    await turn();
    writer.end('three');
    await once(writer, 'finish');
    expect(framesIn(await peer.take(17))).toEqual(['02 one', '00 two', '80 three']);
    expect(writer.isBinary).toBe(true);
  });

  test('is one frame when it is written at once', async () => {
    const { socket, peer } = await rawPair();
    const writer = socket.createMessageWriter({ binary: false });
    writer.write('a');
    writer.write('b');
    writer.end('c');
    socket.createMessageWriter().end();
    expect(framesIn(await peer.take(7))).toEqual(['81 abc', '82 ']);
  });

  test('is the same for the peer as one that is sent whole', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const text = socket.createMessageWriter({ binary: false, compress: false });
    await write(text, 'one ');
    await turn();
    text.end('two');
    socket.createMessageWriter({ highWaterMark: 3 }).end(new Uint8Array([51]));
    await until(() => list.length === 2);
    expect(list).toEqual(['text one two', 'binary 3']);
  });

  test('large chunks are cut, and arrive whole', async () => {
    const { client: socket, peer } = await pair();
    const data = randomBytes(3 * MiB);
    const received = nextMessage(peer);
    const writer = socket.createMessageWriter();
    writer.write(data.subarray(0, 100));
    writer.write(data.subarray(100, 2 * MiB));
    writer.end(data.subarray(2 * MiB));
    expect((await received).data.equals(data)).toBe(true);
    expect(writer.writableFinished).toBe(true);
  });

  test.each(['client', 'server'])('a pipeline from a %s', async (side) => {
    const { client: socket, peer } = await pair();
    const [sender, receiver] = side === 'client' ? [socket, peer] : [peer, socket];
    const hash = createHash('sha256');
    const chunks = (function* () {
      for (let i = 0; i < 200; i++) {
        const chunk = randomBytes(1 + ((i * 7919) % (100 * KiB)));
        hash.update(chunk);
        yield chunk;
      }
    })();
    const received = nextMessage(receiver);
    let most = 0;
    const writer = sender.createMessageWriter();
    const probe = setInterval(() => (most = Math.max(most, sender.bufferedAmount)), 1);
    await pipeline(Readable.from(chunks), writer);
    clearInterval(probe);
    const { data, isBinary } = await received;
    expect(createHash('sha256').update(data).digest('hex')).toBe(hash.digest('hex'));
    expect(isBinary).toBe(true);
    expect(most).toBeLessThan(512 * KiB);
  });

  test('as a web stream', async () => {
    const { client: socket, peer } = await pair();
    const received = nextMessage(peer);
    const web = Writable.toWeb(socket.createMessageWriter()).getWriter();
    await web.write(Buffer.from('from '));
    await web.write(Buffer.from('the web'));
    await web.close();
    expect(textOf((await received).data)).toBe('from the web');
  });

  test('a chunk may be changed when write has called back', async () => {
    const { client: socket, peer } = await pair();
    const received = nextMessage(peer);
    const writer = socket.createMessageWriter();
    for (const [size, letter] of [
      [10, 'a'],
      [50_000, 'b'],
      [10, 'c'],
    ] as const) {
      const chunk = Buffer.alloc(size, letter);
      await write(writer, chunk);
      chunk.fill('x');
    }
    writer.end();
    expect(textOf((await received).data)).toBe(`${'a'.repeat(10)}${'b'.repeat(50_000)}${'c'.repeat(10)}`);
  });

  test('waits for a slow peer, and ends when everything was handed over', async () => {
    const { client: socket, peer } = await pair();
    peer.pause();
    const writer = socket.createMessageWriter();
    const chunk = Buffer.alloc(256 * KiB, 'x');
    let written = 0;
    let isBlocked = false;
    while (!isBlocked) {
      const wrote = write(writer, chunk).then(() => true);
      isBlocked = !(await Promise.race([wrote, delay(300).then(() => false)]));
      written++;
      expect(written).toBeLessThan(400);
    }
    expect(socket.bufferedAmount).toBeLessThan(512 * KiB);
    let isFinished = false;
    writer.end(() => (isFinished = true));
    const received = nextMessage(peer);
    expect(isFinished).toBe(false);
    peer.resume();
    expect((await received).data).toHaveLength(written * 256 * KiB);
    await until(() => isFinished);
  });
});

describe('text', () => {
  async function sent(...chunks: (string | Buffer)[]): Promise<string> {
    const { client: socket, peer } = await pair();
    const received = nextMessage(peer);
    const writer = socket.createMessageWriter({ binary: false });
    for (const chunk of chunks) {
      await write(writer, chunk);
      await turn();
    }
    writer.end();
    const { data, isBinary } = await received;
    expect(isBinary).toBe(false);
    return textOf(data);
  }

  test('a character may be split between buffers', async () => {
    const bytes = Buffer.from('a€😀');
    expect(await sent(...Array.from(bytes, (byte) => Buffer.from([byte])))).toBe('a€😀');
  });

  test('a surrogate pair may be split between strings', async () => {
    expect(await sent('a\ud83d', '\ude00b', '\ud83d', '', '\ude00')).toBe('a😀b😀');
  });

  test('half a pair becomes U+FFFD, as in send', async () => {
    expect(await sent('a\ud83d', 'b')).toBe('a\ufffdb');
    expect(await sent('\ud83d', Buffer.from('b'), '\ude00')).toBe('\ufffdb\ufffd');
    expect(await sent('a\ud83d')).toBe('a\ufffd');
  });

  test('strings of other encodings are bytes', async () => {
    const { client: socket, peer } = await pair();
    const received = nextMessage(peer);
    const writer = socket.createMessageWriter({ binary: false });
    await write(writer, 'e282', 'hex');
    await write(writer, 'rA==', 'base64');
    await write(writer, 'a', 'latin1');
    writer.end();
    expect(textOf((await received).data)).toBe('€a');
  });

  test('invalid UTF-8 in buffers is not checked: the peer closes with 1007', async () => {
    const { client: socket, peer } = await pair();
    peer.on('error', () => {});
    const writer = socket.createMessageWriter({ binary: false });
    writer.on('error', () => {});
    const end = closed(socket);
    await write(writer, Buffer.from([0x61, 0xff]));
    expect((await end).code).toBe(1007);
  });
});

describe('what stands behind a writer', () => {
  test('waits in order: messages, Blobs, broadcasts and other writers', async () => {
    const { server, client: receiver, peer: socket } = await pair();
    const list = heard(receiver);
    socket.send('before');
    const writer = socket.createMessageWriter({ binary: false });
    socket.send('first');
    const other = socket.createMessageWriter({ binary: false });
    socket.send(new Blob(['second']));
    const promise = socket.sendAsync('third');
    other.end('other');
    expect(server.broadcast('fourth')).toBe(1);
    await write(writer, 'wri');
    await until(() => list.length === 1);
    writer.end('ter');
    await promise;
    await until(() => list.length === 7);
    expect(list).toEqual(
      ['text before', 'text writer', 'text first', 'text other', 'binary second', 'text third', 'text fourth'].slice(
        0,
        list.length,
      ),
    );
  });

  test('pings pass', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const writer = socket.createMessageWriter();
    await write(writer, 'a');
    socket.send('b');
    socket.ping('p');
    await until(() => list.length === 1);
    await new Promise<void>((resolve) => socket.pong('q', undefined, () => resolve()));
    writer.end();
    await until(() => list.length === 3);
    expect(list).toEqual(['ping p', 'binary a', 'text b']);
  });

  test('counts as buffered and is bounded by maxBackpressure', async () => {
    const { client: socket } = await pair({}, { maxBackpressure: 1000, backpressure: 'drop', highWaterMark: 100 });
    const writer = socket.createMessageWriter();
    expect(socket.send(Buffer.alloc(50))).toBe(true);
    expect(socket.send(Buffer.alloc(900))).toBe(false);
    expect(socket.bufferedAmount).toBe(950);
    const error = await new Promise<Error | undefined>((resolve) => socket.send(Buffer.alloc(100), resolve));
    expect(error).toMatchObject({ code: 'WS_ERR_BACKPRESSURE' });
    const drained = once(socket, 'drain');
    writer.end();
    await drained;
    expect(socket.bufferedAmount).toBe(0);
  });

  test('a writer stands behind messages that wait for room', async () => {
    const { client: socket, peer } = await pair({}, { maxBackpressure: 256 * KiB, backpressure: 'wait' });
    const list: string[] = [];
    peer.on('message', (data) => list.push(`${(data as Buffer).length}`));
    peer.pause();
    const sends = Array.from({ length: 60 }, (_, i) => socket.sendAsync(Buffer.alloc(200 * KiB + i)));
    const writer = socket.createMessageWriter();
    writer.end('last');
    await delay(50);
    peer.resume();
    await Promise.all(sends);
    await until(() => list.length === 61);
    expect(list).toEqual([...Array.from({ length: 60 }, (_, i) => `${200 * KiB + i}`), '4']);
  });

  test('an abort of sendAsync gives up what waits behind a writer', async () => {
    const { client: socket, peer } = await pair({}, { backpressure: 'wait' });
    const list = heard(peer);
    const writer = socket.createMessageWriter({ binary: false });
    const abort = new AbortController();
    const given = socket.sendAsync('given up', { signal: abort.signal });
    const kept = socket.sendAsync('kept');
    abort.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    expect(socket.bufferedAmount).toBe(4);
    writer.end('writer');
    await kept;
    await until(() => list.length === 2);
    expect(list).toEqual(['text writer', 'text kept']);
  });

  test('an abort of sendAsync gives up a Blob that is being read, and what waits behind one', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const never = Object.assign(new Blob(['never']), { arrayBuffer: () => new Promise<ArrayBuffer>(() => {}) });
    const aborts = [new AbortController(), new AbortController()];
    const blob = socket.sendAsync(never, { signal: aborts[0].signal });
    const behind = socket.sendAsync('behind', { signal: aborts[1].signal });
    socket.send('last');
    aborts[1].abort();
    await expect(behind).rejects.toMatchObject({ name: 'AbortError' });
    aborts[0].abort();
    await expect(blob).rejects.toMatchObject({ name: 'AbortError' });
    await until(() => list.length === 1);
    expect(list).toEqual(['text last']);
    expect(socket.bufferedAmount).toBe(0);
  });

  test('many writers that have ended follow each other', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const first = socket.createMessageWriter();
    for (let i = 0; i < 5000; i++) socket.createMessageWriter({ binary: false }).end(`${i}`);
    await turn();
    first.end();
    await until(() => list.length === 5001);
    expect(list.slice(1)).toEqual(Array.from({ length: 5000 }, (_, i) => `text ${i}`));
  });
});

describe('destroying', () => {
  test.each(['in front', 'behind'])('a writer that has not begun is dropped (%s)', async (place) => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const other = place === 'behind' ? socket.createMessageWriter({ binary: false }) : undefined;
    const writer = socket.createMessageWriter();
    const seen = watch(writer);
    writer.write('never sent');
    socket.send('next');
    writer.destroy(new Error('changed my mind'));
    other?.end('other');
    await until(() => list.length === (other ? 2 : 1));
    expect(list).toEqual(other ? ['text other', 'text next'] : ['text next']);
    expect(seen).toEqual(['changed my mind', 'close']);
    expect(socket.readyState).toBe(socket.OPEN);
  });

  test('one that has begun breaks the connection off with 1011', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const writer = socket.createMessageWriter();
    const seen = watch(writer);
    await write(writer, 'begun');
    await turn();
    const ends = Promise.all([closed(socket), closed(peer)]);
    const behind = new Promise<Error | undefined>((resolve) => socket.send('behind', resolve));
    writer.destroy(new Error('broken'));
    expect(socket.readyState).toBe(socket.CLOSING);
    expect(await behind).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    expect(await ends).toEqual(Array(2).fill({ code: 1011, reason: 'A message was broken off' }));
    expect(seen).toEqual(['broken', 'close']);
    expect(list).toEqual([]);
  });

  test('a pipeline whose source fails does the same', async () => {
    const { client: socket, peer } = await pair();
    const end = closed(peer);
    const source = Readable.from(
      (async function* () {
        yield Buffer.alloc(100 * KiB);
        await turn();
        throw new Error('the disk is gone');
      })(),
    );
    await expect(pipeline(source, socket.createMessageWriter())).rejects.toThrow('the disk is gone');
    expect((await end).code).toBe(1011);
  });

  test('a signal does it too, before and after the beginning', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const early = new AbortController();
    early.abort();
    const writers = [socket.createMessageWriter({ signal: early.signal })];
    const abort = new AbortController();
    writers.push(socket.createMessageWriter({ signal: abort.signal }));
    const seen = writers.map(watch);
    abort.abort();
    await turn();
    expect(seen).toEqual([
      ['ABORT_ERR', 'close'],
      ['ABORT_ERR', 'close'],
    ]);
    socket.send('goes on');
    await until(() => list.length === 1);

    const late = new AbortController();
    const writer = socket.createMessageWriter({ signal: late.signal });
    const last = watch(writer);
    const end = closed(peer);
    await write(writer, Buffer.alloc(20 * KiB));
    late.abort();
    expect((await end).code).toBe(1011);
    expect(last).toEqual(['ABORT_ERR', 'close']);
  });

  test('after the last frame it changes nothing', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const writer = socket.createMessageWriter({ binary: false });
    writer.end('whole');
    await turn();
    writer.destroy();
    socket.send('next');
    await until(() => list.length === 2);
    expect(list).toEqual(['text whole', 'text next']);
  });
});

describe('the end of the connection', () => {
  test('close destroys a writer that has not ended, and the Close frame goes out at once', async () => {
    const { client: socket, peer } = await pair();
    const writer = socket.createMessageWriter();
    const seen = watch(writer);
    await write(writer, 'begun');
    await turn();
    const behind = new Promise<Error | undefined>((resolve) => socket.send('behind', resolve));
    const ends = Promise.all([closed(socket), closed(peer)]);
    socket.close(1000, 'enough');
    expect(await behind).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    expect(await ends).toEqual(Array(2).fill({ code: 1000, reason: 'enough' }));
    expect(seen).toEqual(['WS_ERR_CONNECTION_CLOSED', 'close']);
  });

  test('close drops writers that have not begun, and sends what stands between them', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    const writers = [socket.createMessageWriter()];
    socket.send('a');
    writers.push(socket.createMessageWriter());
    socket.send(new Blob(['b']));
    writers.push(socket.createMessageWriter());
    socket.createMessageWriter({ binary: false }).end('c');
    const seen = writers.map(watch);
    const end = closed(peer);
    socket.close(1000);
    expect(socket.readyState).toBe(socket.CLOSING);
    expect((await end).code).toBe(1000);
    expect(list).toEqual(['text a', 'binary b', 'text c']);
    expect(seen).toEqual(Array(3).fill(['WS_ERR_CONNECTION_CLOSED', 'close']));
  });

  test('close with one writer that was not used', async () => {
    const { client: socket, peer } = await pair();
    const writer = socket.createMessageWriter();
    const end = closed(peer);
    socket.close(1000);
    expect((await end).code).toBe(1000);
    expect(writer.destroyed).toBe(true);
  });

  test('close waits for a writer that has ended and is still sending', async () => {
    const { client: socket, peer } = await pair();
    peer.pause();
    const writer = socket.createMessageWriter();
    const seen = watch(writer);
    for (let i = 0; i < 64; i++) writer.write(Buffer.alloc(256 * KiB));
    writer.end();
    const received = nextMessage(peer);
    const end = closed(peer);
    socket.close(1000);
    expect(socket.readyState).toBe(socket.CLOSING);
    await turn();
    expect(seen).toEqual([]);
    peer.resume();
    expect((await received).data).toHaveLength(16 * MiB);
    expect((await end).code).toBe(1000);
    expect(seen).toEqual(['finish', 'close']);
  });

  test('destroying it then breaks the connection off', async () => {
    const { client: socket, peer } = await pair();
    peer.pause();
    const writer = socket.createMessageWriter();
    for (let i = 0; i < 64; i++) writer.write(Buffer.alloc(256 * KiB));
    writer.end();
    await turn();
    socket.close(1000);
    writer.destroy();
    const end = closed(peer);
    peer.resume();
    expect((await end).code).toBe(1011);
  });

  test('closeTimeout bounds the waiting', async () => {
    const { client: socket, peer } = await pair({}, { closeTimeout: 100 });
    peer.pause();
    const writer = socket.createMessageWriter();
    const seen = watch(writer);
    for (let i = 0; i < 64; i++) writer.write(Buffer.alloc(256 * KiB));
    writer.end();
    socket.close(1000);
    expect((await closed(socket)).code).toBe(1006);
    await until(() => seen.length === 2);
    expect(seen).toEqual(['WS_ERR_CONNECTION_CLOSED', 'close']);
  });

  const ends: [string, (socket: WebSocket, peer: WebSocket) => void][] = [
    ['terminate', (socket) => socket.terminate()],
    ["the peer's terminate", (_socket, peer) => peer.terminate()],
    ["the peer's close", (_socket, peer) => peer.close(1001)],
  ];
  test.each(ends)('%s destroys writers, once', async (_name, act) => {
    const { client: socket, peer } = await pair();
    socket.on('error', () => {});
    const writers = [socket.createMessageWriter(), socket.createMessageWriter()];
    const seen = writers.map(watch);
    await write(writers[0], 'begun');
    await turn();
    const pending = new Promise<Error | null | undefined>((resolve) => writers[1].write(Buffer.alloc(MiB), resolve));
    const end = closed(socket);
    act(socket, peer);
    await end;
    expect(await pending).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    await turn();
    expect(seen).toEqual(Array(2).fill(['WS_ERR_CONNECTION_CLOSED', 'close']));
    expect(writers.every((writer) => writer.destroyed)).toBe(true);
  });

  test.each(ends)('%s: nobody has to listen to a writer', async (_name, act) => {
    const { client: socket, peer } = await pair();
    socket.on('error', () => {});
    const writer = socket.createMessageWriter();
    const names: string[] = [];
    writer.on('close', () => names.push('close'));
    writer.write(Buffer.alloc(MiB));
    const end = closed(socket);
    act(socket, peer);
    await end;
    await until(() => names.length === 1);
    expect(writer.errored).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test('a peer that is gone fails a pipeline', async () => {
    const { client: socket, peer } = await pair();
    socket.on('error', () => {});
    const endless = new Readable({ read() { this.push(Buffer.alloc(64 * KiB)); } }); // prettier-ignore
    const sent = pipeline(endless, socket.createMessageWriter());
    await turn();
    peer.terminate();
    await expect(sent).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test('a Close frame may come inside the message, and ends it', async () => {
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead()));
      await peer.take(1);
      peer.write(frame(8, closePayload(1000), { mask: false }));
      peer.socket.end();
    });
    const socket = await connect(url);
    const writer = socket.createMessageWriter();
    const seen = watch(writer);
    writer.write(Buffer.alloc(20 * KiB));
    expect((await closed(socket)).code).toBe(1000);
    await turn();
    expect(seen).toEqual(['WS_ERR_CONNECTION_CLOSED', 'close']);
  });
});

describe('when there is no place for one', () => {
  test('CONNECTING throws', async () => {
    const { url } = await serve();
    const socket = client(url);
    expect(() => socket.createMessageWriter()).toThrow('readyState 0 (CONNECTING)');
    await once(socket, 'open');
  });

  test('a socket that is closed or closing gives a destroyed writer', async () => {
    const { client: socket } = await pair();
    const end = closed(socket);
    socket.close();
    const closing = socket.createMessageWriter();
    const seen = watch(closing);
    await end;
    const error = await new Promise<Error | null | undefined>((resolve) =>
      socket.createMessageWriter().write('late', resolve),
    );
    expect(error).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
    expect(seen).toEqual(['WS_ERR_CONNECTION_CLOSED', 'close']);
    const never = new WebSocket('ws://127.0.0.1:1');
    never.on('error', () => {});
    never.terminate();
    expect(never.createMessageWriter().destroyed).toBe(true);
    await closed(never);
  });

  test('in the middle of a message that will never be complete, too', async () => {
    const { client: socket } = await pair();
    socket.send('a', { fin: false });
    socket.terminate();
    expect(socket.createMessageWriter().destroyed).toBe(true);
    await closed(socket);
  });

  test('in the middle of a message of send it throws', async () => {
    const { client: socket, peer } = await pair();
    const list = heard(peer);
    socket.send('a', { fin: false });
    expect(() => socket.createMessageWriter()).toThrow('A message is under way');
    socket.send('b');
    const writer = socket.createMessageWriter({ binary: false });
    socket.send('c', { fin: false });
    expect(() => socket.createMessageWriter()).toThrow('A message is under way');
    socket.send('d');
    socket.createMessageWriter({ binary: false }).end('f');
    writer.end('e');
    await until(() => list.length === 4);
    expect(list).toEqual(['text ab', 'text e', 'text cd', 'text f']);
  });

  test.each([
    ['binary', { binary: 'yes' }, 'The option "binary" must be true or false, not'],
    ['compress', { compress: 1 }, 'The option "compress" must be true or false, not'],
    ['highWaterMark', { highWaterMark: -1 }, 'The option "highWaterMark" must be a whole number'],
    ['signal', { signal: 'stop' }, 'The option "signal" must be an AbortSignal, not'],
  ])('an invalid option throws and changes nothing: %s', async (_name, options, message) => {
    const { client: socket, peer } = await pair();
    expect(() => socket.createMessageWriter(options as object)).toThrow(message);
    const received = nextMessage(peer);
    socket.send('goes on');
    expect(textOf((await received).data)).toBe('goes on');
  });

  test('after the end of a writer its socket drains', async () => {
    const { client: socket } = await pair({}, { highWaterMark: 10 });
    const names = record(socket, 'drain');
    const writer = socket.createMessageWriter();
    expect(socket.send('x'.repeat(100))).toBe(false);
    writer.end();
    await until(() => names.length === 1);
    expect(socket.bufferedAmount).toBe(0);
  });
});

test('the example that sends a file', () => {
  const file = join(root, 'examples/streaming/send_file.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\d{7,} bytes, SHA-256 [0-9a-f]{64}: the same on both sides\n$/);
});

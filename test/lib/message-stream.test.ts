// The receive mode messageStream: messages as streams, their backpressure and their ends.
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable, type Duplex } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { buffer, text } from 'node:stream/consumers';
import { createWebSocketStream, WebSocket, WebSocketServer, type MessageStream, type ServerOptions } from '../../lib';
import {
  afterTest,
  client,
  closed,
  closePayload,
  connect,
  delay,
  duplexPair,
  frame,
  pair,
  rawClient,
  record,
  root,
  serve,
  until,
  type RawPeer,
} from './support';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A server's socket with message streams, and the raw client at its other end. */
async function rawPair(options: ServerOptions = {}): Promise<{ socket: WebSocket; peer: RawPeer }> {
  const { server, port } = await serve({ messageStream: true, ...options });
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  return { socket, peer };
}

/** The next stream. */
async function nextStream(socket: WebSocket): Promise<MessageStream> {
  return ((await once(socket, 'messageStream')) as [MessageStream])[0];
}

/** All streams of a socket, as they come. */
function streamsOf(socket: WebSocket): MessageStream[] {
  const streams: MessageStream[] = [];
  socket.on('messageStream', (stream) => streams.push(stream));
  return streams;
}

/** The texts of all messages, each read to its end when it comes. */
function textsOf(socket: WebSocket): string[] {
  const texts: string[] = [];
  let last = Promise.resolve();
  socket.on('messageStream', (stream) => {
    const read = text(stream);
    last = last.then(async () => {
      texts.push(`${stream.isBinary ? 'binary' : 'text'} ${await read}`);
    });
  });
  return texts;
}

/** What happens to a stream, in order. */
function watch(stream: Readable): string[] {
  const seen: string[] = [];
  stream.on('error', (error) => seen.push((error as NodeJS.ErrnoException).code ?? error.message));
  stream.on('end', () => seen.push('end'));
  stream.on('close', () => seen.push('close'));
  return seen;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('messages', () => {
  test.each(['client', 'server'])('are streams on a %s, and in order', async (side) => {
    const { client: socket, peer } = await pair({ messageStream: true }, { messageStream: true });
    const [sender, receiver] = side === 'server' ? [socket, peer] : [peer, socket];
    const texts = textsOf(receiver);
    const whole: unknown[] = [];
    receiver.on('message', (data) => whole.push(data));
    receiver.addEventListener('message', (event) => whole.push(event));
    sender.send('one');
    sender.send(Buffer.from('two'));
    sender.send('');
    sender.send('th', { fin: false });
    sender.send('ree');
    const large = 'x'.repeat(3 * MiB);
    sender.send(large);
    await until(() => texts.length === 5);
    expect(texts.pop() === `text ${large}`).toBe(true);
    expect(texts).toEqual(['text one', 'binary two', 'text ', 'text three']);
    expect(whole).toEqual([]);
  });

  test('begin with their first bytes, and end with their last', async () => {
    const { socket, peer } = await rawPair();
    const begun = nextStream(socket);
    peer.write(frame(1, 'be', { fin: false }));
    const stream = await begun;
    expect(stream).toBeInstanceOf(Readable);
    expect(stream.isBinary).toBe(false);
    const chunks: string[] = [];
    const seen = watch(stream);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    await until(() => chunks.length === 1);
    peer.write(frame(0, 'gun', { fin: false }));
    await until(() => chunks.length === 2);
    expect(seen).toEqual([]);
    peer.write(frame(0));
    await until(() => seen.length === 2);
    expect(chunks).toEqual(['be', 'gun']);
    expect(seen).toEqual(['end', 'close']);
  });

  test('setEncoding gives whole characters', async () => {
    const { socket, peer } = await rawPair();
    const begun = nextStream(socket);
    for (const byte of Buffer.from('€😀')) {
      peer.write(frame(byte === 0xe2 ? 1 : 0, Buffer.from([byte]), { fin: false }));
      await turn();
    }
    peer.write(frame(0));
    const stream = (await begun).setEncoding('utf8');
    let all = '';
    for await (const chunk of stream) all += chunk as string;
    expect(all).toBe('€😀');
  });

  test.each(['tiny', 'large'])('of thousands of %s fragments, with pings between', async (size) => {
    const { socket, peer } = await rawPair({ maxPayload: 0 });
    const pings: string[] = [];
    socket.on('ping', (data) => pings.push(data.toString()));
    const begun = nextStream(socket);
    const bytes = randomBytes(size === 'tiny' ? 20_000 : 8 * MiB);
    const step = bytes.length / 20_000;
    const frames: Buffer[] = [];
    for (let i = 0; i < 20_000; i++) {
      const piece = bytes.subarray(Math.floor(i * step), Math.floor((i + 1) * step));
      frames.push(frame(i === 0 ? 2 : 0, piece, { fin: i === 19_999 }));
      if (i % 1000 === 500) frames.push(frame(9, `${i}`));
    }
    peer.write(...frames);
    const received = await buffer(await begun);
    expect(received.equals(bytes)).toBe(true);
    expect(pings).toEqual(Array.from({ length: 20 }, (_, i) => `${i * 1000 + 500}`));
  });

  test('tiny fragments that arrive together are few chunks', async () => {
    const { socket, peer } = await rawPair();
    const begun = nextStream(socket);
    peer.write(...Array.from({ length: 10_000 }, (_, i) => frame(i === 0 ? 2 : 0, 'x', { fin: i === 9999 })));
    let chunks = 0;
    for await (const chunk of await begun) chunks += (chunk as Buffer).length > 0 ? 1 : 0;
    expect(chunks).toBeLessThan(500);
  });

  test('over any Duplex', async () => {
    const [near, far] = duplexPair();
    const ends = [near, far].map((stream: Duplex, i) => {
      const socket = new WebSocket(null);
      socket.on('error', () => {});
      if (i === 0) socket.setSocket(stream, Buffer.alloc(0), { messageStream: true });
      return socket;
    });
    const texts = textsOf(ends[0]);
    far.write(Buffer.concat([frame(1, 'he', { fin: false }), frame(0, 'llo'), frame(2, 'you')]));
    await until(() => texts.length === 2);
    expect(texts).toEqual(['text hello', 'binary you']);
    far.destroy();
    near.destroy();
  });

  test('an echo through a writer, by hash', async () => {
    const { client: socket, peer } = await pair({ messageStream: true }, { messageStream: true });
    peer.on('messageStream', (stream) => {
      void pipeline(stream, peer.createMessageWriter({ binary: stream.isBinary }));
    });
    const [out, back] = [createHash('sha256'), createHash('sha256')];
    const source = (function* () {
      for (let i = 0; i < 300; i++) {
        const chunk = randomBytes(1 + ((i * 104_729) % (200 * KiB)));
        out.update(chunk);
        yield chunk;
      }
    })();
    const echo = nextStream(socket);
    const sent = pipeline(Readable.from(source), socket.createMessageWriter());
    await pipeline(await echo, back);
    await sent;
    expect(back.digest('hex')).toBe(out.digest('hex'));
  });
});

describe('one after the other', () => {
  test('the next stream comes when this one was read to its end', async () => {
    const { socket, peer } = await rawPair();
    const streams = streamsOf(socket);
    peer.write(frame(1, 'first'), frame(1, 'second'), frame(1, 'third', { fin: false }));
    await until(() => streams.length === 1);
    await delay(20);
    expect(streams).toHaveLength(1);
    expect(await text(streams[0])).toBe('first');
    await until(() => streams.length === 2);
    expect(await text(streams[1])).toBe('second');
    await until(() => streams.length === 3);
    peer.write(frame(0, '!'));
    expect(await text(streams[2])).toBe('third!');
  });

  test('destroying a stream discards the rest of its message', async () => {
    const { socket, peer } = await rawPair();
    const streams = streamsOf(socket);
    peer.write(frame(2, Buffer.alloc(300 * KiB), { fin: false }));
    await until(() => streams.length === 1);
    streams[0].destroy();
    await turn();
    peer.write(frame(0, Buffer.alloc(300 * KiB), { fin: false }), frame(0, 'end'), frame(1, 'next'));
    await until(() => streams.length === 2);
    expect(await text(streams[1])).toBe('next');
  });

  test('destroying one that has arrived makes room for those behind it', async () => {
    const { socket, peer } = await rawPair();
    const texts: string[] = [];
    socket.on('messageStream', (stream) => {
      stream.once('data', (chunk: Buffer) => {
        texts.push(chunk.toString());
        stream.destroy();
      });
    });
    peer.write(...Array.from({ length: 100 }, (_, i) => frame(1, `${i}`)));
    await until(() => texts.length === 100);
    expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  test('without a listener messages are discarded', async () => {
    const { socket, peer } = await rawPair();
    peer.write(frame(1, 'lost'), frame(2, Buffer.alloc(MiB)), frame(9, 'p'));
    await once(socket, 'ping');
    const texts = textsOf(socket);
    peer.write(frame(1, 'heard'));
    await until(() => texts.length === 1);
    expect(texts).toEqual(['text heard']);
  });

  test('a listener that throws leaves the stream and those behind it', () => {
    const program = `
      const { WebSocket } = require('./dist/cjs.cjs');
      const { PassThrough, Duplex } = require('node:stream');
      const input = new PassThrough();
      const stream = Duplex.from({ readable: input, writable: new PassThrough() });
      const socket = new WebSocket(null);
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      socket.setSocket(stream, Buffer.alloc(0), { messageStream: true });
      socket.on('messageStream', (stream) => {
        stream.on('data', (data) => seen.push(String(data)));
        stream.on('end', () => { if (seen.length === 6) console.log(JSON.stringify(seen)); });
        throw new Error('thrown');
      });
      const frame = (text) => Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
      input.write(Buffer.concat([frame('a'), frame('b'), frame('c')]));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
      cwd: root,
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ stdout, stderr }).toEqual({ stdout: '["thrown","a","thrown","b","thrown","c"]\n', stderr: '' });
  });
});

describe('backpressure', () => {
  /** Sends until nothing moves any more; returns how many bytes were taken. */
  async function fill(
    sender: WebSocket,
  ): Promise<{ writer: ReturnType<WebSocket['createMessageWriter']>; bytes: number }> {
    const writer = sender.createMessageWriter();
    const chunk = Buffer.alloc(256 * KiB);
    let bytes = 0;
    for (;;) {
      const wrote = new Promise<boolean>((resolve) => writer.write(chunk, () => resolve(true)));
      bytes += chunk.length;
      if (!(await Promise.race([wrote, delay(300).then(() => false)]))) return { writer, bytes };
      expect(bytes).toBeLessThan(100 * MiB);
    }
  }

  test('a stream that is not read closes the window, and reading opens it', async () => {
    const { client: socket, peer } = await pair({ messageStream: true }, { pingInterval: 0 });
    const begun = nextStream(peer);
    const { writer, bytes } = await fill(socket);
    const stream = await begun;
    expect(stream.readableLength).toBeLessThan(2 * MiB);
    expect(peer.isPaused).toBe(false);
    writer.end('last');
    expect(await buffer(stream)).toHaveLength(bytes + 4);
  });

  test('messages behind one that is not read close it, too', async () => {
    const { client: socket, peer } = await pair({ messageStream: true });
    const streams = streamsOf(peer);
    const message = Buffer.alloc(10 * KiB, 'x');
    let sent = 0;
    while (socket.bufferedAmount < MiB) {
      for (let i = 0; i < 100; i++, sent++) socket.send(message);
      await turn();
      expect(sent).toBeLessThan(20_000);
    }
    expect(streams).toHaveLength(1);
    let received = 0;
    const read = (stream: Readable): void => {
      stream.resume();
      stream.once('end', () => received++);
    };
    peer.on('messageStream', read);
    read(streams[0]);
    await until(() => received === sent, 'every message');
  });

  test('a peer that waits for a slow reader is not cut by keep-alive', async () => {
    const { client: socket, peer } = await pair({
      messageStream: true,
      pingInterval: 30,
      pingTimeout: 30,
      idleTimeout: 60,
    });
    const begun = nextStream(peer);
    const { writer, bytes } = await fill(socket);
    const stream = await begun;
    await delay(300);
    expect(peer.readyState).toBe(peer.OPEN);
    writer.end();
    expect(await buffer(stream)).toHaveLength(bytes);
  });

  test('pause holds streams back, and their bytes', async () => {
    const { client: socket, peer } = await pair({ messageStream: true });
    const streams = streamsOf(peer);
    const writer = socket.createMessageWriter();
    writer.write('one ');
    await until(() => streams.length === 1);
    const chunks: string[] = [];
    streams[0].on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    await until(() => chunks.length === 1);
    peer.pause();
    writer.end('two');
    socket.send('next');
    await delay(30);
    expect([chunks.length, streams.length]).toEqual([1, 1]);
    peer.resume();
    await until(() => streams.length === 2);
    expect(chunks.join('')).toBe('one two');
    expect(await text(streams[1])).toBe('next');
  });

  test('pause in a listener holds what arrived with the message', async () => {
    const { socket, peer } = await rawPair();
    const texts: string[] = [];
    socket.on('messageStream', (stream) => {
      socket.pause();
      void text(stream).then((all) => texts.push(all));
    });
    peer.write(frame(1, 'a', { fin: false }), frame(9, 'x'), frame(0, 'b'), frame(1, 'c'));
    await once(socket, 'ping');
    await delay(20);
    expect(texts).toEqual([]);
    socket.resume();
    await until(() => texts.length === 2);
    expect(texts).toEqual(['ab', 'c']);
  });

  test('memory does not grow with the message', async () => {
    const program = `
      const { WebSocket, WebSocketServer } = require('./dist/cjs.cjs');
      const { pipeline } = require('node:stream/promises');
      const { Readable, Writable } = require('node:stream');
      const MiB = 1024 * 1024;
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', messageStream: true, maxPayload: 0 });
      const slow = () => new Writable({
        highWaterMark: 16384,
        write(chunk, encoding, done) {
          this.bytes = (this.bytes ?? 0) + chunk.length;
          if (this.bytes % (4 * MiB) < chunk.length) setTimeout(done, 2);
          else done();
        },
      });
      let finish;
      server.on('connection', (socket) => socket.on('messageStream', (stream) => {
        const sink = slow();
        pipeline(stream, sink).then(() => finish(sink.bytes));
      }));
      server.on('listening', () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        socket.on('open', async () => {
          const send = async (size) => {
            const received = new Promise((resolve) => (finish = resolve));
            const chunk = Buffer.alloc(64 * 1024, 7);
            let left = size;
            const source = new Readable({
              read() {
                this.push(left > 0 ? chunk : null);
                left -= chunk.length;
              },
            });
            await pipeline(source, socket.createMessageWriter());
            return received;
          };
          await send(64 * MiB);
          global.gc();
          const before = process.memoryUsage.rss();
          let peak = 0;
          const probe = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss() - before)), 5);
          const bytes = await send(256 * MiB);
          clearInterval(probe);
          console.log(JSON.stringify({ bytes, peak: Math.round(peak / MiB) }));
          socket.close();
          server.close();
        });
      });
    `;
    const child = spawn(process.execPath, ['--expose-gc', '-e', program], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    afterTest(() => child.kill());
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const { bytes, peak } = JSON.parse(output) as { bytes: number; peak: number };
    expect(bytes).toBe(256 * MiB);
    // MiB; a sanitizer keeps freed memory for a while.
    if (!process.env.LD_PRELOAD?.includes('libasan')) expect(peak).toBeLessThan(48);
  });
});

describe('the end of the connection', () => {
  const cuts: [string, string, (socket: WebSocket, peer: RawPeer) => void][] = [
    ['terminate', 'WS_ERR_CONNECTION_CLOSED', (socket) => socket.terminate()],
    ["the peer's reset", 'WS_ERR_CONNECTION_CLOSED', (_, peer) => peer.socket.resetAndDestroy()],
    ["the peer's FIN", 'WS_ERR_CONNECTION_CLOSED', (_, peer) => peer.socket.end()],
    ["the peer's Close frame", 'WS_ERR_CONNECTION_CLOSED', (_, peer) => peer.write(frame(8, closePayload(1000)))],
    ['invalid UTF-8', 'WS_ERR_INVALID_UTF8', (_, peer) => peer.write(frame(0, Buffer.from([0x28])))],
    ['too much', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', (_, peer) => peer.write(frame(0, Buffer.alloc(2000)))],
    ['another message', 'WS_ERR_INVALID_OPCODE', (_, peer) => peer.write(frame(1, 'x'))],
  ];
  test.each(cuts)('%s in the middle of a message is an error of its stream', async (_name, code, act) => {
    const { socket, peer } = await rawPair({ maxPayload: 1000 });
    const begun = nextStream(socket);
    peer.write(frame(1, Buffer.from('begun \xc3', 'latin1'), { fin: false }));
    const stream = await begun;
    const order: string[] = [];
    socket.on('error', (error) => order.push(`socket ${(error as NodeJS.ErrnoException).code}`));
    stream.on('error', (error) => order.push(`stream ${(error as NodeJS.ErrnoException).code}`));
    stream.on('end', () => order.push('end'));
    stream.on('close', () => order.push('stream close'));
    stream.resume();
    const end = closed(socket).then(() => order.push('socket close'));
    await turn();
    act(socket, peer);
    if (code !== 'WS_ERR_CONNECTION_CLOSED') await until(() => peer.received.length > 0);
    peer.socket.end();
    await end;
    const fault = code === 'WS_ERR_CONNECTION_CLOSED' ? [] : [`socket ${code}`];
    expect(order).toEqual([...fault, `stream ${code}`, 'stream close', 'socket close']);
  });

  test.each(cuts)('%s: nobody has to listen to the stream', async (_name, code, act) => {
    const { socket, peer } = await rawPair({ maxPayload: 1000 });
    socket.on('error', () => {});
    const begun = nextStream(socket);
    peer.write(frame(1, Buffer.from('begun \xc3', 'latin1'), { fin: false }));
    const stream = await begun;
    const seen: string[] = [];
    for (const name of ['end', 'close']) stream.on(name, () => seen.push(name));
    const end = closed(socket);
    act(socket, peer);
    await delay(20);
    peer.socket.end();
    await end;
    expect(seen).toEqual(['close']);
    expect(stream.errored).toMatchObject({ code });
    await expect(finished(stream)).rejects.toMatchObject({ code });
  });

  test('1007 comes with the first bad byte, also inside of a frame', async () => {
    const { socket, peer } = await rawPair();
    socket.on('error', () => {});
    const begun = nextStream(socket);
    const bytes = frame(1, Buffer.from('ab\xffcd', 'latin1'));
    peer.write(bytes.subarray(0, 8));
    const stream = await begun;
    const read = text(stream);
    peer.write(bytes.subarray(8, 9));
    await expect(read).rejects.toMatchObject({ code: 'WS_ERR_INVALID_UTF8', closeStatus: 1007 });
    expect((await peer.take(4)).subarray(0, 4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xef]));
  });

  test('maxPayload counts for each message, and 1009 is told', async () => {
    const { client: socket, peer } = await pair({ messageStream: true, maxPayload: 1000 });
    peer.on('error', () => {});
    const first = nextStream(peer);
    socket.send('x'.repeat(1000));
    expect(await text(await first)).toHaveLength(1000);
    const end = closed(socket);
    const last = nextStream(peer);
    const writer = socket.createMessageWriter();
    writer.on('error', () => {});
    writer.write('y'.repeat(900));
    const read = text(await last);
    writer.write('y'.repeat(101));
    await expect(read).rejects.toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect((await end).code).toBe(1009);
  });

  test('with maxPayload 0 a message may have more than 4 GiB', async () => {
    const { socket, peer } = await rawPair({ maxPayload: 0 });
    const errors = record(socket, 'error');
    const begun = nextStream(socket);
    const header = frame(2, Buffer.alloc(0));
    header[1] |= 127;
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(5n * 1024n ** 3n);
    peer.write(header.subarray(0, 2), length, Buffer.alloc(4), Buffer.from('of 5 GiB'));
    const [chunk] = (await once(await begun, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('of 5 GiB');
    expect(errors).toEqual([]);
  });

  test('maxFragments has no default, and counts when it is given', async () => {
    const { socket, peer } = await rawPair({ maxFragments: 3 });
    socket.on('error', () => {});
    const begun = nextStream(socket);
    peer.write(frame(1, 'a', { fin: false }));
    const read = text(await begun);
    peer.write(frame(0, 'b', { fin: false }), frame(0, 'c', { fin: false }), frame(0, 'd'));
    await expect(read).rejects.toMatchObject({ code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS', closeStatus: 1008 });
  });

  test('messages that arrived before are delivered before close, also unread ones', async () => {
    const { socket, peer } = await rawPair();
    const streams = streamsOf(socket);
    const order: string[] = [];
    socket.on('messageStream', () => order.push('stream'));
    socket.on('close', () => order.push('close'));
    const end = closed(socket);
    peer.write(frame(1, 'a'), frame(1, 'b'), frame(1, 'c', { fin: false }), frame(0, 'd'));
    peer.write(frame(1, 'half', { fin: false }), frame(8, closePayload(1000)));
    peer.socket.end();
    expect((await end).code).toBe(1000);
    expect(order).toEqual(['stream', 'stream', 'stream', 'close']);
    expect(await Promise.all(streams.map((stream) => text(stream)))).toEqual(['a', 'b', 'cd']);
  });

  test('a paused socket delivers them, too', async () => {
    const { socket, peer } = await rawPair();
    socket.on('ping', () => socket.pause());
    const texts = textsOf(socket);
    peer.write(frame(9), frame(1, 'a'), frame(1, 'b'), frame(8, closePayload(1000)));
    peer.socket.end();
    expect((await closed(socket)).code).toBe(1000);
    await until(() => texts.length === 2);
    expect(texts).toEqual(['text a', 'text b']);
  });

  test('terminate drops what was not delivered', async () => {
    const { socket, peer } = await rawPair();
    const streams = streamsOf(socket);
    peer.write(frame(1, 'a'), frame(1, 'b'));
    await until(() => streams.length === 1);
    await turn();
    socket.terminate();
    await closed(socket);
    await turn();
    expect(streams).toHaveLength(1);
    expect(await text(streams[0])).toBe('a');
  });

  test('close of a socket whose stream is read goes on until the peer has closed', async () => {
    const { client: socket, peer } = await pair({ messageStream: true });
    const begun = nextStream(peer);
    socket.send(Buffer.alloc(4 * MiB));
    const stream = await begun;
    const end = closed(peer);
    peer.close(1000);
    expect(await buffer(stream)).toHaveLength(4 * MiB);
    expect((await end).code).toBe(1000);
  });

  test('for await over a stream throws when the connection ends first', async () => {
    const { socket, peer } = await rawPair();
    const begun = nextStream(socket);
    peer.write(frame(1, 'half', { fin: false }));
    const chunks: string[] = [];
    const read = (async () => {
      for await (const chunk of await begun) chunks.push((chunk as Buffer).toString());
    })();
    await until(() => chunks.length === 1);
    peer.socket.destroy();
    await expect(read).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });
});

describe('what needs whole messages', () => {
  test('receive, for await and createWebSocketStream throw, also while CONNECTING', async () => {
    const { url } = await serve();
    const socket = client(url, undefined, { messageStream: true });
    for (let i = 0; i < 2; i++) {
      await expect(socket.receive()).rejects.toThrow(`listen to 'messageStream'`);
      expect(() => socket[Symbol.asyncIterator]()).toThrow(`listen to 'messageStream'`);
      expect(() => createWebSocketStream(socket)).toThrow(`listen to 'messageStream'`);
      if (i === 0) await once(socket, 'open');
    }
  });

  test.each([true, false])('asyncContext is that of the listeners of streams, too: %p', async (asyncContext) => {
    const storage = new AsyncLocalStorage<string>();
    const { url, server } = await serve({ messageStream: true, asyncContext });
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const socket = storage.run('client', () => client(url, undefined, { messageStream: true, asyncContext }));
    const seen: (string | undefined)[] = [];
    socket.on('messageStream', (stream) => {
      seen.push(storage.getStore());
      stream.on('data', () => seen.push(storage.getStore()));
      stream.on('end', () => seen.push(storage.getStore()));
    });
    const [peer] = await connected;
    peer.send('x');
    await until(() => seen.length === 3);
    expect(seen).toEqual(Array(3).fill(asyncContext ? 'client' : undefined));
  });

  test("delivery 'borrow' is refused", () => {
    const options = { messageStream: true, delivery: 'borrow' } as const;
    expect(() => new WebSocket('ws://127.0.0.1:1', options)).toThrow(TypeError);
    expect(() => new WebSocketServer({ noServer: true, ...options })).toThrow('The option "delivery" must be \'copy\'');
  });

  test('other connections of the process are not concerned', async () => {
    const { url } = await serve({ messageStream: true });
    const { client: socket, peer } = await pair();
    const other = await connect(url);
    other.send('x');
    const received = once(peer, 'message');
    socket.send('whole');
    expect(String((await received)[0])).toBe('whole');
  });
});

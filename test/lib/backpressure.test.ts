// What waits for a peer that does not read: the limits, the policies, and the memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket, WebSocketServer, type ServerOptions, type WebSocketError } from '../../lib';
import {
  afterTest,
  closed,
  closePayload,
  delay,
  frame,
  onceWithoutError,
  pair,
  rawClient,
  record,
  requestText,
  root,
  serve,
  until,
} from './support';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A server's socket whose peer does not read, and whose kernel buffers are full. */
async function stuffed(options: ServerOptions): Promise<{ client: WebSocket; peer: WebSocket; filled: number }> {
  const { client, peer } = await pair(options);
  client.pause();
  const chunk = Buffer.alloc(64 * KiB);
  let filled = 0;
  // The kernel has its fill when what waits stays.
  for (let still = 0; still < 3;) {
    while (peer.bufferedAmount === 0) {
      peer.send(chunk);
      filled += 1;
    }
    const before = peer.bufferedAmount;
    await delay(10);
    still = peer.bufferedAmount === before ? still + 1 : 0;
  }
  return { client, peer, filled };
}

function codeOf(error: unknown): string {
  return (error as WebSocketError).code;
}

describe('options', () => {
  test.each([
    ['highWaterMark', '1', TypeError],
    ['highWaterMark', -1, RangeError],
    ['maxBackpressure', 1.5, RangeError],
    ['maxBackpressure', null, undefined],
    ['maxBackpressure', Infinity, RangeError],
    ['backpressure', 'block', TypeError],
    ['backpressure', 1, TypeError],
  ])('%s: %p', (name, value, error) => {
    const make = (): unknown => new WebSocketServer({ noServer: true, [name]: value });
    if (error === undefined) expect(make).not.toThrow();
    else expect(make).toThrow(error);
    if (error !== undefined) expect(make).toThrow(name);
  });

  test('highWaterMark counts the bytes on the wire', async () => {
    const { client, peer } = await pair({ highWaterMark: 10 });
    client.pause();
    expect(peer.send('12345678')).toBe(true); // ten with the header
    expect(peer.send('')).toBe(false);
    const { client: masking } = await pair({}, { highWaterMark: 10 });
    expect(masking.send('1234')).toBe(true); // ten with header and mask key
    expect(masking.send('')).toBe(false);
    await onceWithoutError(masking, 'drain');
  });
});

describe.each(['close', 'drop', 'wait'] as const)('backpressure: %p', (backpressure) => {
  test('a message of any size is accepted when nothing waits', async () => {
    const { client, peer } = await pair({ maxBackpressure: 1, backpressure });
    const received: number[] = [];
    client.on('message', (data) => received.push((data as Buffer).length));
    for (const size of [MiB, 0, 3]) {
      await new Promise<void>((resolve, reject) =>
        peer.send(Buffer.alloc(size), (error) => (error ? reject(error) : resolve())),
      );
      await until(() => peer.bufferedAmount === 0);
      await delay(5); // the driver has been told by the stream
    }
    await until(() => received.length === 3);
    expect(received).toEqual([MiB, 0, 3]);
    expect(peer.readyState).toBe(WebSocket.OPEN);
  });

  test('pings and pongs have 64 KiB of their own behind the limit', async () => {
    const { peer } = await stuffed({ maxBackpressure: 64 * KiB + 1, backpressure });
    const data = Buffer.alloc(125);
    const errors: unknown[] = [];
    peer.on('error', () => {});
    // What waits is at most what the limit allows, so at least so many fit.
    for (let i = 0; i < 500; i++) peer.ping(data, undefined, (error) => error && errors.push(error));
    await delay(5);
    expect(errors).toEqual([]);
    expect(peer.readyState).toBe(WebSocket.OPEN);
    for (let i = 0; i < 600; i++) peer.pong(data, undefined, (error) => error && errors.push(error));
    await until(() => errors.length > 0);
    expect(codeOf(errors[0])).toBe('WS_ERR_BACKPRESSURE');
    expect(peer.readyState).toBe(backpressure === 'close' ? WebSocket.CLOSING : WebSocket.OPEN);
  });
});

describe("backpressure: 'close'", () => {
  test('ends the connection with 1013 behind everything that was accepted', async () => {
    const { client, peer, filled } = await stuffed({ maxBackpressure: MiB });
    const seen = record(peer, 'error', 'drain');
    let received = 0;
    client.on('message', (data) => (received += (data as Buffer).length));
    const results: unknown[] = [];
    let accepted = filled;
    const chunk = Buffer.alloc(64 * KiB);
    const isOpen = (): boolean => peer.readyState === WebSocket.OPEN;
    while (isOpen()) {
      peer.send(chunk, (error) => results.push(error && codeOf(error)));
      if (isOpen()) accepted += 1;
    }
    expect(peer.readyState).toBe(WebSocket.CLOSING);
    expect(peer.bufferedAmount).toBeLessThanOrEqual(MiB);
    expect(peer.send('later')).toBe(false);
    await delay(5);
    expect(results).toEqual(['WS_ERR_BACKPRESSURE']);

    const ends = Promise.all([closed(client), closed(peer)]);
    client.resume();
    const end = { code: 1013, reason: 'The peer is too slow' };
    expect(await ends).toEqual([end, end]);
    expect(received).toBe(accepted * chunk.length);
    expect(results.length).toBe(1 + accepted - filled);
    expect(new Set(results)).toEqual(new Set(['WS_ERR_BACKPRESSURE', undefined]));
    expect(seen).toEqual([]);
  });

  test('cuts a peer that never reads, after closeTimeout', async () => {
    const { peer } = await stuffed({ maxBackpressure: MiB, closeTimeout: 50 });
    const end = closed(peer);
    while (peer.readyState === WebSocket.OPEN) peer.send(Buffer.alloc(100 * KiB));
    expect(await end).toEqual({ code: 1006, reason: '' });
  });
});

describe("backpressure: 'drop'", () => {
  test('drops the newest, tells its callback, and goes on', async () => {
    const { client, peer, filled } = await stuffed({ maxBackpressure: MiB, backpressure: 'drop' });
    let received = 0;
    client.on('message', () => (received += 1));
    const drained = onceWithoutError(peer, 'drain');
    const errors: string[] = [];
    let accepted = filled;
    for (let i = 0; i < 100; i++) {
      const before = peer.bufferedAmount;
      expect(peer.send(Buffer.alloc(64 * KiB), (error) => error && errors.push(codeOf(error)))).toBe(false);
      if (peer.bufferedAmount > before) accepted += 1;
    }
    await expect(peer.sendAsync(Buffer.alloc(64 * KiB))).rejects.toMatchObject({ code: 'WS_ERR_BACKPRESSURE' });
    expect(peer.bufferedAmount).toBeLessThanOrEqual(MiB);
    expect(accepted - filled).toBeGreaterThanOrEqual(14);
    expect(errors.length).toBe(100 - (accepted - filled));
    expect(new Set(errors)).toEqual(new Set(['WS_ERR_BACKPRESSURE']));

    client.resume();
    await drained;
    await until(() => received === accepted);
    expect(peer.readyState).toBe(WebSocket.OPEN);
    expect(peer.bufferedAmount).toBe(0);
    expect(peer.send('again')).toBe(true);
    await until(() => received === accepted + 1);
  });
});

describe('sendAsync', () => {
  test('is fulfilled when the data was handed over', async () => {
    const { client, peer } = await pair();
    const seen = record(client, 'message');
    await Promise.all([peer.sendAsync('a'), peer.sendAsync(Buffer.from('b'), { binary: false })]);
    expect(peer.bufferedAmount).toBe(0);
    await until(() => seen.length === 2);
    expect(seen).toEqual(['message: a', 'message: b']);
  });

  test('is rejected as the callback of send gets an error', async () => {
    const { client, peer } = await pair();
    await expect(peer.sendAsync(Symbol('x') as never)).rejects.toThrow(TypeError);
    await expect(new WebSocket(null).sendAsync('x')).rejects.toThrow('CONNECTING');
    client.pause();
    const sent = peer.sendAsync(Buffer.alloc(32 * MiB));
    const rejected = expect(sent).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    const end = closed(peer);
    peer.terminate();
    await Promise.all([rejected, end]);
    await expect(peer.sendAsync('x')).rejects.toThrow('CLOSED');
  });

  test("waits for room with 'wait', in order", async () => {
    const { client, peer, filled } = await stuffed({ maxBackpressure: MiB, backpressure: 'wait' });
    const sizes: number[] = [];
    client.on('message', (data) => sizes.push((data as Buffer).length));
    const expected = Array.from({ length: 40 }, (_, i) => 100 * KiB + i);
    let fulfilled = 0;
    const sends = expected.map((size) => peer.sendAsync(Buffer.alloc(size)).then(() => fulfilled++));
    await delay(20);
    expect(fulfilled).toBe(0);
    expect(peer.bufferedAmount).toBeLessThanOrEqual(MiB);
    const refused: string[] = [];
    expect(peer.send('no overtaking', (error) => error && refused.push(codeOf(error)))).toBe(false);

    client.resume();
    await Promise.all(sends);
    await until(() => sizes.length === filled + expected.length);
    expect(sizes.slice(filled)).toEqual(expected);
    expect(refused).toEqual(['WS_ERR_BACKPRESSURE']);
    expect(peer.send('now')).toBe(true);
  });

  test("with 'wait' it buffers one message beyond the high-water mark at most", async () => {
    const { client, peer } = await pair({ backpressure: 'wait', highWaterMark: 32 * KiB });
    const sizes: number[] = [];
    client.on('message', (data) => sizes.push((data as Buffer).length));
    client.pause();
    const expected = Array.from({ length: 2000 }, (_, i) => 10 * KiB + i);
    let most = 0;
    const sends = expected.map((size) => {
      const sent = peer.sendAsync(Buffer.alloc(size));
      most = Math.max(most, peer.bufferedAmount);
      return sent;
    });
    await delay(50);
    expect(most).toBeGreaterThan(20 * KiB);
    client.resume();
    const watch = setInterval(() => (most = Math.max(most, peer.bufferedAmount)), 0);
    await Promise.all(sends);
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(32 * KiB + 10 * KiB + expected.length);
    await until(() => sizes.length === expected.length);
    expect(sizes).toEqual(expected);
  });

  test("with 'wait' what send and broadcast get comes behind what waits", async () => {
    const { client, peer, server } = await pair({ backpressure: 'wait', highWaterMark: 32 * KiB });
    const texts: string[] = [];
    client.on('message', (data) => texts.push((data as Buffer).toString('latin1', 0, 8).trim()));
    client.pause();
    const text = (name: string): string => name.padEnd(10 * KiB);
    const sends = Array.from({ length: 10 }, (_, i) => peer.sendAsync(text(`a${i}`)));
    expect(peer.bufferedAmount).toBe(40 * KiB);
    expect(peer.send('b')).toBe(false);
    expect(peer.bufferedAmount).toBe(100 * KiB + 1);
    sends.push(peer.sendAsync(text('c')));
    expect(server.broadcast('d')).toBe(1);
    client.resume();
    await Promise.all(sends);
    await until(() => texts.length === 13);
    expect(texts).toEqual([...Array.from({ length: 10 }, (_, i) => `a${i}`), 'b', 'c', 'd']);
  });

  test("what waits with 'wait' is given up by close, and by the end", async () => {
    for (const end of ['close', 'terminate'] as const) {
      const { client, peer, filled } = await stuffed({ maxBackpressure: MiB, backpressure: 'wait' });
      let received = 0;
      client.on('message', () => (received += 1));
      const results = Promise.allSettled(Array.from({ length: 40 }, () => peer.sendAsync(Buffer.alloc(100 * KiB))));
      const ended = closed(peer);
      peer[end]();
      client.resume();
      const rejected = (await results).filter((result) => result.status === 'rejected');
      expect(rejected.length).toBeGreaterThan(25);
      expect(new Set(rejected.map(({ reason }) => codeOf(reason)))).toEqual(new Set(['WS_ERR_CONNECTION_CLOSED']));
      await ended;
      if (end === 'close') expect(received).toBe(filled + 40 - rejected.length);
    }
  });

  test('data that was transferred while it waited is not sent', async () => {
    const { client, peer } = await stuffed({ maxBackpressure: MiB, backpressure: 'wait' });
    const buffers = Array.from({ length: 20 }, () => new ArrayBuffer(100 * KiB));
    const results = Promise.allSettled(buffers.map((buffer) => peer.sendAsync(buffer)));
    structuredClone(buffers[19], { transfer: [buffers[19]] });
    client.resume();
    const states = (await results).map(({ status }) => status);
    expect(states).toEqual([...Array<string>(19).fill('fulfilled'), 'rejected']);
  });
});

test('a paused reader that is sent 250 MiB is closed; every other connection is unharmed', async () => {
  const { server, url, port } = await serve();
  const slow = await rawClient(port);
  slow.socket.pause();
  const fast = new WebSocket(url);
  afterTest(() => fast.terminate());
  let received = 0;
  fast.on('message', () => (received += 1));
  await once(fast, 'open');
  await until(() => server.clients.size === 2);
  const [toSlow, toFast] = [...server.clients];
  const chunk = Buffer.alloc(MiB);
  for (let i = 0; i < 250; i++) {
    toSlow.send(chunk);
    await toFast.sendAsync(chunk.subarray(0, 1000));
  }
  await until(() => received === 250);
  expect([toSlow.readyState, toFast.readyState]).toEqual([WebSocket.CLOSING, WebSocket.OPEN]);
});

// The server in a process of its own, whose memory is measured; the peer reads nothing until it is told to.
describe.each(['native', 'stream'])('250 MiB for a slow reader, on the %s transport', (transport) => {
  test.each(['close', 'drop'])(
    'with %p: bounded memory, and pongs leave at a frame boundary',
    async (backpressure) => {
      const program = `
      const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
      const options = { port: 0, host: '127.0.0.1', backpressure: ${JSON.stringify(backpressure)} };
      const server = new WebSocketServer(options, () => {
        // Code is compiled and the heap has grown before memory is measured.
        const fast = new WebSocket('ws://127.0.0.1:' + server.address().port);
        fast.on('message', () => {});
        server.once('connection', async (socket) => {
          for (let i = 0; i < 500; i++) await socket.sendAsync(chunk);
          fast.once('close', () => {
            server.on('connection', flood);
            console.log(JSON.stringify(server.address().port));
          });
          socket.close();
        });
      });
      const chunk = Buffer.alloc(64 * 1024, 'x');
      function flood(socket) {
        if (socket.transport !== ${JSON.stringify(transport)}) throw new Error('another transport');
        let count = 0, accepted = 0, peak = 0;
        gc(); gc();
        const before = process.memoryUsage.rss();
        setImmediate(function some() {
          for (let i = 0; i < 100 && count < 4000; i++, count++) {
            const held = socket.bufferedAmount;
            socket.send(chunk);
            if (socket.readyState === 1) accepted += 1;
            if (socket.readyState === 1 && socket.bufferedAmount === held && held !== 0) accepted -= 1;
          }
          peak = Math.max(peak, process.memoryUsage.rss() - before);
          if (count < 4000) setImmediate(some);
          else console.log(JSON.stringify({ peak, accepted, held: socket.bufferedAmount }));
        });
        socket.on('ping', () => { console.log('"pinged"'); });
        socket.on('close', () => server.close());
      }
    `;
      const child = spawn(process.execPath, ['--expose-gc', '-e', program], {
        env: { ...process.env, WEBSOCKET_COMPONENT_TRANSPORT: transport },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      afterTest(() => child.kill());
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const nextLine = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);

      const socket = netConnect({ port: (await nextLine()) as number, host: '127.0.0.1' });
      afterTest(() => socket.destroy());
      socket.write(requestText());
      const { peak, accepted, held } = (await nextLine()) as { peak: number; accepted: number; held: number };
      expect(held).toBeGreaterThan(60 * MiB);
      // A sanitizer keeps freed memory for a while.
      if (!process.env.LD_PRELOAD?.includes('libasan')) expect(peak).toBeLessThan(64 * MiB + 8 * MiB);

      socket.write(frame(9, 'quick'));
      expect(await nextLine()).toBe('pinged');
      const frames = framesOf(socket);
      const opcodes: number[] = [];
      for await (const opcode of frames) {
        opcodes.push(opcode);
        if (opcode === 8) break;
        if (backpressure === 'drop' && opcodes.length === accepted + 1) break;
      }
      expect(opcodes.filter((opcode) => opcode === 2).length).toBe(accepted);
      // The kernel's buffers and what the stream has been given are ahead of it, and nothing of the 64 MiB that waited.
      expect(opcodes.indexOf(10)).toBeGreaterThan(-1);
      expect(opcodes.indexOf(10)).toBeLessThan(accepted - (56 * MiB) / (64 * KiB));
      expect(opcodes.includes(8)).toBe(backpressure === 'close');
      if (backpressure === 'close') socket.write(frame(8, closePayload(1013)));
      socket.end();
      await once(child, 'exit');
    },
    20_000,
  );
});

/** The opcodes of the frames behind an HTTP response; payloads are skipped. */
async function* framesOf(socket: AsyncIterable<Buffer>): AsyncGenerator<number> {
  let rest = Buffer.alloc(0);
  let inResponse = true;
  let skip = 0;
  for await (const chunk of socket) {
    if (chunk.length <= skip) {
      skip -= chunk.length;
      continue;
    }
    rest = Buffer.concat([rest, chunk.subarray(skip)]);
    skip = 0;
    if (inResponse) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) continue;
      rest = rest.subarray(end + 4);
      inResponse = false;
    }
    while (rest.length >= 10 || (rest.length >= 2 && rest[1] < 126)) {
      const short = rest[1];
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      yield rest[0] & 15;
      skip = Math.max(0, head + length - rest.length);
      rest = rest.subarray(Math.min(rest.length, head + length));
    }
  }
}

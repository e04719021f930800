// The stream transport over streams that are no sockets: what each of them gets when many are written to in one loop
// iteration, and what a stream may do inside its write.
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from '../../lib';
import { afterTest, closed, frame, requestText, root, textOf, until } from './support';

type Done = (error?: Error | null) => void;

/** A client's end that keeps what it gets; `hook` decides how a write ends. */
class Stream extends Duplex {
  readonly chunks: Buffer[] = [];
  hook: (done: Done) => void = (done) => done();

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.chunks.push(chunk);
    this.hook(done);
  }

  /** What it got, without the handshake. */
  get received(): Buffer {
    const all = Buffer.concat(this.chunks);
    return all.subarray(all.indexOf('\r\n\r\n') + 4);
  }
}

interface Accepted {
  stream: Stream;
  peer: WebSocket;
}

async function accept(count: number): Promise<Accepted[]> {
  const http: Server = createServer();
  const server = new WebSocketServer({ server: http });
  afterTest(() => server.close({ timeout: 0 }));
  const peers: WebSocket[] = [];
  server.on('connection', (peer) => peers.push(peer));
  const streams = Array.from({ length: count }, () => new Stream());
  for (const stream of streams) {
    http.emit('connection', stream);
    stream.push(requestText());
    const before = peers.length;
    await until(() => peers.length > before, 'the connection');
  }
  for (const peer of peers) peer.on('error', () => {});
  return streams.map((stream, index) => ({ stream, peer: peers[index] }));
}

test('many streams are written in one iteration, and each gets what was sent to it, for good', async () => {
  const accepted = await accept(300);
  const expected = accepted.map(() => Buffer.alloc(0));
  for (let round = 0; round < 5; round++) {
    accepted.forEach(({ peer }, index) => {
      const size = index % 50 === 0 ? 100_000 + index : (index * 37 + round) % 2000;
      const data = Buffer.alloc(size, index + round);
      peer.send(data);
      expected[index] = Buffer.concat([expected[index], frame(2, data, { mask: false })]);
    });
    await until(() => accepted.every(({ stream }, index) => stream.received.length === expected[index].length));
  }
  expect(accepted.findIndex(({ stream }, index) => !stream.received.equals(expected[index]))).toBe(-1);
});

test.each([10, 1000, 200_000])('the bytes of a broadcast of %i are there once', async (size) => {
  const accepted = await accept(100);
  const data = Buffer.alloc(size, 'ab');
  const other = Buffer.alloc(size, 'ac'); // as long, and written between two others
  for (const [index, { stream, peer }] of accepted.entries()) {
    stream.chunks.length = 0;
    peer.send(index === 50 ? other : data);
  }
  const frames = [data, other].map((payload) => frame(2, payload, { mask: false }));
  const written = () => accepted.map(({ stream }) => Buffer.concat(stream.chunks));
  await until(() => written().every((bytes) => bytes.length === frames[0].length));
  expect(written().findIndex((bytes, index) => !bytes.equals(frames[index === 50 ? 1 : 0]))).toBe(-1);
  const places = accepted.map(({ stream: { chunks } }) =>
    chunks.map(({ buffer, byteOffset }) => ({ buffer, byteOffset })),
  );
  const equalToNext = (index: number) =>
    places[index].every(({ buffer, byteOffset }, part) => {
      const next = places[index + 1][part];
      return next.buffer === buffer && next.byteOffset === byteOffset;
    });
  expect(Array.from({ length: 99 }, (_, index) => equalToNext(index))).toEqual(
    Array.from({ length: 99 }, (_, index) => index !== 49 && index !== 50),
  );
});

test('a slow stream has one write under way, and the rest behind it', async () => {
  const [{ stream, peer }, other] = await accept(2);
  const pending: Done[] = [];
  stream.hook = (done) => pending.push(done);
  const sent: string[] = [];
  peer.send('1', () => sent.push('1'));
  other.peer.send('1');
  await until(() => pending.length === 1 && other.stream.received.length === 3);
  peer.send('2', () => sent.push('2'));
  peer.send('3', () => sent.push('3'));
  other.peer.send('2');
  await until(() => other.stream.received.length === 6);
  expect(stream.received.toString('latin1')).toBe('\x81\x011');
  expect(sent).toEqual([]);
  expect(peer.bufferedAmount).toBe(3);
  pending.shift()!();
  await until(() => pending.length === 1);
  expect(sent).toEqual(['1']);
  expect(peer.bufferedAmount).toBe(2);
  pending.shift()!();
  await until(() => sent.length === 3);
  expect(peer.bufferedAmount).toBe(0);
  expect(stream.received.toString('latin1')).toBe('\x81\x011\x81\x012\x81\x013');
});

test('a late callback of a write that was over at once is not taken for that of the next write', async () => {
  const [{ stream, peer }] = await accept(1);
  const pending: Done[] = [];
  const sent: string[] = [];
  stream.hook = (done) => {
    done(); // its callback comes in the next tick
    stream.hook = (later) => pending.push(later);
    stream.push(frame(9, 'p')); // answered by the second write, which may come before that
    peer.send('2', () => sent.push('2'));
  };
  peer.send('1', () => sent.push('1'));
  await until(() => pending.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(sent).toEqual(['1']);
  expect(peer.bufferedAmount).toBe(1);
  pending.shift()!();
  await until(() => sent.length === 2);
});

test('a stream with a write of its own may hold bytes back', async () => {
  const [{ stream, peer }] = await accept(1);
  const held: (() => void)[] = [];
  stream.write = ((chunk: Buffer, callback: Done) => {
    held.push(() => {
      Reflect.deleteProperty(stream, 'write');
      stream.write(chunk, callback);
    });
    return true;
  }) as typeof stream.write;
  let isSent = false;
  peer.send('held', () => (isSent = true));
  await until(() => held.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([isSent, peer.bufferedAmount]).toEqual([false, 4]);
  held[0]();
  await until(() => isSent);
  expect(peer.bufferedAmount).toBe(0);
});

test.each([
  ['at once', (done: Done) => done(new Error('full'))],
  ['later', (done: Done) => setImmediate(done, new Error('full'))],
])('a write that fails %s fails the message and ends its connection alone', async (_when, hook) => {
  const [first, failing, last] = await accept(3);
  failing.stream.hook = hook;
  const end = closed(failing.peer);
  let error: Error | undefined;
  first.peer.send('x');
  failing.peer.send('x', (failure) => (error = failure));
  last.peer.send('x');
  expect((await end).code).toBe(1006);
  await until(() => error !== undefined);
  await until(() => first.stream.received.length === 3 && last.stream.received.length === 3);
  expect(last.peer.readyState).toBe(last.peer.OPEN);
});

test('a stream may destroy itself and another one inside its write', async () => {
  const [first, second, third] = await accept(3);
  const ends = [closed(first.peer), closed(second.peer)];
  first.stream.hook = (done) => {
    second.stream.destroy();
    first.stream.destroy();
    done();
  };
  for (const { peer } of [first, second, third]) peer.send('x');
  expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([1006, 1006]);
  await until(() => third.stream.received.length === 3);
  expect(second.stream.received.length).toBe(0);
});

test('connections may be terminated, and messages come in, inside a write', async () => {
  const [first, second, third] = await accept(3);
  const got: string[] = [];
  third.peer.on('message', (data) => {
    got.push(textOf(data));
    third.peer.send('answer');
  });
  const end = closed(second.peer);
  first.stream.hook = (done) => {
    first.stream.hook = (next) => next();
    second.peer.terminate();
    third.stream.push(frame(1, 'in'));
    done();
  };
  for (const { peer } of [first, second, third]) peer.send('x');
  expect((await end).code).toBe(1006);
  await until(() => third.stream.received.length === 11);
  expect(got).toEqual(['in']);
  first.peer.send('y');
  await until(() => first.stream.received.length === 6);
});

// Jest has exceptions of its own, so this is a process of its own.
test('a stream that throws inside its write ends alone, and its exception is uncaught', () => {
  const program = `
    const { createServer } = require('node:http');
    const { Duplex } = require('node:stream');
    const { WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const seen = [];
    process.on('uncaughtException', (error) => seen.push(error.message));
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    const streams = [];
    server.on('connection', (peer) => {
      const index = server.clients.size - 1;
      peer.on('close', (code) => seen.push(index + ' closed ' + code));
      peer.on('message', () => {
        for (const client of server.clients) client.send('x');
      });
      if (index < 4) return connect();
      streams[1].write = streams[2].write = () => { throw new Error('thrown'); };
      streams[0].push(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
      setTimeout(() => {
        streams[4].push(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
        setTimeout(() => {
          console.log(JSON.stringify([seen, streams.map(({ written }) => written)]));
          void server.close({ timeout: 0 });
        }, 50);
      }, 50);
    });
    function connect() {
      const stream = new Duplex({
        read() {},
        write(chunk, encoding, done) { stream.written += chunk.length; done(); },
      });
      stream.written = -129; // the handshake
      streams.push(stream);
      http.emit('connection', stream);
      stream.push(${JSON.stringify(requestText())});
    }
    connect();
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  const [seen, written] = JSON.parse(stdout) as [string[], number[]];
  expect(seen).toEqual(['thrown', 'thrown', '1 closed 1006', '2 closed 1006']);
  expect(written).toEqual([6, 0, 0, 6, 6]);
});

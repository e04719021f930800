// What programs do with `_socket`: the same on both transports.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { types } from 'node:util';
import { WebSocket } from '../../lib';
import {
  closed,
  delay,
  expectedTransport,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawClient,
  record,
  root,
  serve,
  until,
  type RawPeer,
} from './support';

const testNative = expectedTransport === 'native' ? test : test.skip;

/** A server's socket, its `_socket`, and the raw client. */
async function accepted(): Promise<{ socket: WebSocket; stream: Socket; peer: RawPeer }> {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  return { socket, stream: socket._socket as Socket, peer };
}

test('it is a writable stream that is connected', async () => {
  const { stream } = await accepted();
  expect([stream.readyState, stream.writable, stream.destroyed, stream.connecting, stream.writableLength]).toEqual([
    'open',
    true,
    false,
    false,
    0,
  ]);
  expect(stream.pending).toBe(false);
});

describe('write', () => {
  test('sends raw bytes behind what was sent before, never into a frame', async () => {
    const { socket, stream, peer } = await accepted();
    const seen: string[] = [];
    socket.send('before', () => seen.push('before'));
    expect(socket._socket).toBe(stream);
    stream.write('raw', () => seen.push('raw'));
    stream.write(Buffer.from('bytes'));
    stream.write('c3a9', 'hex', () => seen.push('hex'));
    socket.send('behind', () => seen.push('behind'));
    const expected = Buffer.concat([
      frame(1, 'before', { mask: false }),
      Buffer.from('rawbytesé'),
      frame(1, 'behind', { mask: false }),
    ]);
    expect(await peer.take(expected.length)).toEqual(expected);
    await until(() => seen.length === 4);
    expect([...seen].sort()).toEqual(['before', 'behind', 'hex', 'raw']);
    expect(seen.indexOf('raw')).toBeLessThan(seen.indexOf('hex'));
  });

  test('works with cork and uncork, and in frames of the program', async () => {
    const { stream, peer } = await accepted();
    stream.cork();
    const bytes = frame(1, 'made by hand', { mask: false });
    stream.write(bytes.subarray(0, 1));
    stream.write(bytes.subarray(1));
    stream.uncork();
    expect(await peer.take(bytes.length)).toEqual(bytes);
  });

  test('returns false and emits drain, as streams do', async () => {
    const { stream, peer } = await accepted();
    const bytes = Buffer.alloc(32 << 20, 'x');
    peer.socket.pause();
    expect(stream.write(bytes)).toBe(false);
    expect(stream.writableLength).toBe(bytes.length);
    let received = 0;
    peer.socket
      .removeAllListeners('data')
      .on('data', (chunk: Buffer) => (received += chunk.length))
      .resume();
    await once(stream, 'drain');
    expect(stream.writableLength).toBe(0);
    await until(() => received === bytes.length);
  });

  test('on a connection that died calls back with an error', async () => {
    const { socket, stream, peer } = await accepted();
    peer.socket.pause();
    const results: unknown[] = [];
    for (let i = 0; i < 20; i++) stream.write(Buffer.alloc(1 << 20), (error) => results.push(error));
    const end = closed(socket);
    peer.socket.resetAndDestroy();
    await end;
    await until(() => results.length === 20);
    expect(types.isNativeError(results.at(-1))).toBe(true);
    expect(types.isNativeError(await new Promise((resolve) => stream.write('late', resolve)))).toBe(true);
  });
});

describe('end', () => {
  test('sends what was sent before, its data and FIN; then the connection ends', async () => {
    const { socket, stream, peer } = await accepted();
    const seen = record(socket, 'error', 'close');
    const finished = once(stream, 'finish');
    const streamClosed = once(stream, 'close');
    const end = closed(socket);
    socket.send('last');
    socket._socket!.end('bye');
    await finished;
    expect((await peer.rest()).toString('hex')).toBe(
      Buffer.concat([frame(1, 'last', { mask: false }), Buffer.from('bye')]).toString('hex'),
    );
    expect((await end).code).toBe(1006);
    await streamClosed;
    expect(seen).toEqual(['close: 1006']);
    expect([stream.destroyed, stream.readyState]).toEqual([true, 'closed']);
  });

  // On the stream transport the rest of a long queue has not reached the stream yet.
  testNative('does not cut a long queue', async () => {
    const { socket, stream, peer } = await accepted();
    const end = closed(socket);
    for (let i = 0; i < 8; i++) socket.send(Buffer.alloc(1 << 20));
    expect(stream.writable).toBe(true);
    socket._socket!.end();
    peer.socket.end();
    expect((await peer.rest()).length).toBe(8 * ((1 << 20) + 10));
    await end;
  });

  test('destroySoon does the same', async () => {
    const { socket, stream, peer } = await accepted();
    const end = closed(socket);
    stream.write('bye');
    stream.destroySoon();
    expect((await peer.rest()).toString()).toBe('bye');
    expect((await end).code).toBe(1006);
  });
});

test("'end' comes when the peer ends, before 'close'", async () => {
  const { socket, stream, peer } = await accepted();
  const seen = record(stream, 'end', 'close');
  peer.socket.end();
  await onceWithoutError(stream, 'close');
  expect(seen.map((text) => text.split(':')[0])).toEqual(['end', 'close']);
  expect(socket.readyState).toBe(WebSocket.CLOSED);
});

describe('destroy', () => {
  test("ends the connection and emits 'close'", async () => {
    const { socket, stream, peer } = await accepted();
    const ends = Promise.all([closed(socket), once(stream, 'close')]);
    expect(stream.destroy()).toBe(stream);
    expect((await ends)[0].code).toBe(1006);
    await peer.rest();
  });

  test("with an error emits 'error' for those who listen, and harms nobody else", async () => {
    for (const listens of [true, false]) {
      const { socket, stream } = await accepted();
      const socketSeen = record(socket, 'error', 'close');
      const streamSeen = listens ? record(stream, 'error') : [];
      const ends = Promise.all([closed(socket), onceWithoutError(stream, 'close')]);
      stream.destroy(new Error('enough'));
      await ends;
      expect(streamSeen).toEqual(listens ? ['error: enough'] : []);
      expect(socketSeen).toEqual(['close: 1006']);
    }
  });

  test('resetAndDestroy sends RST', async () => {
    const { socket, stream, peer } = await accepted();
    const failed = onceWithoutError(peer.socket, 'error') as Promise<[NodeJS.ErrnoException]>;
    const end = closed(socket);
    expect(stream.resetAndDestroy()).toBe(stream);
    expect((await end).code).toBe(1006);
    expect((await failed)[0].code).toBe('ECONNRESET');
    expect(stream.destroyed).toBe(true);
  });
});

describe('setTimeout', () => {
  test("emits 'timeout' when nothing comes or goes", async () => {
    const { socket, stream } = await accepted();
    const seen: string[] = [];
    const started = performance.now();
    stream.setTimeout(100, () => seen.push('callback'));
    expect(stream.timeout).toBe(100);
    await once(stream, 'timeout');
    expect(performance.now() - started).toBeGreaterThan(95);
    expect(seen).toEqual(['callback']);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  test('is put off by messages in both directions', async () => {
    const { socket, stream, peer } = await accepted();
    let timeouts = 0;
    stream.setTimeout(400, () => timeouts++);
    for (let i = 0; i < 10; i++) {
      await delay(80);
      if (i % 2 === 0) socket.send('out');
      else peer.write(frame(1, 'in'));
    }
    expect(timeouts).toBe(0);
    await once(stream, 'timeout');
    expect(timeouts).toBe(1);
  });

  test('0 ends it, and so does the end of the connection', async () => {
    const first = await accepted();
    const seen = record(first.stream, 'timeout');
    first.stream.setTimeout(30);
    first.stream.setTimeout(0);
    const second = await accepted();
    seen.push(...record(second.stream, 'timeout'));
    second.stream.setTimeout(60);
    const end = closed(second.socket);
    second.socket.terminate();
    await end;
    await delay(120);
    expect(seen).toEqual([]);
  });

  test('checks its arguments', async () => {
    const { stream } = await accepted();
    expect(() => stream.setTimeout(-1)).toThrow(/msecs/);
    expect(() => stream.setTimeout(10, 'later' as unknown as () => void)).toThrow(/callback/);
  });
});

test('bytesRead and bytesWritten count what comes and goes', async () => {
  const { socket, stream, peer } = await accepted();
  const [read, written] = [stream.bytesRead, stream.bytesWritten];
  const message = frame(1, 'x'.repeat(1000));
  peer.write(message);
  await nextMessage(socket);
  expect(stream.bytesRead - read).toBe(message.length);
  socket.send('y'.repeat(200));
  stream.write('raw');
  await peer.take(204 + 3);
  expect(stream.bytesWritten - written).toBe(204 + 3);
});

test('pause and resume stop reading', async () => {
  const { socket, stream, peer } = await accepted();
  const seen = record(socket, 'message');
  stream.pause();
  await delay(20);
  peer.write(frame(1, 'a'));
  await delay(60);
  expect(seen).toEqual([]);
  stream.resume();
  await until(() => seen.length === 1);
});

/** Whether a TCP socket has a timer that probes a silent peer, and in how many seconds it comes (proc(5), net/tcp). */
function keepAliveTimer(socket: Socket): number | undefined {
  const hex = (port: number | undefined) => (port ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const ends = new RegExp(`:${hex(socket.localPort)} \\w+:${hex(socket.remotePort)} 01 \\S+ (\\d\\d):(\\w+) `);
  const [, timer, ticks] = ends.exec(readFileSync('/proc/self/net/tcp', 'latin1')) ?? [];
  return timer === '02' ? parseInt(ticks, 16) / 100 : undefined;
}

(process.platform === 'linux' ? test : test.skip)('setKeepAlive reaches the socket', async () => {
  const { stream } = await accepted();
  // Another timer runs until what was sent is acknowledged.
  const timer = () => until(() => keepAliveTimer(stream) !== undefined).then(() => keepAliveTimer(stream));
  expect(keepAliveTimer(stream)).toBeUndefined();
  stream.setKeepAlive(true, 30_999);
  expect(await timer()).toBeGreaterThan(25);
  expect(await timer()).toBeLessThanOrEqual(30);
  stream.setKeepAlive(false);
  await until(() => keepAliveTimer(stream) === undefined);
  stream.setKeepAlive(true);
  expect(await timer()).toBeGreaterThan(0);
});

test('the setters can be chained', async () => {
  const { client } = await pair();
  const stream = client._socket as Socket;
  expect(stream.setNoDelay(true).setKeepAlive(true, 1000).ref().unref().ref().setTimeout(0)).toBe(stream);
});

test('unref lets the process end, ref does not', () => {
  const program = `
    const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
      const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
      socket.on('open', () => {
        server.close();
        socket._socket.unref();
        for (const peer of server.clients) peer._socket.unref();
        if (process.argv[1] === 'ref') {
          socket._socket.ref();
          setTimeout(() => { console.log('kept'); socket._socket.unref(); }, 100).unref();
        }
      });
    });
  `;
  for (const [argument, expected] of [
    ['unref', ''],
    ['ref', 'kept\n'],
  ]) {
    const { stdout, status } = spawnSync(process.execPath, ['-e', program, argument], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect([stdout, status]).toEqual([expected, 0]);
  }
});

// WebSocketStream and WebSocketError.
import { once } from 'node:events';
import { WebSocket as EngineSocket } from '../../lib';
import { WebSocketError, WebSocketStream } from '../../lib/whatwg';
import { acceptText, closePayload, delay, frame, rawServer, serve, serveEcho, until, textOf } from '../lib/support';
import { nowhere } from './idl';
import { makeStream, openStream, rejection, thrownName } from './support';

const plain = { mask: false };

/** An open stream and the server's socket for it. */
async function pairUp(options?: ConstructorParameters<typeof WebSocketStream>[1]) {
  const { server, url } = await serve();
  const [streams, [peer]] = await Promise.all([openStream(url, options), once(server, 'connection')]);
  const ended = once(peer as EngineSocket, 'close').then(([code, reason]) => [code as number, String(reason)]);
  return { ...streams, peer: peer as EngineSocket, ended };
}

describe('WebSocketError', () => {
  test('is a DOMException with a code and a reason', () => {
    const error = new WebSocketError('message', { closeCode: 3000, reason: 'why' });
    expect([error.name, error.message, error.code, error.closeCode, error.reason]).toEqual([
      ...['WebSocketError', 'message', 0, 3000, 'why'],
    ]);
    expect(error).toBeInstanceOf(DOMException);
    expect(error.stack).toContain('message');
    const empty = new WebSocketError();
    expect([empty.message, empty.closeCode, empty.reason]).toEqual(['', null, '']);
  });

  test('a reason without a code has 1000', () => {
    expect(new WebSocketError('', { reason: 'why' }).closeCode).toBe(1000);
    expect(new WebSocketError('', { reason: '' }).closeCode).toBe(null);
  });

  test('code and reason are validated', () => {
    for (const closeCode of [0, 999, 1001, 1006, 2999, 5000, 70_000]) {
      expect(thrownName(() => new WebSocketError('', { closeCode }))).toBe('InvalidAccessError');
    }
    expect(thrownName(() => new WebSocketError('', { reason: 'x'.repeat(124) }))).toBe('SyntaxError');
  });
});

describe('the constructor', () => {
  test('gets a URL record and checks the subprotocols', () => {
    expect(makeStream('http://127.0.0.1:1').url).toBe(nowhere);
    for (const url of ['x', 'ftp://127.0.0.1/', 'ws://127.0.0.1:1/#a']) {
      expect(thrownName(() => new WebSocketStream(url))).toBe('SyntaxError');
    }
    for (const protocols of [['a', 'a'], ['('], ['']]) {
      expect(thrownName(() => new WebSocketStream(nowhere, { protocols }))).toBe('SyntaxError');
    }
    expect(() => new WebSocketStream(nowhere, { protocols: 'x' })).toThrow(TypeError);
    expect(() => new WebSocketStream(nowhere, { protocols: 5 as never })).toThrow(TypeError);
  });

  test('a signal must be an AbortSignal', () => {
    for (const signal of [null, {}, 'x', new AbortController()]) {
      expect(() => new WebSocketStream(nowhere, { signal: signal as never })).toThrow(TypeError);
    }
  });

  test('a signal that was aborted rejects both promises with its reason, and nothing connects', async () => {
    const stream = new WebSocketStream('ws://127.0.0.1:9999/', { signal: AbortSignal.abort('why') });
    expect(await rejection(stream.opened)).toBe('why');
    expect(await rejection(stream.closed)).toBe('why');
    stream.close();
  });

  test('a signal gives up connecting', async () => {
    let ended = false;
    const url = await rawServer(async (peer) => {
      await peer.takeHead();
      await peer.rest();
      ended = true;
      peer.socket.end();
    });
    const aborting = new AbortController();
    const stream = new WebSocketStream(url, { signal: aborting.signal });
    await delay(20);
    aborting.abort('why');
    expect(await rejection(stream.opened)).toBe('why');
    expect(await rejection(stream.closed)).toBe('why');
    await until(() => ended);
  });

  test('a signal has no effect on an open connection', async () => {
    const aborting = new AbortController();
    const { reader, peer } = await pairUp({ signal: aborting.signal });
    aborting.abort();
    peer.send('still open');
    expect(await reader.read()).toEqual({ done: false, value: 'still open' });
  });

  test('promises that are rejected and not looked at are not reported', async () => {
    const rejected: unknown[] = [];
    const note = (error: unknown): unknown => rejected.push(error);
    process.on('unhandledRejection', note);
    new WebSocketStream(nowhere);
    await delay(10);
    process.off('unhandledRejection', note);
    expect(rejected).toEqual([]);
  });
});

test('opened gives extensions, protocol and the two streams', async () => {
  const { url } = await serve();
  const stream = makeStream(url, { protocols: ['chat'] });
  const info = await stream.opened;
  expect(Object.keys(info)).toEqual(['extensions', 'protocol', 'readable', 'writable']);
  expect([info.extensions, info.protocol]).toEqual(['', 'chat']);
  expect(info.readable).toBeInstanceOf(ReadableStream);
  expect(info.writable).toBeInstanceOf(WritableStream);
});

describe('messages', () => {
  test('text is a string and binary a Uint8Array of its own', async () => {
    const { reader, peer } = await pairUp();
    peer.send('grüß');
    peer.send(Buffer.of(1, 2));
    peer.send('');
    peer.send(Buffer.alloc(0));
    const chunks = [];
    for (let i = 0; i < 4; i++) chunks.push((await reader.read()).value);
    expect(chunks).toEqual(['grüß', Uint8Array.of(1, 2), '', new Uint8Array(0)]);
    const bytes = chunks[1] as Uint8Array;
    expect([Object.getPrototypeOf(bytes), bytes.buffer.byteLength]).toEqual([Uint8Array.prototype, 2]);
  });

  test('come in order, as many as there are', async () => {
    const { reader, peer } = await pairUp();
    const count = 5000;
    for (let i = 0; i < count; i++) peer.send(`${i}`);
    for (let i = 0; i < count; i++) expect((await reader.read()).value).toBe(`${i}`);
  });

  test('that nobody reads stop the reading from the socket: the peer cannot send more', async () => {
    const { reader, peer, stream } = await pairUp();
    const message = Buffer.alloc(256 * 1024);
    for (let i = 0; i < 200; i++) peer.send(message);
    await delay(200);
    const waiting = peer.bufferedAmount;
    expect(waiting).toBeGreaterThan(30 << 20);
    await delay(50);
    expect(peer.bufferedAmount).toBe(waiting);
    for (let i = 0; i < 200; i++) expect(((await reader.read()).value as Uint8Array).length).toBe(message.length);
    expect(peer.bufferedAmount).toBe(0);
    stream.close();
  });

  test('that were not read come before the end that the peer made', async () => {
    const { reader, peer, stream } = await pairUp();
    for (let i = 0; i < 40; i++) peer.send(`${i}`);
    peer.close(3000, 'bye');
    expect(await stream.closed).toEqual({ closeCode: 3000, reason: 'bye' });
    for (let i = 0; i < 40; i++) expect(await reader.read()).toEqual({ done: false, value: `${i}` });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });
});

describe('write', () => {
  test('sends strings as text and everything with bytes as binary', async () => {
    const { writer, peer } = await pairUp();
    const received: unknown[] = [];
    peer.on('message', (data, isBinary) => received.push(isBinary ? [...(data as Buffer)] : textOf(data)));
    const memory = Uint8Array.of(1, 2, 3).buffer;
    const chunks = ['a\ud800', memory, new Uint8Array(memory, 1, 1), new DataView(memory, 2), 5, null, new Blob(['x'])];
    for (const chunk of chunks) await writer.write(chunk as never);
    await until(() => received.length === chunks.length);
    expect(received).toEqual(['a\ufffd', [1, 2, 3], [2], [3], '5', 'null', '[object Blob]']);
  });

  test('the bytes are taken when it is called', async () => {
    const { writer, peer } = await pairUp();
    const bytes = Uint8Array.of(1);
    await Promise.resolve(); // the stream has started
    const written = writer.write(bytes);
    bytes[0] = 2;
    await written;
    const [data] = (await once(peer, 'message')) as [Buffer];
    expect([...data]).toEqual([1]);
  });

  test.each([
    ['a symbol', () => Symbol('s')],
    ['a view of shared memory', () => new Uint8Array(new SharedArrayBuffer(1))],
  ])('%s is a TypeError and ends the writing', async (_name, make) => {
    const { writer, stream } = await pairUp();
    await expect(writer.write(make() as never)).rejects.toThrow(TypeError);
    await expect(writer.write('later')).rejects.toThrow(TypeError);
    stream.close();
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
  });

  test('waits while the peer takes nothing: no more than a chunk above the high-water mark is buffered', async () => {
    const { writer, peer } = await pairUp();
    peer.pause();
    let written = 0;
    const chunk = new Uint8Array(256 * 1024);
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        await writer.write(chunk);
        written++;
      }
    })();
    await delay(200);
    const before = written;
    expect(before).toBeLessThan(100);
    await delay(50);
    expect(written).toBe(before);
    expect(writer.desiredSize).toBe(0);
    peer.resume();
    await writing;
    expect(written).toBe(200);
  });

  test('abort does not wait for a write that waits', async () => {
    const { writer, peer, stream } = await pairUp({ closeTimeout: 50 });
    peer.pause();
    const writing = (async () => {
      for (;;) await writer.write(new Uint8Array(1 << 20));
    })();
    writing.catch(() => {});
    await delay(100);
    await writer.abort(new Error('enough'));
    await expect(writing).rejects.toThrow('enough');
    const error = await rejection(stream.closed); // the Close frame waits behind what the peer does not take
    expect([error.name, error.closeCode]).toEqual(['WebSocketError', 1006]);
  });
});

describe('close', () => {
  test.each([
    ['nothing', [], [1005, '']],
    ['an empty dictionary', [{}], [1005, '']],
    ['null', [null], [1005, '']],
    ['a code', [{ closeCode: 3456 }], [3456, '']],
    ['a code and a reason', [{ closeCode: 3456, reason: 'pizza' }], [3456, 'pizza']],
    ['a reason alone', [{ reason: 'why' }], [1000, 'why']],
    ['an empty reason', [{ reason: '' }], [1005, '']],
  ])('with %s', async (_name, args, [closeCode, reason]) => {
    const { stream, reader, writer, ended } = await pairUp();
    stream.close(...(args as []));
    expect(await stream.closed).toEqual({ closeCode, reason });
    expect(await ended).toEqual([closeCode, reason]);
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    expect(await rejection(writer.closed)).toMatchObject({ name: 'InvalidStateError' });
  });

  test('is validated', async () => {
    const { stream } = await pairUp();
    for (const closeCode of [999, 1001, 2999, 5000]) {
      expect(thrownName(() => stream.close({ closeCode }))).toBe('InvalidAccessError');
    }
    expect(thrownName(() => stream.close({ reason: 'x'.repeat(124) }))).toBe('SyntaxError');
    expect(() => stream.close(true as never)).toThrow(TypeError);
  });

  test('while connecting: both promises are rejected with a WebSocketError', async () => {
    const stream = makeStream(await rawServer(() => {}));
    stream.close({ closeCode: 3000 });
    const [opened, closed] = [await rejection(stream.opened), await rejection(stream.closed)];
    expect([opened.name, opened.closeCode, opened.reason]).toEqual(['WebSocketError', null, '']);
    expect([closed.name, closed.closeCode, closed.reason]).toEqual(['WebSocketError', 1006, '']);
    expect(opened).toBeInstanceOf(WebSocketError);
  });

  test('drops what was not read', async () => {
    const { stream, reader, peer } = await pairUp();
    for (let i = 0; i < 40; i++) peer.send(`${i}`);
    await delay(20);
    stream.close();
    await stream.closed;
    const rest = [];
    for (let read = await reader.read(); !read.done; read = await reader.read()) rest.push(read.value);
    expect(rest).toEqual(['0']); // in the stream's own queue
  });
});

describe('closing the writable', () => {
  test('closes the connection and waits for that', async () => {
    const close: (() => void)[] = [];
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead()));
      await peer.take(6);
      close.push(() => {
        peer.write(frame(8, '', plain));
        peer.socket.end();
      });
    });
    const { writer, stream } = await openStream(url);
    let isClosed = false;
    const closing = writer.close().then(() => (isClosed = true));
    await until(() => close.length === 1);
    await delay(20);
    expect(isClosed).toBe(false);
    close[0]();
    await closing;
    await writer.closed;
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
  });

  test('is rejected when the connection is lost', async () => {
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead()));
      await peer.take(6);
      peer.socket.destroy();
    });
    const { writer } = await openStream(url);
    expect(await rejection(writer.close())).toMatchObject({ name: 'WebSocketError', closeCode: 1006 });
  });
});

describe.each(['abort', 'cancel'] as const)('%s', (method) => {
  const call = (streams: Awaited<ReturnType<typeof pairUp>>, reason?: unknown): Promise<void> =>
    method === 'abort' ? streams.writer.abort(reason) : streams.reader.cancel(reason);

  test.each([
    ['nothing', undefined, [1005, '']],
    ['an Error', new Error('x'), [1005, '']],
    ['an object that looks like the error', { closeCode: 3456, reason: 'set' }, [1005, '']],
    ['a WebSocketError', new WebSocketError('m', { closeCode: 3456, reason: 'set' }), [3456, 'set']],
    ['a WebSocketError with a reason', new WebSocketError('m', { reason: 'set' }), [1000, 'set']],
    ['a WebSocketError without anything', new WebSocketError('m'), [1005, '']],
  ])('with %s', async (_name, reason, [closeCode, text]) => {
    const streams = await pairUp();
    await call(streams, reason);
    expect(await streams.stream.closed).toEqual({ closeCode, reason: text });
    expect(await streams.ended).toEqual([closeCode, text]);
  });

  test('with the error of another connection, whose code may not be sent', async () => {
    const lost = await rejection(new WebSocketStream(nowhere).closed);
    expect(lost.closeCode).toBe(1006);
    const streams = await pairUp();
    await call(streams, lost);
    expect(await streams.ended).toEqual([1005, '']);
  });
});

describe('the end', () => {
  test('a handshake that fails rejects both promises', async () => {
    const url = await rawServer(async (peer) => {
      await peer.takeHead();
      peer.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
    const stream = new WebSocketStream(url);
    expect(await rejection(stream.opened)).toMatchObject({ name: 'WebSocketError', closeCode: null });
    expect(await rejection(stream.closed)).toMatchObject({ name: 'WebSocketError', closeCode: 1006, reason: '' });
  });

  test('a connection that is lost errors both streams', async () => {
    const { stream, reader, writer, peer } = await pairUp();
    const reading = rejection(reader.read());
    peer.terminate();
    const error = await rejection(stream.closed);
    expect([error.name, error.closeCode, error.reason]).toEqual(['WebSocketError', 1006, '']);
    expect(await reading).toBe(error);
    expect(await rejection(writer.closed)).toBe(error);
  });

  test('a fault of the peer does the same', async () => {
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead()), frame(3, '', plain));
      await peer.take(8);
      peer.write(frame(8, closePayload(1002), plain));
      peer.socket.end();
    });
    const { stream, reader } = await openStream(url);
    const error = await rejection(stream.closed);
    expect([error.name, error.closeCode]).toEqual(['WebSocketError', 1006]);
    expect(await rejection(reader.read())).toBe(error);
  });

  test('close after it does nothing', async () => {
    const { stream, peer } = await pairUp();
    peer.close(3000);
    await stream.closed;
    stream.close({ closeCode: 3001 });
    expect(await stream.closed).toEqual({ closeCode: 3000, reason: '' });
  });
});

test('a pipe through both streams carries everything', async () => {
  const { url } = await serveEcho();
  const { readable, writable } = await makeStream(url).opened;
  const count = 300;
  const source = new ReadableStream<string>({
    start(controller) {
      for (let i = 0; i < count; i++) controller.enqueue(`${i} ${'x'.repeat(i * 50)}`);
    },
  });
  source.pipeTo(writable as WritableStream<string>, { preventClose: true }).catch(() => {}); // when the test ends
  const reader = readable.getReader();
  for (let i = 0; i < count; i++) expect((await reader.read()).value).toBe(`${i} ${'x'.repeat(i * 50)}`);
});

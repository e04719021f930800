// Messages asked for: `for await` over a socket, and `receive` with and without a signal.
import { getEventListeners, once } from 'node:events';
import { WebSocket, type ReceivedMessage, type ServerOptions } from '../../lib';
import { client, closed, delay, frame, pair, rawClient, record, serve, textOf, until } from './support';

/** The texts of a socket until the loop ends. */
async function texts(socket: WebSocket): Promise<string[]> {
  const seen: string[] = [];
  for await (const { data } of socket) seen.push(textOf(data));
  return seen;
}

/** The message that the loop has next. */
async function next(loop: AsyncIterator<ReceivedMessage>): Promise<ReceivedMessage> {
  return (await loop.next()).value as ReceivedMessage;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe('for await', () => {
  test('gives messages of both kinds in order and ends with the connection', async () => {
    const { client: socket, peer } = await pair();
    const seen: ReceivedMessage[] = [];
    const loop = (async () => {
      for await (const message of peer) seen.push(message);
    })();
    socket.send('text');
    socket.send(Buffer.from('bytes'));
    socket.send('');
    socket.close(1000);
    await loop;
    expect(seen).toEqual([
      { data: Buffer.from('text'), isBinary: false },
      { data: Buffer.from('bytes'), isBinary: true },
      { data: Buffer.alloc(0), isBinary: false },
    ]);
    expect(peer.readyState).toBe(WebSocket.CLOSED);
  });

  test.each([true, false])(
    'a slow loop pauses the socket and loses nothing, allowSynchronousEvents: %p',
    async (allowSynchronousEvents) => {
      const { client: socket, peer } = await pair({ allowSynchronousEvents });
      for (const text of numbers(1000)) socket.send(text);
      const seen: string[] = [];
      let pauses = 0;
      for await (const { data } of peer) {
        seen.push(textOf(data));
        if (seen.length % 100 === 1) await delay(5);
        if (peer.isPaused) pauses++;
        if (seen.length === 1000) socket.close();
      }
      expect(seen).toEqual(numbers(1000));
      expect(pauses).toBeGreaterThan(10);
    },
  );

  test('what waits is bounded by bytes, too: a sender that is not read comes to a halt', async () => {
    const { client: socket, peer } = await pair();
    const loop = peer[Symbol.asyncIterator]();
    const bytes = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 40; i++) socket.send(bytes);
    await until(() => peer.isPaused);
    await delay(100);
    expect(socket.bufferedAmount).toBeGreaterThan(20 * bytes.length);
    for (let i = 0; i < 40; i++) expect(bytes.equals((await next(loop)).data as Buffer)).toBe(true);
    expect(peer.isPaused).toBe(false);
  });

  test("the socket's error is thrown behind the messages, and once", async () => {
    const { server, port } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const raw = await rawClient(port);
    const [socket] = await connected;
    const loop = socket[Symbol.asyncIterator]();
    raw.write(frame(1, 'a'), frame(2, 'b'), frame(3, 'no such opcode'));
    raw.socket.end();
    await closed(socket);
    expect(textOf((await next(loop)).data)).toBe('a');
    expect(textOf((await next(loop)).data)).toBe('b');
    await expect(loop.next()).rejects.toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  test('a handshake that fails is thrown', async () => {
    const { url } = await serve({ path: '/other' });
    await expect(texts(client(url))).rejects.toThrow('Unexpected server response: 404');
  });

  test('a socket that connects is waited for, and one that is closed gives nothing', async () => {
    const { server, url } = await serve();
    server.on('connection', (peer) => {
      peer.send('hello');
      peer.close(1000);
    });
    const socket = client(url);
    expect(await texts(socket)).toEqual(['hello']);
    expect(await texts(socket)).toEqual([]);
    expect(
      await texts(
        new WebSocket(url)
          .on('error', () => {})
          .on('open', function () {
            this.terminate();
          }),
      ),
    ).toEqual([]);
  });

  test('break closes the connection, also when more waits than the loop would take', async () => {
    const { client: socket, peer } = await pair();
    for (const text of numbers(500)) socket.send(text);
    const end = closed(socket);
    for await (const { data } of peer) {
      expect(textOf(data)).toBe('0');
      await until(() => peer.isPaused);
      break;
    }
    expect(peer.readyState).toBe(WebSocket.CLOSING);
    expect((await end).code).toBe(1005);
    await until(() => peer.readyState === WebSocket.CLOSED);
    await expect(peer.receive()).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test('an exception in the loop closes the connection, and goes on', async () => {
    const { client: socket, peer } = await pair();
    socket.send('x');
    const end = closed(socket);
    const loop = async (): Promise<void> => {
      for await (const { data } of peer) throw new Error(textOf(data));
    };
    await expect(loop()).rejects.toThrow('x');
    await end;
  });

  test('return ends a next that waits', async () => {
    const { peer } = await pair();
    const loop = peer[Symbol.asyncIterator]();
    const waiting = loop.next();
    expect(await loop.return!()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test('two loops share the messages', async () => {
    const { client: socket, peer } = await pair();
    const both = Promise.all([texts(peer), texts(peer)]);
    for (const text of numbers(50)) socket.send(text);
    socket.close();
    const [first, second] = await both;
    expect([first.length > 0, second.length > 0]).toEqual([true, true]);
    expect([...first, ...second].sort((a, b) => Number(a) - Number(b))).toEqual(numbers(50));
  });

  test.each<[string, ServerOptions]>([
    ['delivery: borrow', { delivery: 'borrow' }],
    ['textType: string', { textType: 'string' }],
    ['both', { delivery: 'borrow', textType: 'string' }],
  ])('%s: messages stay what they are', async (_name, options) => {
    const { client: socket, peer } = await pair(options);
    const kept: ReceivedMessage[] = [];
    const loop = (async () => {
      for await (const message of peer) kept.push(message);
    })();
    const sizes = [1, 100, 5000, 100_000, 2_000_000];
    for (const [i, size] of sizes.entries()) {
      socket.send(Buffer.alloc(size, i + 1));
      socket.send('ab'.repeat(size));
      await until(() => kept.length === 2 * (i + 1));
    }
    socket.close();
    await loop;
    for (const [i, size] of sizes.entries()) {
      expect(kept[2 * i].isBinary).toBe(true);
      expect(Buffer.alloc(size, i + 1).equals(kept[2 * i].data as Buffer)).toBe(true);
      expect(typeof kept[2 * i + 1].data).toBe(options.textType === 'string' ? 'string' : 'object');
      expect(textOf(kept[2 * i + 1].data) === 'ab'.repeat(size)).toBe(true);
    }
  });

  test('binaryType: arraybuffer and fragments', async () => {
    const { client: socket, peer } = await pair({ delivery: 'borrow' });
    const loop = peer[Symbol.asyncIterator]();
    peer.binaryType = 'arraybuffer';
    socket.send(Buffer.from('a'));
    expect(Buffer.from((await next(loop)).data as ArrayBuffer).toString()).toBe('a');
    peer.binaryType = 'fragments';
    socket.send(Buffer.from('b'));
    expect((await next(loop)).data).toEqual([Buffer.from('b')]);
  });
});

describe('receive', () => {
  test('gives one message after the other, also those that came together', async () => {
    const { client: socket, peer } = await pair();
    const first = peer.receive();
    for (const text of numbers(100)) socket.send(text);
    expect(await first).toEqual({ data: Buffer.from('0'), isBinary: false });
    for (const text of numbers(100).slice(1)) expect(textOf((await peer.receive()).data)).toBe(text);
    const two = Promise.all([peer.receive(), peer.receive()]);
    socket.send('a');
    socket.send('b');
    expect((await two).map(({ data }) => textOf(data))).toEqual(['a', 'b']);
  });

  test('what it leaves is for a loop', async () => {
    const { client: socket, peer } = await pair();
    const first = peer.receive();
    for (const text of numbers(100)) socket.send(text);
    await first;
    await delay(20);
    socket.close();
    expect(await texts(peer)).toEqual(numbers(100).slice(1));
  });

  test('an abort ends the waiting, not the connection, and loses no message', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(peer, 'error', 'close');
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = peer.receive({ signal });
    const behind = peer.receive();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: reason });
    await expect(peer.receive({ signal })).rejects.toMatchObject({ name: 'AbortError' });
    socket.send('first');
    expect(textOf((await behind).data)).toBe('first');
    socket.send('second');
    socket.send('third');
    await delay(20);
    await expect(peer.receive({ signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(textOf((await peer.receive()).data)).toBe('second');
    expect(textOf((await peer.receive()).data)).toBe('third');
    expect([seen, peer.readyState]).toEqual([[], WebSocket.OPEN]);
  });

  test('one signal for many calls: nothing stays with it, and a message that was given stays given', async () => {
    const { client: socket, peer } = await pair();
    const controller = new AbortController();
    const { signal } = controller;
    const all = Promise.all(Array.from({ length: 9 }, () => peer.receive({ signal })));
    for (const text of numbers(9)) socket.send(text);
    expect((await all).map(({ data }) => textOf(data))).toEqual(numbers(9));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    controller.abort();
  });

  test('rejects when the connection is closed, with its error when there is one', async () => {
    const { client: socket, peer } = await pair();
    const waiting = peer.receive();
    socket.close();
    await expect(waiting).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    await expect(peer.receive()).rejects.toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
    await expect(client('ws://127.0.0.1:1').receive()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('another signal is a TypeError', async () => {
    const { peer } = await pair();
    await expect(peer.receive({ signal: 'now' as never })).rejects.toThrow(
      new TypeError('The option "signal" must be an AbortSignal, not the string "now"'),
    );
  });
});

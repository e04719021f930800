// Ping and pong, binaryType, listeners with event objects, wrong arguments, and use after close.
import { once } from 'node:events';
import WS from 'ws';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from '../../lib';
import {
  afterTest,
  client,
  closed,
  connect,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawClient,
  record,
  serve,
} from './support';

describe('ping and pong', () => {
  test('a ping is seen by the peer and answered with its data', async () => {
    const { client: socket, peer } = await pair();
    for (const [from, to] of [
      [socket, peer],
      [peer, socket],
    ]) {
      const pinged = onceWithoutError(to, 'ping');
      const answered = onceWithoutError(from, 'pong');
      from.ping('data');
      expect(String((await pinged)[0])).toBe('data');
      expect(String((await answered)[0])).toBe('data');
    }
  });

  test('a ping without data, and with 125 bytes', async () => {
    const { client: socket } = await pair();
    socket.ping();
    expect(((await onceWithoutError(socket, 'pong'))[0] as Buffer).length).toBe(0);
    socket.ping(Buffer.alloc(125, 'p'));
    expect((await onceWithoutError(socket, 'pong'))[0]).toEqual(Buffer.alloc(125, 'p'));
    socket.ping(12);
    expect(String((await onceWithoutError(socket, 'pong'))[0])).toBe('12');
  });

  test('an unsolicited pong is seen', async () => {
    const { client: socket, peer } = await pair();
    const seen = onceWithoutError(peer, 'pong');
    socket.pong('hello');
    expect(String((await seen)[0])).toBe('hello');
  });

  test('each of many pings in one packet is answered', async () => {
    const { port } = await serve();
    const peer = await rawClient(port);
    const payloads = Array.from({ length: 100 }, (_, i) => `ping ${i}`);
    peer.write(...payloads.map((payload) => frame(9, payload)));
    const answers = Buffer.concat(payloads.map((payload) => frame(10, payload, { mask: false })));
    expect(await peer.take(answers.length)).toEqual(answers);
  });

  test('with autoPong: false nothing is answered but by hand', async () => {
    const { client: socket, peer } = await pair({ autoPong: false });
    const seen = record(socket, 'pong');
    peer.on('ping', () => peer.pong('by hand'));
    socket.ping('data');
    await onceWithoutError(socket, 'pong');
    expect(seen).toEqual(['pong: by hand']);
  });

  test('callbacks of every form are called', async () => {
    const { client: socket } = await pair();
    await new Promise<void>((resolve) => socket.ping(() => resolve()));
    await new Promise<void>((resolve) => socket.ping('a', () => resolve()));
    await new Promise<void>((resolve) => socket.pong('a', true, () => resolve()));
  });

  test('with a ws client', async () => {
    const { server, url } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const socket = new WS(url);
    const [peer] = await connected;
    peer.ping('1');
    expect(String((await onceWithoutError(peer, 'pong'))[0])).toBe('1');
    socket.ping('2');
    expect(String((await onceWithoutError(socket, 'pong'))[0])).toBe('2');
    socket.terminate();
  });

  test('pings between the parts of a message do not disturb it', async () => {
    const { server, port } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const peer = await rawClient(port);
    const [socket] = await connected;
    const seen = record(socket, 'message', 'ping');
    peer.write(frame(1, 'a', { fin: false }), frame(9, 'p'), frame(0, 'b'));
    await onceWithoutError(socket, 'message');
    expect(seen).toEqual(['ping: p', 'message: ab']);
    expect(await peer.take(3)).toEqual(frame(10, 'p', { mask: false }));
  });
});

describe('binaryType', () => {
  test.each([10, 100_000])('nodebuffer, arraybuffer and fragments, %i bytes', async (size) => {
    const { client: socket, peer } = await pair();
    const bytes = Buffer.alloc(size, 'b');
    const receive = async (): Promise<unknown> => {
      peer.send(bytes);
      return (await nextMessage(socket)).data;
    };
    expect(socket.binaryType).toBe('nodebuffer');
    expect(await receive()).toEqual(bytes);
    socket.binaryType = 'arraybuffer';
    const arrayBuffer = (await receive()) as ArrayBuffer;
    expect(Object.prototype.toString.call(arrayBuffer)).toBe('[object ArrayBuffer]');
    expect(Buffer.from(arrayBuffer).equals(bytes)).toBe(true);
    socket.binaryType = 'fragments';
    const fragments = (await receive()) as Buffer[];
    expect(Array.isArray(fragments)).toBe(true);
    expect(Buffer.concat(fragments).equals(bytes)).toBe(true);
    peer.send('text');
    expect(Buffer.isBuffer((await nextMessage(socket)).data)).toBe(true);
  });

  test('set before open holds, and other values are ignored', async () => {
    const { server, url } = await serve();
    server.on('connection', (peer) => peer.send(Buffer.from([1])));
    const socket = client(url);
    socket.binaryType = 'arraybuffer';
    socket.binaryType = 'something' as 'arraybuffer';
    expect(socket.binaryType).toBe('arraybuffer');
    expect(((await nextMessage(socket)).data as unknown as ArrayBuffer).byteLength).toBe(1);
  });
});

describe('listeners with event objects', () => {
  test('addEventListener: open, message, close', async () => {
    const { server, url } = await serve();
    server.on('connection', (peer) => {
      peer.send('text');
      peer.send(Buffer.from([1, 2]));
      peer.close(3000, 'reason');
    });
    const socket = client(url);
    const seen: unknown[] = [];
    socket.addEventListener('open', (event) => seen.push([event.type, event.target === socket]));
    socket.addEventListener('message', function (event) {
      seen.push([event.type, event.data, this === socket]);
    });
    const end = new Promise<void>((resolve) =>
      socket.addEventListener('close', {
        handleEvent: (event) => {
          seen.push([event.type, event.code, event.reason, event.wasClean]);
          resolve();
        },
      }),
    );
    await end;
    expect(seen).toEqual([
      ['open', true],
      ['message', 'text', true],
      ['message', Buffer.from([1, 2]), true],
      ['close', 3000, 'reason', true],
    ]);
  });

  test('on… properties: one listener each, null when there is none', async () => {
    const { server, url } = await serve();
    server.on('connection', (peer) => peer.send('text'));
    const socket = client(url);
    expect([socket.onopen, socket.onmessage, socket.onclose, socket.onerror]).toEqual([null, null, null, null]);
    const wrong = jest.fn();
    socket.onmessage = wrong;
    const data = await new Promise((resolve) => {
      const listener = (event: { data: unknown }): void => resolve(event.data);
      socket.onmessage = listener;
      expect(socket.onmessage).toBe(listener);
    });
    expect(data).toBe('text');
    expect(wrong).not.toHaveBeenCalled();
    socket.onmessage = null;
    expect(socket.onmessage).toBe(null);
    expect(socket.listenerCount('message')).toBe(0);
    const event = await new Promise<{ wasClean: boolean; code: number }>((resolve) => {
      socket.onclose = resolve;
      socket.terminate();
    });
    expect([event.code, event.wasClean]).toEqual([1006, false]);
  });

  test('error events carry the error', async () => {
    const socket = client('ws://127.0.0.1:1');
    const event = await new Promise<{ type: string; message: string; error: Error }>((resolve) => {
      socket.onerror = resolve;
    });
    expect(event.type).toBe('error');
    expect(event.message).toBe(event.error.message);
  });

  test('the same listener is added once, removed, and called once with once', async () => {
    const { client: socket, peer } = await pair();
    const listener = jest.fn();
    const single = jest.fn();
    socket.addEventListener('message', listener);
    socket.addEventListener('message', listener);
    socket.addEventListener('message', single, { once: true });
    expect(socket.listenerCount('message')).toBe(2);
    peer.send('1');
    peer.send('2');
    await onceWithoutError(socket, 'message');
    socket.send('flush');
    await onceWithoutError(peer, 'message');
    expect(listener).toHaveBeenCalledTimes(2);
    expect(single).toHaveBeenCalledTimes(1);
    socket.removeEventListener('message', listener);
    expect(socket.listenerCount('message')).toBe(0);
    expect(() => socket.addEventListener('message', 5 as never)).toThrow(TypeError);
    socket.addEventListener('other' as never, listener as never);
    expect(socket.listenerCount('other')).toBe(0);
  });
});

test('the constants of the ready states', () => {
  expect([WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED]).toEqual([0, 1, 2, 3]);
  const socket = new WebSocket(null);
  expect([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED]).toEqual([0, 1, 2, 3]);
  expect([socket.readyState, socket.bufferedAmount, socket.extensions, socket.protocol]).toEqual([0, 0, '', '']);
  expect([socket.url, socket._socket, socket.transport]).toEqual([undefined, null, undefined]);
  socket.close();
  socket.terminate();
});

describe('wrong arguments', () => {
  test.each<[string, (socket: WebSocket) => unknown, string, string]>([
    ['send of an object', (s) => s.send({} as never), 'TypeError', 'The data must be a string, a number, a Buffer'],
    ['send of true', (s) => s.send(true as never), 'TypeError', 'not true'],
    ['send of a symbol', (s) => s.send(Symbol('s') as never), 'TypeError', 'not a symbol'],
    [
      'send with a wrong callback',
      (s) => s.send('a', {}, 5 as never),
      'TypeError',
      'The callback must be a function, not the number 5',
    ],
    [
      'ping of 126 bytes',
      (s) => s.ping('x'.repeat(126)),
      'RangeError',
      'The data of a ping or pong must be at most 125 bytes, not 126',
    ],
    ['pong of 63 two-byte characters', (s) => s.pong('é'.repeat(63)), 'RangeError', 'at most 125 bytes, not 126'],
    ['ping of an object', (s) => s.ping({} as never), 'TypeError', 'The data must be'],
    [
      'close code 999',
      (s) => s.close(999),
      'RangeError',
      'The close code must be 1000-1003, 1007-1014 or 3000-4999, not 999',
    ],
    ['close code 1004', (s) => s.close(1004), 'RangeError', 'not 1004'],
    ['close code 1005', (s) => s.close(1005), 'RangeError', 'not 1005'],
    ['close code 1006', (s) => s.close(1006), 'RangeError', 'not 1006'],
    ['close code 1015', (s) => s.close(1015), 'RangeError', 'not 1015'],
    ['close code 2999', (s) => s.close(2999), 'RangeError', 'not 2999'],
    ['close code 5000', (s) => s.close(5000), 'RangeError', 'not 5000'],
    [
      'close code 1000.5',
      (s) => s.close(1000.5),
      'TypeError',
      'The close code must be a whole number, not the number 1000.5',
    ],
    ['close code "1000"', (s) => s.close('1000' as never), 'TypeError', 'not the string "1000"'],
    [
      'close reason of 124 bytes',
      (s) => s.close(1000, 'x'.repeat(124)),
      'RangeError',
      'at most 123 bytes of UTF-8, not 124',
    ],
    ['close reason of an object', (s) => s.close(1000, {} as never), 'TypeError', 'The data must be'],
    [
      'close reason that is not UTF-8',
      (s) => s.close(1000, Buffer.from([0xff])),
      'TypeError',
      'The close reason must be valid UTF-8',
    ],
  ])('%s', async (_name, call, name, message) => {
    const { client: socket } = await pair();
    let thrown: Error | undefined;
    try {
      call(socket);
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown?.name).toBe(name);
    expect(thrown?.message).toContain(message);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    const end = closed(socket);
    socket.close(1000);
    expect((await end).code).toBe(1000);
  });

  test.each<[ClientOptions, string]>([
    [{ maxPayload: -1 }, 'The option "maxPayload" must be a whole number from 0 to 9007199254740991, not -1'],
    [{ maxPayload: '1' as never }, 'The option "maxPayload" must be a number, not the string "1"'],
    [{ maxFragments: 0.5 }, 'The option "maxFragments" must be a whole number from 0 to 4294967295, not 0.5'],
    [{ closeTimeout: 2 ** 31 }, 'The option "closeTimeout" must be a whole number from 0 to 2147483647'],
    [{ handshakeTimeout: NaN }, 'The option "handshakeTimeout" must be a whole number'],
    [
      { transport: 'udp' as never },
      `The option "transport" must be 'auto', 'native' or 'stream', not the string "udp"`,
    ],
    [{ protocolVersion: 8 }, 'Unsupported protocol version: 8 (supported versions: 13)'],
  ])('client options %j', (options, message) => {
    expect(() => new WebSocket('ws://127.0.0.1:1', options)).toThrow(message);
  });

  test.each<[ServerOptions, string]>([
    [{ port: 65_536 }, 'The option "port" must be a whole number from 0 to 65535, not 65536'],
    [{ port: 'eighty' as never }, 'The option "port" must be a number, not the string "eighty"'],
    [{ port: 0, handshakeTimeout: -1 }, 'The option "handshakeTimeout" must be a whole number'],
    [{ port: 0, maxPayload: Infinity }, 'The option "maxPayload" must be a whole number'],
  ])('server options %j', (options, message) => {
    expect(() => new WebSocketServer(options)).toThrow(message);
  });
});

describe('use before open and after close', () => {
  const uses: [string, (socket: WebSocket, cb: (error?: Error) => void) => unknown][] = [
    ['send', (s, cb) => s.send('data', cb)],
    ['ping', (s, cb) => s.ping('data', cb)],
    ['pong', (s, cb) => s.pong('data', cb)],
  ];

  test.each(uses)('%s throws while connecting', (_name, use) => {
    const socket = client('ws://127.0.0.1:1');
    socket.on('error', () => {});
    expect(() => use(socket, () => {})).toThrow('WebSocket is not open: readyState 0 (CONNECTING)');
  });

  test.each(uses)('%s on a closing and a closed socket calls back with an error', async (name, use) => {
    const { client: socket } = await pair();
    const end = closed(socket);
    socket.close();
    const closing = await new Promise<Error | undefined>((resolve) => use(socket, resolve));
    expect(closing?.message).toBe('WebSocket is not open: readyState 2 (CLOSING)');
    await end;
    let result: unknown;
    const after = await new Promise<Error | undefined>((resolve) => (result = use(socket, resolve)));
    expect(after?.message).toBe('WebSocket is not open: readyState 3 (CLOSED)');
    if (name === 'send') expect(result).toBe(false);
    use(socket, undefined as never);
    expect(socket.bufferedAmount).toBe(12);
  });

  test('after a failed handshake too', async () => {
    const socket = client('ws://127.0.0.1:1');
    socket.on('error', () => {});
    await closed(socket);
    const error = await new Promise<Error | undefined>((resolve) => socket.send('1234', resolve));
    expect(error?.message).toBe('WebSocket is not open: readyState 3 (CLOSED)');
    expect(socket.send('12')).toBe(false);
    expect(socket.bufferedAmount).toBe(6);
    socket.close();
    socket.terminate();
    socket.pause();
    socket.resume();
  });

  test('everything else on a closed socket has no effect', async () => {
    const { client: socket } = await pair();
    const end = closed(socket);
    socket.terminate();
    await end;
    const seen = record(socket, 'error', 'close');
    socket.close(1006);
    socket.close(1000, 'again');
    socket.terminate();
    socket.pause();
    socket.resume();
    socket.binaryType = 'arraybuffer';
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen).toEqual([]);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  test('a socket made with null can be closed without a connection', async () => {
    const socket = new WebSocket(null, undefined, {});
    afterTest(() => socket.terminate());
    expect(() => socket.send('x')).toThrow('CONNECTING');
    await connect((await serve()).url);
  });
});

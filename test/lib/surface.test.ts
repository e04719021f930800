// The public surface of ws: every name is here, and one program sees the same with ws and with us.
import { once, type EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import WS, { WebSocketServer as WSServer } from 'ws';
import { WebSocket, WebSocketServer, type ClientOptions, type SendData, type SendOptions } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  connect,
  nextMessage,
  onceWithoutError,
  pair,
  RawPeer,
  rawServer,
  record,
  requestText,
  serve,
  serveEcho,
} from './support';

/** Parts of ws that are not ours on purpose, or internal there. */
const declared = [
  'Receiver',
  'Sender',
  'PerMessageDeflate',
  'extension',
  'subprotocol',
  'emitClose',
  'completeUpgrade',
];

const names = (object: object): string[] =>
  Object.getOwnPropertyNames(object).filter((name) => !declared.includes(name));

describe('every name of ws exists', () => {
  test.each(names(WS))('WebSocket.%s', (name) => {
    expect(name in WebSocket).toBe(true);
    expect(typeof WebSocket[name as 'OPEN']).toBe(typeof WS[name as 'OPEN']);
  });

  test.each(names(WS.prototype))('WebSocket.prototype.%s', (name) => {
    expect(name in WebSocket.prototype).toBe(true);
  });

  test.each(names(WSServer.prototype))('WebSocketServer.prototype.%s', (name) => {
    expect(name in WebSocketServer.prototype).toBe(true);
  });

  test('the constants have the same values', () => {
    for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const) {
      expect([WebSocket[name], WebSocket.prototype[name]]).toEqual([WS[name], WS.prototype[name]]);
    }
  });
});

describe('one program sees the same with ws and with us', () => {
  const ours = { Client: WebSocket, Server: WebSocketServer };
  const theirs = { Client: WS, Server: WSServer } as unknown as typeof ours;

  /** Writes down what happens, one line each. */
  function listen(emitter: EventEmitter, names: string[], log: string[], who: string): void {
    for (const name of names) {
      emitter.on(name, (...args: unknown[]) => log.push([who, name, ...args.map(show)].join(' ')));
    }
  }

  function show(value: unknown): string {
    if (Buffer.isBuffer(value)) return `<${value.toString()}>`;
    if (value instanceof Error) return value.message;
    return typeof value === 'object' && value !== null ? '' : String(value);
  }

  async function run({ Client, Server }: typeof ours): Promise<string[]> {
    const log: string[] = [];
    const server = new Server({ port: 0, host: '127.0.0.1', handleProtocols: () => 'b' });
    afterTest(() => void server.close());
    listen(server, ['listening', 'connection', 'close'], log, 'server');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const socket = new Client(`ws://127.0.0.1:${port}/x?y`, ['a', 'b'], { origin: 'http://o.example' });
    log.push(String([socket.readyState, socket.protocol, socket.bufferedAmount, socket.isPaused, socket.binaryType]));
    listen(socket, ['open', 'message', 'ping', 'pong', 'close', 'error'], log, 'client');
    const [[peer]] = await Promise.all([connected, once(socket, 'open')]);
    listen(peer, ['message', 'ping', 'pong', 'close', 'error'], log, 'peer');
    log.push(String([socket.readyState, socket.protocol, peer.protocol, socket.extensions, peer.extensions]));
    log.push(socket.url.replace(String(port), 'port'), typeof peer.url, String(server.clients.size));

    peer.on('message', (data, isBinary) => peer.send(data as Buffer, { binary: isBinary }));
    const say = async (data: SendData, options?: SendOptions): Promise<void> => {
      const answer = once(socket, 'message');
      await new Promise((done) => socket.send(data, options, done));
      await answer;
    };
    await say('text');
    await say(Buffer.from('bytes'));
    await say(new Uint8Array([65, 66, 67]).subarray(1));
    await say('as binary', { binary: true });
    await say(42);
    await say('');
    socket.send('in ', { fin: false });
    await say('parts');
    const ping = once(peer, 'ping');
    const pong = once(socket, 'pong');
    socket.ping('are you there');
    await Promise.all([ping, pong]);
    const alone = once(peer, 'pong');
    socket.pong('unasked');
    await alone;

    socket.pause();
    log.push(String(socket.isPaused));
    peer.send('later');
    socket.resume();
    await once(socket, 'message');
    const both = Promise.all([once(socket, 'close'), once(peer, 'close')]);
    socket.close(4321, 'bye');
    log.push(String(socket.readyState));
    await both;
    log.push(String([socket.readyState, peer.readyState]), String(server.clients.size));
    await new Promise<void>((done) => void server.close(() => done()));
    // What the two ends do is not in step.
    return ['client', 'peer', 'server', ''].flatMap((who) =>
      log.filter((line) => (who ? line.startsWith(who) : !/^(client|peer|server)/.test(line))),
    );
  }

  test('our client and server, and those of ws', async () => {
    const [mine, reference] = [await run(ours), await run(theirs)];
    expect(reference.length).toBeGreaterThan(30);
    expect(mine).toEqual(reference);
  });

  test('our client with their server, and the reverse', async () => {
    const reference = await run(theirs);
    expect(await run({ Client: WebSocket, Server: theirs.Server })).toEqual(reference);
    expect(await run({ Client: theirs.Client, Server: WebSocketServer })).toEqual(reference);
  });
});

describe('a handshake fails with the same words', () => {
  const accept =
    (...lines: string[]) =>
    (head: string) =>
      acceptText(head, ...lines);
  const cases: [string, (head: string) => string, string[], object?][] = [
    ['404', () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nwhy', []],
    ['200', () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', []],
    ['a redirect', () => 'HTTP/1.1 301 X\r\nLocation: /\r\n\r\n', []],
    ['a redirect without a location', () => 'HTTP/1.1 301 X\r\n\r\n', [], { followRedirects: true }],
    ['a redirect loop', () => 'HTTP/1.1 302 X\r\nLocation: /\r\n\r\n', [], { followRedirects: true, maxRedirects: 2 }],
    ['a redirect to no URL', () => 'HTTP/1.1 302 X\r\nLocation: http://\r\n\r\n', [], { followRedirects: true }],
    ['a redirect to a fragment', () => 'HTTP/1.1 302 X\r\nLocation: /#a\r\n\r\n', [], { followRedirects: true }],
    ['a 304', () => 'HTTP/1.1 304 X\r\n\r\n', [], { followRedirects: true }],
    ['another protocol', (head) => acceptText(head).replace('websocket', 'h2c'), []],
    ['101 without Upgrade', (head) => acceptText(head).replace('Upgrade: websocket\r\n', ''), []],
    ['a wrong accept', (head) => acceptText(head).replace(/Accept: ../, 'Accept: xx'), []],
    ['no accept', (head) => acceptText(head).replace(/Sec-WebSocket-Accept.*\r\n/, ''), []],
    ['an unoffered subprotocol', accept('Sec-WebSocket-Protocol: c'), ['a', 'b']],
    ['a subprotocol nobody asked for', accept('Sec-WebSocket-Protocol: c'), []],
    ['no subprotocol', accept(), ['a']],
    ['an extension', accept('Sec-WebSocket-Extensions: foo'), [], { perMessageDeflate: false }],
    ['no HTTP', () => 'hello\r\n\r\n', []],
    ['silence', () => '', [], { handshakeTimeout: 50 }],
  ];

  test.each(cases.map(([name, ...rest]) => [name, rest] as const))(
    '%s',
    async (_name, [answer, protocols, options]) => {
      const url = await rawServer(async (peer) => {
        const text = answer(await peer.takeHead());
        if (text !== '') peer.write(text);
      });
      const seen = async (Client: typeof WebSocket): Promise<unknown[]> => {
        const socket = new Client(url, protocols, options);
        const log = record(socket, 'open', 'error', 'close', 'upgrade');
        const [[error]] = await Promise.all([onceWithoutError(socket, 'error'), onceWithoutError(socket, 'close')]);
        const { name, code } = error as NodeJS.ErrnoException;
        return [name, code, socket.readyState, ...log];
      };
      expect(await seen(WebSocket)).toEqual(await seen(WS as unknown as typeof WebSocket));
    },
  );

  test.each<[string, unknown[]]>([
    ['no URL', ['nowhere']],
    ['an empty one', ['']],
    ['a fragment', ['ws://a/#b']],
    ['no Unix socket', ['ws+unix:']],
    ['a version', ['ws://a', { protocolVersion: 1000 }]],
    ['a header field with LF', ['ws://127.0.0.1:1', { headers: { a: 'b\n' } }]],
  ])('thrown: %s', (_name, args) => {
    const thrown = (Client: unknown): { name: string; message: string } => {
      try {
        return new (Client as new (...rest: unknown[]) => never)(...args);
      } catch (error) {
        return error as Error;
      }
    };
    const [mine, reference] = [thrown(WebSocket), thrown(WS)];
    expect(mine.name).toBe(reference.name);
    expect(mine.message.replace('13)', '8, 13)')).toBe(reference.message);
  });
});

describe('a request is refused with the same status and body', () => {
  type Options = ConstructorParameters<typeof WebSocketServer>[0];
  const cases: [string, string, Options][] = [
    ['POST', requestText({}, 'POST / HTTP/1.1'), {}],
    ['another protocol', requestText({ Upgrade: 'h2c' }), {}],
    ['no key', requestText({ 'Sec-WebSocket-Key': undefined }), {}],
    ['a short key', requestText({ 'Sec-WebSocket-Key': 'YQ==' }), {}],
    ['a subprotocol that is no token', requestText({ 'Sec-WebSocket-Protocol': 'a b' }), {}],
    ['a subprotocol twice', requestText({ 'Sec-WebSocket-Protocol': 'a, a' }), {}],
    ['verifyClient', requestText(), { verifyClient: () => false }],
    ['verifyClient later', requestText(), { verifyClient: (_info, done) => void setImmediate(done, false) }],
    ['a status', requestText(), { verifyClient: (_info, done) => done(false, 403) }],
    ['a body', requestText(), { verifyClient: (_info, done) => done(false, 402, 'pay', { 'X-Price': 5 }) }],
  ];

  test.each(cases)('%s', async (_name, text, options) => {
    const answer = async (Server: typeof WebSocketServer): Promise<unknown> => {
      const server = new Server({ port: 0, host: '127.0.0.1', ...options });
      afterTest(() => void server.close());
      await once(server, 'listening');
      const peer = await RawPeer.connect((server.address() as AddressInfo).port);
      peer.write(text);
      const [head, body] = (await peer.rest()).toString().split('\r\n\r\n');
      return [head.split('\r\n')[0], body, /^x-price: .*$/im.exec(head)?.[0]];
    };
    expect(await answer(WebSocketServer)).toEqual(await answer(WSServer as unknown as typeof WebSocketServer));
  });
});

test('a request without Host, and one whose header fields the program changes, are accepted alike', async () => {
  const answer = async (Server: typeof WebSocketServer): Promise<unknown> => {
    const server = new Server({ noServer: true });
    const http = createServer().listen(0, '127.0.0.1');
    afterTest(() => http.close());
    await once(http, 'listening');
    http.on('upgrade', (request, stream, head) => {
      request.headers['sec-websocket-version'] = '13';
      request.headers['sec-websocket-protocol'] = 'changed';
      server.handleUpgrade(request, stream, head, (socket) => socket.close());
    });
    const fields = { Host: undefined, 'Sec-WebSocket-Version': '7', 'Sec-WebSocket-Protocol': 'sent' };
    const peer = await RawPeer.connect((http.address() as AddressInfo).port);
    peer.write(requestText(fields));
    return (await peer.takeHead()).split('\r\n').sort();
  };
  const mine = await answer(WebSocketServer);
  expect(mine).toContain('Sec-WebSocket-Protocol: changed');
  expect(mine).toEqual(await answer(WSServer as unknown as typeof WebSocketServer));
});

describe('options that ws ignores, or that have no effect here', () => {
  test('where the client connects to is the business of the URL', async () => {
    const { url } = await serveEcho({ path: '/right' });
    const options = {
      host: 'h',
      hostname: 'h',
      port: 1,
      path: '/wrong',
      socketPath: '/s',
      method: 'POST',
      timeout: 1,
      protocol: 'ftp:',
    };
    const socket = await connect(`${url}/right`, undefined, options as ClientOptions);
    socket.send('right');
    expect((await nextMessage(socket)).data.toString()).toBe('right');
  });

  test('are accepted on clients and servers', async () => {
    const perMessageDeflate = { threshold: 10, serverMaxWindowBits: 10, zlibDeflateOptions: { level: 1 } };
    const options = { allowSynchronousEvents: true, maxBufferedChunks: 1, maxPendingAutoPongs: 1, perMessageDeflate };
    const { client: socket, peer } = await pair(options, { ...options, generateMask: (mask) => mask.fill(0) });
    expect([socket.extensions, peer.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
    peer.send('hello', { compress: true });
    expect((await nextMessage(socket)).data.toString()).toBe('hello');
  });

  test('mask: a client masks, a server does not, whatever is asked for', async () => {
    const { client: socket, peer } = await pair();
    socket.send('masked', { mask: false });
    expect((await nextMessage(peer)).data.toString()).toBe('masked');
    peer.send('not masked', { mask: true });
    expect((await nextMessage(socket)).data.toString()).toBe('not masked');
    const ping = once(peer, 'ping') as Promise<[Buffer]>;
    socket.ping('ping', false);
    expect((await ping)[0].toString()).toBe('ping');
  });
});

test('url is the address as a URL writes it', async () => {
  const { url } = await serve();
  for (const address of [url, `${url}/a b?c=d`, url.replace('ws:', 'HTTP:')]) {
    const [mine, reference] = [client(address), new WS(address)];
    reference.on('error', () => {});
    expect(mine.url).toBe(reference.url);
    reference.terminate();
  }
});

// The options of a server that decide about requests: verifyClient, handleProtocols, origins and limits, and what happens
// when the program's functions fail. What is malformed is in refused.test.ts.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect as netConnect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type ServerOptions } from '../../lib';
import { afterTest, client, closed, connect, onceWithoutError, RawPeer, requestText, serve, until } from './support';

async function answer(port: number, fields: Record<string, string> = {}): Promise<string> {
  const peer = await RawPeer.connect(port);
  peer.write(requestText(fields));
  return (await peer.rest()).toString();
}

async function status(port: number, fields: Record<string, string> = {}): Promise<number> {
  const peer = await RawPeer.connect(port);
  peer.write(requestText(fields));
  return Number((await peer.takeHead()).split(' ')[1]);
}

/** A server without an HTTP server of its own; what handleUpgrade throws is collected. */
async function serveCatching(options: ServerOptions): Promise<{ http: Server; port: number; errors: unknown[] }> {
  const http = createServer().listen(0, '127.0.0.1');
  const server = new WebSocketServer({ noServer: true, ...options });
  const errors: unknown[] = [];
  http.on('upgrade', (request, socket, head) => {
    try {
      server.handleUpgrade(request, socket, head, () => {});
    } catch (error) {
      errors.push((error as Error).message);
    }
  });
  afterTest(async () => {
    http.close();
    http.closeAllConnections();
    await server.close({ timeout: 0 });
  });
  await once(http, 'listening');
  return { http, port: (http.address() as AddressInfo).port, errors };
}

describe('where it listens', () => {
  test('a port may be a string, as from the environment, and host and backlog may be null', async () => {
    const options = { port: '0', host: null, backlog: null, server: null, path: null } as unknown as ServerOptions;
    const server = new WebSocketServer(options);
    afterTest(() => server.close());
    await once(server, 'listening');
    expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
  });

  test('host and backlog are passed to listen', async () => {
    const { server } = await serve({ host: '127.0.0.2', backlog: 1 });
    expect((server.address() as AddressInfo).address).toBe('127.0.0.2');
  });

  test('without options it throws', () => {
    expect(() => new WebSocketServer()).toThrow('One and only one of the "port", "server", or "noServer" options');
  });

  test('an error of the HTTP server is emitted', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    const failed = onceWithoutError(server, 'error');
    http.emit('error', new Error('no more sockets'));
    expect((await failed)[0]).toEqual(new Error('no more sockets'));
    await server.close();
    expect(http.listenerCount('error')).toBe(0);
  });

  test('beside other upgrade and request listeners of the same server', async () => {
    const http = createServer((_request, response) => response.end('plain')).listen(0, '127.0.0.1');
    afterTest(() => http.close());
    await once(http, 'listening');
    const server = new WebSocketServer({ server: http, path: '/ws' });
    afterTest(() => server.close({ timeout: 0 }));
    const seen: unknown[] = [];
    http.on('upgrade', (request) => seen.push(request.url));
    await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`);
    expect(seen).toEqual(['/ws']);
  });
});

test('options tells what is in force', () => {
  const given = { noServer: true, maxPayload: 5, maxFragments: undefined, path: '/x' };
  const server = new WebSocketServer(given);
  expect(server.options).toMatchObject({ noServer: true, maxPayload: 5, path: '/x', clientTracking: true });
  expect(server.options).toMatchObject({ maxFragments: 131_072, closeTimeout: 30_000, autoPong: true });
  expect(given.maxFragments).toBeUndefined();
  expect(new WebSocketServer({ noServer: true, clientTracking: false }).options.clientTracking).toBe(false);
});

describe('verifyClient', () => {
  test.each<[string, unknown[], RegExp]>([
    ['no status', [false], /^HTTP\/1\.1 401 Unauthorized\r\n[^]*\r\n\r\nUnauthorized$/],
    ['a status', [false, 404], /^HTTP\/1\.1 404 Not Found\r\n[^]*\r\n\r\nNot Found$/],
    ['status 0', [false, 0], /^HTTP\/1\.1 401 Unauthorized\r\n/],
    ['a body', [false, 403, 'Zutritt verböten'], /Content-Length: 17\r\n\r\nZutritt verböten$/],
    ['fields', [false, 429, '', { 'Retry-After': 120 }], /429 Too Many Requests\r\n[^]*\r\nRetry-After: 120\r\n/],
    [
      'a field of many values',
      [false, 401, '', { 'Set-Cookie': ['a=1', 'b=2'] }],
      /\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/,
    ],
    [
      'a field of ours',
      [false, 400, '{}', { 'content-type': 'application/json' }],
      /\r\n\r\ncontent-type: |400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\ncontent-type: application\/json\r\n\r\n{}$/,
    ],
    [
      'a redirect',
      [false, 302, 'Moved', { Location: 'ws://a.example/' }],
      /^HTTP\/1\.1 302 Found\r\n[^]*\r\nLocation: ws:\/\/a\.example\/\r\n/,
    ],
  ])('refuses at once, or later, with %s', async (_name, verdict, expected) => {
    const now = await serve({ verifyClient: (_info, done) => done(...(verdict as [boolean])) });
    expect(await answer(now.port)).toMatch(expected);
    const later = await serve({ verifyClient: (_info, done) => void setImmediate(done, ...(verdict as [boolean])) });
    expect(await answer(later.port)).toMatch(expected);
  });

  test.each<[string, unknown[], string]>([
    ['a field with CR and LF', [false, 401, '', { 'X-A': 'b\r\nX-C: d' }], 'without CR, LF and NUL'],
    ['a name with LF', [false, 401, '', { 'X\nA': 'b' }], 'without CR, LF and NUL'],
    ['a field with NUL', [false, 401, '', { 'X-A': '\0' }], 'without CR, LF and NUL'],
    ['a close code for a status', [false, 4001], 'must be a whole number from 200 to 599, not 4001'],
    ['status 101', [false, 101], 'must be a whole number from 200 to 599, not 101'],
  ])('that refuses with %s throws, and the client gets 500', async (_name, verdict, message) => {
    const { port, errors } = await serveCatching({ verifyClient: (_info, done) => done(...(verdict as [boolean])) });
    const text = await answer(port);
    expect(text).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    expect(text).not.toContain('X-C');
    expect(errors).toEqual([expect.stringContaining(message)]);
  });

  test('that throws: the exception goes on, and the client gets 500', async () => {
    const { port, errors } = await serveCatching({
      verifyClient: () => {
        throw new Error('no database');
      },
    });
    expect(await answer(port)).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
    expect(errors).toEqual(['no database']);
  });

  test('with two parameters is waited for, whatever it returns', async () => {
    let done: ((verified: boolean) => void) | undefined;
    const { url } = await serve({ verifyClient: (_info, callback) => void (done = callback) });
    const socket = client(url);
    await until(() => done !== undefined);
    expect(socket.readyState).toBe(WebSocket.CONNECTING);
    done!(true);
    await once(socket, 'open');
  });

  test('that accepts after the server was closed: the client gets 503', async () => {
    let done: ((verified: boolean) => void) | undefined;
    const { server, port } = await serve({ verifyClient: (_info, callback) => void (done = callback) });
    const peer = await RawPeer.connect(port);
    peer.write(requestText());
    await until(() => done !== undefined);
    const end = server.close();
    done!(true);
    expect((await peer.rest()).toString()).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    await end;
  });
});

describe("the program's other functions", () => {
  test('a handleProtocols that throws: the exception goes on, and the client gets 500', async () => {
    const { port, errors } = await serveCatching({
      handleProtocols: () => {
        throw new Error('which one?');
      },
    });
    expect(await answer(port, { 'Sec-WebSocket-Protocol': 'a' })).toMatch(/^HTTP\/1\.1 500 /);
    expect(errors).toEqual(['which one?']);
  });

  test('handleProtocols gets what is offered, in order, and the request; it is not asked when nothing is', async () => {
    const seen: unknown[] = [];
    const handleProtocols = (protocols: Set<string>, request: IncomingMessage): string => {
      seen.push([...protocols], request.url);
      return 'b';
    };
    const { url } = await serve({ handleProtocols });
    expect((await connect(`${url}/x`, ['a', 'b'])).protocol).toBe('b');
    expect((await connect(url)).protocol).toBe('');
    expect(seen).toEqual([['a', 'b'], '/x']);
  });

  test('a class whose constructor throws: the exception goes on, and the client gets 500', async () => {
    class Broken extends WebSocket {
      constructor() {
        super(null);
        throw new Error('broken');
      }
    }
    const { port, errors } = await serveCatching({ WebSocket: Broken });
    expect(await answer(port)).toMatch(/^HTTP\/1\.1 500 /);
    expect(errors).toEqual(['broken']);
  });

  test('a callback of handleUpgrade that throws leaves the connection open', async () => {
    const http = createServer().listen(0, '127.0.0.1');
    const server = new WebSocketServer({ noServer: true, verifyClient: () => true });
    const errors: unknown[] = [];
    http.on('upgrade', (request, socket, head) => {
      try {
        server.handleUpgrade(request, socket, head, () => {
          throw new Error('in the callback');
        });
      } catch (error) {
        errors.push((error as Error).message);
      }
    });
    afterTest(async () => {
      http.close();
      await server.close({ timeout: 0 });
    });
    await once(http, 'listening');
    await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
    expect(errors).toEqual(['in the callback']);
    expect(server.clients.size).toBe(1);
  });
});

describe('allowedOrigins', () => {
  test('admits the web pages of these origins only, and programs without an origin', async () => {
    const { port } = await serve({ allowedOrigins: ['https://a.example', 'http://localhost:8080', 'null'] });
    const cases: [string, number][] = [
      ['https://a.example', 101],
      ['http://localhost:8080', 101],
      ['null', 101],
      ['http://a.example', 403],
      ['https://a.example:444', 403],
      ['https://evil-a.example', 403],
      ['https://a.example.evil', 403],
      ['https://A.example', 403],
    ];
    for (const [Origin, expected] of cases)
      expect([Origin, await status(port, { Origin })]).toEqual([Origin, expected]);
    expect(await status(port)).toBe(101);
    expect(await answer(port, { Origin: 'https://b.example' })).toMatch(/\r\n\r\nOrigin not allowed$/);
  });

  test('none at all refuses every web page, and is decided before verifyClient', async () => {
    const verifyClient = jest.fn(() => true);
    const { port } = await serve({ allowedOrigins: [], verifyClient });
    expect(await status(port, { Origin: 'https://a.example' })).toBe(403);
    expect(verifyClient).not.toHaveBeenCalled();
    expect(await status(port)).toBe(101);
  });

  test.each<[unknown, string]>([
    ['*', 'must be an array of strings, not the string "*"'],
    [['*'], 'must hold origins as browsers send them'],
    [['https://a.example/'], 'not the string "https://a.example/"'],
    [['https://A.example'], 'must hold origins'],
    [['https://a.example:443'], 'must hold origins'],
    [['a.example'], 'must hold origins'],
    [[/a/], 'must hold origins as browsers send them'],
  ])('%p could never match, and throws', (allowedOrigins, message) => {
    const options = { noServer: true, allowedOrigins: allowedOrigins as string[] };
    expect(() => new WebSocketServer(options)).toThrow(TypeError);
    expect(() => new WebSocketServer(options)).toThrow(message);
  });

  test('of extensions', () => {
    const origins = ['chrome-extension://abcdefghijklmnop', 'https://[::1]:8443'];
    expect(() => new WebSocketServer({ noServer: true, allowedOrigins: origins })).not.toThrow();
  });
});

describe('limits of connections', () => {
  test('maxConnections: one more gets 503, until another one has ended', async () => {
    const { server, port, url } = await serve({ maxConnections: 2 });
    const [first] = [await connect(url), await connect(url)];
    expect(await answer(port)).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[^]*\r\n\r\nToo many connections$/);
    const end = closed(first);
    first.close();
    await end;
    await until(() => server.clients.size === 1);
    await connect(url);
    expect(await status(port)).toBe(503);
  });

  test('maxConnections counts with clientTracking: false too', async () => {
    const { port, url } = await serve({ maxConnections: 1, clientTracking: false });
    await connect(url);
    expect(await status(port)).toBe(503);
  });

  test('maxConnectionsPerAddress: others may still connect, and an ended connection counts no more', async () => {
    const { server, port, url } = await serve({ maxConnectionsPerAddress: 1 });
    const first = await connect(url);
    expect(await answer(port)).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
    const other = await connect(url, undefined, { localAddress: '127.0.0.3' });
    expect(server.clients.size).toBe(2);
    first.terminate();
    await until(() => server.clients.size === 1);
    await connect(url);
    expect(await status(port)).toBe(429);
    other.terminate();
  });

  test('a refused handshake does not count', async () => {
    const { port, url } = await serve({ maxConnections: 1, maxConnectionsPerAddress: 1, path: '/' });
    const elsewhere = client(`${url}/elsewhere`);
    await onceWithoutError(elsewhere, 'error');
    expect(await status(port, { 'Sec-WebSocket-Key': 'x' })).toBe(400);
    await connect(url);
  });

  test.each<[ServerOptions, string]>([
    [{ maxConnections: -1 }, 'The option "maxConnections" must be a whole number'],
    [{ maxConnections: '5' as never }, 'The option "maxConnections" must be a number'],
    [{ maxConnectionsPerAddress: 0.5 }, 'The option "maxConnectionsPerAddress" must be a whole number'],
  ])('%j throws', (options, message) => {
    expect(() => new WebSocketServer({ noServer: true, ...options })).toThrow(message);
  });
});

describe('a host that cuts off header fields', () => {
  test.each<[string, (headers: IncomingMessage['headers']) => void]>([
    ['all of them', (headers) => Object.keys(headers).forEach((name) => Reflect.deleteProperty(headers, name))],
    ['Sec-WebSocket-Key', (headers) => delete headers['sec-websocket-key']],
    ['Sec-WebSocket-Version', (headers) => delete headers['sec-websocket-version']],
  ])('%s: 400 and no exception, and wsClientError where it is wanted', async (_name, cut) => {
    const http = createServer().listen(0, '127.0.0.1');
    const server = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => {
      cut(request.headers);
      server.handleUpgrade(request, socket, head, () => {});
    });
    afterTest(() => http.close());
    await once(http, 'listening');
    const { port } = http.address() as AddressInfo;
    expect(await answer(port)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    const reported = onceWithoutError(server, 'wsClientError') as Promise<[Error, Duplex, IncomingMessage]>;
    const peer = netConnect(port, '127.0.0.1');
    peer.on('error', () => {}).write(requestText());
    const [error, socket, request] = await reported;
    expect(error.message).toMatch(
      /^(Invalid Upgrade|Missing or invalid Sec-WebSocket-Key|Missing Sec-WebSocket-Version) header$/,
    );
    expect(request.url).toBe('/');
    socket.destroy();
    peer.destroy();
  });

  test('10,000 of them to a port of ours are refused, and the server lives', async () => {
    const { port, url } = await serve();
    const peer = await RawPeer.connect(port);
    const many = Array.from({ length: 10_000 }, (_, i) => `X-${i}: 1\r\n`).join('');
    peer.write(requestText().replace('\r\n\r\n', `\r\n${many}\r\n`));
    expect((await peer.rest()).toString()).toMatch(/^HTTP\/1\.1 431 /);
    await connect(url);
  });
});

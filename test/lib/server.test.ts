import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect as netConnect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type ServerOptions } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  closed,
  closePayload,
  connect,
  delay,
  duplexPair,
  expectedTransport,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  RawPeer,
  rawClient,
  record,
  requestText,
  serve,
  textOf,
  until,
} from './support';

async function listenHttp(): Promise<{ http: Server; url: string; port: number }> {
  const http = createServer((_request, response) => response.end('plain')).listen(0, '127.0.0.1');
  afterTest(() => {
    http.close();
    http.closeAllConnections();
  });
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return { http, port, url: `ws://127.0.0.1:${port}` };
}

describe('where connections come from', () => {
  test('a port of its own', async () => {
    const listening = jest.fn();
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, listening);
    afterTest(() => server.close());
    await once(server, 'listening');
    expect(listening).toHaveBeenCalledTimes(1);
    expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) });
    await server.close();
    expect(server.address()).toBe(null);
  });

  test('a port that is taken is an error', async () => {
    const { port } = await serve();
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    const [error] = await onceWithoutError(server, 'error');
    expect((error as NodeJS.ErrnoException).code).toBe('EADDRINUSE');
  });

  test("the caller's HTTP server, which goes on answering requests", async () => {
    const { http, url } = await listenHttp();
    const server = new WebSocketServer({ server: http });
    server.on('connection', (peer) => peer.send('hello'));
    const socket = client(url);
    expect((await nextMessage(socket)).data.toString()).toBe('hello');
    expect(await (await fetch(url.replace('ws:', 'http:'))).text()).toBe('plain');
    await server.close({ timeout: 100 });
    expect(http.listening).toBe(true);
    expect(http.listenerCount('upgrade')).toBe(0);
  });

  test('handleUpgrade without a server, chosen by path', async () => {
    const { http, url } = await listenHttp();
    const servers = { '/a': new WebSocketServer({ noServer: true }), '/b': new WebSocketServer({ noServer: true }) };
    http.on('upgrade', (request, socket, head) => {
      const server = servers[request.url as '/a'];
      server.handleUpgrade(request, socket, head, (peer) => server.emit('connection', peer, request));
    });
    for (const [path, server] of Object.entries(servers)) server.on('connection', (peer) => peer.send(path));
    for (const path of ['/a', '/b']) expect((await nextMessage(client(url + path))).data.toString()).toBe(path);
    expect([servers['/a'].clients.size, servers['/b'].clients.size]).toEqual([1, 1]);
    expect(() => servers['/a'].address()).toThrow('The server is operating in "noServer" mode');
    await Promise.all(Object.values(servers).map((server) => server.close({ timeout: 100 })));
  });

  test('a pipe in memory, without a descriptor', async () => {
    const server = new WebSocketServer({ noServer: true });
    const [ours, theirs] = duplexPair();
    const http = createServer();
    const upgraded = once(http, 'upgrade') as Promise<[IncomingMessage, Duplex, Buffer]>;
    http.emit('connection', ours);
    theirs.write(Buffer.concat([Buffer.from(requestText()), frame(1, 'in the head')]));
    const [request, stream, head] = await upgraded;
    const accepted = new Promise<WebSocket>((resolve) => server.handleUpgrade(request, stream, head, resolve));
    const peer = await accepted;
    expect(peer.transport).toBe('stream');
    expect((await nextMessage(peer)).data.toString()).toBe('in the head');
    peer.send('out');
    let received = Buffer.alloc(0);
    theirs.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    const expected = Buffer.concat([Buffer.from(acceptText(requestText())), frame(1, 'out', { mask: false })]);
    await until(() => received.length >= expected.length);
    expect(received.subarray(-5).toString('hex')).toBe(frame(1, 'out', { mask: false }).toString('hex'));
    const end = closed(peer);
    theirs.write(frame(8, closePayload(1000, 'bye')));
    await until(() => theirs.readableEnded);
    theirs.end();
    expect(await end).toEqual({ code: 1000, reason: 'bye' });
  });

  test('a socket that was kept and read from before the upgrade', async () => {
    const { http, port } = await listenHttp();
    const server = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => {
      setTimeout(() => {
        socket.unshift(socket.read() ?? Buffer.alloc(0));
        server.handleUpgrade(request, socket, head, (peer) => peer.on('message', (data) => peer.send(textOf(data))));
      }, 50);
    });
    const peer = await RawPeer.connect(port);
    peer.write(requestText(), frame(1, 'head'));
    await delay(10);
    const second = frame(1, 'later');
    peer.write(second.subarray(0, 3));
    expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
    peer.write(second.subarray(3));
    const expected = Buffer.concat([frame(1, 'head', { mask: false }), frame(1, 'later', { mask: false })]);
    expect((await peer.take(expected.length)).toString('hex')).toBe(expected.toString('hex'));
    await server.close({ timeout: 0 });
  });
});

test('a stream cannot carry two connections', async () => {
  const { http, url } = await listenHttp();
  const server = new WebSocketServer({ noServer: true });
  const errors: unknown[] = [];
  http.on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, () => {});
    try {
      server.handleUpgrade(request, socket, head, () => {});
    } catch (error) {
      errors.push((error as Error).message);
    }
  });
  await connect(url);
  expect(errors).toEqual([expect.stringContaining('called more than once with the same socket')]);
  await server.close({ timeout: 0 });
});

test.each<[ServerOptions | undefined]>([[{}], [{ port: 0, noServer: true }], [{ server: createServer(), port: 0 }]])(
  'exactly one of port, server and noServer is needed: %p',
  (options) => {
    expect(() => new WebSocketServer(options)).toThrow('One and only one of the "port", "server", or "noServer"');
  },
);

describe('path', () => {
  test.each([
    ['/chat', 101],
    ['/chat?room=1', 101],
    ['/chat/', 404],
    ['/', 404],
  ])('/chat and a request for %p: %i', async (path, status) => {
    const { port } = await serve({ path: '/chat' });
    const peer = await RawPeer.connect(port);
    peer.write(requestText({}, `GET ${path} HTTP/1.1`));
    expect(await peer.takeHead()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('shouldHandle can be overridden', async () => {
    const { server, url } = await serve();
    server.shouldHandle = (request) => request.headers['x-tenant'] === 'us';
    const [error] = await onceWithoutError(client(url), 'error');
    expect((error as Error).message).toBe('Unexpected server response: 404');
    await connect(url, undefined, { headers: { 'X-Tenant': 'us' } });
  });
});

describe('the headers event', () => {
  test('shows the lines, and lines can be added', async () => {
    const { server, port } = await serve();
    const seen: unknown[] = [];
    server.on('headers', (lines, request) => {
      seen.push(lines[0], request.url);
      lines.push('Set-Cookie: a=b', 'X-Latin: é');
    });
    const peer = await RawPeer.connect(port);
    peer.write(requestText());
    const head = await peer.takeHead();
    expect(seen).toEqual(['HTTP/1.1 101 Switching Protocols', '/']);
    expect(head).toContain('\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(head).toMatch(/\r\nSet-Cookie: a=b\r\nX-Latin: .+\r\n\r\n$/);
  });

  test.each(['X-A: b\r\nX-C: d', 'X-A: b\nc', 'X-A: b\0', 5])(
    '%j is refused before a byte is written',
    async (line) => {
      const { http, port } = await listenHttp();
      const server = new WebSocketServer({ noServer: true });
      server.on('headers', (lines: unknown[]) => lines.push(line));
      const errors: unknown[] = [];
      http.on('upgrade', (request, socket, head) => {
        try {
          server.handleUpgrade(request, socket, head, () => {});
        } catch (error) {
          errors.push((error as Error).message);
        }
      });
      const peer = await RawPeer.connect(port);
      peer.write(requestText());
      expect((await peer.rest()).toString()).toMatch(/^HTTP\/1\.1 500 /);
      expect(errors).toEqual([expect.stringContaining('A header line must be a string without CR, LF and NUL')]);
      expect(server.clients.size).toBe(0);
    },
  );
});

describe('clients', () => {
  test('holds the open ones', async () => {
    const { server, client: socket, peer } = await pair();
    expect([...server.clients]).toEqual([peer]);
    const end = closed(peer);
    socket.close();
    await end;
    expect(server.clients.size).toBe(0);
  });

  test('is not kept with clientTracking: false, and close still closes them', async () => {
    const { server, client: socket } = await pair({ clientTracking: false });
    expect(server.clients).toBeUndefined();
    const end = closed(socket);
    await server.close({ code: 1012 });
    expect(await end).toEqual({ code: 1012, reason: '' });
  });

  test('are of the class that the options name', async () => {
    class Special extends WebSocket {
      name = 'special';
    }
    const { peer } = await pair({ WebSocket: Special });
    expect(peer).toBeInstanceOf(Special);
    expect(peer).toHaveProperty('name', 'special');
  });
});

describe('close', () => {
  test('without options leaves the clients to the caller, and waits for them', async () => {
    const { server, client: socket, url } = await pair();
    const seen = record(server, 'close');
    const callback = jest.fn();
    const done = server.close(callback);
    await delay(50);
    expect(seen).toEqual([]);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    const [error] = await onceWithoutError(client(url), 'error');
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
    socket.close();
    await done;
    expect(callback).toHaveBeenCalledWith();
    expect(seen).toEqual(['close']);
  });

  test('with a code closes every client, 1001 by default', async () => {
    const { server, client: socket, url } = await pair();
    const second = await connect(url);
    const both = Promise.all([closed(socket), closed(second)]);
    await server.close({});
    expect(await both).toEqual([
      { code: 1001, reason: '' },
      { code: 1001, reason: '' },
    ]);
    expect(server.clients.size).toBe(0);
  });

  test('with a code and a reason', async () => {
    const { server, client: socket } = await pair();
    const end = closed(socket);
    await server.close({ code: 1012, reason: 'restart' });
    expect(await end).toEqual({ code: 1012, reason: 'restart' });
  });

  test('cuts clients that do not answer after the timeout', async () => {
    const { server, port } = await serve();
    const peer = await rawClient(port);
    const started = Date.now();
    await server.close({ code: 1001, timeout: 100 });
    expect(Date.now() - started).toBeGreaterThanOrEqual(90);
    expect(Date.now() - started).toBeLessThan(5000);
    expect(await peer.rest()).toEqual(frame(8, closePayload(1001), { mask: false }));
  });

  test('is not kept waiting by idle HTTP connections', async () => {
    const { server, port } = await serve();
    const response = await new Promise<IncomingMessage>((resolve) => {
      httpRequest({ port, host: '127.0.0.1', headers: { Connection: 'keep-alive' } }, resolve).end();
    });
    response.resume();
    await onceWithoutError(response, 'end');
    const started = Date.now();
    await server.close({ timeout: 100 });
    expect(Date.now() - started).toBeLessThan(3000);
  });

  test('on an external server waits for its own clients', async () => {
    const { http, url } = await listenHttp();
    const server = new WebSocketServer({ server: http });
    const socket = await connect(url);
    const seen = record(server, 'close');
    const done = server.close();
    await delay(20);
    expect(seen).toEqual([]);
    socket.close();
    await done;
    expect(seen).toEqual(['close']);
  });

  test('refuses requests that come while it closes with 503', async () => {
    const { http, port } = await listenHttp();
    const server = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head, () => {}));
    await server.close();
    const peer = await RawPeer.connect(port);
    peer.write(requestText());
    expect((await peer.rest()).toString()).toMatch(/^HTTP\/1\.1 503 /);
  });

  test('twice: the second callback gets an error when the server was closed already', async () => {
    const { server } = await serve();
    const callbacks = [jest.fn(), jest.fn(), jest.fn()];
    await Promise.all([server.close(callbacks[0]), server.close(callbacks[1])]);
    await server.close(callbacks[2]);
    expect(callbacks[0]).toHaveBeenCalledWith();
    expect(callbacks[1]).toHaveBeenCalledWith();
    expect(callbacks[2].mock.calls).toEqual([[expect.objectContaining({ message: 'The server is not running' })]]);
  });

  test.each<[object, string]>([
    [{ code: 1005 }, 'The close code must be 1000-1003, 1007-1014 or 3000-4999, not 1005'],
    [{ reason: 'x'.repeat(124) }, 'The close reason must be at most 123 bytes of UTF-8, not 124'],
    [{ timeout: -1 }, 'The option "timeout" must be a whole number from 0 to 2147483647, not -1'],
  ])('%j throws and closes nothing', async (options, message) => {
    const { server, url } = await serve();
    expect(() => server.close(options)).toThrow(message);
    await connect(url);
  });
});

describe("the request's socket", () => {
  test("emits 'close' when the connection has ended, not before", async () => {
    const { server, url } = await serve();
    const connected = new Promise<[WebSocket, IncomingMessage]>((resolve) =>
      server.on('connection', (peer, request) => {
        expect(peer._socket).toBe(request.socket);
        resolve([peer, request]);
      }),
    );
    const socket = await connect(url);
    const [peer, request] = await connected;
    expect(peer._socket).toBe(request.socket);
    const seen: string[] = [];
    request.socket.on('close', () => seen.push('socket'));
    peer.on('close', () => seen.push('peer'));
    await delay(50);
    expect(seen).toEqual([]);
    socket.close();
    await until(() => seen.length === 2);
  });

  test('is counted by the HTTP server until then', async () => {
    const { http, url } = await listenHttp();
    const server = new WebSocketServer({ server: http });
    const socket = await connect(url);
    const count = (): Promise<number> =>
      new Promise((resolve, reject) => http.getConnections((error, n) => (error ? reject(error) : resolve(n))));
    expect(await count()).toBe(1);
    const end = closed([...server.clients][0]);
    socket.close();
    await end;
    await delay(20);
    expect(await count()).toBe(0);
    await server.close();
  });

  test('may be written to by mistake without a crash', async () => {
    const { client: socket, peer } = await pair();
    socket.on('error', () => {}); // on the stream transport the bytes arrive
    const end = closed(peer);
    (peer._socket as Socket).write('HTTP/1.1 200 OK\r\n\r\n');
    peer.on('error', () => {});
    setTimeout(() => peer.terminate(), 50);
    await end;
  });

  test('with a timeout armed before the upgrade is not cut by it', async () => {
    const { http, url } = await listenHttp();
    http.setTimeout(50);
    const server = new WebSocketServer({ server: http });
    server.on('connection', (peer) => peer.on('message', (data) => peer.send(data as Buffer)));
    const socket = await connect(url);
    await delay(150);
    socket.send('alive');
    expect((await nextMessage(socket)).data.toString()).toBe('alive');
    await server.close({ timeout: 50 });
  });
});

test('the transport option and socket.transport', async () => {
  const { client: socket, peer } = await pair({ transport: 'stream' });
  expect(peer.transport).toBe(process.env.WEBSOCKET_COMPONENT_TRANSPORT === 'native' ? 'native' : 'stream');
  expect(socket.transport).toBe(expectedTransport);
});

test('a client that disconnects during the handshake leaves nothing behind', async () => {
  const { server, port } = await serve();
  for (let i = 0; i < 20; i++) {
    const socket = netConnect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(requestText());
    socket.resetAndDestroy();
  }
  await delay(50);
  await until(() => server.clients.size === 0, 'no clients');
});

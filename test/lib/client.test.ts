import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { WebSocket, WebSocketServer } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  closed,
  closePayload,
  connect,
  expectedTransport,
  frame,
  nextMessage,
  onceWithoutError,
  RawPeer,
  rawServer,
  record,
  serve,
  textOf,
  serveEcho,
} from './support';

describe('an address', () => {
  test.each<[string, string]>([
    ['', 'Invalid URL: '],
    ['not a url', 'Invalid URL: not a url'],
    [
      'ftp://localhost/',
      `The URL's protocol must be one of "ws:", "wss:", "http:", "https:", "ws+unix:", "wss+unix:", not "ftp:"`,
    ],
    ['ws://localhost/#part', 'The URL contains a fragment identifier'],
    ['ws+unix:', "The URL's pathname is empty"],
  ])('%p is a SyntaxError', (address, message) => {
    expect(() => new WebSocket(address)).toThrow(new SyntaxError(message));
  });

  test('may be a URL object, and http: stands for ws:', async () => {
    const { url } = await serve();
    const socket = await connect(url.replace('ws:', 'http:'));
    expect(socket.url).toBe(`${url}/`);
    const other = new WebSocket(new URL(url));
    await once(other, 'open');
    other.terminate();
  });

  test('of a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
    afterTest(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const http = createServer().listen(path);
    afterTest(() => http.close());
    await once(http, 'listening');
    const server = new WebSocketServer({ server: http });
    afterTest(() => server.close({ timeout: 0 }));
    server.on('connection', (peer, request) => {
      expect(peer.transport).toBe(expectedTransport);
      peer.on('message', (data) => peer.send(`${request.url} ${textOf(data)}`));
    });
    const socket = await connect(`ws+unix:${path}:/where?a=b`);
    expect(socket.transport).toBe(expectedTransport);
    socket.send('hello');
    expect((await nextMessage(socket)).data.toString()).toBe('/where?a=b hello');
  });
});

describe('the request', () => {
  async function requestOf(address: (url: string) => string, ...rest: unknown[]): Promise<IncomingMessage> {
    const { server, url } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
    const socket = new WebSocket(address(url), ...(rest as []));
    await once(socket, 'open');
    afterTest(() => socket.terminate());
    return (await connected)[1];
  }

  test('has the path, the query and what a handshake needs', async () => {
    const request = await requestOf((url) => `${url}/a/b?c=d`);
    expect(request.url).toBe('/a/b?c=d');
    expect(request.headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
    });
    expect(Buffer.from(request.headers['sec-websocket-key']!, 'base64').length).toBe(16);
    expect(request.headers['sec-websocket-extensions']).toBe('permessage-deflate; client_max_window_bits');
    expect(request.headers['sec-websocket-protocol']).toBeUndefined();
  });

  test('has the header fields and the origin of the options', async () => {
    const request = await requestOf((url) => url, undefined, {
      headers: { 'X-Test': 'yes' },
      origin: 'http://a.example',
    });
    expect(request.headers).toMatchObject({ 'x-test': 'yes', origin: 'http://a.example' });
  });

  test('cannot be given other handshake fields', async () => {
    const headers = { upgrade: 'other', CONNECTION: 'close', 'sec-websocket-key': 'x', 'Sec-WebSocket-Version': '8' };
    const request = await requestOf((url) => url, { headers });
    expect(request.headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
    });
  });

  test('has the credentials of the URL', async () => {
    const request = await requestOf((url) => url.replace('//', '//us%C3%A9r:pass%3Aword@'));
    const text = Buffer.from(request.headers.authorization!.replace('Basic ', ''), 'base64').toString();
    expect(text).toBe('usér:pass:word');
  });

  test('may be changed before it is sent by finishRequest', async () => {
    const request = await requestOf((url) => url, {
      finishRequest: (req: { setHeader(n: string, v: string): void; end(): void }) => {
        req.setHeader('X-Late', '1');
        req.end();
      },
    });
    expect(request.headers['x-late']).toBe('1');
  });

  test.each(['a\r\nb', 'a\nb', 'a\0b'])('is not sent when a header field holds %j', (value) => {
    expect(() => new WebSocket('ws://127.0.0.1:1', { headers: { 'X-Test': value } })).toThrow('Invalid character');
    expect(() => new WebSocket('ws://127.0.0.1:1', { origin: value })).toThrow('Invalid character');
    expect(() => new WebSocket('ws://127.0.0.1:1', [value])).toThrow(SyntaxError);
  });
});

describe('subprotocols', () => {
  test.each([[['a', 'a']], [['']], [['a b']], [['a,b']], [['é']], [[1]]])('%j is a SyntaxError', (protocols) => {
    expect(() => new WebSocket('ws://127.0.0.1:1', protocols as string[])).toThrow(SyntaxError);
  });

  test('the first one offered is chosen', async () => {
    const { url } = await serve();
    expect((await connect(url, ['one', 'two'])).protocol).toBe('one');
    expect((await connect(url, 'two')).protocol).toBe('two');
    expect((await connect(url, undefined, { protocols: ['three'] })).protocol).toBe('three');
    expect((await connect(url)).protocol).toBe('');
  });

  test('handleProtocols chooses', async () => {
    const { server, url } = await serve({ handleProtocols: (offered) => [...offered].at(-1) });
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    expect((await connect(url, ['one', 'two'])).protocol).toBe('two');
    expect((await connected)[0].protocol).toBe('two');
  });

  test('handleProtocols may choose none: the client fails', async () => {
    const { url } = await serve({ handleProtocols: () => false });
    const [error] = await onceWithoutError(client(url, ['one']), 'error');
    expect((error as Error).message).toBe('Server sent no subprotocol');
  });

  test('handleProtocols that chooses what was not offered refuses the client, and the server lives', async () => {
    const { url } = await serve({ handleProtocols: () => 'mine' });
    const [error] = await onceWithoutError(client(url, ['one']), 'error');
    expect((error as Error).message).toBe('Unexpected server response: 400');
    expect((await connect(url, ['mine'])).protocol).toBe('mine');
  });
});

describe('a response that is no valid handshake', () => {
  test.each<[string, (head: string) => string, string[], string]>([
    [
      'another status',
      () => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
      [],
      'Unexpected server response: 404',
    ],
    ['another Upgrade', (h) => acceptText(h).replace('websocket', 'other'), [], 'Invalid Upgrade header'],
    ['another key', () => acceptText('Sec-WebSocket-Key: x\r\n'), [], 'Invalid Sec-WebSocket-Accept header'],
    [
      'no accept',
      (h) => acceptText(h).replace(/Sec-WebSocket-Accept.*\r\n/, ''),
      [],
      'Invalid Sec-WebSocket-Accept header',
    ],
    [
      'an unoffered subprotocol',
      (h) => acceptText(h, 'Sec-WebSocket-Protocol: b'),
      ['a'],
      'Server sent an invalid subprotocol',
    ],
    [
      'a subprotocol nobody asked for',
      (h) => acceptText(h, 'Sec-WebSocket-Protocol: b'),
      [],
      'Server sent a subprotocol but none was requested',
    ],
    ['no subprotocol', (h) => acceptText(h), ['a'], 'Server sent no subprotocol'],
    [
      'an extension nobody asked for',
      (h) => acceptText(h, 'Sec-WebSocket-Extensions: foo'),
      [],
      'Invalid Sec-WebSocket-Extensions header',
    ],
  ])('%s is one error, then close', async (_name, answer, protocols, message) => {
    const url = await rawServer(async (peer) => peer.write(answer(await peer.takeHead())));
    const socket = client(url, protocols);
    const seen = record(socket, 'open', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual([`error: ${message}`, 'close: 1006']);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    expect(socket._socket).toBe(null);
  });

  test('no HTTP at all', async () => {
    const url = await rawServer((peer) => peer.write('hello\r\n\r\n'));
    const socket = client(url);
    const seen = record(socket, 'open', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual([expect.stringMatching(/^error: Parse Error/), 'close: 1006']);
  });

  test('a server that hangs up', async () => {
    const url = await rawServer((peer) => peer.socket.destroy());
    const socket = client(url);
    const seen = record(socket, 'open', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual([expect.stringMatching(/^error: /), 'close: 1006']);
  });

  test('no server', async () => {
    const server = createNetServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const [error] = await onceWithoutError(client(`ws://127.0.0.1:${port}`), 'error');
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
  });

  test('an unexpected response can be read by a listener', async () => {
    const url = await rawServer(async (peer) => {
      await peer.takeHead();
      peer.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nwhy');
    });
    const socket = client(url);
    const [, response] = (await onceWithoutError(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    expect([response.statusCode, body, socket.readyState]).toEqual([403, 'why', WebSocket.CONNECTING]);
    const end = closed(socket);
    socket.on('error', () => {});
    socket.terminate();
    await end;
  });

  test('handshakeTimeout ends the wait, even while bytes drip in', async () => {
    const url = await rawServer((peer) => {
      const timer = setInterval(() => peer.socket.write('H'), 20);
      peer.socket.on('close', () => clearInterval(timer));
    });
    const silent = await rawServer(() => {});
    for (const address of [url, silent]) {
      const socket = client(address, undefined, { handshakeTimeout: 150 });
      const [[error], end] = await Promise.all([onceWithoutError(socket, 'error'), closed(socket)]);
      expect((error as Error).message).toMatch(/Opening handshake has timed out|Parse Error/);
      expect(end.code).toBe(1006);
    }
  });
});

describe('bytes behind the 101 response', () => {
  test('a message and a part of one belong to the connection', async () => {
    const second = frame(1, 'second', { mask: false });
    const url = await rawServer(async (peer) => {
      const head = await peer.takeHead();
      peer.write(acceptText(head), frame(1, 'first', { mask: false }), second.subarray(0, 4));
      setTimeout(() => peer.write(second.subarray(4)), 20);
    });
    const socket = client(url);
    const seen = record(socket, 'open', 'message');
    await onceWithoutError(socket, 'message');
    await onceWithoutError(socket, 'message');
    expect(seen).toEqual(['open', 'message: first', 'message: second']);
    expect(socket.transport).toBe(expectedTransport);
  });

  test('even a close', async () => {
    const url = await rawServer(async (peer) => {
      const head = await peer.takeHead();
      peer.write(acceptText(head), frame(8, closePayload(4000, 'full'), { mask: false }));
      await peer.take(8);
      peer.socket.end();
    });
    const socket = client(url);
    const seen = record(socket, 'open', 'message', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual(['open', 'close: 4000']);
  });

  test('a large one', async () => {
    const large = Buffer.alloc(300_000, 'x');
    const url = await rawServer(async (peer) => {
      const head = await peer.takeHead();
      peer.write(acceptText(head), frame(2, large, { mask: false }));
    });
    const { data } = await nextMessage(client(url));
    expect(data.equals(large)).toBe(true);
  });
});

test('the upgrade event shows the response', async () => {
  const { server, url } = await serve();
  server.on('headers', (lines: string[]) => lines.push('X-Server: us'));
  const socket = client(url);
  const [response] = (await onceWithoutError(socket, 'upgrade')) as [IncomingMessage];
  expect(response.headers['x-server']).toBe('us');
});

test('createConnection makes the stream', async () => {
  const { url, port } = await serveEcho();
  const socket = await connect('ws://nowhere.invalid/', undefined, {
    createConnection: () => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const net = require('node:net') as typeof import('node:net');
      return net.connect(port, '127.0.0.1');
    },
  });
  socket.send('through');
  expect((await nextMessage(socket)).data.toString()).toBe('through');
  expect(url).toContain(String(port));
});

test('addresses of the connection stay readable', async () => {
  const { server, url, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const socket = await connect(url);
  const [peer, request] = await connected;
  const ours = socket._socket as Socket;
  const theirs = peer._socket as Socket;
  expect(ours.remotePort).toBe(port);
  expect(theirs.remotePort).toBe(ours.localPort);
  expect(theirs.remoteAddress).toBe('127.0.0.1');
  expect(request.socket.remoteAddress).toBe('127.0.0.1');
  const end = onceWithoutError(request.socket, 'close');
  socket.close();
  await end;
  expect(request.socket.remoteAddress).toBe('127.0.0.1');
});

test('a raw peer sees a well-formed request', async () => {
  let head = '';
  const url = await rawServer(async (peer: RawPeer) => {
    head = await peer.takeHead();
    peer.write(acceptText(head));
  });
  await connect(`${url}/x`);
  expect(head).toMatch(/^GET \/x HTTP\/1\.1\r\n/);
  expect(head).toMatch(/\r\nHost: 127\.0\.0\.1:\d+\r\n/);
});

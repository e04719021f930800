// Requests that a server does not accept: the HTTP response they get, and that the server lives.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from '../../lib';
import { acceptText, afterTest, closed, connect, nextMessage, RawPeer, requestText, serve, serveEcho } from './support';

interface Response {
  status: number;
  fields: Map<string, string>;
  body: string;
}

function parse(text: string): Response {
  const [head, body] = text.split('\r\n\r\n');
  const [line, ...lines] = head.split('\r\n');
  const fields = new Map(
    lines.map((field) => [field.split(': ')[0].toLowerCase(), field.slice(field.indexOf(': ') + 2)] as const),
  );
  return { status: Number(line.split(' ')[1]), fields, body };
}

async function request(port: number, text: string): Promise<Response> {
  const peer = await RawPeer.connect(port);
  peer.write(text);
  const response = parse((await peer.rest()).toString());
  expect(response.fields.get('connection')).toBe('close');
  expect(response.fields.get('content-length')).toBe(String(Buffer.byteLength(response.body)));
  return response;
}

const key = 'Sec-WebSocket-Key';
const version = 'Sec-WebSocket-Version';

describe('a refused request gets its status and a body', () => {
  test.each<[string, string, number, string]>([
    ['POST', requestText({}, 'POST / HTTP/1.1'), 405, 'Invalid HTTP method'],
    ['another protocol', requestText({ Upgrade: 'h2c' }), 400, 'Invalid Upgrade header'],
    ['no key', requestText({ [key]: undefined }), 400, 'Missing or invalid Sec-WebSocket-Key header'],
    ['a short key', requestText({ [key]: 'YQ==' }), 400, 'Missing or invalid Sec-WebSocket-Key header'],
    [
      'two keys',
      requestText().replace(key, `${key}: dGhlIHNhbXBsZSBub25jZQ==\r\n${key}`),
      400,
      'Missing or invalid Sec-WebSocket-Key header',
    ],
    ['no version', requestText({ [version]: undefined }), 400, 'Missing Sec-WebSocket-Version header'],
    ['version 8', requestText({ [version]: '8' }), 426, 'Unsupported Sec-WebSocket-Version header'],
    ['version 14', requestText({ [version]: '14' }), 426, 'Unsupported Sec-WebSocket-Version header'],
    ['version x', requestText({ [version]: 'x' }), 426, 'Unsupported Sec-WebSocket-Version header'],
    ['another path', requestText({}, 'GET /elsewhere HTTP/1.1'), 404, 'Not Found'],
    [
      'a subprotocol that is no token',
      requestText({ 'Sec-WebSocket-Protocol': 'a b' }),
      400,
      'Invalid Sec-WebSocket-Protocol header',
    ],
    [
      'a subprotocol offered twice',
      requestText({ 'Sec-WebSocket-Protocol': 'a, a' }),
      400,
      'Invalid Sec-WebSocket-Protocol header',
    ],
    [
      'an empty subprotocol',
      requestText({ 'Sec-WebSocket-Protocol': 'a,,b' }),
      400,
      'Invalid Sec-WebSocket-Protocol header',
    ],
  ])('%s', async (_name, text, status, body) => {
    const { port, url } = await serveEcho({ path: '/' });
    const response = await request(port, text);
    expect([response.status, response.body]).toEqual([status, body]);
    if (status === 405) expect(response.fields.get('allow')).toBe('GET');
    if (status === 426) {
      expect(response.fields.get('sec-websocket-version')).toBe('13');
      expect(response.fields.get('upgrade')).toBe('websocket');
    }
    const socket = await connect(url);
    socket.send('the server lives');
    expect((await nextMessage(socket)).data.toString()).toBe('the server lives');
  });

  test('a plain request is told to upgrade', async () => {
    const { port } = await serve();
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(426);
    expect(response.headers.get('upgrade')).toBe('websocket');
    expect(response.headers.get('sec-websocket-version')).toBe('13');
    expect(await response.text()).toBe('Upgrade Required');
  });

  test('a request whose header fields the host cut off is refused, not thrown', async () => {
    const http = createServer({ maxHeaderSize: 1 << 20 }).listen(0, '127.0.0.1');
    http.maxHeadersCount = 5;
    afterTest(() => http.close());
    const server = new WebSocketServer({ noServer: true });
    http.on('upgrade', (req, socket, head) => server.handleUpgrade(req, socket, head, () => {}));
    await once(http, 'listening');
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`X-${i}`, '1']));
    const lines = Object.entries(many).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = requestText().replace('Upgrade: websocket\r\n', `Upgrade: websocket\r\n${lines.join('')}`);
    const { status } = await request((http.address() as AddressInfo).port, text);
    expect(status).toBe(400);
  });

  test('header fields without Upgrade, from a host of its own', async () => {
    const server = new WebSocketServer({ noServer: true });
    const http = createServer().listen(0, '127.0.0.1');
    afterTest(() => http.close());
    http.on('upgrade', (req, socket, head) => {
      delete req.headers.upgrade;
      server.handleUpgrade(req, socket, head, () => {});
    });
    await once(http, 'listening');
    const { status, body } = await request((http.address() as AddressInfo).port, requestText());
    expect([status, body]).toEqual([400, 'Invalid Upgrade header']);
  });
});

test('wsClientError gets the request instead of a response', async () => {
  const { server, port } = await serve();
  server.on('wsClientError', (error: Error, socket: Duplex) => {
    socket.end(
      `HTTP/1.1 418 I'm a teapot\r\nConnection: close\r\nContent-Length: ${error.message.length}\r\n\r\n${error.message}`,
    );
  });
  const { status, body } = await request(port, requestText({ [key]: undefined }));
  expect([status, body]).toEqual([418, 'Missing or invalid Sec-WebSocket-Key header']);
});

describe('verifyClient', () => {
  test('refuses with 401', async () => {
    const { port } = await serve({ verifyClient: () => false });
    expect(await request(port, requestText())).toMatchObject({ status: 401, body: 'Unauthorized' });
  });

  test('gets the origin, whether it is secure, and the request', async () => {
    const infos: unknown[] = [];
    const { url } = await serve({
      verifyClient: ({ origin, secure, req }) => infos.push([origin, secure, req.url]) > 0,
    });
    await connect(`${url}/path`, undefined, { origin: 'https://example.com' });
    expect(infos).toEqual([['https://example.com', false, '/path']]);
  });

  test('may answer later, with a status, a body and header fields', async () => {
    const { port } = await serve({
      verifyClient: (_info, done) => setTimeout(() => done(false, 403, 'No entry', { 'X-Why': 'because' }), 10),
    });
    const response = await request(port, requestText());
    expect(response).toMatchObject({ status: 403, body: 'No entry' });
    expect(response.fields.get('x-why')).toBe('because');
  });

  test('may accept later', async () => {
    const { url } = await serve({ verifyClient: (_info, done) => setTimeout(() => done(true), 10) });
    const socket = await connect(url);
    socket.close(1000);
    expect(await closed(socket)).toMatchObject({ code: 1000 });
  });

  test('may return a promise', async () => {
    const { port, url } = await serve({ verifyClient: ({ req }) => Promise.resolve(req.url === '/in') });
    expect(await request(port, requestText())).toMatchObject({ status: 401 });
    await connect(`${url}/in`);
    const failing = await serve({ verifyClient: () => Promise.reject(new Error('no database')) });
    expect(await request(failing.port, requestText())).toMatchObject({ status: 500 });
  });

  test('that accepts when the client has gone does no harm', async () => {
    let done: ((ok: boolean) => void) | undefined;
    const { server, port } = await serve({ verifyClient: (_info, callback) => (done = callback) });
    const peer = await RawPeer.connect(port);
    peer.write(requestText());
    while (!done) await new Promise(setImmediate);
    peer.socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    done(true);
    expect(server.clients.size).toBe(0);
  });
});

describe('handshakeTimeout', () => {
  test('a client that sends half a request is refused with 408', async () => {
    const { port } = await serve({ handshakeTimeout: 200 });
    const peer = await RawPeer.connect(port);
    peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    expect(parse((await peer.rest()).toString()).status).toBe(408);
  });

  test('a client that sends nothing is cut', async () => {
    const { port } = await serve({ handshakeTimeout: 200 });
    const peer = await RawPeer.connect(port);
    await peer.rest();
  });

  test('an open connection is not affected', async () => {
    const { url } = await serveEcho({ handshakeTimeout: 100 });
    const socket = await connect(url);
    await new Promise((resolve) => setTimeout(resolve, 400));
    socket.send('still open');
    expect((await nextMessage(socket)).data.toString()).toBe('still open');
  });
});

test('responses are accepted only for the key that was sent', () => {
  expect(acceptText(requestText())).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

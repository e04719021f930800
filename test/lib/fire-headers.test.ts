// Strings that could break out of a header field, and requests whose header fields are too many, missing or mangled.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  connect,
  handshakeFields,
  nextMessage,
  onceWithoutError,
  RawPeer,
  rawServer,
  requestText,
  serve,
  serveEcho,
} from './support';

/** Each ends a line when it is sent as it is; the last three when only the low byte of each character is sent. */
const breaks: [string, string][] = [
  ['CR LF', 'a\r\nX-Evil: yes'],
  ['CR', 'a\rX-Evil: yes'],
  ['LF', 'a\nX-Evil: yes'],
  ['NUL', 'a\0b'],
  ['U+010D U+010A', 'a\u010d\u010aX-Evil: yes'],
  ['U+0A0A', 'a\u0a0aX-Evil: yes'],
  ['U+0100', 'a\u0100b'],
];

describe('a client throws, and connects to nobody, for', () => {
  const places: [string, (text: string) => [address: string, protocols?: string[], options?: object]][] = [
    ['the value of a header field', (text) => ['', [], { headers: { 'X-A': text } }]],
    ['one of several values', (text) => ['', [], { headers: { 'X-A': ['fine', text] } }]],
    ['the name of a header field', (text) => ['', [], { headers: { [text]: 'a' } }]],
    ['the Host header field', (text) => ['', [], { headers: { Host: text } }]],
    ['the Cookie header field', (text) => ['', [], { headers: { Cookie: [text, 'b=c'] } }]],
    ['the origin', (text) => ['', [], { origin: `http://${text}` }]],
    ['a subprotocol', (text) => ['', [text]]],
    ['a subprotocol behind another', (text) => ['', ['chat', text]]],
  ];
  const inUrls: [string, (text: string) => [address: string, protocols?: string[], options?: object]][] = [
    ['the path of the URL', (text) => [`/${text}`]],
    ['the query of the URL', (text) => [`/?q=${text}`]],
  ];
  const cases = places.flatMap(([place, make]) => breaks.map(([name, text]) => [name, place, make(text)] as const));
  // The URL parser encodes what is beyond ASCII.
  const urlCases = inUrls.flatMap(([place, make]) =>
    breaks.slice(0, 4).map(([name, text]) => [name, place, make(text)] as const),
  );

  test.each([...cases, ...urlCases])('%s in %s', async (_name, _place, [path, protocols, options]) => {
    let connections = 0;
    const url = await rawServer(() => connections++);
    expect(() => new WebSocket(url + path, protocols, options as ClientOptions)).toThrow();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(connections).toBe(0);
  });

  test.each([
    'ws://a\r\nb@localhost',
    'ws://local\nhost',
    'ws+unix:/tmp/a\0b:/',
    'ws+unix:/tmp/a:/b\r\nc',
    'http://h/\0',
  ])('%j as the URL', (url) => {
    expect(() => new WebSocket(url)).toThrow(new SyntaxError('The URL contains a CR, LF or NUL character'));
  });

  test.each(['auth', 'finishRequest'])('%s cannot add a line either', async (place) => {
    const heads: string[] = [];
    const url = await rawServer(async (peer) => {
      const head = await peer.takeHead();
      heads.push(head);
      peer.write(acceptText(head));
    });
    const text = 'user\r\nX-Evil: yes';
    if (place === 'auth') {
      await connect(url, [], { auth: text });
      await connect(url.replace('ws://', `ws://${encodeURIComponent(text)}:@`));
      expect(heads.join('')).not.toMatch(/^X-Evil/im);
      expect(heads[0]).toContain(`Authorization: Basic ${btoa(text)}\r\n`);
    } else {
      const options = {
        finishRequest: (request: { setHeader(name: string, value: string): void }) => request.setHeader('X-A', text),
      };
      expect(() => new WebSocket(url, [], options as unknown as ClientOptions)).toThrow('Invalid character');
    }
  });

  test('what a redirect names cannot add a line', async () => {
    const heads: string[] = [];
    const url = await rawServer(async (peer) => {
      heads.push(await peer.takeHead());
      const response =
        heads.length === 1
          ? 'HTTP/1.1 302 Found\r\nLocation: /a%0d%0aX-Evil:%20yes\u010d\u010a\r\n\r\n'
          : acceptText(heads[1]);
      peer.write(Buffer.from(response, 'utf8'));
    });
    await connect(url, [], { followRedirects: true });
    expect(heads[1]).toMatch(/^GET \/a%0d%0aX-Evil:%20yes%\S+ HTTP\/1\.1\r\n/);
    expect(heads[1]).not.toMatch(/^X-Evil/im);
  });
});

/** An HTTP server of the caller's, and a WebSocket server on it. */
async function host(
  settings: { maxHeadersCount?: number } = {},
  options: ServerOptions = {},
): Promise<{ http: Server; server: WebSocketServer; port: number; thrown: unknown[] }> {
  const http = createServer({ maxHeaderSize: 1 << 20 }).listen(0, '127.0.0.1');
  Object.assign(http, settings);
  afterTest(() => http.close());
  const server = new WebSocketServer({ ...options, noServer: true });
  afterTest(() => server.close({ timeout: 0 }));
  const thrown: unknown[] = [];
  http.on('upgrade', (request, stream, head) => {
    try {
      server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
    } catch (error) {
      thrown.push(error);
    }
  });
  await once(http, 'listening');
  return { http, server, port: (http.address() as AddressInfo).port, thrown };
}

/** The whole answer to a request. */
async function answer(port: number, text: string): Promise<string> {
  const peer = await RawPeer.connect(port);
  peer.write(text);
  return peer.takeHead();
}

describe('a server sends 500 alone, and throws, for', () => {
  test.each([...breaks, ['nothing', '']])("%s in a line of the 'headers' event", async (_name, text) => {
    const { server, port, thrown } = await host();
    server.on('headers', (lines) => lines.push(text));
    expect(await answer(port, requestText())).toMatch(/^HTTP\/1\.1 500 (?!.*X-Evil)/s);
    expect(thrown).toEqual([expect.any(TypeError)]);
    expect(server.clients.size).toBe(0);
  });

  const refusals: [string, (text: string) => [message: string | undefined, headers: OutgoingHttpHeaders]][] = [
    ['the value of a header field', (text) => [undefined, { 'X-A': text }]],
    ['one of several values', (text) => [undefined, { 'X-A': ['fine', text] }]],
    ['the name of a header field', (text) => [undefined, { [text]: 'a' }]],
  ];
  const cases = refusals.flatMap(([place, make]) => breaks.map(([name, text]) => [name, place, make(text)] as const));
  test.each(cases)('%s in %s of a refusal by verifyClient', async (_name, _place, [message, headers]) => {
    const { port, thrown } = await host({}, { verifyClient: (_info, done) => done(false, 403, message, headers) });
    expect(await answer(port, requestText())).toMatch(/^HTTP\/1\.1 500 (?!.*X-Evil)/s);
    expect(thrown).toEqual([expect.any(TypeError)]);
  });

  test.each([[{}], [Promise.resolve('chat')], [['chat']], [1]])(
    'a result of handleProtocols that is no string: %p',
    async (result) => {
      const { port, thrown } = await host({}, { handleProtocols: () => result as unknown as string });
      const fields = { 'Sec-WebSocket-Protocol': 'chat' };
      expect(await answer(port, requestText(fields))).toMatch(/^HTTP\/1\.1 500 /);
      expect(thrown).toEqual([
        expect.objectContaining({ message: expect.stringContaining('handleProtocols must return') }),
      ]);
    },
  );
});

test.each(breaks)('a refusal may have %s in its text, which is the body', async (_name, text) => {
  const { port } = await host({}, { verifyClient: (_info, done) => done(false, 403, text) });
  const peer = await RawPeer.connect(port);
  peer.write(requestText());
  const [head, body] = (await peer.rest()).toString().split('\r\n\r\n');
  expect(head).toContain(`Content-Length: ${Buffer.byteLength(text)}`);
  expect(head).not.toMatch(/^X-Evil/m);
  expect(body).toBe(text);
});

test.each(breaks)('handleProtocols may choose %s, which nobody can offer: 400', async (_name, text) => {
  const { port } = await host({}, { handleProtocols: () => text });
  expect(await answer(port, requestText({ 'Sec-WebSocket-Protocol': 'a' }))).toMatch(/^HTTP\/1\.1 400 (?!.*X-Evil)/s);
});

/** A request with so many further header fields, before or behind those of the handshake. */
function longRequest(count: number, isBefore: boolean): string {
  const many = Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
  return requestText().replace(isBefore ? /(?<=Host: localhost\r\n)/ : /(?=\r\n$)/, many);
}

describe('10,000 header fields', () => {
  test.each([
    ['Node keeps 1,000, before the handshake', {}, true],
    ['Node keeps 1,000, behind the handshake', {}, false],
    ['the host keeps all, before the handshake', { maxHeadersCount: 0 }, true],
    ['the host keeps all, behind the handshake', { maxHeadersCount: 0 }, false],
    ['the host keeps 6, before the handshake', { maxHeadersCount: 6 }, true],
  ])('%s: 400, and the others go on', async (_name, settings, isBefore) => {
    const { server, port, thrown } = await host(settings);
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const socket = await connect(`ws://127.0.0.1:${port}`, [], {});
    const [peer] = await connected;
    expect(await answer(port, longRequest(10_000, isBefore))).toMatch(/^HTTP\/1\.1 400 /);
    expect(thrown).toEqual([]);
    peer.send('alive');
    expect((await nextMessage(socket)).data.toString()).toBe('alive');
    expect(server.clients.size).toBe(1);
  });

  test('999 are served', async () => {
    const { port } = await host();
    expect(await answer(port, longRequest(994, true))).toMatch(/^HTTP\/1\.1 101 /);
  });

  test("a server with a port of its own sends Node's 431 above 16 KiB, and the others go on", async () => {
    const { port, url } = await serveEcho();
    const socket = await connect(url);
    expect(await answer(port, longRequest(10_000, false))).toMatch(/^HTTP\/1\.1 431 /);
    expect(await answer(port, requestText({ 'X-Long': 'x'.repeat(20_000) }))).toMatch(/^HTTP\/1\.1 431 /);
    socket.send('alive');
    expect((await nextMessage(socket)).data.toString()).toBe('alive');
  });

  test('of a response are an error of the client', async () => {
    const url = await rawServer(async (peer) => {
      const accept = acceptText(await peer.takeHead());
      peer.write(accept.replace(/(?<=Switching Protocols\r\n)/, 'X-A: 1\r\n'.repeat(10_000)));
    });
    const [short] = await onceWithoutError(client(url), 'error');
    expect((short as NodeJS.ErrnoException).code).toBe('HPE_HEADER_OVERFLOW');
    const [long] = await onceWithoutError(client(url, [], { maxHeaderSize: 1 << 20 } as ClientOptions), 'error');
    expect((long as Error).message).toBe('Invalid Upgrade header');
  });
});

describe('a request that a host made itself', () => {
  const headers = Object.fromEntries(
    Object.entries(handshakeFields).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const rawHeaders = Object.entries(handshakeFields).flat() as string[];
  const valid = { method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: undefined };
  const without = (name: string): object => ({ headers: { ...headers, [name]: undefined } });
  const withField = (name: string, value: unknown): object => ({ headers: { ...headers, [name]: value } });

  /** The status line of what is answered to it. */
  function handle(request: object, options: ServerOptions = {}): string {
    const server = new WebSocketServer({ ...options, noServer: true });
    const stream = new PassThrough();
    let accepted: WebSocket | undefined;
    server.handleUpgrade(request as IncomingMessage, stream, Buffer.alloc(0), (socket) => (accepted = socket));
    afterTest(() => accepted?.terminate());
    const response = (stream.read() as Buffer | null)?.toString() ?? '';
    return response.split('\r\n')[0];
  }

  test('is served when it is valid, also without rawHeaders, and without a socket', () => {
    expect(handle(valid)).toBe('HTTP/1.1 101 Switching Protocols');
    expect(handle({ ...valid, rawHeaders: undefined })).toBe('HTTP/1.1 101 Switching Protocols');
    const options: ServerOptions = { maxConnectionsPerAddress: 1, verifyClient: () => true };
    expect(handle(valid, options)).toBe('HTTP/1.1 101 Switching Protocols');
  });

  test.each<[string, object]>([
    ['no header fields at all', { headers: undefined, rawHeaders: undefined }],
    ['empty header fields', { headers: {}, rawHeaders: [] }],
    ['no Upgrade', without('upgrade')],
    ['no key', without('sec-websocket-key')],
    ['no version', without('sec-websocket-version')],
    ['an Upgrade that is no string', withField('upgrade', ['websocket'])],
    ['an Upgrade that is a number', withField('upgrade', 1)],
    ['a key that is no string', withField('sec-websocket-key', ['dGhlIHNhbXBsZSBub25jZQ=='])],
    [
      'two keys, as Node joins them',
      withField('sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=='),
    ],
    ['10,000 entries in rawHeaders', { rawHeaders: [...rawHeaders, ...Array.from({ length: 10_000 }, () => 'x')] }],
    ['subprotocols that are no string', withField('sec-websocket-protocol', ['chat'])],
    ['a key beyond Latin-1', withField('sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=\u013d')],
  ])('gets 400 for %s', (_name, change) => {
    expect(handle({ ...valid, ...change })).toBe('HTTP/1.1 400 Bad Request');
  });

  test.each<[string, unknown]>([
    ['of an odd length', [...rawHeaders, 'X-A']],
    ['that are no strings', [...rawHeaders, 'X-A', 5]],
    ['that are no array', 'Upgrade: websocket'],
    ['that are empty', []],
    ['that say something else than headers', ['Sec-WebSocket-Key', 'short']],
  ])('is served with rawHeaders %s, because headers count', (_name, list) => {
    expect(handle({ ...valid, rawHeaders: list })).toBe('HTTP/1.1 101 Switching Protocols');
  });

  test('gets 405 without a method', () => {
    expect(handle({ ...valid, method: undefined })).toBe('HTTP/1.1 405 Method Not Allowed');
  });

  test('may have characters beyond Latin-1 in other fields', () => {
    const text = '\u010d\u010aSec-WebSocket-Protocol: evil';
    const request = { ...valid, rawHeaders: [...rawHeaders, 'X-A', text], headers: { ...headers, 'x-a': text } };
    expect(handle(request)).toBe('HTTP/1.1 101 Switching Protocols');
  });
});

test('header fields of the handshake that come twice on the wire: 400', async () => {
  const { port } = await serve();
  for (const line of ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13']) {
    const text = requestText().replace(/\r\n$/, `${line}\r\n\r\n`);
    expect(await answer(port, text)).toMatch(/^HTTP\/1\.1 4(00|26) /);
  }
});

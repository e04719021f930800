// followRedirects: where they lead, what the new place learns, and how the handshake fails.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer, type ClientOptions } from '../../lib';
import {
  afterTest,
  client,
  closed,
  expectedTransport,
  makeCertificate,
  onceWithoutError,
  rawServer,
  record,
} from './support';

type Headers = IncomingMessage['headers'];

/** A server that redirects upgrade requests as `where` says, and accepts those for which it says nothing. */
class Host {
  readonly requests: IncomingMessage[] = [];
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor(
    http: Server,
    readonly url: string,
    where: (request: IncomingMessage, host: Host) => string | undefined,
  ) {
    http.on('upgrade', (request, socket, head) => {
      this.requests.push(request);
      const location = where(request, this);
      if (location === undefined) this.#sockets.handleUpgrade(request, socket, head, (peer) => peer.send('welcome'));
      else socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 4\r\n\r\nbody`);
    });
  }

  static async listen(
    where: (request: IncomingMessage, host: Host) => string | undefined = () => undefined,
    { secure, path }: { secure?: { key: string; cert: string }; path?: string } = {},
  ): Promise<Host> {
    const http = secure ? createSecureServer(secure) : createServer();
    http.listen(path ?? { port: 0, host: '127.0.0.1' });
    await once(http, 'listening');
    const port = path === undefined ? (http.address() as AddressInfo).port : 0;
    const url = path === undefined ? `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}` : `ws+unix:${path}`;
    const host = new Host(http, url, where);
    afterTest(async () => {
      http.close();
      http.closeAllConnections();
      await host.#sockets.close({ timeout: 0 });
    });
    return host;
  }

  get headers(): Headers[] {
    return this.requests.map((request) => request.headers);
  }
}

async function open(url: string, options: ClientOptions): Promise<WebSocket> {
  const socket = client(url, undefined, { followRedirects: true, ...options });
  await once(socket, 'open');
  return socket;
}

async function failure(url: string, options: ClientOptions = {}): Promise<Error> {
  const socket = client(url, undefined, { followRedirects: true, ...options });
  const seen = record(socket, 'open', 'error', 'close');
  const [[error]] = await Promise.all([onceWithoutError(socket, 'error'), closed(socket)]);
  expect(seen).toEqual([`error: ${(error as Error).message}`, 'close: 1006']);
  expect(socket.readyState).toBe(WebSocket.CLOSED);
  return error as Error;
}

const secret = {
  Authorization: 'Basic Zm9vOmJhcg==',
  'Proxy-Authorization': 'x',
  Cookie: 'a=b',
  Host: 'foo',
  'X-Mine': '1',
};

describe('followRedirects', () => {
  test('is off by default: a redirect is an unexpected response', async () => {
    const host = await Host.listen(() => '/elsewhere');
    const error = await failure(host.url, { followRedirects: undefined });
    expect(error.message).toBe('Unexpected server response: 302');
    expect(host.requests.length).toBe(1);
  });

  test('follows to another host and another path, and url tells where it came to', async () => {
    const end = await Host.listen();
    const start = await Host.listen(() => `${end.url}/there?a=b`);
    const socket = client(start.url, undefined, { followRedirects: true });
    expect(socket.url).toBe(`${start.url}/`);
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.toString()).toBe('welcome');
    expect(socket.url).toBe(`${end.url}/there?a=b`);
    expect(end.requests[0].url).toBe('/there?a=b');
    expect(socket.transport).toBe(expectedTransport);
  });

  test('takes relative locations, and http: for ws:, with a key for each request', async () => {
    const host = await Host.listen(({ url }, { url: own }) =>
      url === '/a/b' ? 'c' : url === '/a/c' ? `${own.replace('ws:', 'http:')}/d` : undefined,
    );
    const socket = await open(`${host.url}/a/b`, {});
    expect(host.requests.map((request) => request.url)).toEqual(['/a/b', '/a/c', '/d']);
    expect(new Set(host.headers.map((headers) => headers['sec-websocket-key'])).size).toBe(3);
    expect(socket.url).toBe(`${host.url}/d`);
  });

  test.each([301, 302, 303, 307, 308])('follows status %i', async (status) => {
    const end = await Host.listen();
    const http = createServer().listen(0, '127.0.0.1');
    afterTest(() => http.close());
    http.on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 ${status} X\r\nLocation: ${end.url}\r\n\r\n`));
    await once(http, 'listening');
    await open(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, {});
  });

  test('gives the connection of a redirect up at once, even when its body never ends', async () => {
    const end = await Host.listen();
    const ended: Promise<unknown>[] = [];
    const url = await rawServer(async (peer) => {
      await peer.takeHead();
      peer.write(`HTTP/1.1 302 Found\r\nLocation: ${end.url}\r\nContent-Length: 1000\r\n\r\nand so on`);
      ended.push(peer.rest());
    });
    await open(url, {});
    await Promise.all(ended);
    expect(ended.length).toBe(1);
  });

  test('stays on a Unix socket with a relative location, and follows to another one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
    afterTest(() => rmSync(folder, { recursive: true }));
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    const end = await Host.listen(undefined, { path: two });
    const start = await Host.listen(({ url }) => (url === '/a' ? '/b?c' : `ws+unix:${two}:/d`), { path: one });
    const socket = await open(`${start.url}:/a`, { headers: secret });
    expect(start.requests.map((request) => request.url)).toEqual(['/a', '/b?c']);
    expect(start.headers.map((headers) => headers.cookie)).toEqual(['a=b', 'a=b']);
    expect(end.requests[0].url).toBe('/d');
    expect(end.headers[0]).toMatchObject({ 'x-mine': '1', host: 'localhost' });
    expect(end.headers[0].cookie).toBeUndefined();
    expect(socket.url).toBe(`ws+unix:${two}:/d`);
  });
});

describe('maxRedirects', () => {
  test('ends a loop after 10 redirects by default', async () => {
    const host = await Host.listen(() => '/again');
    expect((await failure(host.url)).message).toBe('Maximum redirects exceeded');
    expect(host.requests.length).toBe(11);
  });

  test('is the number of redirects that are followed', async () => {
    const host = await Host.listen(({ url }) => (url === '/2' ? undefined : `/${Number(url?.slice(1)) + 1}`));
    await open(`${host.url}/0`, { maxRedirects: 2 });
    expect((await failure(`${host.url}/0`, { maxRedirects: 1 })).message).toBe('Maximum redirects exceeded');
    expect((await failure(`${host.url}/0`, { maxRedirects: 0 })).message).toBe('Maximum redirects exceeded');
  });

  test.each<[unknown, string]>([
    [-1, 'The option "maxRedirects" must be a whole number'],
    [1.5, 'The option "maxRedirects" must be a whole number'],
    ['3', 'The option "maxRedirects" must be a number, not the string "3"'],
  ])('%p throws', (maxRedirects, message) => {
    expect(() => new WebSocket('ws://127.0.0.1:1', { maxRedirects: maxRedirects as number })).toThrow(message);
  });
});

describe('a target that cannot be followed is one error', () => {
  test.each<[string, string, string]>([
    ['another scheme', 'ftp://127.0.0.1/', `The URL's protocol must be one of`],
    ['a file', 'file:///etc/passwd', `The URL's protocol must be one of`],
    ['a fragment', 'ws://127.0.0.1/#part', 'The URL contains a fragment identifier'],
    ['no URL', 'http://', 'Invalid URL: http://'],
    ['no Unix socket', 'ws+unix:', `The URL's pathname is empty`],
  ])('%s', async (_name, location, message) => {
    const host = await Host.listen(() => location);
    const error = await failure(host.url);
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.message).toContain(message);
  });

  test('an agent for TLS and a target without', async () => {
    const secure = makeCertificate();
    const end = await Host.listen();
    const start = await Host.listen(() => end.url, { secure });
    const { Agent } = await import('node:https');
    const error = await failure(start.url, { agent: new Agent({ rejectUnauthorized: false }) });
    expect((error as NodeJS.ErrnoException).code).toBe('ERR_INVALID_PROTOCOL');
    expect(end.requests).toEqual([]);
  });

  test('a server that is not there', async () => {
    const host = await Host.listen(() => 'ws://127.0.0.1:1/');
    expect(((await failure(host.url)) as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
  });

  test('a finishRequest that throws for the second request', async () => {
    const host = await Host.listen(() => '/b');
    const error = await failure(host.url, {
      finishRequest: (request) => {
        if (request.path === '/b') throw new Error('not there');
        request.end();
      },
    });
    expect(error.message).toBe('not there');
    expect(host.requests.length).toBe(1);
  });
});

describe('credentials', () => {
  test('go along on the same host', async () => {
    const host = await Host.listen(({ url }) => (url === '/a' ? '/b' : undefined));
    await open(`${host.url}/a`, { headers: secret });
    expect(host.headers.length).toBe(2);
    for (const headers of host.headers) {
      expect(headers).toMatchObject({ authorization: secret.Authorization, cookie: 'a=b', host: 'foo', 'x-mine': '1' });
    }
  });

  test('are kept from another host, a port included, and so is the Host header', async () => {
    const end = await Host.listen();
    const start = await Host.listen(() => end.url.replace('//', '//user:pass@'));
    await open(start.url.replace('//', '//us%3Aer:pass@'), { headers: { Cookie: 'a=b', Host: 'foo', 'X-Mine': '1' } });
    expect(start.headers[0]).toMatchObject({ authorization: expect.stringContaining('Basic '), host: 'foo' });
    const { authorization, cookie, host, 'proxy-authorization': proxy, 'x-mine': mine } = end.headers[0];
    expect([authorization, cookie, proxy, mine]).toEqual([undefined, undefined, undefined, '1']);
    expect(host).toBe(end.url.slice('ws://'.length));
  });

  test('are given to the first host again when it is come back to', async () => {
    const away: Host = await Host.listen(() => `${home.url}/b`);
    const home: Host = await Host.listen(({ url }) => (url === '/a' ? away.url : undefined));
    await open(`${home.url}/a`, { headers: secret });
    expect([home.headers[0].cookie, away.headers[0].cookie, home.headers[1].cookie]).toEqual(['a=b', undefined, 'a=b']);
  });

  test('are kept from the same host when TLS is lost', async () => {
    const secure = makeCertificate();
    // The same authority for both schemes: what is connected to depends on the scheme alone.
    const plain = await Host.listen();
    const start = await Host.listen(() => 'ws://same.example/', { secure });
    const ports = { http: Number(plain.url.split(':')[2]), https: Number(start.url.split(':')[2]) };
    const { connect: plainly } = await import('node:net');
    const { connect: securely } = await import('node:tls');
    const socket = client('wss://same.example/', undefined, {
      followRedirects: true,
      headers: secret,
      auth: 'a:b',
      createConnection: ((options: { defaultPort: number }) =>
        options.defaultPort === 443
          ? securely({ port: ports.https, host: '127.0.0.1', rejectUnauthorized: false })
          : plainly(ports.http, '127.0.0.1')) as never,
    });
    await once(socket, 'open');
    expect(start.headers[0]).toMatchObject({ cookie: 'a=b', authorization: secret.Authorization });
    const { authorization, cookie, host } = plain.headers[0];
    expect([authorization, cookie, host]).toEqual([undefined, undefined, 'foo']);
    expect(socket.url).toBe('ws://same.example/');
  });

  test('of the first URL come before those of the auth option and of later URLs', async () => {
    const host: Host = await Host.listen(({ url }) =>
      url === '/a' ? `${host.url.replace('//', '//later:x@')}/b` : undefined,
    );
    await open(`${host.url.replace('//', '//first:x@')}/a`, { auth: 'option:x' });
    const first = `Basic ${Buffer.from('first:x').toString('base64')}`;
    expect(host.headers.map((headers) => headers.authorization)).toEqual([first, first]);
  });

  test('an Authorization header comes before everything else', async () => {
    const host = await Host.listen(({ url }) => (url === '/a' ? '/b' : undefined));
    await open(`${host.url.replace('//', '//first:x@')}/a`, { headers: { authorization: 'Bearer 1' } });
    expect(host.headers.map((headers) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 1']);
  });
});

describe('the redirect event', () => {
  test('has the URL and the request, and the listener answers for the credentials', async () => {
    const end = await Host.listen();
    const start = await Host.listen(() => `${end.url}/b`);
    const socket = client(start.url, undefined, { followRedirects: true, headers: secret });
    const seen: unknown[] = [];
    socket.on('redirect', (url: string, request: ClientRequest) => {
      seen.push(url, socket.url, request.getHeader('cookie'));
      request.removeHeader('cookie');
      request.setHeader('X-Late', '1');
    });
    await once(socket, 'open');
    expect(seen).toEqual([`${end.url}/b`, `${end.url}/b`, 'a=b']);
    expect(end.headers[0]).toMatchObject({ authorization: secret.Authorization, 'x-late': '1', host: 'foo' });
    expect(end.headers[0].cookie).toBeUndefined();
  });

  test.each<[string, (socket: WebSocket) => void]>([
    ['close', (socket) => socket.close()],
    ['terminate', (socket) => socket.terminate()],
  ])('%s in a listener ends the handshake', async (_name, end) => {
    const host = await Host.listen(() => '/b');
    const socket = client(host.url, undefined, { followRedirects: true });
    const seen = record(socket, 'open', 'error', 'close');
    socket.on('redirect', () => end(socket));
    await closed(socket);
    expect(seen).toEqual(['error: WebSocket was closed before the connection was established', 'close: 1006']);
    expect(host.requests.length).toBe(1);
  });

  test('destroying the request in a listener is an error', async () => {
    const host = await Host.listen(() => '/b');
    const socket = client(host.url, undefined, { followRedirects: true });
    const seen = record(socket, 'open', 'error', 'close');
    socket.on('redirect', (_url: string, request: ClientRequest) => {
      request.destroy(new Error('enough'));
    });
    await closed(socket);
    expect(seen).toEqual(['error: enough', 'close: 1006']);
    expect(host.requests.length).toBe(1);
  });
});

test('handshakeTimeout starts anew with each redirect', async () => {
  const host = await Host.listen(({ url }) =>
    Number(url?.slice(1)) < 3 ? `/${Number(url?.slice(1)) + 1}` : undefined,
  );
  const socket = client(`${host.url}/0`, undefined, {
    followRedirects: true,
    handshakeTimeout: 200,
    finishRequest: (request) => setTimeout(() => request.end(), 90),
  });
  await once(socket, 'open');
  expect(host.requests.length).toBe(4);
  const slow = await failure(`${host.url}/2`, {
    handshakeTimeout: 50,
    finishRequest: () => {},
  });
  expect(slow.message).toBe('Opening handshake has timed out');
});

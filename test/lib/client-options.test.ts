// The options of a client that say how the request is made and what carries it, and how a handshake fails.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type ClientRequest, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { connect as netConnect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type ClientOptions } from '../../lib';
import {
  acceptText,
  afterTest,
  client,
  closed,
  connect,
  duplexPair,
  expectedTransport,
  makeCertificate,
  nextMessage,
  onceWithoutError,
  rawServer,
  record,
  serve,
  serveEcho,
} from './support';

/** The request that a client with these options makes. */
async function requestOf(options: ClientOptions, address = (url: string): string => url): Promise<IncomingMessage> {
  const { server, url } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  await connect(address(url), undefined, options);
  return (await connected)[1];
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

describe('auth', () => {
  test('is sent as basic authentication', async () => {
    expect((await requestOf({ auth: 'user:pass' })).headers.authorization).toBe(basic('user:pass'));
  });

  test('gives way to the credentials of the URL, and those to an Authorization header', async () => {
    const withCredentials = (url: string): string => url.replace('//', '//url:x@');
    expect((await requestOf({ auth: 'a:b' }, withCredentials)).headers.authorization).toBe(basic('url:x'));
    const headers = { authorization: 'Bearer 1' };
    expect((await requestOf({ auth: 'a:b', headers }, withCredentials)).headers.authorization).toBe('Bearer 1');
  });

  test('may be half empty, or badly encoded, in the URL', async () => {
    const auth = async (credentials: string): Promise<string | undefined> =>
      (await requestOf({}, (url) => url.replace('//', `//${credentials}@`))).headers.authorization;
    expect(await auth('user')).toBe(basic('user:'));
    expect(await auth(':pass')).toBe(basic(':pass'));
    expect(await auth('100%:%ff')).toBe(basic('100%:%ff'));
  });
});

describe('what carries the request', () => {
  test('localAddress is connected from', async () => {
    const request = await requestOf({ localAddress: '127.0.0.1' });
    expect(request.socket.remoteAddress).toBe('127.0.0.1');
    const socket = client('ws://127.0.0.1:1', undefined, { localAddress: '203.0.113.1' });
    const [error] = await onceWithoutError(socket, 'error');
    expect((error as NodeJS.ErrnoException).code).toBe('EADDRNOTAVAIL');
  });

  test('family is what names are looked up for', async () => {
    const { port } = await serve();
    const families: unknown[] = [];
    const lookup: ClientOptions['lookup'] = (_name, options, done) => {
      families.push(options.family);
      if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
      else done(null, '127.0.0.1', 4);
    };
    await connect(`ws://some.example:${port}`, undefined, { family: 4, lookup });
    await connect(`ws://some.example:${port}`, undefined, { family: 6, lookup });
    expect(families).toEqual([4, 6]);
  });

  test('an agent makes the connection, and gives its socket away', async () => {
    const { url } = await serveEcho();
    const agent = new Agent({ keepAlive: true });
    afterTest(() => agent.destroy());
    const made = jest.spyOn(agent, 'createConnection' as never);
    const socket = await connect(url, undefined, { agent });
    expect(made).toHaveBeenCalledTimes(1);
    expect(socket.transport).toBe(expectedTransport);
    socket.send('through the agent');
    expect((await nextMessage(socket)).data.toString()).toBe('through the agent');
    expect(Object.keys(agent.sockets)).toEqual([]);
    expect(Object.keys(agent.freeSockets)).toEqual([]);
  });

  test('agent: false makes a connection of its own', async () => {
    const { url } = await serveEcho();
    const socket = await connect(url, undefined, { agent: false });
    socket.send('alone');
    expect((await nextMessage(socket)).data.toString()).toBe('alone');
  });

  test('an agent that goes through an HTTP proxy', async () => {
    const { url, port } = await serveEcho();
    const proxy = createServer();
    const targets: unknown[] = [];
    proxy.on('connect', (request: IncomingMessage, stream: Duplex) => {
      targets.push(request.url);
      const upstream = netConnect(port, '127.0.0.1', () => {
        stream.write('HTTP/1.1 200 OK\r\n\r\n');
        stream.pipe(upstream).pipe(stream);
      });
      for (const one of [upstream, stream]) one.on('error', () => {});
    });
    proxy.listen(0, '127.0.0.1');
    afterTest(() => proxy.close());
    await once(proxy, 'listening');
    const { port: proxyPort } = proxy.address() as AddressInfo;
    class ProxyAgent extends Agent {
      override createConnection(
        options: ClientRequestArgs,
        done?: (error: Error | null, s: Duplex) => void,
      ): undefined {
        const tunnel = netConnect(proxyPort, '127.0.0.1');
        tunnel.write(`CONNECT ${options.host ?? ''}:${options.port ?? ''} HTTP/1.1\r\n\r\n`);
        tunnel.once('data', () => done?.(null, tunnel));
      }
    }
    const socket = await connect(url, undefined, { agent: new ProxyAgent() });
    socket.send('through the proxy');
    expect((await nextMessage(socket)).data.toString()).toBe('through the proxy');
    expect(targets).toEqual([`127.0.0.1:${port}`]);
  });

  test('createConnection may give a Duplex without a descriptor', async () => {
    const [ours, theirs] = duplexPair();
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    server.on('connection', (peer) => peer.on('message', (data) => peer.send(data as Buffer)));
    http.emit('connection', theirs);
    const socket = await connect('ws://in.memory/', undefined, { createConnection: () => ours });
    expect(socket.transport).toBe('stream');
    socket.send('in memory');
    expect((await nextMessage(socket)).data.toString()).toBe('in memory');
    const end = closed(socket);
    await server.close({ code: 1001 });
    expect(await end).toEqual({ code: 1001, reason: '' });
  });

  test('createConnection that fails is an error', async () => {
    const socket = client('ws://127.0.0.1:1/', undefined, {
      createConnection: ((_options: unknown, done: (error: Error) => void) => {
        setImmediate(() => done(new Error('no way there')));
      }) as never,
    });
    const seen = record(socket, 'open', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual(['error: no way there', 'close: 1006']);
  });
});

describe('TLS', () => {
  const certificate = makeCertificate();

  async function listen(where: object | string, options: object = {}): Promise<SecureServer> {
    const https = createSecureServer({ ...certificate, ...options });
    https.listen(where);
    await once(https, 'listening');
    const server = new WebSocketServer({ server: https });
    server.on('connection', (peer, request) => {
      const { servername, authorized } = request.socket as unknown as { servername: unknown; authorized: boolean };
      peer.send(JSON.stringify([servername, authorized]));
    });
    afterTest(async () => {
      https.close();
      await server.close({ timeout: 0 });
    });
    return https;
  }

  test('the server name is that of the URL, or of the options; none for an address', async () => {
    const { port } = (await listen({ port: 0, host: '127.0.0.1' })).address() as AddressInfo;
    const name = async (host: string, options: ClientOptions = {}): Promise<unknown> => {
      const socket = client(`wss://${host}:${port}`, undefined, { ca: certificate.cert, ...options });
      return (JSON.parse((await nextMessage(socket)).data.toString()) as unknown[])[0];
    };
    const lookup: ClientOptions['lookup'] = (_name, options, done) =>
      options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    expect(await name('localhost', { lookup })).toBe('localhost');
    expect(await name('127.0.0.1')).toBe(false);
    expect(await name('127.0.0.1', { servername: 'localhost' })).toBe('localhost');
  });

  test('checkServerIdentity, rejectUnauthorized and a certificate of the client', async () => {
    const ask = { requestCert: true, ca: certificate.cert, rejectUnauthorized: false };
    const { port } = (await listen({ port: 0, host: '127.0.0.1' }, ask)).address() as AddressInfo;
    const url = `wss://127.0.0.1:${port}`;
    const socket = client(url, undefined, { rejectUnauthorized: false, ...certificate });
    expect(JSON.parse((await nextMessage(socket)).data.toString())).toEqual([false, true]);
    const anonymous = client(url, undefined, { rejectUnauthorized: false });
    expect(JSON.parse((await nextMessage(anonymous)).data.toString())).toEqual([false, false]);
    const checked = client(url, undefined, {
      ca: certificate.cert,
      checkServerIdentity: (name) => new Error(`not ${name}`),
    });
    const [error] = await onceWithoutError(checked, 'error');
    expect((error as Error).message).toBe('not 127.0.0.1');
  });

  test('an agent of https', async () => {
    const { port } = (await listen({ port: 0, host: '127.0.0.1' })).address() as AddressInfo;
    const agent = new SecureAgent({ ca: certificate.cert });
    afterTest(() => agent.destroy());
    const socket = client(`wss://127.0.0.1:${port}`, undefined, { agent });
    expect((await nextMessage(socket)).data.toString()).toBe('[false,false]');
  });

  test('over a Unix socket with wss+unix:', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
    afterTest(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'socket');
    await listen(path);
    const socket = client(`wss+unix:${path}:/x`, undefined, { ca: certificate.cert });
    expect((await nextMessage(socket)).data.toString()).toBe('["localhost",false]');
    expect(socket.url).toBe(`wss+unix:${path}:/x`);
  });

  test('a server without TLS is an error', async () => {
    const { port } = await serve();
    const [error] = await onceWithoutError(client(`wss://127.0.0.1:${port}`), 'error');
    expect(String(error)).toMatch(/SSL|EPROTO|disconnected|ECONNRESET|hang up/i);
  });
});

describe('what is wrong with the arguments throws before a byte is written', () => {
  test.each(['ws://127.0.0.1:1/\r\nX-A: b', 'ws://127.0.0.1:1/\n', 'ws://127.0.0.1:1/\0', 'ws://\r127.0.0.1'])(
    'CR, LF or NUL in the URL %j',
    (address) => {
      expect(() => new WebSocket(address)).toThrow(new SyntaxError('The URL contains a CR, LF or NUL character'));
    },
  );

  test.each(['X\r\nA', 'X A', ''])('a header field named %j', (name) => {
    expect(() => new WebSocket('ws://127.0.0.1:1', { headers: { [name]: '1' } })).toThrow('must be a valid HTTP token');
  });

  test.each<[object, string]>([
    [{ protocolVersion: 8 }, 'Unsupported protocol version: 8 (supported versions: 13)'],
    [{ finishRequest: 'yes' }, 'The option "finishRequest" must be a function, not the string "yes"'],
    [{ generateMask: 1 }, 'The option "generateMask" must be a function, not the number 1'],
    [{ handshakeTimeout: -1 }, 'The option "handshakeTimeout" must be a whole number'],
    [{ handshakeTimeout: 2 ** 31 }, 'The option "handshakeTimeout" must be a whole number'],
  ])('%p', (options, message) => {
    expect(() => new WebSocket('ws://127.0.0.1:1', options as ClientOptions)).toThrow(message);
  });

  test('what finishRequest throws, the constructor throws, and the request is given up', async () => {
    const connections: unknown[] = [];
    const url = await rawServer((peer) => connections.push(peer.takeHead()));
    let request: ClientRequest | undefined;
    const finishRequest = (made: ClientRequest): void => {
      request = made;
      throw new Error('not today');
    };
    expect(() => new WebSocket(url, { finishRequest, handshakeTimeout: 60_000 })).toThrow('not today');
    expect(request!.destroyed).toBe(true);
  });
});

describe('finishRequest', () => {
  test('gets the request and the socket, and may end it later', async () => {
    const { url } = await serve();
    const seen: unknown[] = [];
    const socket = client(url, undefined, {
      finishRequest: (request, given) => {
        seen.push(given, given.readyState, request.getHeader('upgrade'));
        setTimeout(() => request.end(), 20);
      },
    });
    await once(socket, 'open');
    expect(seen).toEqual([socket, WebSocket.CONNECTING, 'websocket']);
  });
});

describe('a response that ends the handshake', () => {
  test.each<[string, (head: string) => string, string]>([
    [
      '101 without Upgrade',
      (head) => acceptText(head).replace('Upgrade: websocket\r\n', ''),
      'Unexpected server response: 101',
    ],
    [
      '101 without Connection',
      (head) => acceptText(head).replace('Connection: Upgrade\r\n', ''),
      'Unexpected server response: 101',
    ],
    ['200', () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno', 'Unexpected server response: 200'],
    ['500', () => 'HTTP/1.1 500 X\r\nConnection: close\r\n\r\n', 'Unexpected server response: 500'],
  ])('%s', async (_name, answer, message) => {
    const url = await rawServer(async (peer) => peer.write(answer(await peer.takeHead())));
    const socket = client(url);
    const seen = record(socket, 'open', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual([`error: ${message}`, 'close: 1006']);
  });

  test('an informational response before the 101 is passed over', async () => {
    const url = await rawServer(async (peer) => {
      const head = await peer.takeHead();
      peer.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', acceptText(head));
    });
    await connect(url);
  });

  test('close in an upgrade listener gives up', async () => {
    const { url } = await serve();
    const socket = client(url);
    socket.on('upgrade', () => socket.close());
    const seen = record(socket, 'open', 'error', 'close');
    await closed(socket);
    expect(seen).toEqual(['error: WebSocket was closed before the connection was established', 'close: 1006']);
  });

  test('close while connecting gives up', async () => {
    const url = await rawServer(() => {});
    const socket = client(url);
    const seen = record(socket, 'open', 'error', 'close');
    socket.close(4000, 'never mind');
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    expect(await closed(socket)).toEqual({ code: 1006, reason: '' });
    expect(seen).toEqual(['error: WebSocket was closed before the connection was established', 'close: 1006']);
  });
});

/* eslint-disable @typescript-eslint/no-base-to-string, @typescript-eslint/no-unsafe-class-instance-assignment --
   it is written as others write theirs */
// A program as people write it against @types/ws. `tsc` compiles it with those types, and test/lib/types.test.ts with ours
// in their place. It never runs.
import { EventEmitter, once } from 'node:events';
import { createServer, IncomingMessage, type ClientRequest } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import WebSocket, { createWebSocketStream, WebSocketServer } from 'ws';

// ---- Sockets -----------------------------------------------------------------------------------------------------------

class Request extends IncomingMessage {
  user = '';
}

class Client extends WebSocket {
  isAlive = true;
  readonly id = this.url + this.protocol + this.extensions;
}

export class Connector extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[], options?: WebSocket.ClientOptions) {
    super(address, protocols, options);
    this.once('open', () => this.send(this.url));
  }
}

const options: WebSocket.ClientOptions = {
  followRedirects: true,
  maxRedirects: 3,
  handshakeTimeout: 1000,
  generateMask: (mask) => mask.fill(0),
  perMessageDeflate: { threshold: 1024, zlibDeflateOptions: { level: 3 }, concurrencyLimit: 10 },
  headers: { 'X-Test': '1' },
  origin: 'https://example.com',
  family: 4,
  localAddress: '127.0.0.1',
  rejectUnauthorized: false,
  ca: Buffer.from(''),
  allowSynchronousEvents: true,
  autoPong: false,
  maxPayload: 1024,
  maxBufferedChunks: 1,
  maxFragments: 1,
  skipUTF8Validation: false,
  protocolVersion: 13,
  finishRequest: (request, websocket) => {
    request.setHeader('X-Late', websocket.readyState);
    request.end();
  },
};

export function makeSockets(): WebSocket[] {
  return [
    new WebSocket('ws://localhost'),
    new WebSocket(new URL('ws://localhost'), options),
    new WebSocket('ws://localhost', 'protocol'),
    new WebSocket('ws://localhost', ['a', 'b'], options),
    new WebSocket('ws://localhost', { auth: 'a:b', timeout: 1, agent: undefined }),
    new WebSocket(null),
    new WebSocket.WebSocket('ws://localhost'),
    new Client('ws://localhost'),
  ];
}

export function listen(socket: WebSocket): void {
  socket.on('open', () => socket.send('hello'));
  socket.on('open', function () {
    this.send('hello');
  });
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('message', (data: WebSocket.RawData) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
    console.log(bytes.length, data.toString());
  });
  socket.on('message', (data: WebSocket.Data, isBinary: boolean) => console.log(data, isBinary));
  socket.on('message', (text: string) => console.log(text.length));
  socket.on('close', (code, reason) => console.log(code.toFixed(), reason.toString('utf8')));
  socket.on('close', (code: number, reason: Buffer) => console.log(code, reason));
  socket.on('error', (error: Error) => console.error(error.message));
  socket.once('error', console.error);
  socket.on('ping', (data) => socket.pong(data));
  socket.on('pong', heartbeat);
  socket.on('redirect', (url: string, request: ClientRequest) => console.log(url.length, request.getHeader('cookie')));
  socket.on('unexpected-response', (request, response) => {
    request.destroy();
    console.log(response.statusCode);
  });
  socket.on('upgrade', (response: IncomingMessage) => console.log(response.headers));
  socket.on('anything', (one: number, two: string) => console.log(one, two));
  socket.once('message', (data) => console.log(data.toString())).off('pong', heartbeat);
  socket.addListener('close', () => {}).removeListener('pong', heartbeat);
  socket.prependListener('message', () => {}).removeAllListeners('message');
  socket.emit('anything', 1, 'two');
  const names: (string | symbol)[] = socket.eventNames();
  const emitter: EventEmitter = socket;
  console.log(names, emitter.listenerCount('message'), once(socket, 'open'));
  for (const name of ['open', 'close']) socket.on(name, () => console.log(name));

  socket.onopen = (event) => console.log(event.type, event.target.readyState);
  socket.onmessage = (event: WebSocket.MessageEvent) => console.log(event.data.toString(), event.type);
  socket.onmessage = ({ data }) => console.log(typeof data === 'string' ? data.length : data);
  socket.onclose = ({ code, reason, wasClean }) => console.log(code, reason.length, wasClean);
  socket.onerror = (event: WebSocket.ErrorEvent) => console.log(event.message, event.error);
  socket.onerror = null;
  const onMessage = (event: WebSocket.MessageEvent): void => console.log(event.data);
  socket.addEventListener('message', onMessage, { once: true });
  socket.addEventListener('close', { handleEvent: (event: WebSocket.CloseEvent) => console.log(event.code) });
  socket.removeEventListener('message', onMessage);
}

function heartbeat(this: WebSocket): void {
  (this as Client).isAlive = true;
}

export function use(socket: WebSocket): void {
  socket.binaryType = 'arraybuffer';
  if (socket.readyState === WebSocket.OPEN || socket.readyState === socket.CONNECTING) socket.close();
  const state: 0 | 1 | 2 | 3 = socket.readyState;
  const texts: string[] = [socket.url, socket.protocol, socket.extensions];
  console.log(state, texts, socket.bufferedAmount + 1, socket.isPaused);
  const sent = (error?: Error): void => console.log(error?.message);
  socket.send('text');
  socket.send(Buffer.from('bytes'), sent);
  socket.send(new Uint8Array(3), { binary: true, compress: false, fin: true, mask: true }, sent);
  socket.send(new ArrayBuffer(3), { binary: undefined }, (error) => console.log(error));
  socket.send([1, 2, 3]);
  socket.send(42);
  socket.send(new DataView(new ArrayBuffer(1)));
  socket.ping();
  socket.ping('data', true, (error: Error) => console.log(error.message));
  socket.pong(Buffer.from('data'), undefined, sent);
  socket.ping(undefined, undefined, sent);
  socket.pause();
  socket.resume();
  socket.close(1000, 'reason');
  socket.close(4000, Buffer.from('reason'));
  socket.terminate();
  const duplex: Duplex = createWebSocketStream(socket, { encoding: 'utf8', decodeStrings: false });
  const other = WebSocket.createWebSocketStream(socket);
  duplex.pipe(other).pipe(process.stdout);
}

// ---- Servers -----------------------------------------------------------------------------------------------------------

const verifyLater: WebSocket.VerifyClientCallbackAsync = (info, callback) => {
  console.log(info.origin.length, info.secure, info.req.url);
  callback(false, 401, 'Unauthorized', { 'Set-Cookie': ['a=1', 'b=2'] });
};
const verifyNow: WebSocket.VerifyClientCallbackSync<Request> = ({ origin, req }) => origin === req.user;

export const serverOptions: WebSocket.ServerOptions = {
  port: 8080,
  host: 'localhost',
  backlog: 1,
  path: '/path',
  clientTracking: true,
  maxPayload: 1024,
  perMessageDeflate: true,
  verifyClient: verifyLater,
  handleProtocols: (protocols, request) => (request.url === '/' ? ([...protocols][0] ?? false) : false),
};

export function makeServers(): WebSocketServer[] {
  const http = createServer();
  const custom = new WebSocketServer<typeof Client, typeof Request>({
    noServer: true,
    WebSocket: Client,
    verifyClient: verifyNow,
  });
  custom.on('connection', (client, request) => console.log(client.isAlive, request.user));
  custom.clients.forEach((client) => console.log(client.id));
  return [
    new WebSocketServer(serverOptions),
    new WebSocketServer({ port: 0 }, () => console.log('listening')),
    new WebSocketServer({ server: http, verifyClient: (info: { origin: string }) => info.origin !== '' }),
    new WebSocket.Server({ server: createSecureServer({}) }),
    new WebSocket.WebSocketServer({ noServer: true }),
  ];
}

export function serve(server: WebSocket.Server): void {
  server.on('connection', (socket, request) => {
    console.log(request.socket.remoteAddress, request.headers.origin);
    socket.on('message', (data, isBinary) => {
      for (const client of server.clients) {
        if (client !== socket && client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
      }
    });
  });
  server.on('connection', function connection(socket: WebSocket) {
    console.log(this.options.port, this.path, socket.protocol);
  });
  server.on('headers', (headers: string[], request) => headers.push(`X-Url: ${request.url ?? ''}`));
  server.on('wsClientError', (error, socket, request) => socket.end(`${error.message} ${request.url ?? ''}`));
  server.on('error', (error) => console.error(error.message));
  server.once('listening', () => console.log(server.address()));
  server.on('close', () => {}).off('close', () => {});
  server.on('anything', (one: number) => console.log(one));
  server.emit('anything', 1);
  const address = server.address();
  if (address !== null && typeof address !== 'string') console.log(address.port.toFixed(), address.family);
  const http = createServer();
  http.on('upgrade', (request, socket, head) => {
    if (server.shouldHandle(request)) {
      server.handleUpgrade(request, socket, head, (client, of) => server.emit('connection', client, of));
    }
  });
  server.clients.forEach((client: WebSocket) => client.terminate());
  server.close();
  server.close((error) => console.log(error?.message));
}

export type Names = [
  WebSocket.CertMeta,
  WebSocket.FinishRequestCallback,
  WebSocket.PerMessageDeflateOptions,
  WebSocket.Event,
  WebSocket.CloseEvent,
  WebSocket.WebSocketEventMap,
  WebSocket.EventListenerOptions,
  WebSocket.AddressInfo,
  WebSocket.WebSocket,
  WebSocket.WebSocketServer,
];

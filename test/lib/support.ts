// What the library's tests share: servers and clients that end with their test, promises for events, and raw peers that
// write frames by hand.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once, type EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, connect as netConnect, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { types } from 'node:util';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from '../../lib';

export const root = join(__dirname, '..', '..');

/** The transport that every connection without TLS is expected to have, on the platforms where the driver has sockets. */
export const expectedTransport =
  process.env.WEBSOCKET_COMPONENT_TRANSPORT === 'stream' || process.platform === 'win32' ? 'stream' : 'native';

const cleanups: (() => unknown)[] = [];

/** Runs a function after the test. */
export function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server on a port of its own, and its URL. */
export async function serve(
  options: ServerOptions = {},
): Promise<{ server: WebSocketServer; url: string; port: number }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  afterTest(() => server.close({ timeout: 0 }));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `ws://127.0.0.1:${port}` };
}

/** A server that sends every message back. */
export async function serveEcho(
  options: ServerOptions = {},
): Promise<{ server: WebSocketServer; url: string; port: number }> {
  const served = await serve(options);
  served.server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  });
  return served;
}

/** A client, cut after the test. */
export function client(url: string, protocols?: string | string[], options?: ClientOptions): WebSocket {
  const socket = new WebSocket(url, protocols, options);
  afterTest(() => {
    socket.on('error', () => {});
    socket.terminate();
  });
  return socket;
}

/** An open client. */
export async function connect(url: string, protocols?: string | string[], options?: ClientOptions): Promise<WebSocket> {
  const socket = client(url, protocols, options);
  await once(socket, 'open');
  return socket;
}

/** A server, a client and the server's socket for it. */
export async function pair(
  serverOptions: ServerOptions = {},
  clientOptions: ClientOptions = {},
): Promise<{ server: WebSocketServer; client: WebSocket; peer: WebSocket; url: string }> {
  const { server, url } = await serve(serverOptions);
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const socket = client(url, undefined, clientOptions);
  const [[peer]] = await Promise.all([connected, once(socket, 'open')]);
  return { server, client: socket, peer, url };
}

/** The next message. */
export async function nextMessage(socket: EventEmitter): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return { data, isBinary };
}

/** How the connection was closed. */
export async function closed(socket: EventEmitter): Promise<{ code: number; reason: string }> {
  const [code, reason] = await onceWithoutError(socket, 'close');
  return { code: code as number, reason: String(reason) };
}

/** `once` that an 'error' does not end. */
export function onceWithoutError(emitter: EventEmitter, name: string): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(name, (...args: unknown[]) => resolve(args)));
}

/** The names of the events and their first argument, in order. */
export function record(socket: EventEmitter, ...names: string[]): string[] {
  const seen: string[] = [];
  for (const name of names) {
    socket.on(name, (first: unknown) =>
      seen.push(first === undefined ? name : `${name}: ${types.isNativeError(first) ? first.message : textOf(first)}`),
    );
  }
  return seen;
}

/** The text of what a 'message' listener got. */
export function textOf(data: unknown): string {
  return (data as Buffer).toString();
}

/** Waits until the condition holds: for long, because a process under a sanitizer takes seconds to end. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  for (const end = Date.now() + 20_000; !condition();) {
    if (Date.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// ---- Raw peers --------------------------------------------------------------------------------------------------------

export interface FrameOptions {
  fin?: boolean;
  rsv?: number;
  mask?: boolean;
}

/** A frame as a client (masked) or a server (`mask: false`) writes it. */
export function frame(opcode: number, payload: Buffer | string = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = true } = options;
  const data = Buffer.from(payload);
  const maskBit = mask ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  let head: Buffer;
  if (data.length < 126) head = Buffer.from([first, maskBit | data.length]);
  else if (data.length < 65_536) head = Buffer.from([first, maskBit | 126, data.length >> 8, data.length & 255]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
  }
  if (!mask) return Buffer.concat([head, data]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([head, key, data.map((byte, i) => byte ^ key[i % 4])]);
}

/** The payload of a Close frame. */
export function closePayload(status: number, reason: Buffer | string = ''): Buffer {
  return Buffer.concat([Buffer.from([status >> 8, status & 255]), Buffer.from(reason)]);
}

export const handshakeFields: Record<string, string | undefined> = {
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

/** The bytes of a request. */
export function requestText(fields: Record<string, string | undefined> = {}, line = 'GET / HTTP/1.1'): string {
  const lines = Object.entries({ ...handshakeFields, ...fields })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line}\r\n${lines.join('')}\r\n`;
}

/** The 101 response to a request, with further header lines. */
export function acceptText(head: string, ...lines: string[]): string {
  const key = /sec-websocket-key: (.*)\r\n/i.exec(head)![1];
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const own = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
  return `${['HTTP/1.1 101 Switching Protocols', ...own, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A TCP client that gathers what it receives. */
export class RawPeer {
  received = Buffer.alloc(0);
  ended = false;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => (this.received = Buffer.concat([this.received, chunk])));
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.ended = true));
    afterTest(() => socket.destroy());
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = netConnect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  write(...chunks: (Buffer | string)[]): void {
    this.socket.write(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))));
  }

  /** Waits for so many bytes and takes them. */
  async take(length: number): Promise<Buffer> {
    await until(() => this.received.length >= length || this.ended, `${length} bytes`);
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }

  /** Waits for the end of an HTTP head and takes it. */
  async takeHead(): Promise<string> {
    await until(() => this.received.includes('\r\n\r\n') || this.ended, 'the HTTP head');
    return (await this.take(this.received.indexOf('\r\n\r\n') + 4)).toString();
  }

  /** Everything until the peer's FIN. */
  async rest(): Promise<Buffer> {
    await until(() => this.ended, 'the end');
    return this.take(this.received.length);
  }
}

/** A raw client whose handshake is done. */
export async function rawClient(port: number, ...behindRequest: Buffer[]): Promise<RawPeer> {
  const peer = await RawPeer.connect(port);
  peer.write(requestText(), ...behindRequest);
  expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
  return peer;
}

/** A TCP server that gives each connection to a function, and its ws: URL. */
export async function rawServer(onConnection: (peer: RawPeer) => unknown): Promise<string> {
  const server: NetServer = createServer({ allowHalfOpen: true }, (socket) => void onConnection(new RawPeer(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Two ends of a pipe in memory, without a descriptor. */
export function duplexPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [0, 1].map(
    (side) =>
      new Duplex({
        read() {},
        write(chunk, _encoding, done) {
          ends[1 - side].push(chunk);
          setImmediate(done);
        },
        final(done) {
          ends[1 - side].push(null);
          done();
        },
        destroy(error, done) {
          if (!ends[1 - side].readableEnded) ends[1 - side].push(null);
          done(error);
        },
      }),
  );
  return [ends[0], ends[1]];
}

/** A certificate for localhost that signs itself. */
export function makeCertificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

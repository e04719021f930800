// What our side and a program of others say to each other. Our side leads, whatever its role is: it sends messages of all
// sizes, fragments and pings, and closes. The other side (python_echo.py, node_echo.mjs, libwebsockets_echo.c, or echo()
// below) sends every message back, but for these texts:
//
//   command: ping PAYLOAD         it sends a ping, and "pong PAYLOAD" as a text when the pong has come
//   command: close CODE [REASON]  it begins to close
//
// When its connection is closed it says "closed CODE REASON", as it received them. As a client it offers the subprotocols
// "other" and "conversation", and as a server it chooses the second.
import { type EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ClientOptions, WebSocket, WebSocketServer } from '../../lib';
import { bytesOf, type ClientSocket, expectEcho, nextMessage, sizes, textOf } from './peers';

export const offered = ['other', 'conversation'];
export const choose = (protocols: Set<string>) => protocols.has('conversation') && 'conversation';

/** A WebSocket of this library or of `ws` that leads. */
export interface Leader extends ClientSocket {
  readonly protocol: string;
  send(data: string | Uint8Array, options?: { fin?: boolean }): unknown;
  ping(data?: string): unknown;
  close(code?: number, reason?: string): void;
}

/** Another side, in the role that it was started in. */
export interface Peer {
  /** A new connection with it, that is open. */
  connect: () => Promise<Leader>;
  /** Its next word about a connection: "closed CODE REASON". */
  closed: () => Promise<string>;
  /** False when the library has no way to send a ping. Default: true. */
  canPing?: boolean;
  /** The code in every answer to a close, where it is not the code that came. */
  closeAnswer?: number;
}

export type Transport = 'native' | 'stream';

/** The transports, and the largest message on each: programs of others are slow with large ones, so one has them. */
export const transports: readonly [Transport, number][] = [
  ['native', Infinity],
  ['stream', 65_536],
];

/** 123 bytes, the longest that a close frame has room for. */
const longReason = 'é€😀'.repeat(13) + 'x'.repeat(6);

/**
 * Exchanges everything on a first connection, then closes one after the other from both sides.
 * @param largest bytes of the largest message
 */
export async function converse(
  { connect, closed, canPing = true, closeAnswer }: Peer,
  largest = Infinity,
): Promise<void> {
  const first = await connect();
  expect(first.protocol).toBe('conversation');
  for (const size of sizes.filter((bytes) => bytes <= largest)) {
    await expectEcho(first, textOf(size));
    await expectEcho(first, bytesOf(size));
  }
  await expectFragmentsBack(first);
  await expectPongs(first);
  if (canPing) await expectPing(first);

  let socket = first;
  for (const [code, reason] of [[4000, 'done'], [1000], [], [1001, ''], [3000, longReason]] as [number?, string?][]) {
    const over = once(socket, 'close');
    socket.close(code, reason);
    expect((await over)[0]).toBe(closeAnswer ?? code ?? 1005);
    expect(await closed()).toBe(`closed ${code ?? 1005} ${reason ?? ''}`.trimEnd());
    socket = await connect();
  }
  for (const [code, reason] of [
    [1000, ''],
    [4999, longReason],
  ]) {
    const over = once(socket, 'close');
    socket.send(`command: close ${code} ${reason}`.trimEnd());
    expect((await over).map(String)).toEqual([String(code), reason]);
    expect(await closed()).toMatch(/^closed/); // what libraries tell about a close of their own differs
    if (code === 1000) socket = await connect();
  }
}

async function expectFragmentsBack(socket: Leader): Promise<void> {
  const reply = nextMessage(socket);
  for (const [index, part] of ['', 'one €', '', 'two', ''].entries()) socket.send(part, { fin: index === 4 });
  expect(await reply).toEqual({ data: Buffer.from('one €two'), isBinary: false });
}

async function expectPongs(socket: Leader): Promise<void> {
  for (const payload of ['', 'ours', 'x'.repeat(125)]) {
    const pong = once(socket, 'pong');
    socket.ping(payload);
    expect(String((await pong)[0])).toBe(payload);
  }
}

async function expectPing(socket: Leader): Promise<void> {
  const ping = once(socket, 'ping');
  const confirmation = nextMessage(socket);
  socket.send('command: ping theirs');
  expect(String((await ping)[0])).toBe('theirs');
  expect((await confirmation).data.toString()).toBe('pong theirs');
}

export const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

/** Our client as the leader. */
export async function connectTo(url: string, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, offered, { perMessageDeflate: false, ...options });
  await once(socket, 'open');
  return socket;
}

/** Our server as the leader, for as long as `use` takes. `connect` makes the other side connect to the URL. */
export async function withServer(
  transport: Transport,
  use: (accept: (connect: (url: string) => unknown) => Promise<Leader>) => Promise<void>,
): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', transport, handleProtocols: choose });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${portOf(server)}/`;
  try {
    await use(async (connect) => {
      const connected = once(server, 'connection') as Promise<[WebSocket]>;
      await connect(url);
      const [socket] = await connected;
      expect(socket.transport).toBe(transport);
      return socket;
    });
  } finally {
    await server.close();
  }
}

/** A WebSocket of this library or of `ws` that follows. */
interface Follower extends EventEmitter {
  send(data: string | Uint8Array, options?: { binary?: boolean }): unknown;
  ping(data?: string): unknown;
  close(code?: number, reason?: string): void;
}

/** The other side on a socket of this library or of `ws`. `say` gets what it says about the close. */
export function echo(socket: Follower, say: (line: string) => void): void {
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const [, name, first, ...rest] = isBinary ? [] : data.subarray(0, 200).toString().split(' ');
    if (isBinary || !data.subarray(0, 9).equals(Buffer.from('command: '))) socket.send(data, { binary: isBinary });
    else if (name === 'close') socket.close(Number(first), rest.join(' '));
    else {
      socket.once('pong', (payload: Buffer) => socket.send(`pong ${payload.toString()}`));
      socket.ping(first);
    }
  });
  socket.on('close', (code: number, reason: Buffer) => say(`closed ${code} ${reason.toString()}`.trimEnd()));
}

/** Lines that wait for somebody to ask for them. */
export class Lines {
  private readonly lines: string[] = [];
  private readonly waiting: ((line: string) => void)[] = [];

  readonly add = (line: string): void => {
    const taker = this.waiting.shift();
    if (taker === undefined) this.lines.push(line);
    else taker(line);
  };

  readonly next = (): Promise<string> => {
    const line = this.lines.shift();
    return line === undefined ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve(line);
  };
}

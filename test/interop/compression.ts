// What the interoperability tests of permessage-deflate share: the settings that are negotiated, the messages, and the
// exchange. The other side sends every message back, so each side compresses and inflates all of them.
//
// WEBSOCKET_COMPONENT_INTEROP_MESSAGES=1000 exchanges so many messages for each setting, of up to 1 MiB each.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type PerMessageDeflateOptions, WebSocket, WebSocketServer } from '../../lib';

/** A setting: what our side asks for. */
export interface Setting {
  server: number;
  client: number;
  takeover: boolean;
}

/** Every window size with context takeover, and some without. `leastServer`, `leastClient`: what the other side can do. */
export function settings(leastServer = 8, leastClient = 8): Setting[] {
  const withTakeover = [8, 9, 10, 11, 12, 13, 14, 15].map((bits) => ({ server: bits, client: bits, takeover: true }));
  const without = [8, 11, 15].map((bits) => ({ server: bits, client: bits, takeover: false }));
  return [...withTakeover, { server: 15, client: 9, takeover: true }, ...without].map((setting) => ({
    ...setting,
    server: Math.max(setting.server, leastServer),
    client: Math.max(setting.client, leastClient),
  }));
}

export const nameOf = ({ server, client, takeover }: Setting) =>
  `windows ${server} and ${client}, ${takeover ? 'with' : 'without'} context takeover`;

const optionsOf = ({ server, client, takeover }: Setting): PerMessageDeflateOptions => ({
  serverMaxWindowBits: server,
  clientMaxWindowBits: client,
  serverNoContextTakeover: takeover ? undefined : true,
  clientNoContextTakeover: takeover ? undefined : true,
  threshold: 0,
});

const asked = process.env.WEBSOCKET_COMPONENT_INTEROP_MESSAGES;
const count = asked === undefined ? 60 : Number(asked);
const largest = 1024 * 1024;
/** Most messages are smaller than so many bytes. */
const usual = asked === undefined ? 4096 : largest;
/** So many messages are under way at a time. */
const inFlight = 8;

/** Milliseconds that one test may take. */
export const exchangeTimeout = asked === undefined ? 60_000 : 600_000;

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** ASCII that repeats over distances short and long, with parts that do not compress. */
function makeContent(length: number): Buffer {
  const random = numbers(7);
  const noise = Array.from({ length: 40 }, () =>
    Array.from({ length: 1 + 4000 * random() ** 3 }, () => String.fromCharCode(33 + 90 * random())).join(''),
  );
  const parts: string[] = [];
  for (let size = 0; size < length; size += parts[parts.length - 1].length) {
    const pick = random();
    if (pick < 0.2) parts.push(noise[Math.trunc(noise.length * random())]);
    else parts.push(`{"id":${Math.trunc(1000 * random())},"name":"row","values":[1,2,3]},`.repeat(1 + 9 * pick));
  }
  return Buffer.from(parts.join('')).subarray(0, length);
}

const content = makeContent(largest + 64 * 1024);

/** Messages that begin at one of a few places of the content, so that each repeats much of others before it. */
function* messages(setting: Setting): Generator<{ data: Buffer; isBinary: boolean }> {
  const random = numbers(1);
  for (let index = 0; index < count; index += 1) {
    let size = Math.trunc(asked !== undefined && index % 8 === 7 ? largest * random() : usual ** random());
    if (index < 2) size = index;
    // zlib is slow with small windows, so the short run leaves their large messages out.
    if (index === count - 2) size = asked !== undefined || setting.client === 15 ? largest : 65_537;
    const start = 1000 * Math.trunc(4 * random());
    yield { data: content.subarray(start, start + size), isBinary: random() < 0.5 };
  }
}

/** Sends all messages, checks each echo byte for byte, and closes with 1000. */
async function exchange(socket: WebSocket, setting: Setting): Promise<void> {
  const sent: { data: Buffer; isBinary: boolean }[] = [];
  const source = messages(setting);
  let payload = 0;
  let received = 0;
  const done = new Promise<void>((resolve, reject) => {
    const sendNext = () => {
      const { done: isOver, value } = source.next();
      if (isOver) return;
      sent.push(value);
      payload += value.data.length;
      socket.send(value.isBinary ? value.data : value.data.toString('latin1'));
    };
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code} after ${received} messages`)));
    socket.on('message', (data: Buffer, isBinary) => {
      const expected = sent.shift();
      if (expected?.isBinary !== isBinary || !expected.data.equals(data)) {
        reject(new Error(`message ${received} of ${expected?.data.length} bytes came back as ${data.length}`));
        return;
      }
      received += 1;
      if (received === count) resolve();
      sendNext();
    });
    for (let i = 0; i < inFlight; i += 1) sendNext();
  });
  await done;
  const { bytesRead, bytesWritten } = (socket as unknown as { _socket: { bytesRead: number; bytesWritten: number } })
    ._socket;
  expect(bytesRead).toBeLessThan(payload / 2);
  expect(bytesWritten).toBeLessThan(payload / 2);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.close(1000);
  expect(await closed).toBe(1000);
}

/** Our client with this setting, and an echo server at the URL. Returns what the server agreed to. */
export async function exchangeWithServer(url: string, setting: Setting): Promise<string> {
  const socket = new WebSocket(url, { perMessageDeflate: optionsOf(setting) });
  const upgrade = once(socket, 'upgrade') as Promise<[IncomingMessage]>;
  await once(socket, 'open');
  await exchange(socket, setting);
  const [response] = await upgrade;
  return response.headers['sec-websocket-extensions'] ?? '';
}

/** Our server with this setting, and a client that `connect` tells the URL. Returns what our server agreed to. */
export async function exchangeWithClient(setting: Setting, connect: (url: string) => unknown): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: optionsOf(setting) });
  try {
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    let agreed = '';
    server.on('headers', (lines: string[]) => {
      agreed = lines.find((line) => /^sec-websocket-extensions:/i.test(line))?.replace(/^.*?: */, '') ?? '';
    });
    await connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const [socket] = await connected;
    await exchange(socket, setting);
    return agreed;
  } finally {
    await server.close();
  }
}

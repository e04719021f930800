/** permessage-deflate: negotiation, interoperation with `ws` in both roles, limits, and what is on the wire. */
import { randomBytes } from 'node:crypto';
import { once, type EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import WS, { WebSocketServer as WSServer } from 'ws';
import { PreparedMessage, WebSocket, WebSocketServer, type PerMessageDeflateOptions } from '../../lib/index.js';
import {
  acceptText,
  afterTest,
  client,
  closed,
  connect,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawServer,
  serve,
  serveEcho,
  until,
} from './support.js';

const rsv1 = 0x40;

/** A message as a peer compresses it (RFC 7692, 7.2.1). */
function deflated(text: string | Buffer): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Messages whose content repeats, so that a lost context shows. */
function messages(count: number): Buffer[] {
  const random = randomBytes(3000);
  return Array.from({ length: count }, (_, i) => {
    const size = i % 10 === 0 ? 0 : Math.trunc(2 ** ((i % 17) + (i % 3) / 3));
    const text = Buffer.from(`{"index":${i % 5},"data":"`.repeat(1 + size / 20)).subarray(0, size);
    return i % 4 === 0 ? Buffer.concat([text, random.subarray(0, size % 3000)]) : text;
  });
}

async function exchange(socket: EventEmitter & { send(data: Buffer): unknown }, sent: Buffer[]): Promise<void> {
  const received: Buffer[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      received.push(Buffer.from(data));
      if (received.length === sent.length) resolve();
    });
  });
  for (const data of sent) socket.send(data);
  await all;
  sent.forEach((data, i) => {
    if (!data.equals(received[i])) throw new Error(`message ${i} of ${data.length} bytes is wrong`);
  });
}

async function serveWs(perMessageDeflate: boolean | object): Promise<string> {
  const server = new WSServer({ port: 0, host: '127.0.0.1', perMessageDeflate });
  afterTest(() => {
    server.clients.forEach((socket) => socket.terminate());
    server.close();
  });
  server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const settings: [string, PerMessageDeflateOptions][] = [
  ['as the other side wishes', {}],
  ['without context takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }],
  ['the smallest windows', { serverMaxWindowBits: 8, clientMaxWindowBits: 8, threshold: 0 }],
  ['windows of 9 and 12 bits', { serverMaxWindowBits: 9, clientMaxWindowBits: 12 }],
  ['one way without takeover', { serverNoContextTakeover: true, zlibDeflateOptions: { level: 1, memLevel: 1 } }],
];

describe('interoperates', () => {
  test.each(settings)('a ws client and our server, %s', async (_name, perMessageDeflate) => {
    const { url } = await serveEcho({ perMessageDeflate });
    const socket = new WS(url);
    afterTest(() => socket.terminate());
    await once(socket, 'open');
    expect(socket.extensions).toBe('permessage-deflate');
    await exchange(socket, messages(300));
  });

  test.each(settings)('our client and a ws server, %s', async (_name, perMessageDeflate) => {
    const socket = await connect(await serveWs(true), [], { perMessageDeflate });
    expect(socket.extensions).toBe('permessage-deflate');
    await exchange(socket, messages(300));
  });

  test.each(settings)('our client and our server, %s', async (_name, perMessageDeflate) => {
    const { url } = await serveEcho({ perMessageDeflate });
    const socket = await connect(url);
    expect(socket.extensions).toBe('permessage-deflate');
    await exchange(socket, messages(300));
  });
});

describe('negotiation', () => {
  test('clients offer it and servers decline it, unless told otherwise', async () => {
    const { client, peer } = await pair();
    expect([client.extensions, peer.extensions]).toEqual(['', '']);
    const { url } = await serveEcho({ perMessageDeflate: true });
    expect((await connect(url, [], { perMessageDeflate: false })).extensions).toBe('');
  });

  test('an answer that does not go with the offer fails the handshake', async () => {
    for (const answer of ['permessage-deflate; server_max_window_bits=16', 'permessage-deflate; foo', 'foo']) {
      const url = await rawServer(async (peer) => {
        peer.write(acceptText(await peer.takeHead(), `Sec-WebSocket-Extensions: ${answer}`));
      });
      const socket = new WebSocket(url);
      const end = closed(socket);
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toMatch(/extension/i);
      await end;
    }
  });

  test('an extension that was not offered, when compression is off', async () => {
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead(), 'Sec-WebSocket-Extensions: permessage-deflate'));
    });
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toBe('Server sent a Sec-WebSocket-Extensions header but no extension was requested');
  });

  test.each([
    ['serverMaxWindowBits', 7],
    ['serverMaxWindowBits', 16],
    ['clientMaxWindowBits', 1.5],
    ['threshold', -1],
  ])('%s %d is a RangeError', (name, value) => {
    const options = { noServer: true, perMessageDeflate: { [name]: value } };
    expect(() => new WebSocketServer(options)).toThrow(RangeError);
  });

  test.each([
    ['shared', 'off', ''],
    ['off', 'shared', ''],
    ['shared', 'dedicated', 'server_no_context_takeover; client_no_context_takeover'],
    ['dedicated', 'shared', 'server_no_context_takeover; client_no_context_takeover'],
    ['dedicated', 'dedicated', ''],
  ] as const)('presets: server %s, client %s', async (ofServer, ofClient, answered) => {
    const { url } = await serveEcho({ perMessageDeflate: ofServer });
    const headers: (string | undefined)[] = [];
    const socket = client(url, [], { perMessageDeflate: ofClient });
    socket.on('upgrade', (response) => headers.push(response.headers['sec-websocket-extensions']));
    await once(socket, 'open');
    const on = ofServer !== 'off' && ofClient !== 'off';
    expect(headers).toEqual([on ? ['permessage-deflate', answered].filter(Boolean).join('; ') : undefined]);
    await exchange(socket, messages(30));
  });

  test('a wrong type is a TypeError', () => {
    const make = (perMessageDeflate: unknown) => () =>
      new WebSocketServer({ noServer: true, perMessageDeflate: perMessageDeflate as boolean });
    expect(make('yes')).toThrow("must be a boolean, 'off', 'shared', 'dedicated' or an object, not the string \"yes\"");
    expect(make({ serverNoContextTakeover: 1 })).toThrow(TypeError);
    expect(make({ clientMaxWindowBits: '10' })).toThrow(TypeError);
    expect(make({ zlibDeflateOptions: { level: '1' } })).toThrow(TypeError);
  });
});

describe('sending', () => {
  test('compress, threshold and prepared messages', async () => {
    const { url, server } = await serveEcho({ perMessageDeflate: { serverNoContextTakeover: true, threshold: 100 } });
    const socket = new WS(url);
    afterTest(() => socket.terminate());
    await once(socket, 'open');
    const [peer] = server.clients;
    const text = 'x'.repeat(2000);
    const sizes: number[] = [];
    const sizeOf = async (send: () => void): Promise<void> => {
      const before = (socket as unknown as { _socket: { bytesRead: number } })._socket.bytesRead;
      send();
      expect((await nextMessage(socket)).data.length).toBeGreaterThan(0);
      sizes.push((socket as unknown as { _socket: { bytesRead: number } })._socket.bytesRead - before);
    };
    await sizeOf(() => peer.send(text));
    await sizeOf(() => peer.send(text, { compress: false }));
    await sizeOf(() => peer.send('x'.repeat(99)));
    await sizeOf(() => server.broadcast(text));
    expect(sizes[0]).toBeLessThan(50);
    expect(sizes.slice(1, 3)).toEqual([2004, 101]);
    expect(sizes[3]).toBeLessThan(50);
  });
});

describe('one message for many', () => {
  const texts = ['x'.repeat(300), '0123456789abcdef'.repeat(1000), randomBytes(20_000).toString('hex')];

  test('a broadcast and a prepared message reach sockets with every kind of parameters', async () => {
    const { server, url } = await serve({ perMessageDeflate: { threshold: 100 } });
    const kinds: (PerMessageDeflateOptions | boolean)[] = [
      { serverNoContextTakeover: true },
      { serverNoContextTakeover: true },
      { serverNoContextTakeover: true, serverMaxWindowBits: 8 },
      { serverNoContextTakeover: true, serverMaxWindowBits: 10 },
      {},
      false,
    ];
    const sockets = await Promise.all(kinds.map((perMessageDeflate) => connect(url, [], { perMessageDeflate })));
    const foreign = new WS(url, { perMessageDeflate: { serverNoContextTakeover: true } });
    afterTest(() => foreign.terminate());
    await once(foreign, 'open');
    const received = [...sockets, foreign].map((socket: EventEmitter) => {
      const seen: string[] = [];
      socket.on('message', (data: Buffer) => seen.push(data.toString()));
      return seen;
    });
    const expected: string[] = [];
    for (const text of [...texts, ...texts]) {
      const prepared = new PreparedMessage(text);
      expect(server.broadcast(text)).toBe(kinds.length + 1);
      expect(server.broadcast(prepared)).toBe(kinds.length + 1);
      for (const socket of server.clients) socket.send(prepared);
      for (const socket of server.clients) socket.send(prepared, { compress: false });
      expected.push(text, text, text, text);
    }
    await until(() => received.every((seen) => seen.length === expected.length));
    for (const seen of received) expect(seen).toEqual(expected);
  });

  test('a client sends a prepared message to servers with other parameters', async () => {
    const message = new PreparedMessage(texts[1]);
    for (const perMessageDeflate of [{ clientNoContextTakeover: true }, { clientMaxWindowBits: 9 }, true, false]) {
      const { url } = await serveEcho({ perMessageDeflate });
      const socket = await connect(url, [], { perMessageDeflate: { clientNoContextTakeover: true } });
      for (let i = 0; i < 3; i++) {
        socket.send(message);
        expect((await nextMessage(socket)).data.toString()).toBe(texts[1]);
      }
    }
  });
});

describe('receiving', () => {
  const limit = 1024 * 1024;

  async function openTo(perMessageDeflate: PerMessageDeflateOptions, ...frames: Buffer[]): Promise<WebSocket> {
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead(), 'Sec-WebSocket-Extensions: permessage-deflate'));
      for (const bytes of frames) peer.write(bytes);
    });
    const socket = new WebSocket(url, { perMessageDeflate, maxPayload: limit });
    afterTest(() => socket.terminate());
    return socket;
  }
  const compressed = (opcode: number, payload: Buffer): Buffer => {
    const bytes = frame(opcode, payload, { mask: false });
    bytes[0] = bytes[0] | rsv1;
    return bytes;
  };
  async function failure(...frames: Buffer[]): Promise<[unknown, string]> {
    const socket = await openTo({}, ...frames);
    const [error] = (await once(socket, 'error')) as [Error & { code?: string }];
    return [error.code, error.message];
  }

  test('a message that inflates beyond maxPayload is refused', async () => {
    const [code] = await failure(compressed(2, deflated(Buffer.alloc(limit + 1))));
    expect(code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    const socket = await openTo({}, compressed(2, deflated(Buffer.alloc(limit))));
    expect((await nextMessage(socket)).data.length).toBe(limit);
  });

  test('corrupt data, text that is no UTF-8, and RSV1 where it must not be', async () => {
    expect((await failure(compressed(2, Buffer.from([7]))))[0]).toBe('WS_ERR_INVALID_COMPRESSED_DATA');
    expect((await failure(compressed(1, deflated(Buffer.from([0xff])))))[0]).toBe('WS_ERR_INVALID_UTF8');
    expect((await failure(compressed(9, Buffer.alloc(0))))[0]).toBe('WS_ERR_UNEXPECTED_RSV_1');
  });
});

describe('large messages, compressed on the thread pool', () => {
  const text = randomBytes(200_000).toString('hex');
  const kinds: [string, PerMessageDeflateOptions][] = [
    ['with context takeover', {}],
    ['without', { serverNoContextTakeover: true, clientNoContextTakeover: true, concurrencyLimit: 2 }],
  ];

  test.each(kinds)('%s: order, callbacks, bufferedAmount, close', async (_name, perMessageDeflate) => {
    const { url, server } = await serve({ perMessageDeflate });
    const foreign = new WS(url);
    afterTest(() => foreign.terminate());
    const received: string[] = [];
    foreign.on('message', (data: Buffer) => received.push(data.toString()));
    foreign.on('ping', () => received.push('ping'));
    await once(foreign, 'open');
    const [peer] = server.clients;
    const sent: number[] = [];
    const expected = [text, 'small', text, `${text}-`, 'x'.repeat(2000)];
    expected.forEach((each, i) => peer.send(each, (error) => sent.push(error ? -1 : i)));
    expect(peer.bufferedAmount).toBe(expected.join('').length);
    peer.ping();
    const bytes = Buffer.from(text);
    const done = peer.sendAsync(bytes);
    bytes.fill(0); // it was copied
    peer.close(1000, 'bye');
    expect(peer.send('late')).toBe(false);
    await done;
    const [code, reason] = (await onceWithoutError(foreign, 'close')) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1000, 'bye']);
    expect(received[0]).toBe('ping');
    expect(received.slice(1).map((each) => [...expected, text].indexOf(each))).toEqual([0, 1, 0, 3, 4, 0]);
    expect(sent).toEqual([0, 1, 2, 3, 4]);
  });

  test.each(kinds)('%s: a broadcast, and a program that ends sockets meanwhile', async (_name, perMessageDeflate) => {
    const { url, server } = await serve({ perMessageDeflate });
    const sockets = await Promise.all(Array.from({ length: 6 }, () => connect(url)));
    await until(() => server.clients.size === 6);
    const counts = sockets.map((socket) => {
      const state = { right: 0 };
      socket.on('error', () => {});
      socket.on('message', (data) => (state.right += (data as Buffer).toString() === text ? 1 : 0));
      return state;
    });
    const message = new PreparedMessage(text);
    for (let i = 0; i < 3; i++) {
      server.broadcast(text);
      server.broadcast(message);
    }
    const peers = [...server.clients];
    const failed = once(peers[0], 'close');
    const callback = new Promise<Error | undefined>((resolve) => peers[0].send(text, resolve));
    peers[0].terminate();
    setImmediate(() => peers[1].terminate());
    expect(await callback).toBeInstanceOf(Error);
    await failed;
    await until(() => counts.filter(({ right }) => right === 6).length >= 4);
    for (const socket of sockets) socket.terminate();
  });

  test.each(kinds)('%s: exchanged with ws in both roles', async (_name, perMessageDeflate) => {
    const sent = [text, 'a', text.repeat(2), 'b', text].map((each) => Buffer.from(each));
    await exchange(await connect(await serveWs(perMessageDeflate), [], { perMessageDeflate }), sent);
    const { url } = await serveEcho({ perMessageDeflate });
    const socket = new WS(url, { perMessageDeflate: perMessageDeflate as object });
    afterTest(() => socket.terminate());
    await once(socket, 'open');
    await exchange(socket, sent);
  });

  test('concurrencyLimit is checked', () => {
    const make = (concurrencyLimit: unknown) => () =>
      new WebSocketServer({ noServer: true, perMessageDeflate: { concurrencyLimit: concurrencyLimit as number } });
    for (const right of [0, 1, 10, Infinity, undefined]) expect(make(right)).not.toThrow();
    for (const wrong of [-1, 1.5, NaN]) expect(make(wrong)).toThrow(RangeError);
    expect(make('10')).toThrow(TypeError);
  });
});

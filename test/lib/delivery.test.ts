// How messages arrive: strings, memory of their own, borrowed memory.
import { EventEmitter, once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { jest } from '@jest/globals';
import { WebSocketServer, type ServerOptions, type WebSocket } from '../../lib';
import { connect, nextMessage, onceWithoutError, serve, textOf, until } from './support';

/** A server whose sockets have these options, and a client; the server's socket. */
async function serverSocket(options: ServerOptions): Promise<{ server: WebSocket; client: WebSocket; url: string }> {
  const { server: listening, url } = await serve(options);
  const connected = once(listening, 'connection');
  const client = await connect(url);
  const [server] = (await connected) as [WebSocket];
  return { server, client, url };
}

function collect(socket: WebSocket): unknown[] {
  const seen: unknown[] = [];
  socket.on('message', (data) => seen.push(data));
  return seen;
}

describe('textType', () => {
  const texts = ['', 'a', 'plain '.repeat(10), 'grün 🎈', 'x'.repeat(5000), 'ü'.repeat(70_000), 'end'];

  test("'string': text messages are strings, in every size, ASCII or not, and binary ones are Buffers", async () => {
    const { server, client } = await serverSocket({ textType: 'string' });
    const seen = collect(server);
    for (const text of texts) client.send(text);
    client.send(Buffer.from('binary'));
    await until(() => seen.length === texts.length + 1);
    expect(seen.slice(0, -1)).toEqual(texts);
    expect(Buffer.isBuffer(seen.at(-1))).toBe(true);
  });

  test("'string': many in one batch, all ASCII and mixed", async () => {
    const { server, client } = await serverSocket({ textType: 'string' });
    const seen = collect(server);
    const ascii = Array.from({ length: 500 }, (_, i) => `message ${i} `.repeat(1 + (i % 5)));
    const mixed = Array.from({ length: 500 }, (_, i) => `Nachricht Nr. ${i} für dich`);
    for (const text of ascii) client.send(text);
    await until(() => seen.length === ascii.length);
    for (const text of mixed) client.send(text);
    await until(() => seen.length === ascii.length + mixed.length);
    expect(seen).toEqual([...ascii, ...mixed]);
  });

  test("'string': messages held by a pause stay strings and in order", async () => {
    const { server, client } = await serverSocket({ textType: 'string' });
    const seen = collect(server);
    server.once('message', () => server.pause());
    for (const text of ['1', '2', '3']) client.send(text);
    await until(() => server.isPaused);
    server.resume();
    await until(() => seen.length === 3);
    expect(seen).toEqual(['1', '2', '3']);
  });

  test('onmessage gives strings either way', async () => {
    for (const textType of ['buffer', 'string'] as const) {
      const { server, client } = await serverSocket({ textType });
      const event = new Promise((resolve) => (server.onmessage = ({ data }) => resolve(data)));
      client.send('text');
      expect(await event).toBe('text');
    }
  });

  test.each([1, 'text', {}])('%p is refused', (textType) => {
    const make = () => new WebSocketServer({ noServer: true, textType: textType as 'string' });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(/"textType" must be 'buffer' or 'string'/);
  });
});

describe("delivery: 'borrow'", () => {
  test.each([1, 'lend', {}])('%p instead is refused', (delivery) => {
    const make = () => new WebSocketServer({ noServer: true, delivery: delivery as 'borrow' });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(/"delivery" must be 'copy' or 'borrow'/);
  });

  test.each([0, 1, 20, 4095, 4096, 65_536, 3_000_000])('messages of %d bytes arrive', async (size) => {
    const { server, client } = await serverSocket({ delivery: 'borrow' });
    const data = Buffer.alloc(size, 'abcdefg');
    const equal: boolean[] = [];
    server.on('message', (message) => equal.push(data.equals(message as Buffer)));
    for (let i = 0; i < 5; i++) client.send(data);
    await until(() => equal.length === 5);
    expect(equal).toEqual([true, true, true, true, true]);
  });

  test('an echo of borrowed memory sends what came, in order', async () => {
    const { server, client } = await serverSocket({ delivery: 'borrow' });
    server.on('message', (data, isBinary) => server.send(data as Buffer, { binary: isBinary }));
    const echoes: string[] = [];
    client.on('message', (data) => echoes.push(textOf(data)));
    const sent = Array.from({ length: 2000 }, (_, i) => String(i).repeat(1 + (i % 300)));
    for (const text of sent) client.send(text);
    await until(() => echoes.length === sent.length);
    expect(echoes).toEqual(sent);
  });

  test('messages held by a pause are copies', async () => {
    const { server, client, url } = await serverSocket({ delivery: 'borrow' });
    const seen: string[] = [];
    server.on('message', (data) => seen.push(textOf(data)));
    server.once('message', () => server.pause());
    client.send('pause');
    client.send('held');
    await until(() => server.isPaused);
    const other = await connect(url);
    other.send('x'.repeat(300_000)); // lies where the others lay
    other.ping();
    await onceWithoutError(other, 'pong');
    server.resume();
    await until(() => seen.length === 2);
    expect(seen).toEqual(['pause', 'held']);
  });

  test('a view that is kept, even after the end of the connection, is safe to read and write', async () => {
    const { server, client } = await serverSocket({ delivery: 'borrow' });
    const kept: Buffer[] = [];
    server.on('message', (data) => kept.push(data as Buffer));
    for (let i = 0; i < 100; i++) client.send(Buffer.alloc(3000, i));
    await until(() => kept.length === 100);
    client.terminate();
    await once(server, 'close');
    for (const view of kept) view.fill(1);
    expect(kept.every((view) => view.length === 3000)).toBe(true);
  });

  test('its memory cannot be transferred away', async () => {
    const { server, client } = await serverSocket({ delivery: 'borrow' });
    const { port1 } = new MessageChannel();
    server.once('message', (data) => {
      const memory = (data as Buffer).buffer as ArrayBuffer;
      try {
        port1.postMessage(memory, [memory]); // Node 20 copies then, later ones throw
      } catch (error) {
        expect((error as Error).name).toBe('DataCloneError');
      }
      expect(memory.byteLength).toBeGreaterThan(0);
    });
    client.send(Buffer.from('borrowed'));
    await nextMessage(server);
    port1.close();
    client.send('still here');
    expect((await nextMessage(server)).data.toString()).toBe('still here');
  });

  test('a large message outlives the handler and the connection', async () => {
    const { server, client } = await serverSocket({ delivery: 'borrow' });
    const data = Buffer.alloc(2_500_000, 'large');
    const kept: Buffer[] = [];
    server.on('message', (message) => kept.push(message as Buffer));
    for (let i = 0; i < 3; i++) client.send(data);
    await until(() => kept.length === 3);
    client.terminate();
    await once(server, 'close');
    expect(kept.map((message) => message.equals(data))).toEqual([true, true, true]);
  });
});

test('a large message has memory of its own, which can be transferred', async () => {
  const { server, client } = await serverSocket({});
  const data = Buffer.alloc(2_500_000, 'large');
  for (let i = 0; i < 3; i++) {
    const next = nextMessage(server);
    client.send(data);
    const message = (await next).data;
    expect(message.equals(data)).toBe(true);
    const { port1, port2 } = new MessageChannel();
    const arrived = once(port2, 'message');
    port1.postMessage(message.buffer, [message.buffer as ArrayBuffer]);
    expect(message.length).toBe(0);
    expect(Buffer.from(((await arrived) as [ArrayBuffer])[0]).equals(data)).toBe(true);
    port1.close();
  }
});

describe("'message' is an event like every other", () => {
  test('an emit that was replaced sees it', async () => {
    const { server, client } = await serverSocket({});
    const seen = collect(server);
    const emit = jest.spyOn(server, 'emit');
    client.send('watched');
    await until(() => seen.length === 1);
    expect(emit).toHaveBeenCalledWith('message', expect.anything(), false);
  });

  test('several listeners and a listener for once get it, with the socket as `this`', async () => {
    const { server, client } = await serverSocket({});
    const seen: string[] = [];
    server.once('message', function (this: WebSocket, data) {
      seen.push(`once ${textOf(data)} ${this === server}`);
    });
    client.send('1');
    await until(() => seen.length === 1);
    server.on('message', function (this: WebSocket, data) {
      seen.push(`a ${textOf(data)} ${this === server}`);
    });
    client.send('2');
    await until(() => seen.length === 2);
    server.on('message', (data) => seen.push(`b ${textOf(data)}`));
    client.send('3');
    await until(() => seen.length === 4);
    expect(seen).toEqual(['once 1 true', 'a 2 true', 'a 3 true', 'b 3']);
  });

  test('a rejection of an async handler is captured where that was asked for', async () => {
    EventEmitter.captureRejections = true;
    try {
      const { server, client } = await serverSocket({});
      const failed = once(server, 'error');
      const handler: unknown = () => Promise.reject(new Error('rejected'));
      server.on('message', handler as () => void);
      client.send('x');
      expect(await failed).toEqual([new Error('rejected')]);
    } finally {
      EventEmitter.captureRejections = false;
    }
  });
});

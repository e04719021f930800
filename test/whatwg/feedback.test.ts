// Feedback from the protocol: the tasks that change the state and fire events.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WebSocket as EngineSocket } from '../../lib';
import { WebSocket } from '../../lib/whatwg';
import { acceptText, closePayload, delay, frame, rawServer, root, serve, until, type RawPeer } from '../lib/support';
import { ending, failed, make, next, open, record } from './support';

const plain = { mask: false };

/** A server that sends these bytes behind its answer, and then does something. */
function serveBytes(bytes: Buffer, then: (peer: RawPeer) => unknown = () => {}, ...lines: string[]): Promise<string> {
  return rawServer(async (peer) => {
    const head = await peer.takeHead();
    peer.write(acceptText(head, ...lines), bytes);
    await then(peer);
  });
}

/** Sends messages that arrive together. */
const messages = (...texts: string[]): Buffer => Buffer.concat(texts.map((text) => frame(1, text, plain)));
const closeFrame = (...args: Parameters<typeof closePayload>): Buffer => frame(8, closePayload(...args), plain);

describe('established', () => {
  test('the state, extensions and protocol change in the task that fires open, an Event', async () => {
    const url = await serveBytes(Buffer.alloc(0), () => {}, 'Sec-WebSocket-Protocol: chat');
    const socket = make(url, ['other', 'chat']);
    const event = await next(socket, 'open');
    expect(Object.getPrototypeOf(event)).toBe(Event.prototype);
    expect([event.type, event.target, event.bubbles, event.cancelable, event.isTrusted]).toEqual([
      ...['open', socket, false, false, true],
    ]);
    expect([socket.readyState, socket.extensions, socket.protocol]).toEqual([1, '', 'chat']);
  });

  test('messages that came with the answer are tasks behind open', async () => {
    const url = await serveBytes(Buffer.concat([messages('a', 'b'), closeFrame(1000)]), (peer) => peer.socket.end());
    const socket = make(url);
    const seen = record(socket);
    expect(await ending(socket)).toEqual([1000, '', true]);
    const between = 'microtasks';
    expect(seen).toEqual([
      'open in 1',
      between,
      'message a in 1',
      between,
      'message b in 1',
      between,
      'close in 3',
      between,
    ]);
  });
});

describe('a message', () => {
  test('is a MessageEvent with the data and the origin of the URL', async () => {
    const { server, url } = await serve();
    const socket = make(`${url}/path?query`);
    server.on('connection', (peer) => peer.send('text'));
    const event = await next<MessageEvent>(socket, 'message');
    expect(Object.getPrototypeOf(event)).toBe(MessageEvent.prototype);
    const { data, origin, lastEventId, source, ports, isTrusted, target } = event;
    expect([data, origin, lastEventId, source, [...ports], isTrusted, target]).toEqual([
      ...['text', url, '', null, [], true, socket],
    ]);
  });

  test('text is a string as it was sent, a byte order mark too', async () => {
    const texts = ['', 'grüß 😀', '\ufeffmarked', '\0', 'x'.repeat(100_000)];
    const socket = await open(await serveBytes(messages(...texts)));
    const seen: unknown[] = [];
    socket.onmessage = ({ data }) => seen.push(data);
    await until(() => seen.length === texts.length);
    expect(seen).toEqual(texts);
  });

  test('binary is a Blob, or an ArrayBuffer of its own, as binaryType says when the task runs', async () => {
    const bytes = ['one', 'two', 'three', '', 'x'.repeat(70_000)].map((text) => frame(2, text, plain));
    const socket = await open(await serveBytes(Buffer.concat(bytes)));
    const seen: unknown[] = [];
    socket.onmessage = ({ data }) => {
      seen.push(data);
      socket.binaryType = 'arraybuffer';
    };
    await until(() => seen.length === 5);
    expect(seen[0]).toBeInstanceOf(Blob);
    expect(await (seen[0] as Blob).text()).toBe('one');
    expect((seen[0] as Blob).type).toBe('');
    const rest = seen.slice(1) as ArrayBuffer[];
    for (const data of rest) expect(Object.prototype.toString.call(data)).toBe('[object ArrayBuffer]');
    expect(rest.map((data) => Buffer.from(data).toString())).toEqual(['two', 'three', '', 'x'.repeat(70_000)]);
    structuredClone(rest[0], { transfer: [rest[0]] });
    expect([rest[0].byteLength, rest[1].byteLength]).toEqual([0, 5]);
  });

  test('each is a task: promises run between two that arrived together', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`);
    const socket = await open(await serveBytes(messages(...texts)));
    const seen = record(socket);
    await until(() => seen.length === 400);
    expect(seen).toEqual(texts.flatMap((text) => [`message ${text} in 1`, 'microtasks']));
  });

  test('none is fired after close(), also not those that came before', async () => {
    const url = await serveBytes(Buffer.concat([messages('a', 'b', 'c'), closeFrame(1000)]), (peer) =>
      peer.socket.end(),
    );
    const socket = make(url);
    const seen: string[] = [];
    socket.onmessage = ({ data }) => {
      seen.push(data as string);
      socket.close();
    };
    expect(await ending(socket)).toEqual([1000, '', true]);
    expect(seen).toEqual(['a']);
  });

  test('a listener that throws is reported, and the next listener and message come', () => {
    // In a process of its own: Jest catches what nobody caught.
    const program = `
      const { WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
      const { WebSocket } = require(${JSON.stringify(join(root, 'dist/whatwg/index.js'))});
      const seen = [];
      process.on('exit', () => console.log(JSON.stringify(seen)));
      process.on('uncaughtException', (error) => seen.push(error.message));
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        socket.onmessage = ({ data }) => { throw new Error('thrown ' + data); };
        socket.addEventListener('message', ({ data }) => seen.push(data));
        socket.onclose = () => server.close();
      });
      server.on('connection', (peer) => {
        for (const text of ['a', 'b', 'c']) peer.send(text);
        peer.close();
      });
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(['a', 'thrown a', 'b', 'thrown b', 'c', 'thrown c']);
  });
});

test('the closing handshake is started by the peer: CLOSING, and nothing is fired', async () => {
  let peer: RawPeer | undefined;
  const socket = await open(await serveBytes(closeFrame(3000, 'r'), (one) => (peer = one)));
  const seen = record(socket);
  await until(() => socket.readyState === 2);
  expect(seen).toEqual([]);
  expect(await peer!.take(6 + 3)).toHaveLength(9);
  peer!.socket.end();
  expect(await ending(socket)).toEqual([3000, 'r', true]);
});

describe('closed', () => {
  test('close is a CloseEvent in CLOSED', async () => {
    const socket = make(await serveBytes(closeFrame(4321, 'grüß'), (peer) => peer.socket.end()));
    const event = await next(socket, 'close');
    const { code, reason, wasClean, isTrusted, bubbles, cancelable, target } = event as unknown as Record<
      string,
      unknown
    >;
    expect([code, reason, wasClean, isTrusted, bubbles, cancelable, target]).toEqual([
      ...[4321, 'grüß', true, true, false, false, socket],
    ]);
    expect(socket.readyState).toBe(3);
  });

  test.each([
    ['a status', closeFrame(1001, 'bye'), [1001, 'bye', true]],
    ['no status: 1005', frame(8, '', plain), [1005, '', true]],
    ['a reason with a byte order mark', closeFrame(1000, '\ufeffx'), [1000, '\ufeffx', true]],
  ])('the Close frame has %s', async (_name, bytes, end) => {
    expect(await ending(make(await serveBytes(bytes, (peer) => peer.socket.end())))).toEqual(end);
  });

  test.each([
    ['ends', (peer: RawPeer) => peer.socket.end()],
    ['resets', (peer: RawPeer) => peer.socket.resetAndDestroy()],
  ])('the peer %s the connection without a Close frame: close with 1006 alone, as in browsers', async (_name, act) => {
    const socket = await open(
      await rawServer(async (peer) => {
        peer.write(acceptText(await peer.takeHead()));
        await delay(20);
        act(peer);
      }),
    );
    const seen = record(socket);
    expect(await ending(socket)).toEqual([1006, '', false]);
    expect(seen).toEqual(['close in 3', 'microtasks']);
  });

  test.each([
    ['an unknown opcode', frame(3, '', plain)],
    ['a masked frame', frame(1, 'x')],
    ['text that is no UTF-8', frame(1, Buffer.of(0xff), plain)],
    ['a reserved bit', frame(1, 'x', { mask: false, rsv: 4 })],
    ['a Close frame with 1006', closeFrame(1006)],
    ['a Close frame with one byte', frame(8, 'x', plain)],
  ])('%s fails the connection: error, then close with 1006', async (_name, bytes) => {
    let answer: Buffer = Buffer.alloc(0);
    const url = await serveBytes(Buffer.concat([messages('before'), bytes, messages('behind')]), async (peer) => {
      answer = await peer.take(8);
      peer.write(closeFrame(1002)); // an answer does not count
      peer.socket.end();
    });
    const socket = make(url);
    const seen = record(socket);
    expect(await ending(socket)).toEqual([1006, '', false]);
    expect(seen).toEqual(['open in 1', 'microtasks', 'message before in 1', 'microtasks', ...failed]);
    expect(answer[0]).toBe(0x88);
  });

  test('a message above maxPayload fails the connection', async () => {
    const { server, url } = await serve();
    const socket = make(url, { maxPayload: 10 });
    const seen = record(socket);
    server.on('connection', (peer) => peer.send('x'.repeat(11)));
    expect(await ending(socket)).toEqual([1006, '', false]);
    expect(seen).toEqual(['open in 1', 'microtasks', ...failed]);
  });

  test('an error event says nothing', async () => {
    const socket = make(await serveBytes(frame(3, '', plain), (peer) => peer.socket.end()));
    const event = await next(socket, 'error');
    expect(Object.getPrototypeOf(event)).toBe(Event.prototype);
    expect(Object.keys(event)).toEqual(['isTrusted']);
  });

  test('close is the last event and comes once', async () => {
    const { server, url } = await serve();
    const [socket, [peer]] = await Promise.all([open(url), once(server, 'connection')]);
    const seen = record(socket);
    (peer as EngineSocket).close(1000);
    await ending(socket);
    socket.close();
    socket.send('x');
    await delay(5);
    expect(seen).toEqual(['close in 3', 'microtasks']);
  });
});

test('pings are answered and not shown', async () => {
  const { server, url } = await serve();
  const [socket, [peer]] = await Promise.all([open(url), once(server, 'connection')]);
  const seen = record(socket);
  (peer as EngineSocket).ping('data');
  const [pong] = (await once(peer as EngineSocket, 'pong')) as [Buffer];
  expect(String(pong)).toBe('data');
  expect(seen).toEqual([]);
});

test('methods of a subclass do not stand in the way of events', async () => {
  const { server, url } = await serve();
  server.on('connection', (peer) => peer.close(3000));
  class Own extends (WebSocket as unknown as new (url: string) => WebSocket) {
    override dispatchEvent(): boolean {
      throw new Error('must not be called');
    }
    override addEventListener(): void {
      throw new Error('must not be called');
    }
  }
  const socket = new Own(url);
  const code = await new Promise((resolve) => {
    socket.onclose = (event) => resolve(event.code);
  });
  expect(code).toBe(3000);
});

test('a subclass gets its events', async () => {
  const { server, url } = await serve();
  server.on('connection', (peer) => peer.close(3000));
  class Own extends (WebSocket as unknown as new (url: string) => WebSocket) {
    seen: string[] = [];
    constructor(address: string) {
      super(address);
      this.addEventListener('open', () => this.seen.push('open'));
    }
  }
  const socket = new Own(url);
  expect(await ending(socket)).toEqual([3000, '', true]);
  expect(socket.seen).toEqual(['open']);
});

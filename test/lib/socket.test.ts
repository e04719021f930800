// `_socket` and the request's socket: the native transport lets Node's socket go while nobody observes it, and everything
// behaves as if it were there.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocketServer, type WebSocket } from '../../lib';
import {
  afterTest,
  closed,
  connect,
  delay,
  expectedTransport,
  nextMessage,
  onceWithoutError,
  root,
  serve,
  until,
} from './support';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Accepted {
  http: Server;
  server: WebSocketServer;
  client: WebSocket;
  peer: WebSocket;
  /** Node's socket, which nobody holds. */
  original: WeakRef<Socket>;
}

/** A connection whose request and socket nobody keeps; `onRequest` sees them in the 'connection' event. */
async function accept(onRequest: (request: IncomingMessage) => void = () => {}): Promise<Accepted> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterTest(async () => {
    await server.close({ timeout: 0 });
    http.close();
  });
  const connected = new Promise<[WebSocket, WeakRef<Socket>]>((resolve) => {
    server.once('connection', (peer, request) => {
      peer.on('message', (data, isBinary) => peer.send(data as Buffer, { binary: isBinary }));
      onRequest(request);
      resolve([peer, new WeakRef(request.socket)]);
    });
  });
  const client = await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
  const [peer, original] = await connected;
  return { http, server, client, peer, original };
}

/** Another connection takes the place of the one accepted last. */
async function acceptAnother({ http }: Accepted): Promise<void> {
  await connect(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
}

function connections(http: Server): Promise<number> {
  return new Promise((resolve, reject) => http.getConnections((error, n) => (error ? reject(error) : resolve(n))));
}

async function collected(reference: WeakRef<object>): Promise<boolean> {
  for (let i = 0; i < 20 && reference.deref() !== undefined; i++) {
    await delay(5);
    collectGarbage();
  }
  return reference.deref() === undefined;
}

const describeNative = expectedTransport === 'native' ? describe : describe.skip;

describeNative('a socket that nobody observes', () => {
  test('is collected; the connection goes on and is counted until it ends', async () => {
    const accepted = await accept();
    await acceptAnother(accepted);
    const { http, client, peer, original } = accepted;
    expect(await collected(original)).toBe(true);
    expect(await connections(http)).toBe(2);
    client.send('alive');
    expect((await nextMessage(client)).data.toString()).toBe('alive');
    client.close();
    await closed(peer);
    expect(await connections(http)).toBe(1);
  });

  test('is made again by _socket, always the same, with its addresses', async () => {
    const accepted = await accept();
    await acceptAnother(accepted);
    const { http, client, peer, original } = accepted;
    const { port } = http.address() as AddressInfo;
    expect(await collected(original)).toBe(true);
    const socket = peer._socket as Socket;
    expect(peer._socket).toBe(socket);
    expect([socket.remoteAddress, socket.remoteFamily, socket.localAddress, socket.localPort]).toEqual([
      '127.0.0.1',
      'IPv4',
      '127.0.0.1',
      port,
    ]);
    expect(socket.remotePort).toBe((client._socket as Socket).localPort);
    expect(socket.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port });
    expect(socket.destroyed).toBe(false);
    const end = onceWithoutError(socket, 'close');
    client.close();
    await end;
    expect(socket.destroyed).toBe(true);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(await connections(http)).toBe(1);
  });

  test('made again after the end, is destroyed', async () => {
    const accepted = await accept();
    await acceptAnother(accepted);
    const { client, peer, original } = accepted;
    expect(await collected(original)).toBe(true);
    client.close();
    await closed(peer);
    expect((peer._socket as Socket).destroyed).toBe(true);
    expect((peer._socket as Socket).remoteAddress).toBe(undefined);
  });

  test('made again, ends the connection when it is destroyed', async () => {
    const accepted = await accept();
    await acceptAnother(accepted);
    const { http, client, peer, original } = accepted;
    expect(await collected(original)).toBe(true);
    const ends = Promise.all([closed(client), closed(peer)]);
    peer._socket!.destroy();
    expect((await ends).map(({ code }) => code)).toEqual([1006, 1006]);
    expect(await connections(http)).toBe(1);
  });
});

describe('the socket of the request', () => {
  test("emits 'close' to a listener from before the upgrade", async () => {
    const seen: string[] = [];
    const http = createServer();
    http.on('connection', (socket) => socket.on('close', () => seen.push('close')));
    const server = new WebSocketServer({ server: http });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    afterTest(() => http.close());
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const clients = [await connect(url), await connect(url)];
    collectGarbage();
    expect(seen).toEqual([]);
    for (const client of clients) client.close();
    await until(() => seen.length === 2, 'two events');
    await server.close();
  });

  test.each(['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const)(
    "emits 'close' to a listener that %s() added late, and is then _socket",
    async (method) => {
      const requests: IncomingMessage[] = [];
      const accepted = await accept((request) => requests.push(request));
      const { client, peer } = accepted;
      await acceptAnother(accepted);
      let closes = 0;
      requests[0].socket[method]('close', () => closes++);
      expect(peer._socket).toBe(requests[0].socket);
      requests.pop();
      await delay(5);
      collectGarbage();
      client.close();
      await until(() => closes > 0, 'the event');
      await delay(5);
      expect(closes).toBe(1);
    },
  );

  test("emits 'close' to a listener that was added after the end", async () => {
    let request: IncomingMessage | undefined;
    const accepted = await accept((seen) => (request = seen));
    const { client, peer } = accepted;
    await acceptAnother(accepted);
    client.close();
    await closed(peer);
    if (expectedTransport === 'native') await once(request!.socket, 'close');
    expect(request!.socket.destroyed).toBe(true);
  });

  test('ends the connection when it is destroyed', async () => {
    let request: IncomingMessage | undefined;
    const accepted = await accept((seen) => (request = seen));
    await acceptAnother(accepted);
    const { http, client } = accepted;
    const end = closed(client);
    request!.socket.destroy();
    expect((await end).code).toBe(1006);
    await until(() => request!.socket.destroyed);
    await delay(20);
    expect(await connections(http)).toBe(1);
  });
});

test("'close' of the HTTP server waits for the connections, and for each only once", async () => {
  const accepted = await accept();
  await acceptAnother(accepted);
  const { http, client, server } = accepted;
  collectGarbage();
  const seen: string[] = [];
  http.close(() => seen.push('http'));
  client.close();
  await closed(client);
  await delay(20);
  expect(seen).toEqual([]);
  expect(await connections(http)).toBe(1);
  for (const peer of server.clients) peer.close();
  await until(() => seen.length === 1, "the HTTP server's end");
  expect(await connections(http)).toBe(0);
});

describe('whether the connection keeps the process alive', () => {
  // A client whose program does what `steps` say when it is open, and then has nothing left to do.
  test.each([
    ['unref ends the process', 'socket._socket.unref()', true],
    ['ref takes it back', 'socket._socket.unref().ref()', false],
    ['it does without unref', '', false],
    [
      'unref of the socket that createConnection gave',
      '',
      true,
      'createConnection: (options) => connect(options).unref()',
    ],
  ])('%s', async (_name, steps, ends, options = '') => {
    const { server, url } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const program = `
      const { connect } = require('node:net');
      const WebSocket = require('./dist/cjs.cjs');
      const socket = new WebSocket('${url}', { ${options} });
      const timer = setInterval(() => {}, 1000); // a socket that was given up before it is open does not end it
      socket.on('open', () => {
        clearInterval(timer);
        ${steps};
        process.on('beforeExit', () => console.log('nothing left to do'));
      });
      socket.on('message', () => process.exit(0));
    `;
    let output: string | undefined;
    const child = execFile(process.execPath, ['-e', program], { cwd: root }, (_error, stdout) => (output = stdout));
    afterTest(() => child.kill());
    const [peer] = await connected;
    if (!ends) {
      await delay(300);
      expect(output).toBe(undefined);
      peer.send('end');
    }
    await until(() => output !== undefined, 'the end of the process');
    expect(output).toBe(ends ? 'nothing left to do\n' : '');
  });
});

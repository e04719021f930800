// The programs that libwebsockets brings with it: libwebsockets-test-server and libwebsockets-test-client. They speak two
// subprotocols. dumb-increment-protocol: the server sends numbers that grow, begins again after "reset\n", and closes after
// "closeme\n". lws-mirror-protocol: the server sends every message on to all clients, as a text.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { WebSocket, WebSocketServer } from '../../lib';
import { portOf } from './conversation';
import { describeWith, nextMessage, Program, textOf } from './peers';

const missing = (name: string) => (spawnSync(name, ['--help']).error === undefined ? undefined : name);
const transports = ['native', 'stream'] as const;

/** A port that nobody uses: the test server does not tell which one it was given. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

const testServer = 'libwebsockets-test-server';
describeWith(testServer, missing(testServer), () => {
  let program: Program;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    program = Program.start(testServer, [`--port=${port}`]);
    await program.listening({ port });
    url = `ws://127.0.0.1:${port}/`;
  });
  afterAll(() => program.stop());

  test.each(transports)('its numbers grow, begin again and end with 1001: %s transport', async (transport) => {
    const socket = new WebSocket(url, 'dumb-increment-protocol', { transport });
    const texts: string[] = [];
    socket.on('message', (data: Buffer) => {
      texts.push(data.toString());
      if (texts.length === 4) socket.send('reset\n');
      if (texts.length > 4 && texts.at(-1) === '0') socket.send('closeme\n');
    });
    expect((await once(socket, 'close')).map(String)).toEqual(['1001', 'seeya']);
    expect(texts.slice(0, 4)).toEqual(['0', '1', '2', '3']);
    expect(texts.indexOf('0', 1)).toBeGreaterThan(3);
  });

  test.each(transports)(
    'it mirrors texts to two clients, and answers pings and closes: %s transport',
    async (transport) => {
      const sockets = [0, 1].map(() => new WebSocket(url, 'lws-mirror-protocol', { transport }));
      await Promise.all(sockets.map((socket) => once(socket, 'open')));
      for (const size of [1, 125, 126, 2048]) {
        const received = sockets.map(nextMessage);
        sockets[0].send(textOf(size));
        for (const { data } of await Promise.all(received)) expect(data.toString()).toBe(textOf(size));
      }
      const pong = once(sockets[0], 'pong');
      sockets[0].ping('ours');
      expect(String((await pong)[0])).toBe('ours');
      const closed = sockets.map((socket) => once(socket, 'close'));
      sockets.forEach((socket, index) => socket.close(4000 + index, 'done'));
      expect((await Promise.all(closed)).map(([code]) => code as number)).toEqual([4000, 4001]);
    },
  );

  test('a subprotocol that it does not know is no connection', async () => {
    const socket = new WebSocket(url, 'unknown');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.message).not.toBe('');
    expect(socket.readyState).not.toBe(WebSocket.OPEN);
  });
});

const testClient = 'libwebsockets-test-client';
describeWith(testClient, missing(testClient), () => {
  test.each(transports)('it reads our numbers, and we mirror its texts: %s transport', async (transport) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', transport });
    await once(server, 'listening');
    const closes: Record<string, [code: number, reason: string]> = {};
    const drawings: string[] = [];
    let pong = '';
    const over = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        expect(socket.transport).toBe(transport);
        socket.on('close', (code, reason) => {
          closes[socket.protocol] = [code, reason.toString()];
          if (Object.keys(closes).length === 2) resolve();
        });
        if (socket.protocol === 'dumb-increment-protocol') {
          for (let number = 0; number < 10; number += 1) socket.send(String(number));
          socket.send('');
          socket.close(4001, 'enough');
          return;
        }
        socket.ping('ours');
        socket.on('pong', (data) => (pong = data.toString()));
        socket.on('message', (data: Buffer) => {
          drawings.push(data.toString());
          if (drawings.length < 50) socket.send(data, { binary: false });
          else if (drawings.length === 50) socket.close(1000);
        });
      });
    });
    // Notices and information: it says what it receives.
    const program = Program.start(testClient, ['127.0.0.1', `--port=${portOf(server)}`, '-d', '15']);
    try {
      await over;
      program.signal('SIGINT');
      expect(await program.end()).toBe(0);
    } finally {
      await program.stop();
      await server.close();
    }
    const received = [...program.errors.matchAll(/ rx \d+ '(.*)'$/gm)].map((match) => match[1]);
    expect(received).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '']);
    expect(pong).toBe('ours');
    for (const drawing of drawings) expect(drawing).toMatch(/^c #[0-9A-F]{6} \d+ \d+ \d+;$/);
    expect(closes).toEqual({ 'dumb-increment-protocol': [4001, 'enough'], 'lws-mirror-protocol': [1000, ''] });
  });
});

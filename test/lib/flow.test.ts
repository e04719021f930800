// Pausing, backpressure, callbacks, and handlers that throw.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WebSocket } from '../../lib';
import {
  afterTest,
  client,
  closed,
  closePayload,
  connect,
  delay,
  frame,
  nextMessage,
  onceWithoutError,
  pair,
  rawClient,
  record,
  root,
  serve,
  until,
} from './support';

describe('pause', () => {
  test('in a handler: no further message, not even of the same batch, until resume', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(socket, 'message');
    socket.once('message', () => socket.pause());
    for (let i = 0; i < 5; i++) peer.send(String(i));
    await onceWithoutError(socket, 'message');
    await delay(50);
    expect(seen).toEqual(['message: 0']);
    expect(socket.isPaused).toBe(true);
    socket.resume();
    expect(socket.isPaused).toBe(false);
    expect(seen).toEqual(['message: 0']);
    peer.send('5');
    await until(() => seen.length === 6);
    expect(seen.map((text) => text.slice(-1)).join('')).toBe('012345');
  });

  test('again while kept messages are delivered', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(socket, 'message');
    socket.on('message', () => socket.pause());
    for (let i = 0; i < 3; i++) peer.send(String(i));
    for (let count = 1; count <= 3; count++) {
      await until(() => seen.length === count);
      await delay(10);
      expect(seen.length).toBe(count);
      socket.resume();
    }
  });

  test('stops reading: the sender is held back, and nothing is lost', async () => {
    const { client: socket, peer } = await pair();
    socket.pause();
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const total = 32;
    for (let i = 0; i < total; i++) peer.send(chunk);
    await delay(200);
    const held = peer.bufferedAmount;
    expect(held).toBeGreaterThan(8 * 1024 * 1024);
    await delay(100);
    expect(peer.bufferedAmount).toBe(held);
    let bytes = 0;
    socket.on('message', (data) => (bytes += (data as Buffer).length));
    socket.resume();
    await until(() => bytes === total * chunk.length);
    expect(peer.bufferedAmount).toBe(0);
  });

  test('a Close frame that was read is answered; kept messages come before close', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(socket, 'message', 'close');
    socket.once('message', () => socket.pause());
    const end = closed(peer);
    for (const text of ['1', '2', '3']) peer.send(text);
    peer.close(1000, 'bye');
    expect(await end).toEqual({ code: 1000, reason: 'bye' });
    await until(() => seen.includes('close: 1000'));
    expect(seen).toEqual(['message: 1', 'message: 2', 'message: 3', 'close: 1000']);
  });

  test('close ends it', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(socket, 'message', 'close');
    socket.pause();
    peer.send('1');
    await delay(20);
    socket.close(1000);
    await closed(socket);
    expect(seen).toEqual(['message: 1', 'close: 1000']);
  });

  test('terminate drops what was kept', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(socket, 'message', 'close');
    socket.once('message', () => socket.pause());
    peer.send('1');
    peer.send('2');
    await onceWithoutError(socket, 'message');
    await delay(20);
    socket.terminate();
    await closed(socket);
    expect(seen).toEqual(['message: 1', 'close: 1006']);
  });

  test('before open and after close has no effect', async () => {
    const { url } = await serve();
    const socket = client(url);
    socket.pause();
    expect(socket.isPaused).toBe(false);
    await once(socket, 'open');
    socket.terminate();
    await closed(socket);
    socket.pause();
    socket.resume();
    expect(socket.isPaused).toBe(false);
  });
});

describe('send', () => {
  test('calls back when the data was handed over, in order', async () => {
    const { client: socket } = await pair();
    const calls: unknown[] = [];
    await new Promise<void>((resolve) => {
      for (let i = 0; i < 10; i++) socket.send(String(i), (error) => calls.push([i, error]));
      socket.send('last', {}, () => resolve());
    });
    expect(calls).toEqual(Array.from({ length: 10 }, (_, i) => [i, undefined]));
  });

  test('returns false above the high-water mark, and drain follows once', async () => {
    const { client: socket, peer } = await pair();
    const drains = jest.fn();
    socket.on('drain', drains);
    expect(socket.send('small')).toBe(true);
    peer.pause();
    const chunk = Buffer.alloc(8 * 1024 * 1024);
    expect(socket.send(chunk)).toBe(false);
    expect(socket.send(chunk)).toBe(false);
    expect(socket.send('small')).toBe(false);
    await delay(50);
    expect(drains).not.toHaveBeenCalled();
    expect(socket.bufferedAmount).toBeGreaterThan(1024 * 1024);
    peer.resume();
    await onceWithoutError(socket, 'drain');
    expect(socket.bufferedAmount).toBe(0);
    expect(socket.send('small')).toBe(true);
    await delay(20);
    expect(drains).toHaveBeenCalledTimes(1);
  });

  test('bufferedAmount counts the payload until the kernel has it', async () => {
    const { client: socket } = await pair();
    expect(socket.bufferedAmount).toBe(0);
    socket.send('12345');
    socket.send(Buffer.alloc(100));
    expect(socket.bufferedAmount).toBe(105);
    await until(() => socket.bufferedAmount === 0);
  });

  test('callbacks of unsent messages get an error when the connection dies, before close', async () => {
    const { client: socket, peer } = await pair();
    peer.pause();
    const seen: string[] = [];
    const chunk = Buffer.alloc(16 * 1024 * 1024);
    for (let i = 0; i < 3; i++) {
      socket.send(chunk, (error) => seen.push(error ? `error ${(error as NodeJS.ErrnoException).code}` : 'sent'));
    }
    socket.on('close', () => seen.push('close'));
    await delay(50);
    socket.terminate();
    await closed(socket);
    expect(seen.at(-1)).toBe('close');
    expect(seen.filter((text) => text === 'error WS_ERR_CONNECTION_CLOSED').length).toBeGreaterThanOrEqual(1);
    expect(seen.length).toBe(4);
    expect(socket.bufferedAmount).toBeGreaterThan(0);
  });

  test('callbacks fire when the peer resets', async () => {
    const { server, port } = await serve();
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const peer = await rawClient(port);
    const [socket] = await connected;
    peer.socket.pause();
    const results: unknown[] = [];
    for (let i = 0; i < 4; i++) socket.send(Buffer.alloc(8 * 1024 * 1024), (error) => results.push(error));
    await delay(50);
    peer.socket.resetAndDestroy();
    await closed(socket);
    expect(results.length).toBe(4);
    expect(results.at(-1)).toMatchObject({ code: 'WS_ERR_CONNECTION_CLOSED' });
  });

  test('in many connections at once: every one gets its own', async () => {
    const { server, url } = await serve();
    const sockets = await Promise.all(Array.from({ length: 50 }, () => connect(url)));
    const received = Promise.all(sockets.map((socket) => nextMessage(socket)));
    [...server.clients].forEach((peer, i) => peer.send(`to ${i}`));
    expect((await received).map(({ data }) => data.toString())).toEqual(sockets.map((_, i) => `to ${i}`));
  });

  test('what was sent before terminate goes out', async () => {
    const { client: socket, peer } = await pair();
    const seen = record(peer, 'message', 'close');
    const end = closed(peer);
    socket.send('farewell');
    socket.terminate();
    await end;
    expect(seen).toEqual(['message: farewell', 'close: 1006']);
  });
});

describe('a handler that throws', () => {
  // In a process of its own: Jest catches what nobody caught.
  test.each(['native', 'stream'])('loses nothing and stops nothing, on the %s transport', (transport) => {
    const program = `
      const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        socket.on('open', () => { for (let i = 0; i < 5; i++) socket.send(String(i)); socket.ping('p'); socket.close(1000); });
        socket.on('close', (code) => {
          server.close(() => { seen.push('server closed'); });
          throw new Error('thrown in client close ' + code);
        });
      });
      server.on('connection', (peer) => {
        peer.on('message', (data) => { seen.push('got ' + data); throw new Error('thrown ' + data); });
        peer.on('ping', (data) => { throw new Error('thrown ' + data); });
        peer.on('close', (code) => { seen.push('closed ' + code); throw new Error('thrown in close'); });
      });
      process.on('exit', () => console.log(JSON.stringify(seen)));
    `;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], {
      env: { ...process.env, WEBSOCKET_COMPONENT_TRANSPORT: transport },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const seen = JSON.parse(stdout) as string[];
    const messages = [0, 1, 2, 3, 4].flatMap((i) => [`got ${i}`, `thrown ${i}`]);
    expect(seen.filter((text) => messages.includes(text))).toEqual(messages);
    expect(seen).toEqual(
      expect.arrayContaining([
        'thrown p',
        'closed 1000',
        'thrown in close',
        'thrown in client close 1000',
        'server closed',
      ]),
    );
    expect(seen.length).toBe(15);
  });

  test('while kept messages are delivered loses nothing', () => {
    const program = `
      const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        socket.on('open', () => { for (let i = 0; i < 4; i++) socket.send(String(i)); });
      });
      server.on('connection', (peer) => {
        peer.on('message', (data) => {
          if (String(data) === '0') { peer.pause(); setTimeout(() => peer.resume(), 50); }
          if (String(data) === '3') { peer.terminate(); server.close(); }
          throw new Error('thrown ' + data);
        });
      });
      process.on('exit', () => console.log(JSON.stringify(seen)));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(['thrown 0', 'thrown 1', 'thrown 2', 'thrown 3']);
  });
});

test('an unclosed connection keeps the process alive, a closed one does not', () => {
  const program = `
    const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
      const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
      socket.on('open', () => { server.close(); setTimeout(() => { console.log('alive'); socket.close(); }, 100).unref(); setTimeout(() => {}, 50); });
      socket.on('close', () => console.log('closed'));
    });
  `;
  const { stdout, status } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
  expect([stdout, status]).toEqual(['alive\nclosed\n', 0]);
});

test('two peers that flood each other both get everything', async () => {
  const { client: socket, peer } = await pair();
  const total = 3000;
  const counts = [0, 0];
  socket.on('message', () => counts[0]++);
  peer.on('message', () => counts[1]++);
  const chunk = Buffer.alloc(10_000, 'x');
  for (let i = 0; i < total; i++) {
    socket.send(chunk);
    peer.send(chunk);
  }
  await until(() => counts[0] === total && counts[1] === total);
  afterTest(() => socket.terminate());
});

test('a raw peer may send a Close frame and end at once', async () => {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  const end = closed(socket);
  peer.write(frame(1, 'x'), frame(8, closePayload(1001)));
  peer.socket.end();
  expect(await end).toEqual({ code: 1001, reason: '' });
  expect((await peer.rest()).toString('hex')).toBe(frame(8, closePayload(1001), { mask: false }).toString('hex'));
});

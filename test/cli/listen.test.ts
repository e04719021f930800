// `listen` with pipes.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect, nextMessage, serve } from '../lib/support';
import { eventsOf, run, start } from './program';

test('--echo sends everything back and shows it; Ctrl-C closes with 1001', async () => {
  const started = start(['listen', '--echo', '--port', '0', '--json', '--compression', '-s', 'soap']);
  await started.prints('listening');
  const { url } = eventsOf(started.stdout)[0] as { url: string };
  const socket = await connect(url, ['chat', 'soap']);
  expect([socket.protocol, socket.extensions]).toEqual(['soap', 'permessage-deflate']);
  socket.send('hello');
  expect(await nextMessage(socket)).toEqual({ data: Buffer.from('hello'), isBinary: false });
  socket.send(Buffer.from([0, 255]));
  expect(await nextMessage(socket)).toEqual({ data: Buffer.from([0, 255]), isBinary: true });
  const closed = once(socket, 'close');
  started.child.kill('SIGINT');
  expect((await closed)[0]).toBe(1001);
  const { stdout, stderr, status } = await started.ended;
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const address = expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string;
  expect(eventsOf(stdout)).toEqual([
    { event: 'listening', url },
    {
      event: 'open',
      client: 1,
      address,
      url: '/',
      protocol: 'soap',
      extensions: 'permessage-deflate',
      transport: expect.any(String) as string,
    },
    { event: 'message', client: 1, type: 'text', data: 'hello' },
    { event: 'message', client: 1, type: 'binary', data: '00ff' },
    { event: 'close', client: 1, code: 1001, reason: '', isNormal: true },
  ]);
});

test('lines of stdin go to every client, and the end of stdin does not end the server', async () => {
  const started = start(['listen', '--port', '0', '--path', 'chat']);
  await started.prints('listening on ws://127.0.0.1:');
  const url = /ws:\S+/.exec(started.stdout)![0];
  const refused = await run(['connect', url, '-x', 'hello']);
  expect(refused).toMatchObject({ status: 1, stderr: 'error: Unexpected server response: 404\n' });
  const sockets = await Promise.all([connect(`${url}chat`), connect(`${url}chat`)]);
  const messages = Promise.all(sockets.map(nextMessage));
  started.child.stdin.end('to all\n');
  expect((await messages).map(({ data }) => data.toString())).toEqual(['to all', 'to all']);
  sockets[0].send('\x1b[31mred');
  await started.prints('#1 < \\x1b[31mred\n');
  sockets[1].close(3000, 'enough');
  await started.prints('#2 closed 3000: "enough"\n');
  sockets[0].terminate();
  await started.prints('#1 closed 1006 abnormal closure\n');
  started.child.kill('SIGTERM');
  expect(await started.ended).toMatchObject({ status: 0, stderr: '' });
});

test('--quiet shows no messages, and what is no WebSocket client does no harm', async () => {
  const started = start(['listen', '--echo', '--quiet', '--port', '0']);
  await started.prints('listening');
  const url = new URL(/ws:\S+/.exec(started.stdout)![0]);
  const raw = connectTcp(Number(url.port), '127.0.0.1');
  raw.end('nonsense\r\n\r\n');
  await once(raw.resume(), 'close');
  const socket = await connect(url.href);
  socket.send('hello');
  await nextMessage(socket);
  socket.close();
  await started.prints('#1 closed 1005 no status\n');
  expect(started.stdout).not.toContain('hello');
});

test('a port that is taken ends with 1', async () => {
  const { port } = await serve();
  const { status, stdout, stderr } = await run(['listen', '--port', String(port)]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toBe(`error: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
});

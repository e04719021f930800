// `connect` with pipes: what it sends and prints, and its exit status.
import { once } from 'node:events';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from '../../lib';
import { afterTest, makeCertificate, serve, serveEcho, textOf, until } from '../lib/support';
import { eventsOf, run, start } from './program';

test('--execute sends messages, and --count ends with the answers', async () => {
  const { url } = await serveEcho();
  const result = await run(['connect', url, '-x', 'one', '--execute', 'two', '--count', '2']);
  expect(result).toMatchObject({ stdout: 'one\ntwo\n', stderr: '', status: 0 });
});

test('lines of stdin are messages, also the last one without a newline and those with a slash', async () => {
  const { url } = await serveEcho();
  const { host } = new URL(url);
  const result = await run(['connect', host, '-n', '3'], 'one\n/ping\nthree €');
  expect(result).toMatchObject({ stdout: 'one\n/ping\nthree €\n', stderr: '', status: 0 });
});

test('many lines arrive, however slow the other side is', async () => {
  const { url } = await serveEcho();
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
  const { stdout, status } = await run(['connect', url, '-n', '20000'], lines);
  expect(stdout).toBe(lines);
  expect(status).toBe(0);
});

test('--binary sends hexadecimal digits as bytes, and binary messages are printed so', async () => {
  const { server, url } = await serveEcho();
  const kinds: boolean[] = [];
  server.on('connection', (socket) => socket.on('message', (_data, isBinary) => kinds.push(isBinary)));
  const result = await run(['connect', url, '--binary', '-x', '00ff 10', '-n', '1']);
  expect(result).toMatchObject({ stdout: '00ff10\n', stderr: '', status: 0 });
  expect(kinds).toEqual([true]);
});

test('--commands obeys commands in stdin, and --json prints every event', async () => {
  const { url } = await serveEcho();
  const input = '/ping hi\n//slash\n/binary 68656c6c6f\n/close 4001 bye\n';
  const { stdout, status } = await run(['connect', url, '--commands', '--json', '--no-compression'], input);
  const [open, pong, ...others] = eventsOf(stdout).sort((a, b) => order(a) - order(b));
  expect(open).toEqual({ event: 'open', url: `${url}/`, protocol: '', extensions: '', transport: expect.any(String) });
  expect(pong).toEqual({ event: 'pong', data: '6869', latency: expect.any(Number) });
  expect(others).toEqual([
    { event: 'message', type: 'text', data: '/slash' },
    { event: 'message', type: 'binary', data: '68656c6c6f' },
    { event: 'close', code: 4001, reason: 'bye', isNormal: true },
  ]);
  expect(status).toBe(0);
});

/** Pongs may overtake messages. */
const order = ({ event }: Record<string, unknown>): number =>
  ['open', 'pong', 'message', 'close'].indexOf(String(event));

test('header fields, subprotocol, origin and credentials are sent', async () => {
  const { server, url } = await serve();
  const requested = once(server, 'connection');
  const options = ['-H', 'X-One: 1', '-H', 'X-One: 2', '-s', 'chat', '-s', 'soap', '-o', 'http://a.example'];
  const ended = run(['connect', url, ...options, '--auth', 'user:secret', '-w', '0', '--json']);
  const [, request] = (await requested) as [unknown, { headers: Record<string, string> }];
  expect(request.headers).toMatchObject({ 'x-one': '1, 2', origin: 'http://a.example' });
  expect(request.headers.authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
  expect(request.headers['sec-websocket-protocol']).toBe('chat, soap');
  const { stdout, status } = await ended;
  expect(eventsOf(stdout)[0]).toMatchObject({ event: 'open', protocol: 'chat', extensions: '' });
  expect(status).toBe(0);
});

test('a pipe gets what the server sends as it is', async () => {
  const { server, url } = await serve();
  server.on('connection', (socket) => socket.send('\x1b[2Jgone\u202e'));
  const { stdout } = await run(['connect', url, '-n', '1']);
  expect(stdout).toBe('\x1b[2Jgone\u202e\n');
});

test('--ping pings the server, and --json shows the pings of the server', async () => {
  const { server, url } = await serve();
  server.on('connection', (socket) => {
    let pings = 0;
    socket.ping('you too');
    socket.on('ping', () => {
      if (++pings === 3) socket.close(1000);
    });
  });
  const { stdout, status } = await start(['connect', url, '--ping', '0.02', '--json']).ended;
  expect(eventsOf(stdout).map(({ event, data }) => [event, data])).toEqual([
    ['open', undefined],
    ['ping', Buffer.from('you too').toString('hex')],
    ['close', undefined],
  ]);
  expect(status).toBe(0);
});

test.each([
  ['a close with 1011 is an abnormal end', 1011, 'no more', 3, '1011 internal error: "no more"\n'],
  ['a close with 1000 is a normal end', 1000, '', 0, ''],
  ['a close with 1001 is a normal end', 1001, 'restart', 0, ''],
])('%s', async (_title, code, reason, status, message) => {
  const { server, url } = await serve();
  server.on('connection', (socket) => socket.close(code, reason));
  const result = await run(['connect', url, '-w', 'forever']);
  expect(result.status).toBe(status);
  expect(result.stderr).toBe(message && `closed: ${message}`);
});

test('a connection that is cut is an abnormal end', async () => {
  const { server, url } = await serve();
  server.on('connection', (socket) => socket.terminate());
  const { status, stderr } = await start(['connect', url]).ended;
  expect(stderr).toBe('closed: 1006 abnormal closure\n');
  expect(status).toBe(3);
});

test('too few messages are an error', async () => {
  const { url } = await serveEcho();
  const { status, stdout, stderr } = await run(['connect', url, '-x', 'one', '-n', '2', '-w', '0.1']);
  expect({ status, stdout, stderr }).toEqual({
    status: 3,
    stdout: 'one\n',
    stderr: 'error: only 1 of 2 messages came\n',
  });
});

test('a server that is not there ends with 1', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const { status, stdout, stderr } = await run(['connect', `ws://127.0.0.1:${port}`, '-x', 'hello']);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toBe(
    `error: connect ECONNREFUSED 127.0.0.1:${port}\n` +
      'Nobody listens there. Is the server running, and the port the right one?\n',
  );
});

test('a server that refuses ends with 1', async () => {
  const { url } = await serve({ verifyClient: () => false });
  const { status, stderr } = await run(['connect', url, '-x', 'hello']);
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'error: Unexpected server response: 401\n' });
});

test('a certificate that nobody vouches for is refused, unless --ca or --insecure says otherwise', async () => {
  const certificate = makeCertificate();
  const https = createServer(certificate).listen(0, '127.0.0.1');
  const server = new WebSocketServer({ server: https });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(textOf(data))));
  const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  afterTest(async () => {
    rmSync(folder, { recursive: true });
    await server.close({ timeout: 0 });
    https.close();
  });
  await once(https, 'listening');
  writeFileSync(join(folder, 'ca.pem'), certificate.cert);
  const { port } = https.address() as AddressInfo;
  const say = (...options: string[]) =>
    run(['connect', `wss://localhost:${port}`, '-x', 'hello', '-n', '1', ...options]);
  const [refused, trusted, accepted, plain] = await Promise.all([
    say(),
    say('--ca', join(folder, 'ca.pem')),
    say('-k'),
    run(['connect', `ws://localhost:${port}`, '-x', 'hello']),
  ]);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('self-signed certificate\n--ca FILE trusts a certificate');
  expect(trusted).toMatchObject({ status: 0, stdout: 'hello\n', stderr: '' });
  expect(accepted).toMatchObject({ status: 0, stdout: 'hello\n', stderr: '' });
  expect(plain.status).toBe(1);
  expect(plain.stderr).toContain('begins with wss://');
});

test('Ctrl-C closes the connection with 1000', async () => {
  const { server, url } = await serve();
  const connected = once(server, 'connection');
  const started = start(['connect', url, '--json']);
  const [socket] = (await connected) as [WebSocket];
  const closed = once(socket, 'close');
  await started.prints('"open"');
  started.child.kill('SIGINT');
  expect((await closed)[0]).toBe(1000);
  expect((await started.ended).status).toBe(0);
});

test('when nobody reads its output any more, it closes the connection and ends with 0', async () => {
  const { server, url } = await serve();
  let isClosed = false;
  server.on('connection', (socket) => {
    const timer = setInterval(() => socket.send('x'.repeat(1000)), 1);
    socket.on('close', (code) => {
      clearInterval(timer);
      isClosed = code === 1000;
    });
  });
  const started = start(['connect', url, '-n', '1000000']);
  await started.prints('xxx');
  started.child.stdout.destroy();
  const { status, stderr } = await started.ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  await until(() => isClosed, 'the close with 1000');
});

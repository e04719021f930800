// `bench`, `conformance`, `doctor` and `build`.
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from '../../lib';
import { Latencies } from '../../lib/cli/latency';
import { afterTest, client, makeCertificate, serve, serveEcho } from '../lib/support';
import { run, start } from './program';

test('latencies: percentiles are within 1.6 % of those of the sorted list, and ranges hold every value', () => {
  const values = Array.from({ length: 5000 }, (_, index) => 0.01 * 1.002 ** index + (index % 7) * 0.001);
  const latencies = new Latencies();
  for (const value of values) latencies.record(value);
  const sorted = values.toSorted((a, b) => a - b);
  for (const percent of [0.1, 1, 25, 50, 90, 99, 99.9, 100]) {
    const exact = sorted[Math.ceil((percent / 100) * sorted.length) - 1];
    expect(Math.abs(latencies.percentile(percent) - exact) / exact).toBeLessThan(0.016);
  }
  expect([latencies.min, latencies.max, latencies.count]).toEqual([sorted[0], sorted.at(-1), 5000]);
  for (const most of [4, 8, 14, 100]) {
    const ranges = latencies.ranges(most);
    expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
    ranges.slice(1).forEach(({ from }, index) => expect(from).toBe(ranges[index].to));
    expect(ranges.length).toBeLessThanOrEqual(Math.max(most, 7));
  }
  const edge = new Latencies();
  for (const value of [0, 1e9]) edge.record(value);
  expect(edge.ranges(5).reduce((sum, { count }) => sum + count, 0)).toBe(2);
  expect(new Latencies().ranges(5)).toEqual([]);
  expect([new Latencies().min, new Latencies().percentile(50)]).toEqual([0, 0]);
});

const short = ['--duration', '0.3', '--warmup', '0.1', '--json'];

interface BenchResult {
  messages: number;
  messagesPerSecond: number;
  seconds: number;
  wrongAnswers: number;
  connections: Record<string, number>;
  latency: Record<string, number>;
  histogram: { from: number; to: number; count: number }[];
}

test('bench measures an echo server', async () => {
  const { server, url } = await serveEcho();
  let messages = 0;
  server.on('connection', (socket) => socket.on('message', () => messages++));
  const { stdout, stderr, status } = await run(['bench', url, '-c', '20', '-f', '4', '--size', '1000', ...short]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const result = JSON.parse(stdout) as BenchResult;
  expect(result.connections).toEqual({ wanted: 20, opened: 20, failed: 0, lost: 0 });
  expect(result.messages).toBeGreaterThan(0);
  expect(result.messages).toBeLessThanOrEqual(messages);
  expect(result.wrongAnswers).toBe(0);
  expect(result.messagesPerSecond).toBeCloseTo(result.messages / result.seconds, 3);
  const { min, p50, p90, p99, 'p99.9': p999, max } = result.latency;
  expect([min, p50, p90, p99, p999, max]).toEqual([min, p50, p90, p99, p999, max].toSorted((a, b) => a - b));
  expect(result.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(result.messages);
});

test('bench keeps to a rate, also with text and compression', async () => {
  const { server, url } = await serveEcho({ perMessageDeflate: true });
  let messages = 0;
  server.on('connection', (socket) => socket.on('message', () => messages++));
  const options = [
    '-c',
    '2',
    '--rate',
    '200',
    '--text',
    '--compression',
    '--duration',
    '0.5',
    '--warmup',
    '0',
    '--json',
  ];
  const { stdout, status } = await run(['bench', url, ...options]);
  const result = JSON.parse(stdout) as BenchResult;
  expect(result).toMatchObject({ extensions: 'permessage-deflate', message: { type: 'text', bytes: 64 }, rate: 200 });
  // What is due in so many seconds, and some for the moments before and after.
  expect(messages).toBeLessThanOrEqual(result.seconds * 200 + 20);
  expect(result.messages).toBeGreaterThan(0);
  expect(status).toBe(0);
});

test('with a rate, what had to wait for a slow server counts from when it was due', async () => {
  const { server, url } = await serve();
  server.on('connection', (socket) =>
    socket.on('message', (data) => setTimeout(() => socket.send(data, { binary: true }), 50)),
  );
  const options = ['-c', '1', '--rate', '100', '--duration', '0.6', '--warmup', '0', '--json'];
  const { stdout, status } = await run(['bench', url, ...options]);
  // Five times as many are due as can be answered: the tenth answer is some 400 ms late.
  expect((JSON.parse(stdout) as BenchResult).latency.max).toBeGreaterThan(150);
  expect(status).toBe(0);
});

test('bench tells a server that sends something else, none, and one that hangs up', async () => {
  const [other, silent, closing] = [await serve(), await serve(), await serve()];
  other.server.on('connection', (socket) => socket.on('message', () => socket.send('something else')));
  closing.server.on('connection', (socket) => socket.once('message', () => socket.close(1008)));
  const [wrong, none, lost, absent] = await Promise.all([
    ...[other, silent, closing].map(({ url }) => run(['bench', url, '-c', '2', '--duration', '0.3', '--warmup', '0'])),
    run(['bench', 'ws://127.0.0.1:1', '-c', '2', '--json']),
  ]);
  expect(wrong.stdout).toMatch(/problem \S+ answers were not what was sent\n/);
  expect(none.stdout).toContain('problem no answer came: the server has to send every message back');
  expect(lost.stdout).toContain('problem a connection was closed with 1008 (2 times)\nproblem 2 connections were lost');
  expect(absent).toMatchObject({
    stdout: '',
    stderr: 'error: No connection could be opened: connect ECONNREFUSED 127.0.0.1:1\n',
  });
  expect([wrong, none, lost, absent].map(({ status }) => status)).toEqual([3, 3, 3, 1]);
});

test('conformance runs cases of the suite, and tells what did not pass', async () => {
  const sound = await serveEcho();
  const deaf = await serve({ autoPong: false });
  deaf.server.on('connection', (socket) => socket.on('message', (data) => socket.send(data))); // text becomes binary
  const [passed, failed, lenient, list, absent] = await Promise.all([
    run(['conformance', sound.url, '--only', '1.1.1,2.1,7.1.1', '--json']),
    run(['conformance', deaf.url, '--only', '1.1.1,1.2.1', '--timeout', '0.5']),
    run(['conformance', sound.url, '--only', '12.1.1', '--lenient']),
    run(['conformance', '--list', '--only', '10']),
    run(['conformance', 'ws://127.0.0.1:1']),
  ]);
  expect({ status: passed.status, stderr: passed.stderr }).toEqual({ status: 0, stderr: '' });
  const results = JSON.parse(passed.stdout) as { id: string; verdict: string }[];
  expect(results.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(['1.1.1 passed', '2.1 passed', '7.1.1 passed']);
  expect(failed.status).toBe(3);
  expect(failed.stdout).toMatch(/^failed {2}1\.1\.1 /);
  expect(failed.stdout).toMatch(/\n {3}all +1 +0 +1\n\n2 cases in /);
  expect(lenient.status).toBe(0);
  expect(lenient.stdout).toMatch(/^lenient declined +12\.1\.1\n/);
  expect(list.status).toBe(0);
  expect(list.stdout.split('\n').filter((line) => !line.startsWith('10.'))).toEqual(['']);
  expect(absent).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('ECONNREFUSED') as string });
});

test('conformance tests a server over TLS that wants a header field', async () => {
  const https = createServer(makeCertificate()).listen(0, '127.0.0.1');
  const server = new WebSocketServer({ server: https, verifyClient: ({ req }) => req.headers['x-key'] === 'secret' });
  afterTest(async () => {
    await server.close({ timeout: 0 });
    https.close();
  });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(https, 'listening');
  const test = ['conformance', `wss://localhost:${(https.address() as AddressInfo).port}`, '--only', '1.1.1,3.1,7.1.1'];
  const [untrusted, refused, passed] = await Promise.all([
    run([...test, '-H', 'X-Key: secret']),
    run([...test, '--insecure']),
    run([...test, '--insecure', '-H', 'X-Key: secret']),
  ]);
  expect(untrusted).toMatchObject({ status: 1, stderr: expect.stringContaining('self-signed certificate') as string });
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('HTTP/1.1 401') as string });
  expect(passed).toMatchObject({ status: 0, stderr: '' });
  expect(passed.stdout).toMatch(/\n {3}all +3 +0 +0\n/);
});

test('conformance tests clients', async () => {
  const started = start(['conformance', '--client', '--only', '1.1.1,1.1.2', '--json']);
  await started.prints('/finish');
  const [url] = /ws:[^\s]+:\d+/.exec(started.stderr)!;
  const echo = async (id: string): Promise<void> => {
    const socket = client(`${url}/case/${id}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    await once(socket, 'close');
  };
  await echo('1.1.1');
  await once(client(`${url}/finish`), 'close');
  const { stdout, status } = await started.ended;
  const results = JSON.parse(stdout) as { id: string; verdict: string }[];
  expect(results.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(['1.1.1 passed', '1.1.2 failed']);
  expect(status).toBe(3);
});

test('doctor tells what is installed, and tries it', async () => {
  const { stdout, status, stderr } = await run(['doctor', '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const findings = JSON.parse(stdout) as Record<string, unknown>;
  expect(findings).toMatchObject({
    runtime: { name: 'Node.js', version: process.versions.node },
    system: { platform: process.platform, arch: process.arch },
    binary: { openssl: expect.stringMatching(/^OpenSSL \d/) as string, zlib: expect.stringMatching(/^\d/) as string },
    echo: { milliseconds: expect.any(Number) as number },
  });
  const { file } = findings.binary as { file: string };
  expect(file).toMatch(/websocket_component\.node$/);
  if (process.env.WEBSOCKET_COMPONENT_BINARY !== undefined) expect(file).toBe(process.env.WEBSOCKET_COMPONENT_BINARY);
});

test('without a binary, doctor names the command that helps, and others say that it is missing', async () => {
  const env = { WEBSOCKET_COMPONENT_BINARY: '/nowhere.node' };
  const [found, connected] = await Promise.all([
    run(['doctor'], '', env),
    run(['connect', 'ws://127.0.0.1:1', '-x', 'hello'], '', env),
  ]);
  expect(found).toMatchObject({ status: 1, stderr: '' });
  expect(found.stdout).toMatch(/Binary +not loaded\n/);
  expect(found.stdout).toMatch(/CMake +cmake\n/);
  expect(found.stdout).toContain('This builds the binary: npx websocket-component build');
  expect(connected).toMatchObject({ status: 1, stdout: '' });
  expect(connected.stderr).toMatch(/^error: The native module of websocket-component is missing: \/nowhere\.node/);
});

test('build says what it does not find', async () => {
  const { status, stdout, stderr } = await run(['build'], '', { PATH: '/nowhere', CXX: undefined });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain('Not found: CMake, a C++ compiler, ninja or make.');
});

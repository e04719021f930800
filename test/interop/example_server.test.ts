// The example server as its users meet it: a program with a port, an exit code and HTTP answers.
import { once } from 'node:events';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { WebSocket as WsClient } from 'ws';
import type { ServerStats } from '../../lib';
import { until } from '../lib/support';
import { nextMessage, Program, startExampleServer } from './peers';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Sends the lines of an HTTP head as they are; resolves with everything that came back before the end. */
function exchangeRaw(port: number, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.once('end', () => resolve(text)).once('error', reject);
    socket.setTimeout(5000, () => socket.destroy(new Error(`no end within 5 s; received: ${text}`)));
  });
}

/** What /stats sends; of it, what is looked at here. */
interface Sample {
  totals: ServerStats;
  connections: {
    path: string;
    address: string;
    bytesReceived: number;
    messagesReceived: number;
    messagesSent: number;
  }[];
  unlisted: number;
}

function upgradeRequest(changes: Record<string, string | undefined> = {}, start = 'GET /echo HTTP/1.1'): string[] {
  const headers: Record<string, string | undefined> = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    ...changes,
  };
  const present = Object.entries(headers).filter(([, value]) => value !== undefined);
  return [start, ...present.map(([name, value]) => `${name}: ${value}`)];
}

/** The status line, the headers in lower case and the body of an HTTP/1.1 response. */
function parse(response: string) {
  const [head = '', body = ''] = response.split(/\r\n\r\n(.*)/s);
  const [status = '', ...fields] = head.split('\r\n');
  const headers = new Map(fields.map((field) => [field.split(':')[0].toLowerCase(), field.replace(/^[^:]*:\s*/, '')]));
  return { status: Number(status.split(' ')[1]), headers, body };
}

interface Answer {
  status: number;
  type: string;
  headers: IncomingHttpHeaders;
  body: string;
}

function get(url: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () =>
        resolve({
          status: response.statusCode!,
          type: response.headers['content-type'] ?? '',
          headers: response.headers,
          body,
        }),
      );
    });
    request.once('error', reject).end();
  });
}

describe('a running example server', () => {
  let server: Awaited<ReturnType<typeof startExampleServer>>;
  let port: number;

  beforeAll(async () => {
    server = await startExampleServer();
    port = Number(new URL(server.url).port);
  });
  afterAll(() => server.program.stop());

  test('serves the page and its files, and nothing else', async () => {
    const page = await get(server.url);
    expect(page).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
    const files = [...page.body.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map((match) => match[1]);
    expect(files).toContain('/main.js');
    for (const file of files) expect((await get(new URL(file, server.url).href)).status).toBe(200);
    for (const { headers } of [page, await get(`${server.url}load-worker.js`), await get(`${server.url}nothing`)]) {
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; /);
      expect(headers['content-security-policy']).toContain("connect-src 'self'; ");
    }
    expect((await get(`${server.url}server.mjs`)).status).toBe(404);
    expect((await get(`${server.url}..%2fpackage.json`)).status).toBe(404);
    expect((await get(server.url, 'POST')).status).toBe(405);
    expect((await get(`${server.url}echo`)).status).toBe(426);
  });

  test.each([
    ['404 for another path', 404, upgradeRequest({}, 'GET /nowhere HTTP/1.1')],
    ['405 for another method', 405, upgradeRequest({}, 'POST /echo HTTP/1.1')],
    ['426 for an older version', 426, upgradeRequest({ 'Sec-WebSocket-Version': '8' })],
    ['426 for a newer version', 426, upgradeRequest({ 'Sec-WebSocket-Version': '14' })],
    ['400 without a key', 400, upgradeRequest({ 'Sec-WebSocket-Key': undefined })],
    ['400 for a key of 15 bytes', 400, upgradeRequest({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' })],
    ['400 for two keys', 400, [...upgradeRequest(), `Sec-WebSocket-Key: ${key}`]],
    ['400 for another protocol than websocket', 400, upgradeRequest({ Upgrade: 'h2c' })],
    ['403 for a page of another origin', 403, upgradeRequest({ Origin: 'https://example.com' })],
    ['403 for a page without an origin', 403, upgradeRequest({ Origin: 'null' })],
    [
      '403 for a page of a name that was pointed here',
      403,
      upgradeRequest({ Host: 'a.example', Origin: 'http://a.example' }),
    ],
    ['403 for such a page on /stats', 403, upgradeRequest({ Origin: 'https://example.com' }, 'GET /stats HTTP/1.1')],
  ])('refuses a handshake with %s, says why, and lives', async (_, status, lines) => {
    const response = parse(await exchangeRaw(port, lines));
    expect(response.status).toBe(status);
    expect(response.body.trim()).not.toBe('');
    expect(response.headers.get('connection')).toBe('close');
    expect(Number(response.headers.get('content-length'))).toBe(Buffer.byteLength(response.body, 'latin1'));
    if (status === 426) expect(response.headers.get('sec-websocket-version')).toBe('13');

    const socket = new WsClient(server.echo);
    await once(socket, 'open');
    const reply = nextMessage(socket);
    socket.send('alive');
    expect((await reply).data.toString()).toBe('alive');
    socket.terminate();
  });

  test.each(['127.0.0.1', 'localhost'])('accepts the page of its own origin at %s', async (name) => {
    const socket = new WsClient(server.chat, { origin: `http://${name}:${port}` });
    await once(socket, 'open');
    socket.terminate();
  });

  test('tells its viewers the same: totals, and the oldest hundred connections', async () => {
    const clients = Array.from({ length: 101 }, () => new WsClient(server.echo));
    await Promise.all(clients.map((client) => once(client, 'open')));
    const reply = nextMessage(clients[0]);
    clients[0].send('four');
    await reply;

    const viewers = [new WsClient(`${server.url}stats`), new WsClient(`${server.url}stats`)];
    const texts = viewers.map((viewer) => {
      const seen: string[] = [];
      viewer.on('message', (data) => seen.push((data as Buffer).toString()));
      return seen;
    });
    const common = () => texts[0].filter((text) => texts[1].includes(text)).map((text) => JSON.parse(text) as Sample);
    await until(() => common().some(({ unlisted }) => unlisted === 3), 'a sample with both viewers');
    const sample = common().find(({ unlisted }) => unlisted === 3)!;
    expect(sample.totals.connections).toBe(101);
    expect(sample.connections).toHaveLength(100);
    const row = sample.connections.find(({ messagesSent }) => messagesSent === 1)!;
    expect(row).toMatchObject({
      path: '/echo',
      messagesReceived: 1,
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(row.bytesReceived).toBeGreaterThanOrEqual(10); // a header of 6 and 4; on a stream the handshake counts too
    [...clients, ...viewers].forEach((client) => client.terminate());
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s gives every client close code 1001 and ends with 0', async (signal) => {
  const server = await startExampleServer();
  try {
    const urls = [server.echo, server.echo, server.chat, server.chat];
    const clients = urls.map((url) => new WsClient(url));
    await Promise.all(clients.map((client) => once(client, 'open')));
    const closed = clients.map((client) => once(client, 'close'));
    server.program.signal(signal);
    server.program.signal(signal); // a terminal and npm may both deliver it
    for (const [code] of await Promise.all(closed)) expect(code).toBe(1001);
    expect(await server.program.end()).toBe(0);
    expect(server.program.errors).toBe('');
  } finally {
    await server.program.stop();
  }
});

test('a client that never answers the close does not hold the server for longer than its timeout', async () => {
  const server = await startExampleServer();
  try {
    const silent = connect(Number(new URL(server.url).port), '127.0.0.1');
    silent.write(`${upgradeRequest().join('\r\n')}\r\n\r\n`);
    await once(silent, 'data');
    silent.on('error', () => {});
    const started = Date.now();
    server.program.signal('SIGINT');
    expect(await server.program.end()).toBe(0);
    expect(Date.now() - started).toBeGreaterThan(1500);
    expect(Date.now() - started).toBeLessThan(6000);
    silent.destroy();
  } finally {
    await server.program.stop();
  }
}, 15_000);

test('a taken port is one line that says what to do, and exit code 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  for (const program of [Program.startExample([String(port)]), Program.startExample([], { PORT: String(port) })]) {
    expect(await program.end()).toBe(1);
    expect(program.errors).toBe(
      `Port ${port} on 127.0.0.1 is taken. ` +
        'Stop the program that uses it, or choose another port: npm start -- 9000\n',
    );
  }
  other.close();
});

test.each(['70000', '-1', '80.5', 'http'])('a port of %s is refused with what is allowed', async (port) => {
  const program = Program.startExample([port]);
  expect(await program.end()).toBe(1);
  expect(program.errors).toMatch(/^The port must be a whole number from 0 to 65535, .*\n$/);
});

// The classes of the WebSockets standard: the same program observes Chromium's own and ours. What differs is listed here
// with its reason, and nothing else differs; docs/whatwg.md has the same list.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WebSocketServer } from '../../lib';
import { acceptText, afterTest, closePayload, frame, RawPeer, root } from '../lib/support';
import { launchChromium } from './peers';
import { differences } from './whatwg_differences';

const plain = { mask: false };
const goodbye = frame(8, closePayload(1000), plain);

/** What the server does by path, behind a correct answer. */
const scripts: Record<string, ((peer: RawPeer) => unknown) | undefined> = {
  '/fin': (peer) => setTimeout(() => peer.socket.end(), 50),
  '/rst': (peer) => setTimeout(() => peer.socket.resetAndDestroy(), 50),
  '/fault': (peer) => setTimeout(() => peer.socket.end(frame(3, '', plain)), 50),
  '/bad-utf8': (peer) => setTimeout(() => peer.socket.end(frame(1, Buffer.of(0xff), plain)), 50),
  '/messages': (peer) =>
    peer.socket.end(Buffer.concat([...['a', 'b', 'c'].map((text) => frame(1, text, plain)), goodbye])),
  '/binary': (peer) => peer.socket.end(Buffer.concat([frame(2, 'abc', plain), goodbye])),
  '/closed': (peer) => peer.socket.end(frame(8, closePayload(4000, 'why'), plain)),
  '/no-status': (peer) => peer.socket.end(frame(8, '', plain)),
  '/lost-on-close': async (peer) => {
    await peer.take(6);
    peer.socket.destroy();
  },
  '/fault-on-close': async (peer) => {
    await peer.take(6);
    peer.socket.end(frame(3, '', plain));
  },
};

async function serve(): Promise<string> {
  const echo = new WebSocketServer({ noServer: true });
  echo.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  });
  const http = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end('<p>'));
  http.on('upgrade', (request, stream, head) => {
    stream.on('error', () => {});
    const { url = '', rawHeaders } = request;
    if (url === '/echo') {
      echo.handleUpgrade(request, stream, head, (socket) => echo.emit('connection', socket, request));
    } else if (url === '/404') {
      stream.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    } else if (url === '/redirect') {
      stream.end('HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n');
    } else if (url !== '/never') {
      const fields = `Sec-WebSocket-Key: ${rawHeaders[rawHeaders.findIndex((name) => /^sec-websocket-key$/i.test(name)) + 1]}\r\n`;
      stream.write(acceptText(fields, ...(url === '/unasked-protocol' ? ['Sec-WebSocket-Protocol: x'] : [])));
      const peer = new RawPeer(stream as never);
      void scripts[url]?.(peer);
    }
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterTest(() => {
    http.closeAllConnections();
    http.close();
  });
  return `127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test('every observation is the same but for those that are listed', async () => {
  const host = await serve();
  const program = readFileSync(join(__dirname, 'whatwg_cases.js'), 'utf8');

  const browser = await launchChromium();
  afterTest(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`http://${host}/page`);
  const theirs = await page.evaluate<Record<string, unknown>>(
    `${program}; runCases({ WebSocket, WebSocketStream, WebSocketError, CloseEvent }, 'ws://${host}')`,
  );

  // In a process of its own: Jest has a realm of its own.
  const classes = JSON.stringify(join(root, 'dist/whatwg/index.js'));
  const own = `
    globalThis.location = { href: 'http://${host}/page' };
    ${program}
    runCases(require(${classes}), 'ws://${host}').then((results) => console.log(JSON.stringify(results)));
  `;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', own], { timeout: 60_000 });
  expect(stderr).toBe('');
  const ours = JSON.parse(stdout) as Record<string, unknown>;

  expect(Object.entries(theirs).filter(([, value]) => /^(nothing within|rejected)/.test(String(value)))).toEqual([]);
  const found = Object.keys(theirs).filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]));
  expect(Object.fromEntries(found.map((name) => [name, { theirs: theirs[name], ours: ours[name] }]))).toEqual(
    Object.fromEntries(differences.map(({ name, theirs: their, ours: our }) => [name, { theirs: their, ours: our }])),
  );
  expect(Object.keys(theirs).length).toBeGreaterThan(140);
}, 120_000);

test('docs/whatwg.md lists the differences', () => {
  const text = readFileSync(join(root, 'docs/whatwg.md'), 'utf8');
  for (const { name, reason } of differences) expect(text).toContain(`| \`${name}\` | ${reason} |`);
});

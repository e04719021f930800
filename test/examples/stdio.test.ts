// examples/component/stdio_client.mjs and stdio_server.mjs: a client on any Duplex, and the component over a pipe.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { root } from '../interop/peers';
import { closed, connect, nextText, runCommand, start } from './example';

const clientFile = 'component/stdio_client.mjs';

/** Starts the server. */
function startServer() {
  const child = spawn(process.execPath, [join(root, 'examples/component/stdio_server.mjs')], { timeout: 25_000 });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(([status]) => ({ status: status as number, errors }));
  return { child, ended };
}

/** Sends bytes as they are, and resolves with everything that came back when the server has ended. */
async function exchange(...chunks: (string | Buffer)[]) {
  const { child, ended } = startServer();
  const received: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => received.push(chunk));
  child.stdin.on('error', () => {}); // it may end before it has read everything
  for (const chunk of chunks) child.stdin.write(chunk);
  return { ...(await ended), bytes: Buffer.concat(received) };
}

const request = [
  ...['GET / HTTP/1.1', 'Host: stdio', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
].join('\r\n');
/** Of RFC 6455, 1.3. */
const accepted = 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

function headAndRest(bytes: Buffer): [string, Buffer] {
  const end = bytes.indexOf('\r\n\r\n') + 4;
  return [bytes.toString('latin1', 0, end), bytes.subarray(end)];
}

test('the client starts the server and talks with it', async () => {
  const { status, stdout, stderr } = await runCommand(`component/stdio_server.mjs`, `node examples/${clientFile}`, {});
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'HELLO\nWORLD\nclosed with 1000\n', stderr: '' });
});

test('a program that is not there, and one that is no server', async () => {
  const missing = start(clientFile, ['/nowhere/program']);
  expect(await missing.end()).toBe(1);
  expect(missing.errors).toContain('ENOENT');
  const silent = start(clientFile, [process.execPath, '-e', '']);
  expect(await silent.end()).toBe(1);
  expect(silent.errors).toMatch(/socket hang up|ECONNRESET|EPIPE|closed/i);
});

test('the server and a client of another implementation', async () => {
  const { child, ended } = startServer();
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  const socket = await connect('ws://stdio/', { createConnection: (() => stream) as never });
  for (const text of ['é'.repeat(30_000), '', 'x']) {
    socket.send(text);
    expect(await nextText(socket)).toBe(text.toUpperCase());
  }
  for (const [part, fin] of [
    ['one ', false],
    ['two ', false],
    ['three', true],
  ] as const) {
    socket.send(part, { fin });
  }
  expect(await nextText(socket)).toBe('ONE TWO THREE');
  socket.send(Buffer.from([1]));
  expect(await closed(socket)).toEqual([1003, 'Text only']);
  expect(await ended).toEqual({ status: 0, errors: '' });
});

test.each<[string, string, number?]>([
  ['no request', 'hello\r\n\r\n'],
  ['another version of HTTP', request.replace('HTTP/1.1', 'HTTP/1.0')],
  ['a line that is no header field', request.replace('Host: stdio', 'Host')],
  ['no key', request.replace(/Sec-WebSocket-Key.*\r\n/, '')],
  ['another version of WebSocket', request.replace('Version: 13', 'Version: 8'), 426],
  ['a head without an end', 'x'.repeat(20_000)],
])('the server refuses %s', async (_name, bytes, code = 400) => {
  const { status, bytes: answer } = await exchange(bytes);
  expect(status).toBe(1);
  const [head, body] = headAndRest(answer);
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${code} \\w`));
  expect(head.includes('\r\nSec-WebSocket-Version: 13\r\n')).toBe(code === 426);
  expect(head).toContain(`Content-Length: ${body.length}\r\n`);
  expect(body.length).toBeGreaterThan(0);
});

test.each<[string, number[], number]>([
  ['a frame without a mask', [0x81, 1, 0x78], 1002],
  ['text that is no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
  ['a message above 64 KiB', [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], 1009],
])('the server tells the client of %s, in a Close frame', async (_name, frame, code) => {
  const { status, errors, bytes } = await exchange(request.slice(0, 50), request.slice(50), Buffer.from(frame));
  const [head, rest] = headAndRest(bytes);
  expect(head).toContain(accepted);
  expect(rest[0]).toBe(0x88);
  expect(rest.readUInt16BE(2)).toBe(code);
  expect(rest.toString('utf8', 4)).toMatch(/\w/);
  expect(status).toBe(1);
  expect(errors).toMatch(/^The client broke the protocol: .+\n$/);
});

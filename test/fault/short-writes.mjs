// A server whose sockets take 1 to 1,499 bytes at a time and say EAGAIN between: what it sends arrives whole and in order.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'websocket-component';
import { report } from './common.mjs';
import { startServer } from './server-process.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'short-writes-'));
const library = path.join(folder, 'short_writes.so');
const source = fileURLToPath(new URL('short_writes.c', import.meta.url));
const compiler = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: 'inherit' });
if (compiler.status !== 0) throw new Error('short_writes.c could not be compiled');

const sizes = [
  ...Array.from({ length: 300 }, (_, i) => i),
  ...[1499, 1500, 16_383, 16_384, 65_535, 65_536, 70_001, 200_000],
];
const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const log = path.join(folder, 'calls');
const preload = [process.env.LD_PRELOAD, library].filter(Boolean).join(':');
let wrong = 0;
let bytes = 0;
for (const compression of [false, true]) {
  const server = await startServer(
    { perMessageDeflate: compression },
    { env: { LD_PRELOAD: preload, SHORT_WRITES: log } },
  );
  const socket = new WebSocket(server.url, { perMessageDeflate: compression });
  await once(socket, 'open');
  const expected = sizes.map((size, i) => content.subarray(i, i + size));
  const all = new Promise((resolve) => {
    socket.on('message', (data) => {
      const sent = expected.shift();
      if (sent === undefined || !sent.equals(data)) wrong++;
      bytes += data.length;
      if (expected.length === 0) resolve();
    });
    socket.on('close', resolve);
  });
  for (const payload of [...expected]) socket.send(payload);
  await all;
  wrong += expected.length;
  const closed = once(socket, 'close');
  socket.close(1000);
  const [code] = await closed;
  if (code !== 1000) wrong++;
  const [status] = await server.end();
  if (status !== 0) wrong++;
}
const calls = readFileSync(log, 'utf8')
  .trim()
  .split('\n')
  .reduce((sum, line) => sum + Number(line), 0);
rmSync(folder, { recursive: true });
report(
  `${2 * sizes.length} messages, ${bytes} bytes, in ${calls} writes of 1 to 1,499 bytes with EAGAIN between: ${wrong} wrong`,
  wrong === 0 && calls > 1000,
);

// A server whose sockets take 1 to 1,499 bytes at a time and say EAGAIN between: what it sends arrives whole and in order.
import { once } from 'node:events';
import { WebSocket } from 'websocket-component';
import { report } from './common.mjs';
import { socketFaults } from './preload.mjs';
import { startServer } from './server-process.mjs';

const sizes = [
  ...Array.from({ length: 300 }, (_, i) => i),
  ...[1499, 1500, 16_383, 16_384, 65_535, 65_536, 70_001, 200_000],
];
const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const faults = socketFaults('short');
let wrong = 0;
let bytes = 0;
for (const compression of [false, true]) {
  const server = await startServer({ perMessageDeflate: compression }, { env: faults.env });
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
const calls = faults.takeCount();
faults.remove();
report(
  `${2 * sizes.length} messages, ${bytes} bytes, in ${calls} writes of 1 to 1,499 bytes with EAGAIN between: ${wrong} wrong`,
  wrong === 0 && calls > 1000,
);

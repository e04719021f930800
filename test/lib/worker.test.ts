// Worker threads have drivers of their own, and end in order.
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { connect, nextMessage, root, serveEcho } from './support';

function start(body: string, data: unknown): Worker {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    ${body}
  `;
  return new Worker(program, { eval: true, workerData: data });
}

test('a client in a worker talks to a server in the main thread', async () => {
  const { url } = await serveEcho();
  const worker = start(
    `const socket = new WebSocket(workerData);
     socket.on('open', () => socket.send('from the worker'));
     socket.on('message', (data) => { parentPort.postMessage(String(data)); socket.close(1000); });`,
    url,
  );
  const [message] = (await once(worker, 'message')) as [string];
  expect(message).toBe('from the worker');
  expect(await once(worker, 'exit')).toEqual([0]);
});

test('a server in a worker talks to a client in the main thread, and the worker can be ended with connections open', async () => {
  const worker = start(
    `const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => parentPort.postMessage(server.address().port));
     server.on('connection', (peer) => peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary })));`,
    undefined,
  );
  const [port] = (await once(worker, 'message')) as [number];
  const socket = await connect(`ws://127.0.0.1:${port}`);
  socket.send('to the worker');
  expect((await nextMessage(socket)).data.toString()).toBe('to the worker');
  const closed = once(socket, 'close');
  await worker.terminate();
  expect((await closed)[0]).toBe(1006);
});

test('a worker that is ended does not wait until its message is compressed', async () => {
  const worker = start(
    `const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true }, () => {
       new WebSocket('ws://127.0.0.1:' + server.address().port, { perMessageDeflate: true });
     });
     server.on('connection', (peer) => {
       // 60 MiB of what takes zlib four seconds and more, on the thread pool
       const numbers = Uint32Array.from({ length: 15 * 2 ** 20 }, (_, i) => Math.imul(i, 0x9e3779b1) & 0x3f3f3f3f);
       peer.send(new Uint8Array(numbers.buffer));
       setTimeout(() => parentPort.postMessage('busy'), 20);
     });`,
    undefined,
  );
  await once(worker, 'message');
  const begun = performance.now();
  await worker.terminate();
  expect(performance.now() - begun).toBeLessThan(2000);
});

test('many workers start and end', async () => {
  const { url } = await serveEcho();
  for (let round = 0; round < 3; round++) {
    const workers = Array.from({ length: 4 }, () =>
      start(
        `const socket = new WebSocket(workerData);
         socket.on('open', () => { for (let i = 0; i < 100; i++) socket.send('x'.repeat(i)); });
         let count = 0;
         socket.on('message', () => { if (++count === 50) process.exit(7); });`,
        url,
      ),
    );
    const codes = await Promise.all(workers.map(async (worker) => ((await once(worker, 'exit')) as [number])[0]));
    expect(codes).toEqual([7, 7, 7, 7]);
  }
});

test('a message cannot be transferred away from under its neighbours', async () => {
  const { url } = await serveEcho();
  const socket = await connect(url);
  const kept: Buffer[] = [];
  socket.on('message', (data) => kept.push(data as Buffer));
  socket.send('one');
  socket.send('two');
  while (kept.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  const { port1 } = new MessageChannel();
  try {
    port1.postMessage(kept[0], [kept[0].buffer as ArrayBuffer]); // Node 20 copies instead, later versions throw
  } catch (error) {
    expect((error as Error).name).toBe('DataCloneError');
  }
  port1.close();
  expect(kept.map(String)).toEqual(['one', 'two']);
});

// What is sent leaves before the loop goes to sleep, wherever the send came from.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expectedTransport, root } from './support';

interface Report {
  transport: string;
  /** By the place of the send: bytes that waited when `send` had returned, and milliseconds until the message arrived. */
  seen: Record<string, [number, number]>;
}

// Nothing but the message itself wakes the loop of this program before `alarm` milliseconds have passed.
const alarm = 3000;
const program = `
  const { WebSocket, WebSocketServer } = require(${JSON.stringify(join(root, 'dist/index.js'))});
  const { parentPort } = require('node:worker_threads');
  let sender, receiver;
  const places = {
    timeout: (send) => setTimeout(send, 1),
    interval: (send) => { const timer = setInterval(() => { clearInterval(timer); send(); }, 1); },
    immediate: (send) => setImmediate(send),
    'promise of a timer': (send) => new Promise((resolve) => setTimeout(resolve, 1)).then(send),
    'promise of an immediate': (send) => new Promise((resolve) => setImmediate(resolve)).then(send),
    nextTick: (send) => setTimeout(() => process.nextTick(send), 1),
    microtask: (send) => setImmediate(() => queueMicrotask(send)),
    file: (send) => require('node:fs').stat('.', send),
    'message event': (send) => { sender.once('message', send); receiver.send('now'); },
    'drain event': (send) => { sender.once('drain', send); sender.send(Buffer.alloc(1)); },
    'send callback': (send) => sender.send(Buffer.alloc(1), send),
  };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', highWaterMark: 0 }, () => {
    receiver = new WebSocket('ws://127.0.0.1:' + server.address().port);
  });
  server.once('connection', async (socket) => {
    sender = socket;
    const seen = {};
    for (const [name, arrange] of Object.entries(places)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const timer = setTimeout(() => {}, ${alarm});
      await new Promise((resolve) => {
        let held, start;
        receiver.on('message', function arrived(data, isBinary) {
          if (isBinary) return;
          receiver.off('message', arrived);
          seen[name] = [held, performance.now() - start];
          resolve();
        });
        arrange(() => {
          start = performance.now();
          socket.send(name);
          held = socket.bufferedAmount;
        });
      });
      clearTimeout(timer);
    }
    const report = { transport: socket.transport, seen };
    if (parentPort) parentPort.postMessage(report);
    else console.log(JSON.stringify(report));
    receiver.terminate();
    server.close();
  });
`;

function check({ transport, seen }: Report): void {
  expect(transport).toBe(expectedTransport);
  expect(Object.keys(seen).length).toBe(11);
  for (const [place, [held, milliseconds]] of Object.entries(seen)) {
    expect([place, held]).toEqual([place, place.length]); // it was not written by send itself
    expect(milliseconds).toBeLessThan(alarm / 2);
  }
}

test('on the main thread', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { timeout: 60_000 });
  check(JSON.parse(stdout) as Report);
}, 60_000);

test('in a worker', async () => {
  const worker = new Worker(program, { eval: true });
  const [report] = (await once(worker, 'message')) as [Report];
  await once(worker, 'exit');
  check(report);
}, 60_000);

// npm run soak:compressed [-- MINUTES]: 1,000 connections that compress with context takeover, for ten minutes.
//
// The server is a process of its own. Every connection exchanges messages of a few hundred bytes to 64 KiB, in bursts
// and with pauses, and one in a hundred exchanges is followed by a new connection in its place. Prints the server's
// resident memory ten times; ends with status 1 when it still grows in the second half.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from '../../dist/esm.mjs';

const connections = 1000;
const samples = 10;
// MiB in the second half of the time. In the first half everything comes for the first time: a connection lasts three
// minutes.
const allowedGrowth = 8;

if (process.argv[2] === 'server') await serve();
else await run(Number(process.argv[2] ?? 10));

async function serve() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  process.on('message', () => process.send({ resident: process.memoryUsage.rss() / 2 ** 20 }));
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address().port });
}

async function run(minutes) {
  if (!(minutes > 0)) throw new RangeError('The number of minutes must be above 0.');
  const child = fork(fileURLToPath(import.meta.url), ['server'], { execArgv: ['--max-semi-space-size=2'] });
  const [{ port }] = await once(child, 'message');
  const resident = async () => {
    child.send('look');
    return (await once(child, 'message'))[0].resident;
  };
  const text = JSON.stringify(
    Array.from({ length: 1500 }, (_, id) => ({ id, name: `item ${(id * 7919) % 1009}`, price: id * 1.7 })),
  );
  let exchanges = 0;
  let opened = 0;
  let isOver = false;

  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } });
    await once(socket, 'open');
    opened += 1;
    return socket;
  };
  const live = async (number) => {
    let socket = await open();
    for (let turn = number; !isOver; turn += 1) {
      const size = turn % 50 === 0 ? text.length : 200 + ((turn * 7919) % 3000);
      const message = text.slice(0, size);
      socket.send(message);
      const [data] = await once(socket, 'message');
      if (data.length !== size) throw new Error(`${size} bytes came back as ${data.length}`);
      exchanges += 1;
      if (turn % 100 === 99) {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
        socket = await open();
      }
      await pause(turn % 10 === 0 ? 10_000 : 300 + ((turn * 31) % 1000));
    }
    socket.terminate();
  };
  const lives = Array.from({ length: connections }, (_, number) => live(number));
  const failed = Promise.all(lives);

  console.log(`${connections} connections, ${minutes} minutes`);
  const sizes = [];
  for (let sample = 1; sample <= samples; sample += 1) {
    await Promise.race([failed, pause((minutes * 60_000) / samples)]);
    sizes.push(await resident());
    const minute = ((minutes * sample) / samples).toFixed(1);
    console.log(
      `${minute.padStart(6)} min  ${sizes[sample - 1].toFixed(1).padStart(7)} MiB  ` +
        `${exchanges} messages, ${opened} connections so far`,
    );
  }
  const growth = sizes[samples - 1] - sizes[samples / 2 - 1];
  console.log(`growth in the second half: ${growth.toFixed(1)} MiB`);
  if (growth > allowedGrowth) {
    console.error(`Failed: the server still grew by more than ${allowedGrowth} MiB.`);
    process.exitCode = 1;
  }
  isOver = true;
  child.disconnect();
  setTimeout(() => process.exit(), 1000);
}

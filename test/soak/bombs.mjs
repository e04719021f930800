// npm run soak:bombs: what peers do to a server whose 1 MiB frames inflate to 1 GiB.
//
// Prints, for maxPayload 1 MiB and the default, whole and split over frames: the close code, the processor time and the
// memory that the server took; the time that zlib alone takes for as many bytes; then 100 such peers at once, and the
// latency of other connections meanwhile. Linux, because it reads /proc. Nothing is judged but the close codes: the rest
// depends on the machine.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from '../../dist/esm.mjs';

const mebibyte = 1024 * 1024;
const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);

if (process.argv[2] === 'server') await serve(process.argv[3]);
else await attack();

// ---- The server, a process of its own ---------------------------------------------------------------------------------

async function serve(maxPayload) {
  const options = maxPayload === 'default' ? {} : { maxPayload: Number(maxPayload) };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true, ...options });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  process.on('message', () => {
    writeFileSync('/proc/self/clear_refs', '5'); // the peak begins anew
    process.send({ resident: status('VmRSS'), cpu: process.cpuUsage() });
  });
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address().port });
}

function status(field, pid = 'self') {
  return (
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
  );
}

// ---- The attack -------------------------------------------------------------------------------------------------------

/** DEFLATE data of so many MiB of zeros, without its last four bytes (RFC 7692, 7.2.1). */
function bomb(mebibytes) {
  const step = 16;
  const part = deflateRawSync(Buffer.alloc(step * mebibyte), { level: 9, finishFlush: constants.Z_SYNC_FLUSH });
  return Buffer.concat(Array.from({ length: mebibytes / step }, () => part)).subarray(0, -4);
}

/** A masked frame; of at least 126 bytes. */
function frame(first, payload) {
  const isSmall = payload.length < 65_536;
  const head = Buffer.alloc(isSmall ? 4 : 10);
  head[0] = first;
  head[1] = 0x80 | (isSmall ? 126 : 127);
  if (isSmall) head.writeUInt16BE(payload.length, 2);
  else head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, key, payload.map((byte, i) => byte ^ key[i % 4])]);
}

/** Frames of a compressed binary message, of at most so many bytes each. */
function framesOf(payload, size) {
  const count = Math.ceil(payload.length / size);
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => {
      const first = (i === 0 ? 0x42 : 0) | (i === count - 1 ? 0x80 : 0);
      return frame(first, payload.subarray(i * size, (i + 1) * size));
    }),
  );
}

/** Opens a connection, writes the bytes and resolves with the code of the Close frame that comes back. */
function explode(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const request =
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n';
    socket.write(request);
    socket.once('data', () => socket.write(bytes));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])));
    socket.on('error', reject);
    socket.on('end', () => {
      const [opcode, , high, low] = received.subarray(received.indexOf('\r\n\r\n') + 4);
      socket.destroy();
      resolve(opcode === 0x88 ? high * 256 + low : undefined);
    });
  });
}

async function start(maxPayload) {
  const child = fork(fileURLToPath(import.meta.url), ['server', String(maxPayload)]);
  child.on('exit', (code, signal) => {
    if (code !== 0) console.error(`Failed: the server ended (${signal ?? code}).`);
  });
  const [{ port }] = await once(child, 'message');
  const look = async () => {
    child.send('look');
    return (await once(child, 'message'))[0];
  };
  return { port, look, peak: () => status('VmHWM', child.pid), stop: () => child.disconnect() };
}

/** Processor seconds, and bytes of memory above those before, that the server takes until `attack` is over. */
async function cost(server, attack) {
  const before = await server.look();
  const outcome = await attack();
  const memory = server.peak() - before.resident;
  const { cpu } = await server.look();
  return { outcome, memory, milliseconds: (cpu.user + cpu.system - before.cpu.user - before.cpu.system) / 1000 };
}

/** Milliseconds that Node's zlib takes to inflate so many MiB of zeros. */
function zlibTime(mebibytes) {
  const data = Buffer.concat([bomb(mebibytes), Buffer.from([0, 0, 0xff, 0xff, 3, 0])]);
  inflateRawSync(data, { chunkSize: mebibyte });
  const before = process.cpuUsage();
  inflateRawSync(data, { chunkSize: mebibyte });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The latencies, in milliseconds, of 20 connections that echo 64 bytes until `attack` is over. */
async function latencies(port, attack) {
  const url = `ws://127.0.0.1:${port}`;
  const sockets = Array.from({ length: 20 }, () => new WebSocket(url, { perMessageDeflate: false }));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  const times = [];
  for (const socket of sockets) {
    let sentAt = 0;
    const send = () => {
      sentAt = performance.now();
      socket.send(Buffer.alloc(64));
    };
    socket.on('message', () => {
      times.push(performance.now() - sentAt);
      send();
    });
    send();
  }
  const outcome = await attack();
  for (const socket of sockets) socket.terminate();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.trunc(share * times.length))].toFixed(1);
  return { outcome, text: `${times.length} echoes, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms` };
}

async function attack() {
  const payload = bomb(1024);
  const forms = { whole: framesOf(payload, payload.length), 'in frames of 16 KiB': framesOf(payload, 16_384) };
  console.log(`a message of ${(payload.length / mebibyte).toFixed(2)} MiB that inflates to 1 GiB`);
  const limits = [
    ['maxPayload 1 MiB', mebibyte, 1],
    ['the default maxPayload, 100 MiB', 'default', 100],
  ];
  for (const [name, limit, mebibytes] of limits) {
    console.log(`\n${name}`);
    for (const [form, bytes] of Object.entries(forms)) {
      const server = await start(limit);
      await explode(server.port, forms.whole); // warms up
      const { outcome, memory, milliseconds } = await cost(server, () => explode(server.port, bytes));
      expectCodes([outcome], limit, true);
      console.log(
        `  ${form}: closed with ${outcome}, ${milliseconds.toFixed(0)} ms of processor time, ` +
          `${(memory / mebibyte).toFixed(1)} MiB above what it had before`,
      );
      server.stop();
    }
    if (mebibytes >= 16) {
      const rounded = 16 * Math.round(mebibytes / 16);
      const time = (zlibTime(rounded) / rounded) * mebibytes;
      console.log(`  Node's zlib alone: ${time.toFixed(0)} ms for ${mebibytes} MiB`);
    }
    const server = await start(limit);
    const quiet = await latencies(server.port, () => new Promise((resolve) => setTimeout(resolve, 2000)));
    console.log(`  others, in peace: ${quiet.text}`);
    const hundred = () => Promise.all(Array.from({ length: 100 }, () => explode(server.port, forms.whole)));
    let spent;
    const loud = await latencies(server.port, async () => (spent = await cost(server, hundred)).outcome);
    expectCodes(loud.outcome, limit, true);
    console.log(
      `  100 such peers at once: all closed, ${(spent.memory / mebibyte).toFixed(0)} MiB above what it had before\n` +
        `  others, meanwhile: ${loud.text}`,
    );
    server.stop();
  }
}

/** Each peer must have got a code that says why, unless the message was within the limit. */
function expectCodes(codes, limit, isTooLarge = limit !== 'default') {
  const wrong = codes.filter((code) => isTooLarge && code !== 1009 && code !== 1008);
  if (wrong.length === 0) return;
  console.error(`Failed: closed with ${wrong.join(', ')}.`);
  process.exitCode = 1;
}

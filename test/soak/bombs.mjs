// npm run soak:bombs: what peers do to a server whose 1 MiB frames inflate to 1 GiB.
//
// For maxPayload 1 MiB and the default, whole and split over frames: the close code, the processor time, and the memory
// that the server took beyond maxPayload; the time that zlib alone takes for as many bytes; then 100 such peers at once,
// and the latency of other connections meanwhile. Fails when the server takes more than what `most` says. Memory is what
// malloc() gave out at one time (heap_peak.c), so Linux with glibc. The attackers, the server and the others are three
// processes; on fewer cores the latencies say more of the machine than of the server.
import { spawnSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from '../../dist/esm.mjs';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
const self = fileURLToPath(import.meta.url);

/** What a server may take. */
const most = {
  besideMaxPayload: 64 * kibibyte, // of memory, for one peer
  processorTime: 50, // milliseconds, for one peer with maxPayload 1 MiB
  timesZlib: 1.3, // the processor time, for one peer with the default maxPayload
  together: 1024 * mebibyte, // of memory for messages under way, for all peers
};
const peers = 100;
/** Times are the shortest of so many. */
const rounds = 5;

// ---- The server, a process of its own ---------------------------------------------------------------------------------

async function serve(maxPayload) {
  const options = maxPayload === 'default' ? {} : { maxPayload: Number(maxPayload) };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true, ...options });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  process.on('message', () => process.send({ cpu: process.cpuUsage() }));
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address().port });
}

// ---- Other connections, in a process of their own ----------------------------------------------------------------------

/** 20 connections that echo 64 bytes, until they are told to stop. Then: how long the echoes took. */
async function echo(url) {
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
  process.send('working');
  await once(process, 'message');
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.trunc(share * times.length))].toFixed(1);
  process.send(`${times.length} echoes, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
  process.on('disconnect', () => process.exit());
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

/** Opens a connection. Its `explode` writes the bytes and resolves with the code of the Close frame that comes back. */
async function join(port) {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  );
  await once(socket, 'data');
  const explode = async (bytes) => {
    const received = [];
    socket.on('data', (chunk) => received.push(chunk));
    socket.write(bytes);
    await once(socket, 'end');
    socket.destroy();
    const [opcode, , high, low] = Buffer.concat(received);
    return opcode === 0x88 ? high * 256 + low : undefined;
  };
  return { explode };
}

/** Compiles the library that counts a process's memory; returns its path. */
function compileCounter(into) {
  const library = path.join(into, 'heap_peak.so');
  const source = fileURLToPath(new URL('heap_peak.c', import.meta.url));
  const compiler = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source], { stdio: 'inherit' });
  if (compiler.status !== 0) throw new Error('heap_peak.c could not be compiled');
  return library;
}

class Server {
  #child;
  #counts;
  port = 0;

  static async start(library, maxPayload) {
    const server = new Server();
    const file = path.join(path.dirname(library), `counts-${maxPayload}`);
    writeFileSync(file, Buffer.alloc(16));
    server.#counts = openSync(file, 'r+');
    const env = { ...process.env, LD_PRELOAD: library, HEAP_PEAK: file };
    server.#child = fork(self, ['server', String(maxPayload)], { env });
    server.#child.on('exit', (code, signal) => {
      if (code !== 0) fail(`the server ended (${signal ?? code})`);
    });
    [{ port: server.port }] = await once(server.#child, 'message');
    return server;
  }

  /** Bytes that are allocated now, and the most that were since the last call. */
  #memory() {
    const counts = Buffer.alloc(16);
    readSync(this.#counts, counts, 0, 16, 0);
    writeSync(this.#counts, counts, 0, 8, 8); // begins anew with those of now
    return { current: Number(counts.readBigInt64LE(0)), peak: Number(counts.readBigInt64LE(8)) };
  }

  async #cpu() {
    this.#child.send('look');
    const [{ cpu }] = await once(this.#child, 'message');
    return (cpu.user + cpu.system) / 1000;
  }

  /** Processor milliseconds, and bytes of memory above those before, that the server takes until `attack` is over. */
  async cost(attack) {
    const before = await this.#cpu();
    const { current } = this.#memory();
    const outcome = await attack();
    const memory = this.#memory().peak - current;
    return { outcome, memory, milliseconds: (await this.#cpu()) - before };
  }

  stop() {
    closeSync(this.#counts);
    this.#child.disconnect();
  }
}

/** Processor milliseconds that Node's zlib takes to inflate a message of zeros. */
function zlibTime(mebibytes) {
  const data = Buffer.concat([bomb(mebibytes), Buffer.from([0, 0, 0xff, 0xff, 3, 0])]);
  const before = process.cpuUsage();
  inflateRawSync(data, { chunkSize: mebibyte });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The latencies of other connections until `attack` is over. */
async function latencies(port, attack) {
  const child = fork(self, ['others', `ws://127.0.0.1:${port}`]);
  await once(child, 'message');
  const outcome = await attack();
  child.send('stop');
  const [text] = await once(child, 'message');
  child.disconnect();
  return { outcome, text };
}

async function attack() {
  const payload = bomb(1024);
  const forms = { whole: framesOf(payload, payload.length), 'in frames of 16 KiB': framesOf(payload, 16_384) };
  const into = mkdtempSync(path.join(tmpdir(), 'bombs-'));
  const library = compileCounter(into);
  console.log(`a message of ${(payload.length / mebibyte).toFixed(2)} MiB that inflates to 1 GiB`);
  await endureOne(library, forms, mebibyte, mebibyte);
  await endureOne(library, forms, 'default', 100 * mebibyte);
  rmSync(into, { recursive: true });
}

async function endureOne(library, forms, option, maxPayload) {
  console.log(`\n${option === 'default' ? 'the default maxPayload' : 'maxPayload'}, ${maxPayload / mebibyte} MiB`);
  const server = await Server.start(library, option);
  // Not a multiple of 16 MiB, of which bomb() is made.
  const size = 16 * Math.ceil(maxPayload / (16 * mebibyte));
  const alone = [];
  for (const [form, bytes] of Object.entries(forms)) {
    await (await join(server.port)).explode(bytes); // warms up
    const costs = [];
    for (let round = 0; round < rounds; round += 1) {
      const { explode } = await join(server.port);
      costs.push(await server.cost(() => explode(bytes)));
      alone.push((zlibTime(size) * maxPayload) / (size * mebibyte));
    }
    expectCodes(
      costs.map(({ outcome }) => outcome),
      [1009],
    );
    const memory = Math.max(...costs.map((cost) => cost.memory)) - maxPayload;
    const time = Math.min(...costs.map((cost) => cost.milliseconds));
    console.log(
      `  ${form}: closed with 1009, ${time.toFixed(0)} ms of processor time, ` +
        `${(memory / kibibyte).toFixed(1)} KiB of memory beside maxPayload`,
    );
    atMost(memory / kibibyte, most.besideMaxPayload / kibibyte, 'KiB beside maxPayload');
    if (option !== 'default') atMost(time, most.processorTime, 'ms of processor time');
    else atMost(time / Math.min(...alone), most.timesZlib, "times zlib's own time");
  }
  console.log(`  Node's zlib alone: ${Math.min(...alone).toFixed(0)} ms for as many bytes`);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2000));
  console.log(`  others, in peace: ${(await latencies(server.port, pause)).text}`);
  const joined = await Promise.all(Array.from({ length: peers }, () => join(server.port)));
  const all = () => Promise.all(joined.map(({ explode }) => explode(forms.whole)));
  const { outcome, text } = await latencies(server.port, () => server.cost(all));
  expectCodes(outcome.outcome, [1009, 1008]);
  console.log(
    `  ${peers} such peers at once: all closed, ${outcome.milliseconds.toFixed(0)} ms of processor time, ` +
      `${(outcome.memory / mebibyte).toFixed(1)} MiB of memory\n  others, meanwhile: ${text}`,
  );
  const allowed = Math.min(most.together, peers * maxPayload) + peers * most.besideMaxPayload;
  atMost(outcome.memory / mebibyte, allowed / mebibyte, 'MiB for all peers');
  server.stop();
}

function fail(reason) {
  console.error(`Failed: ${reason}.`);
  process.exitCode = 1;
}

function atMost(value, limit, what) {
  if (value > limit) fail(`${value.toFixed(1)} ${what}, and not ${limit.toFixed(1)} at most`);
}

/** Each peer must have got a code that says why. */
function expectCodes(codes, allowed) {
  const wrong = codes.filter((code) => !allowed.includes(code));
  if (wrong.length > 0) fail(`closed with ${wrong.join(', ')}`);
}

if (process.argv[2] === 'server') await serve(process.argv[3]);
else if (process.argv[2] === 'others') await echo(process.argv[3]);
else await attack();

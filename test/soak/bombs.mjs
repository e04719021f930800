// npm run soak:bombs: what peers do to a server whose 1 MiB frames inflate to 1 GiB.
//
// For maxPayload 1 MiB and the default, whole and split over frames: the close code, the processor time, and the memory
// that the server took beyond maxPayload; the time that zlib alone takes for as many bytes; then 100 such peers at once,
// and the latency of other connections meanwhile. All this on the native transport, on a net.Socket as a stream, and on
// TLS; `-- native`, `-- net` or `-- tls` does one of them. Node reads for a stream, and holds chunks of 64 KiB until the
// garbage collector comes; what that takes is measured on a server of net or tls alone, which reads the same bytes and
// does nothing with them. Fails when ours takes more than what `most` says beside that. Memory is what malloc() gave out
// at one time (heap_peak.c), so Linux with glibc. The attackers, the server and the others are three processes; on fewer
// cores the latencies say more of the machine than of the server.
import { spawnSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
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
/** Times are the shortest of so many, memory is the most of them; on streams, where it depends on when V8 frees what Node
 * has read, the middle one. */
const rounds = 7;

// ---- The server, a process of its own ---------------------------------------------------------------------------------

async function serve(carrier, maxPayload, folder) {
  const limit = maxPayload === 'default' ? {} : { maxPayload: Number(maxPayload) };
  const options = { ...limit, perMessageDeflate: true, transport: carrier === 'native' ? 'auto' : 'stream' };
  const https = carrier === 'tls' ? createSecureServer(certificateIn(folder)) : undefined;
  const server = new WebSocketServer(
    https ? { server: https, ...options } : { port: 0, host: '127.0.0.1', ...options },
  );
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  https?.listen(0, '127.0.0.1');
  await obey(server);
}

/** Node alone: reads as many bytes as inflate to maxPayload, a chunk in each turn of the loop, then says 1009 and ends. */
async function read(carrier, maxPayload, folder) {
  const most = (maxPayload === 'default' ? 100 * mebibyte : Number(maxPayload)) / 1024; // zeros become 1/1024
  const server = (carrier === 'tls' ? tls : net).createServer(carrier === 'tls' ? certificateIn(folder) : {});
  server.on(carrier === 'tls' ? 'secureConnection' : 'connection', (socket) => {
    socket.on('error', () => {});
    let count = 0;
    const take = (chunk) => {
      count += chunk.length;
      socket.pause();
      setImmediate(() => {
        if (count < most) return socket.resume();
        socket.off('data', take).end(Buffer.from([0x88, 2, 1009 >> 8, 1009 & 255]));
        socket.once('finish', () => socket.destroy());
      });
    };
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      socket.on('data', take);
    });
  });
  server.listen(0, '127.0.0.1');
  await obey(server);
}

/** Tells the parent the port, and the processor time when it asks. */
async function obey(server) {
  await once(server, 'listening');
  process.on('message', () => process.send({ cpu: process.cpuUsage() }));
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address().port });
}

function certificateIn(folder) {
  return { key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'cert.pem')) };
}

// ---- Other connections, in a process of their own ----------------------------------------------------------------------

/** 20 connections that echo 64 bytes, until they are told to stop. Then: how long the echoes took. */
async function echo(url) {
  const options = { perMessageDeflate: false, rejectUnauthorized: false };
  const sockets = Array.from({ length: 20 }, () => new WebSocket(url, options));
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
async function join(port, carrier) {
  const to = { port, host: '127.0.0.1', rejectUnauthorized: false };
  const socket = carrier === 'tls' ? tls.connect(to) : net.connect(to);
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

const counter = 'heap_peak.so';

/** Compiles the library that counts a process's memory. */
function compileCounter(into) {
  const library = path.join(into, counter);
  const source = fileURLToPath(new URL('heap_peak.c', import.meta.url));
  const compiler = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source], { stdio: 'inherit' });
  if (compiler.status !== 0) throw new Error('heap_peak.c could not be compiled');
}

class Server {
  #child;
  #counts;
  static #count = 0;
  port = 0;

  /** @param role what its process does: 'serve', or 'read' for Node alone */
  static async start(role, carrier, maxPayload, folder) {
    const server = new Server();
    const file = path.join(folder, `counts-${(Server.#count += 1)}`);
    writeFileSync(file, Buffer.alloc(16));
    server.#counts = openSync(file, 'r+');
    const env = { ...process.env, LD_PRELOAD: path.join(folder, counter), HEAP_PEAK: file };
    server.#child = fork(self, [role, carrier, String(maxPayload), folder], { env });
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

function makeCertificate(into) {
  const files = ['-keyout', path.join(into, 'key.pem'), '-out', path.join(into, 'cert.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const openssl = spawnSync('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=localhost', ...files]);
  if (openssl.status !== 0) throw new Error(`openssl made no certificate: ${openssl.error ?? openssl.stderr}`);
}

/** The latencies of other connections until `attack` is over. */
async function latencies(url, attack) {
  const child = fork(self, ['others', url]);
  await once(child, 'message');
  const outcome = await attack();
  child.send('stop');
  const [text] = await once(child, 'message');
  child.disconnect();
  return { outcome, text };
}

async function attack(carriers) {
  const payload = bomb(1024);
  const forms = { whole: framesOf(payload, payload.length), 'in frames of 16 KiB': framesOf(payload, 16_384) };
  const folder = mkdtempSync(path.join(tmpdir(), 'bombs-'));
  compileCounter(folder);
  if (carriers.includes('tls')) makeCertificate(folder);
  console.log(`a message of ${(payload.length / mebibyte).toFixed(2)} MiB that inflates to 1 GiB`);
  for (const carrier of carriers) {
    await endureOne(folder, carrier, forms, mebibyte, mebibyte);
    await endureOne(folder, carrier, forms, 'default', 100 * mebibyte);
  }
  rmSync(folder, { recursive: true });
}

/** What each of some attacks cost, one after the other; `between` is called behind each. */
async function costsOf(server, carrier, bytes, between = () => {}) {
  await (await join(server.port, carrier)).explode(bytes); // warms up
  const costs = [];
  for (let round = 0; round < rounds; round += 1) {
    const { explode } = await join(server.port, carrier);
    costs.push(await server.cost(() => explode(bytes)));
    between();
  }
  const codes = costs.map(({ outcome }) => outcome);
  expectCodes(codes, [1009]);
  return {
    memory: costs.map(({ memory }) => memory).sort((a, b) => a - b),
    time: Math.min(...costs.map(({ milliseconds }) => milliseconds)),
  };
}

/** The memory that Node alone takes to read them, in the middle of the rounds. */
async function memoryOfNode(folder, carrier, option, bytes) {
  if (carrier === 'native') return 0;
  const server = await Server.start('read', carrier, option, folder);
  const { memory } = await costsOf(server, carrier, bytes);
  server.stop();
  return memory[(rounds - 1) / 2];
}

async function endureOne(folder, carrier, forms, option, maxPayload) {
  const limit = `${option === 'default' ? 'the default maxPayload' : 'maxPayload'}, ${maxPayload / mebibyte} MiB`;
  console.log(`\n${{ native: 'native', net: 'net.Socket', tls: 'TLS' }[carrier]}, ${limit}`);
  const server = await Server.start('serve', carrier, option, folder);
  // Not a multiple of 16 MiB, of which bomb() is made.
  const size = 16 * Math.ceil(maxPayload / (16 * mebibyte));
  const alone = [];
  for (const [form, bytes] of Object.entries(forms)) {
    const nodes = await memoryOfNode(folder, carrier, option, bytes);
    // In turn, so that a slow moment of the machine meets both.
    const measureZlib = () => alone.push((zlibTime(size) * maxPayload) / (size * mebibyte));
    const { memory, time } = await costsOf(server, carrier, bytes, measureZlib);
    const [beside, highest] = [memory[(rounds - 1) / 2], memory.at(-1)].map((size) => (size - maxPayload) / kibibyte);
    console.log(
      `  ${form}: closed with 1009, ${time.toFixed(0)} ms of processor time, ${beside.toFixed(1)} KiB of memory beside ` +
        `maxPayload, at most ${highest.toFixed(1)}` +
        (nodes === 0 ? '' : `; Node alone takes ${(nodes / kibibyte).toFixed(1)} KiB to read it`),
    );
    const judged = carrier === 'native' ? highest : beside;
    atMost(judged, (nodes + most.besideMaxPayload) / kibibyte, 'KiB beside maxPayload');
    if (option !== 'default') atMost(time, most.processorTime, 'ms of processor time');
    else atMost(time / Math.min(...alone), most.timesZlib, "times zlib's own time");
  }
  console.log(`  Node's zlib alone: ${Math.min(...alone).toFixed(0)} ms for as many bytes`);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 2000));
  const url = `${carrier === 'tls' ? 'wss' : 'ws'}://127.0.0.1:${server.port}`;
  console.log(`  others, in peace: ${(await latencies(url, pause)).text}`);
  const joined = await Promise.all(Array.from({ length: peers }, () => join(server.port, carrier)));
  const all = () => Promise.all(joined.map(({ explode }) => explode(forms.whole)));
  const { outcome, text } = await latencies(url, () => server.cost(all));
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

const [role, ...rest] = process.argv.slice(2);
if (role === 'serve') await serve(...rest);
else if (role === 'read') await read(...rest);
else if (role === 'others') await echo(...rest);
else await attack(role === undefined ? ['native', 'net', 'tls'] : [role]);

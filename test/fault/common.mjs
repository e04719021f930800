// What the programs of test/fault share. Each is a process of its own: it prints what it measured in one line, and ends with
// status 0 when the figure is met, and by itself.
import { once } from 'node:events';
import { readdirSync, readlinkSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { WebSocketServer } from 'websocket-component';
import { openConnection } from '../conformance/runner/handshake.mjs';

export { bytesOf, closePayload, encodeFrame, FrameDecoder, Opcode } from '../conformance/runner/frames.mjs';

export const KiB = 1024;
export const MiB = 1024 * KiB;

/** AddressSanitizer has memory and time of its own, so figures of memory are not judged with it. */
export const isSanitized = (process.env.LD_PRELOAD ?? '').includes('libasan');

/**
 * The environment of a process that ends by process.exit(): V8 then leaves its memory to the system, which the leak check
 * would report.
 */
export const exiting = isSanitized
  ? { ...process.env, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS}:detect_leaks=0` }
  : process.env;

/** Whether so much memory was not exceeded. */
export const fits = (bytes, most) => isSanitized || bytes <= most;

/** Prints a figure; `isMet` false fails the program. */
export function report(figure, isMet) {
  console.log(`${isMet ? '' : 'NOT MET: '}${figure}`);
  if (!isMet) process.exitCode = 1;
}

/** A server on a port of its own. */
export async function serve(options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  const { port } = server.address();
  return { server, port, url: `ws://127.0.0.1:${port}` };
}

/** A server on an HTTP server of the caller's. */
export async function serveOn(http, options = {}) {
  const server = new WebSocketServer({ server: http, ...options });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const { port } = http.address();
  return { server, port, url: `ws://127.0.0.1:${port}` };
}

/** A raw TCP connection whose handshake is done. @returns {Promise<import('node:net').Socket>} */
export async function rawClient(url) {
  const { socket } = await openConnection(url);
  socket.on('error', () => {});
  return socket;
}

/** A raw TCP connection without a handshake. */
export function rawConnect(port) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  return socket;
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until the condition holds; false when it does not in time. */
export async function until(condition, timeout = 20_000) {
  for (const end = Date.now() + timeout; !condition(); await pause(5)) if (Date.now() > end) return false;
  return true;
}

/** Resident memory of this process, in bytes, on Linux; 0 elsewhere. */
export function residentMemory() {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * KiB;
  } catch {
    return 0; // no such file, or no descriptor to read it with
  }
}

/** What JavaScript holds, in bytes: its heap, and Buffers beside it. The program has to be run with --expose-gc. */
export async function heldMemory() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await pause(50); // for what is freed because an object was
  }
  const { heapUsed, external } = process.memoryUsage(); // arrayBuffers are a part of external
  return heapUsed + external;
}

/** Open descriptors of this process; 0 where that cannot be seen. */
export function descriptors() {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Those of them that are no files: sockets, pipes, timers. */
export function descriptorsBesideFiles() {
  try {
    return readdirSync('/proc/self/fd').filter((name) => !targetOf(name).startsWith('/')).length;
  } catch {
    return 0;
  }
}

function targetOf(descriptor) {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '/'; // closed meanwhile
  }
}

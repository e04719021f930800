// Starts echo-server.mjs, and asks it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('echo-server.mjs', import.meta.url));

/**
 * @param {object} options of the server
 * @param {{ descriptors?: number, env?: object, collects?: boolean }} settings of its process: the most descriptors, its
 *   environment, and whether it collects garbage all the time
 * @returns {Promise<{ port: number, url: string, end: () => Promise<unknown[]>, ask: (collects?: boolean) => Promise<{
 *   memory: number, heapUsed: number, milliseconds: number, connections: number, received: number, bytesReceived: number,
 *   bytesSent: number }> }>} `ask`: what echo-server.mjs prints, with garbage collected before or not
 */
export async function startServer(options = {}, { descriptors, env = {}, collects = false } = {}) {
  const node = [process.execPath, '--expose-gc', file, JSON.stringify(options), collects ? 'collect' : ''];
  const [program, ...args] =
    descriptors === undefined ? node : ['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...node];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the server ended: ${(await exited).join(' ')}`);
    return JSON.parse(value);
  };
  const port = await next();
  const ask = (collects = true) => {
    child.stdin.write(collects ? '\n' : 'as it is\n');
    return next();
  };
  const end = () => {
    child.stdin.end();
    return exited;
  };
  return { port, url: `ws://127.0.0.1:${port}`, ask, end };
}

// One measurement: starts the subject on one processor and the load generator on another, and returns the load
// generator's line with the figures for one message.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const subjectCpu = '0';
const loadCpu = '1';
const subjectFolder = fileURLToPath(new URL('subjects/', import.meta.url));
const startTimeout = 10_000;
/** The load generator gives the measured process ten times its processor time; twice that is a hang. */
const windowTimeout = ({ warmup, seconds }) => startTimeout + 20_000 * (warmup + seconds);

/**
 * @param subject an entry of subjects.mjs
 * @param scenario an entry of scenarios.mjs
 * @param build the folder of the load generator
 * @param times `{ warmup, seconds }`
 * @returns figures by name: CPU microseconds for each message (`cpu`, `user`, `system`), messages per second (`rate`),
 *   share of a processor (`busy`), latencies in microseconds (`p50`, `p99`), most resident bytes (`peak`); for idle
 *   connections KiB of memory each (`atFirst`, `slope`)
 */
export async function measure(subject, scenario, build, times) {
  const processes = [];
  try {
    if (scenario.mode === 'idle') return await measureMemory(subject, scenario, build, processes);
    if (scenario.mode === 'echo-server') return await measureClient(subject, scenario, build, times, processes);
    return await measureServer(subject, scenario, build, times, processes);
  } finally {
    await Promise.all(processes.map(end));
  }
}

async function measureServer(subject, scenario, build, times, processes) {
  const server = startSubject(subject, subject.program ? path.join(build, subject.program) : subject.server, scenario);
  processes.push(server);
  const { port } = await server.next();
  const options = { port, pid: server.pid, raw: subject.raw ? 1 : 0, ...times, ...scenario.load };
  const load = startLoad(build, scenario.mode, options);
  processes.push(load);
  return figures(await load.next(windowTimeout(times)), server.pid);
}

async function measureClient(subject, scenario, build, times, processes) {
  const client = startSubject(subject, subject.client, scenario);
  processes.push(client);
  await client.next(); // listens to us
  const load = startLoad(build, scenario.mode, { pid: client.pid, ...times, ...scenario.load });
  processes.push(load);
  const { port } = await load.next();
  client.child.send({ port, connections: scenario.load.connections });
  return figures(await load.next(windowTimeout(times)), client.pid);
}

async function measureMemory(subject, scenario, build, processes) {
  const server = startSubject(subject, subject.server, scenario, ['--expose-gc']);
  processes.push(server);
  const { port } = await server.next();
  const load = startLoad(build, scenario.mode, { port, ...scenario.load });
  processes.push(load);
  const memory = async () => {
    server.child.send('memory');
    return (await server.next()).rss;
  };
  const sizes = [await memory()];
  for (const connections of scenario.steps) {
    load.child.stdin.write(`open ${connections}\n`);
    await load.next(60_000);
    sizes.push(await memory());
  }
  const [before, first, last] = sizes;
  const [few, many] = scenario.steps;
  return { atFirst: (first - before) / few / 1024, slope: (last - first) / (many - few) / 1024 };
}

function figures({ messages, seconds, cpuSeconds, userSeconds, systemSeconds, p50, p99 }, pid) {
  const each = (time) => (time * 1e6) / messages;
  return {
    cpu: each(cpuSeconds),
    user: each(userSeconds),
    system: each(systemSeconds),
    rate: messages / seconds,
    busy: cpuSeconds / seconds,
    peak: peakMemory(pid),
    p50,
    p99,
  };
}

// The most resident memory so far, in bytes.
function peakMemory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)[1]) * 1024;
}

function startSubject(subject, program, scenario, nodeOptions = []) {
  const command = subject.program
    ? [program]
    : [process.execPath, ...nodeOptions, path.resolve(subjectFolder, program), scenario.task ?? ''];
  return start(subjectCpu, command, { ...process.env, ...subject.env });
}

function startLoad(build, mode, options) {
  const list = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return start(loadCpu, [path.join(build, 'websocket_load'), mode, ...list], process.env);
}

// Starts a program on one processor. `next()` is its next message: a line of JSON, or one of Node's channel.
function start(cpu, command, env) {
  const isNode = command[0] === process.execPath;
  const child = spawn('taskset', ['-c', cpu, ...command], {
    env,
    stdio: isNode ? ['ignore', 'inherit', 'pipe', 'ipc'] : ['pipe', 'pipe', 'pipe'],
  });
  const messages = [];
  let wake = () => {};
  const receive = (message) => {
    messages.push(message);
    wake();
  };
  let errors = '';
  let status;
  child.stderr.on('data', (chunk) => (errors += chunk));
  if (isNode) child.on('message', receive);
  else createInterface({ input: child.stdout }).on('line', (line) => receive(JSON.parse(line)));
  const gone = once(child, 'close').then(([code, signal]) => {
    status = signal ?? code;
    wake();
  });

  const next = async (timeout = startTimeout) => {
    const name = path.basename(command.find((word) => /websocket_load|uv_echo|\.mjs$/.test(word)));
    const deadline = Date.now() + timeout;
    while (messages.length === 0) {
      if (status !== undefined) throw new Error(`${name} ended (${status}): ${errors.trim()}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${name} said nothing for ${timeout / 1000} s. ${errors.trim()}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return messages.shift();
  };
  return { child, pid: child.pid, next, gone };
}

async function end({ child, gone }) {
  child.kill('SIGKILL');
  await gone;
}

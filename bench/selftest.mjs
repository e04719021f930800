// npm run bench -- --self-test: the load generator must refuse servers and clients that echo wrongly. Each of them
// echoes rightly at first.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';

const echo = (socket, data, isBinary) => socket.send(data, { binary: isBinary });
const flip = (index) => (socket, data, isBinary) => {
  data[index < 0 ? data.length + index : Math.min(index, data.length - 1)] ^= 1;
  echo(socket, data, isBinary);
};

/** What a peer may do to a message, and whether that is an echo. */
const peers = {
  'echoes rightly': { right: true, answer: echo },
  'changes the first byte': { answer: flip(0) },
  'changes a byte in the middle': { answer: flip(4000) },
  'changes the last byte': { answer: flip(-1) },
  'sends the other opcode': { answer: (socket, data, isBinary) => echo(socket, data, !isBinary) },
  'leaves a byte out': { answer: (socket, data, isBinary) => echo(socket, data.subarray(1), isBinary) },
  'sends it in two fragments': {
    answer(socket, data, isBinary) {
      socket.send(data.subarray(0, 5), { binary: isBinary, fin: false });
      socket.send(data.subarray(5), { binary: isBinary, fin: true });
    },
  },
  'sends it twice': {
    answer(socket, data, isBinary) {
      echo(socket, data, isBinary);
      echo(socket, data, isBinary);
    },
  },
  'exchanges two messages': {
    answer(socket, data, isBinary) {
      if (socket.held) {
        echo(socket, data, isBinary);
        echo(socket, socket.held, isBinary);
        socket.held = undefined;
      } else {
        socket.held = data;
      }
    },
  },
  'sends another connection’s message': {
    answer(socket, data, isBinary, others) {
      for (const other of others) if (other !== socket) echo(other, data, isBinary);
    },
  },
  closes: { answer: (socket) => socket.close() },
  'cuts the connection': { answer: (socket) => socket.terminate() },
  'answers nothing': { answer: () => {} },
};

const rightOnes = 100;
const connections = 2;

/**
 * @param build the folder of the load generator
 * @returns whether it judged every peer rightly
 */
export async function selfTest(build) {
  let ok = true;
  for (const mode of ['echo', 'echo-server']) {
    for (const size of [20, 65536]) {
      for (const [name, { right = false, answer }] of Object.entries(peers)) {
        const { status, output } = await judge(build, mode, size, answer);
        const asExpected = right ? status === 0 : status === 1;
        ok &&= asExpected;
        const verdict = asExpected ? 'ok    ' : 'FAILED';
        console.log(`${verdict} ${mode}, ${size} bytes, a peer that ${name}: ${status === 0 ? 'accepted' : output}`);
      }
    }
  }
  return ok;
}

async function judge(build, mode, size, answer) {
  const sockets = new Set();
  let messages = 0;
  const listen = (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the load generator leaves
    socket.on('message', (data, isBinary) => {
      if (messages++ < rightOnes) echo(socket, data, isBinary);
      else answer(socket, data, isBinary, sockets);
    });
  };
  const server = mode === 'echo' ? new WebSocketServer({ host: '127.0.0.1', port: 0 }) : undefined;
  server?.on('connection', listen);
  if (server) await once(server, 'listening');

  const options = { pid: process.pid, size, connections, 'in-flight': 4, warmup: 0.1, seconds: 0.1 };
  if (server) options.port = server.address().port;
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const load = spawn(path.join(build, 'websocket_load'), [mode, ...args]);
  let output = '';
  load.stderr.on('data', (chunk) => (output += chunk));
  if (!server) {
    const { port } = JSON.parse((await once(load.stdout, 'data'))[0]);
    for (let i = 0; i < connections; i++) listen(new WebSocket(`ws://127.0.0.1:${port}/`));
  }
  load.stdout.resume();
  const [status] = await once(load, 'close');
  for (const socket of sockets) socket.terminate();
  server?.close();
  return { status, output: output.trim() };
}

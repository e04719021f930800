// A server and clients that keep each other busy with everything there is, until somebody ends the process or the worker.
// Argument or worker data: what ends the process, and after how many milliseconds.
import { isMainThread, workerData } from 'node:worker_threads';
import { PreparedMessage, WebSocket, WebSocketServer } from 'websocket-component';

const [how, delay] = isMainThread ? [process.argv[2], Number(process.argv[3])] : [workerData, 0];
const sizes = [0, 20, 126, 5000, 70_000, 300_000];
let isDue = false;

/** Ends the process here, when this is the place and the time. */
function at(place) {
  if (how === place && isDue) process.exit(7);
}

const server = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  perMessageDeflate: { threshold: 0 },
  pingInterval: 10,
  idleTimeout: 50,
  handleProtocols: (protocols) => {
    at('handshake');
    return [...protocols][0] ?? false;
  },
});
server.on('connection', (socket) => {
  at('connection');
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    at('message');
    socket.send(data, { binary: isBinary }, () => at('sent'));
    server.broadcast(new PreparedMessage('to all'));
  });
  socket.on('close', () => at('close'));
});

function run(number) {
  const options = { perMessageDeflate: number % 2 === 0, pingInterval: 7 };
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['load'], options);
  let count = 0;
  const send = () => socket.send(Buffer.alloc(sizes[(count + number) % sizes.length], 'load'), () => at('sent'));
  socket.on('open', () => {
    at('open');
    send();
  });
  socket.on('error', () => {});
  socket.on('pong', () => at('pong'));
  socket.on('message', (data) => {
    if (data.length === 6) return;
    if (++count % 5 === 0) socket.ping();
    if (count % 20 === 0 && number % 3 === 0) socket.terminate();
    else if (count % 20 === 0) socket.close(1000, 'again');
    else process.nextTick(send);
  });
  socket.on('close', () => {
    at('close');
    run(number);
  });
}

let port;
server.on('listening', () => {
  port = server.address().port;
  for (let i = 0; i < 6; i++) run(i);
});
if (isMainThread) {
  setTimeout(() => {
    isDue = true;
    at('timer');
    if (how === 'throw') throw new Error('the program ends with an exception');
    if (how === 'promise') void Promise.resolve().then(() => process.exit(7));
    if (how === 'idle') server.close({ timeout: 0 }, () => process.exit(7));
  }, delay);
}

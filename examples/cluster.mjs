// A chat on every core: node:cluster hands the connections of one port to several worker processes. What one client says
// reaches the clients of all of them, by way of the primary process.
//
//   node examples/cluster.mjs           ws://127.0.0.1:8080/; another port: an argument, or PORT in the environment
//   WORKERS=4 node examples/cluster.mjs                     default: one for each core
//
//   npx websocket-component connect ws://127.0.0.1:8080/    in two terminals; each is told which worker it has
//
// `kill -HUP` on the primary replaces the workers one after the other, as after an update of the program: each closes its
// clients with 1001 when its successor listens, so that the port is open all the time. A worker that dies is replaced too.
// Ctrl-C, or SIGTERM to the primary, closes all clients with 1001 and ends the server.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { WebSocketServer } from 'websocket-component';

if (cluster.isPrimary) await runPrimary();
else runWorker();

async function runPrimary() {
  let isStopping = false;
  let replacing = Promise.resolve();
  cluster.setupPrimary({ serialization: 'advanced' }); // Buffers stay Buffers on their way between processes

  const workers = () => Object.values(cluster.workers);
  const tell = (worker, message) => worker.isConnected() && worker.send(message, () => {}); // it may end meanwhile
  cluster.on('message', (sender, message) => {
    for (const worker of workers()) if (worker !== sender) tell(worker, message);
  });

  /** Starts a worker, resolves when it listens, and starts another one should it die. */
  async function start() {
    const worker = cluster.fork();
    const ended = once(worker, 'exit').then(([status, signal]) => {
      throw new Error(`worker ${worker.process.pid} ended with ${signal ?? status}`);
    });
    const [address] = await Promise.race([once(worker, 'listening'), ended]);
    ended.catch((error) => worker.exitedAfterDisconnect || startLater(error));
    if (isStopping) tell(worker, { type: 'stop' }); // what it was told before it listened may be lost
    return { worker, address };
  }

  function startLater(error) {
    if (isStopping) return;
    console.error(error.message);
    setTimeout(() => {
      if (!isStopping) start().then(({ worker }) => console.log(`worker ${worker.process.pid} is new`), startLater);
    }, 1000);
  }

  async function replaceAll() {
    for (const old of workers()) {
      if (isStopping || old.isDead()) continue;
      const ended = once(old, 'exit');
      const { worker } = await start();
      tell(old, { type: 'stop' });
      await ended;
      console.log(`worker ${worker.process.pid} is in place of ${old.process.pid}`);
    }
  }

  function stop() {
    isStopping = true;
    for (const worker of workers()) tell(worker, { type: 'stop' });
  }

  process.once('SIGINT', stop).once('SIGTERM', stop);
  process.on('SIGHUP', () => {
    replacing = replacing.then(replaceAll).catch((error) => console.error(error.message));
  });

  const count = Number(process.env.WORKERS || availableParallelism());
  try {
    const [{ address }] = await Promise.all(Array.from({ length: count }, start));
    console.log(`listening on ws://127.0.0.1:${address.port}/ with ${count} workers`);
  } catch (error) {
    if (isStopping) return; // told to, while they were starting
    console.error(`The server cannot start: ${error.message}`);
    process.exitCode = 1;
    stop();
  }
}

function runWorker() {
  const port = Number(process.argv[2] || process.env.PORT || 8080);
  const server = new WebSocketServer({ port, host: '127.0.0.1', maxPayload: 16 * 1024, maxBackpressure: 1024 * 1024 });

  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(`worker ${process.pid}: ${error.message}`));
    socket.on('message', (data, isBinary) => {
      server.broadcast(data, { binary: isBinary, except: socket });
      // When much waits on the way to the primary, nothing more is read from this client until it is there.
      if (!process.send({ type: 'say', data, isBinary }, () => socket.resume())) socket.pause();
    });
    socket.send(`You are with worker ${process.pid}`);
  });

  let isStopping = false;
  process.on('message', async ({ type, data, isBinary }) => {
    if (type === 'say') server.broadcast(data, { binary: isBinary });
    if (type === 'stop' && !isStopping) {
      isStopping = true;
      await server.close({ code: 1001, reason: 'This worker ends', timeout: 2000 });
      cluster.worker.disconnect(); // and nothing else keeps this process alive
    }
  });

  // A terminal and some service managers signal every process: the primary decides what happens.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
}

// Starts a worker that uses everything of the native module, again and again, and ends it before a later call of
// Node-API each time (interpose.c), until it comes to its end by itself. Argument: by how many calls to go on when the
// module is loaded; default 1, every call.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { isMainThread, Worker } from 'node:worker_threads';

if (isMainThread) await main(Number(process.argv[2] ?? 1));
else await work();

async function main(step) {
  const loading = 60; // more calls than that takes
  const control = new net.Socket({ fd: Number(process.env.ENDS_SOCKET) });
  let stopped = 0;
  let worker;
  control.on('data', () => {
    stopped++;
    void worker.terminate(); // from now on the worker's calls fail
    control.write('x');
  });
  for (let at = 1; ; at += at < loading ? 1 : step) {
    process.env.ENDS_AT = String(at);
    const before = stopped;
    worker = new Worker(new URL(import.meta.url));
    worker.on('error', (error) => {
      console.error(`ended at call ${at}:`, error);
      process.exitCode = 1;
    });
    const [status] = await once(worker, 'exit');
    if (stopped === before) {
      if (status !== 0 || at < loading) throw new Error(`not ended before call ${at}, the worker has status ${status}`);
      console.log(`a worker was ended before ${stopped} of some ${at} calls`);
      break;
    }
  }
  control.destroy();
}

async function work() {
  const { PreparedMessage, WebSocket, WebSocketServer, component } = await import('websocket-component');
  useHandles(component, await import('../../../examples/component/endpoint.mjs'));
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const url = `ws://127.0.0.1:${server.address().port}`;
  const prepared = new PreparedMessage('to all');
  const noise = randomBytes(300_000);
  for (const options of [
    { perMessageDeflate: true },
    { perMessageDeflate: false, delivery: 'borrow' },
    // A stream that is no socket: JavaScript carries its bytes.
    { createConnection: (target) => wrap(net.connect(target)), generateMask: (key) => key.fill(1) },
  ]) {
    const client = new WebSocket(url, ['protocol'], options);
    await once(client, 'open');
    let missing = 4;
    client.on('message', () => (--missing === 0 ? client.close(1000, 'done') : undefined));
    client.send('text', () => {});
    client.send(noise);
    client.send(Buffer.alloc(2000));
    server.broadcast(prepared);
    client.ping('ping');
    client.pause();
    client.resume();
    void [client.bufferedAmount, client._socket.bytesRead, client._socket.remoteAddress, server.stats()];
    await once(client, 'close');
  }
  server.close();
}

function useHandles({ WebSocketHandle, WEB_SOCKET_BUFFER_TYPE: type }, { connectedHandles, Endpoint }) {
  const properties = [{ type: 0, value: 4096 }]; // WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE
  WebSocketHandle.createServerHandle(properties).abort();
  WebSocketHandle.getGlobalProperty(6); // WEB_SOCKET_SUPPORTED_VERSIONS_PROPERTY_TYPE
  const { client, server } = connectedHandles();
  const mistakes = [() => client.send(1), () => client.completeAction(99, 0), () => client.endServerHandshake()];
  for (const mistake of mistakes) {
    try {
      mistake();
    } catch {
      continue;
    }
  }
  let ours;
  const theirs = new Endpoint(
    server,
    (bytes) => ours.bytes(bytes),
    () => theirs.close(1000),
  );
  ours = new Endpoint(
    client,
    (bytes) => theirs.bytes(bytes),
    () => ours.close(1000),
  );
  client.sendControl(type.PING_PONG_BUFFER_TYPE, Buffer.from('ping'));
  ours.send('hello');
  client.getFault();
  for (const handle of [client, server]) handle.delete();
}

function wrap(socket) {
  const stream = new Duplex({
    read() {},
    write: (chunk, encoding, callback) => socket.write(chunk, encoding, callback),
    final: (callback) => socket.end(callback),
    destroy: (error, callback) => callback(error, socket.destroy()),
  });
  socket.on('data', (chunk) => stream.push(chunk));
  socket.on('end', () => stream.push(null));
  return stream;
}

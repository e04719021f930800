// Our client over TLS against servers of other implementations and against our own.
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { WebSocketServer as WsServer } from 'ws';
import { WebSocket, WebSocketServer } from '../../lib';
import { portOf } from './conversation';
import { websockets } from './echo_programs';
import { describeWith, exchangeAll, makeCertificate, timeout } from './peers';

let certificate: ReturnType<typeof makeCertificate>;

beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());

const exchangeWith = (port: number) => exchangeAll(new WebSocket(`wss://127.0.0.1:${port}/`, { ca: certificate.cert }));

/** Runs an HTTPS server for as long as `use` takes. */
async function withHttpsServer(use: (server: Server) => Promise<void>) {
  const server = createServer({ cert: certificate.cert, key: certificate.key });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(server);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test(
  'our client exchanges every message with a ws server',
  () =>
    withHttpsServer(async (server) => {
      const peer = new WsServer({ server });
      peer.on('connection', (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      await exchangeWith(portOf(server));
      peer.close();
    }),
  timeout,
);

describeWith(websockets.name, websockets.missing, () => {
  test(
    'our client exchanges every message with its server',
    async () => {
      const peer = websockets.start('server', ['--tls', certificate.certFile, certificate.keyFile]);
      try {
        await exchangeWith(Number(await peer.waitForLine(/^port (\d+)$/)));
      } finally {
        await peer.stop();
      }
    },
    timeout,
  );
});

test(
  'our client exchanges every message with our server',
  () =>
    withHttpsServer(async (server) => {
      const peer = new WebSocketServer({ server });
      peer.on('connection', (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
      });
      await exchangeWith(portOf(server));
      await peer.close();
    }),
  timeout,
);

test('our client refuses a certificate that no given authority signed', () =>
  withHttpsServer(async (server) => {
    const peer = new WebSocketServer({ server });
    const socket = new WebSocket(`wss://127.0.0.1:${portOf(server)}/`);
    const events: string[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
    socket.on('close', (code) => events.push(`close ${code}`));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(events).toEqual(['error DEPTH_ZERO_SELF_SIGNED_CERT', 'close 1006']);
    await peer.close();
  }));

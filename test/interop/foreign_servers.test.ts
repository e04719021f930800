// Our client against servers of other implementations and against our own, on ws:// and wss://.
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer as WsServer } from 'ws';
import { WebSocket, WebSocketServer } from '../../lib';
import { exchangeAll, makeCertificate, Program, timeout } from './peers';

let certificate: ReturnType<typeof makeCertificate>;

beforeAll(() => {
  certificate = makeCertificate();
});
afterAll(() => certificate.remove());

/** Exchanges all messages with the server at this port, over TLS when the scheme says so. */
async function exchangeWith(scheme: 'ws' | 'wss', port: number): Promise<void> {
  const options = scheme === 'wss' ? { ca: certificate.cert } : {};
  await exchangeAll(new WebSocket(`${scheme}://127.0.0.1:${port}/`, options));
}

/** Runs an HTTP or HTTPS server for as long as `use` takes. */
async function withHttpServer(scheme: 'ws' | 'wss', use: (server: HttpServer, port: () => number) => Promise<void>) {
  const { cert, key } = certificate;
  const server = scheme === 'wss' ? createTlsServer({ cert, key }) : createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(server, () => (server.address() as AddressInfo).port);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe.each(['ws', 'wss'] as const)('over %s://', (scheme) => {
  test(
    'our client exchanges every message with a ws server',
    () =>
      withHttpServer(scheme, async (server, port) => {
        const peer = new WsServer({ server });
        peer.on('connection', (socket) => {
          socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
        });
        await exchangeWith(scheme, port());
        peer.close();
      }),
    timeout,
  );

  test(
    "our client exchanges every message with Python's websockets server",
    async () => {
      const tls = scheme === 'wss' ? [certificate.certFile, certificate.keyFile] : [];
      const peer = Program.startPython('python_server.py', tls);
      try {
        await exchangeWith(scheme, Number(await peer.waitForLine(/^port (\d+)$/)));
      } finally {
        await peer.stop();
      }
    },
    timeout,
  );

  test(
    'our client exchanges every message with our server',
    () =>
      withHttpServer(scheme, async (server, port) => {
        const peer = new WebSocketServer({ server });
        peer.on('connection', (socket) => {
          socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
        });
        await exchangeWith(scheme, port());
        await peer.close();
      }),
    timeout,
  );
});

test('our client refuses a certificate that no given authority signed', () =>
  withHttpServer('wss', async (server, port) => {
    const peer = new WebSocketServer({ server });
    const socket = new WebSocket(`wss://127.0.0.1:${port()}/`);
    const events: string[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`));
    socket.on('close', (code) => events.push(`close ${code}`));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(events).toEqual(['error DEPTH_ZERO_SELF_SIGNED_CERT', 'close 1006']);
    await peer.close();
  }));

import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import WS, { WebSocketServer as WSServer } from 'ws';
import { WebSocketServer } from '../../lib';
import { afterTest, client, closed, connect, makeCertificate, nextMessage, onceWithoutError } from './support';

const certificate = makeCertificate();

async function listen(): Promise<{ https: ReturnType<typeof createServer>; url: string }> {
  const https = createServer(certificate).listen(0, '127.0.0.1');
  afterTest(() => {
    https.close();
    https.closeAllConnections();
  });
  await once(https, 'listening');
  return { https, url: `wss://localhost:${(https.address() as AddressInfo).port}` };
}

const large = Buffer.alloc(3 * 1024 * 1024, 'large');

test('our client and our server over TLS, on the stream transport', async () => {
  const { https, url } = await listen();
  const server = new WebSocketServer({ server: https });
  afterTest(() => server.close({ timeout: 0 }));
  server.on('connection', (peer) => {
    expect(peer.transport).toBe('stream');
    peer.on('message', (data, isBinary) => peer.send(data as Buffer, { binary: isBinary }));
  });
  const socket = await connect(url, undefined, { ca: certificate.cert });
  expect(socket.transport).toBe('stream');
  socket.send('small');
  expect((await nextMessage(socket)).data.toString()).toBe('small');
  socket.send(large);
  expect((await nextMessage(socket)).data.equals(large)).toBe(true);
  const [peer] = [...server.clients];
  const both = Promise.all([closed(socket), closed(peer)]);
  socket.close(1000, 'done');
  expect(await both).toEqual([
    { code: 1000, reason: 'done' },
    { code: 1000, reason: 'done' },
  ]);
});

test('our client and a ws server over TLS', async () => {
  const { https, url } = await listen();
  const server = new WSServer({ server: https });
  afterTest(() => server.close());
  server.on('connection', (peer) => peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary })));
  const socket = await connect(url, undefined, { ca: certificate.cert });
  socket.send(large);
  expect((await nextMessage(socket)).data.equals(large)).toBe(true);
  socket.close(3000);
  expect(await closed(socket)).toEqual({ code: 3000, reason: '' });
});

test('a ws client and our server over TLS', async () => {
  const { https, url } = await listen();
  const server = new WebSocketServer({ server: https });
  afterTest(() => server.close({ timeout: 0 }));
  server.on('connection', (peer) => peer.on('message', (data) => peer.send(data as Buffer)));
  const socket = new WS(url, { ca: certificate.cert });
  await once(socket, 'open');
  socket.send(large);
  expect((await nextMessage(socket)).data.equals(large)).toBe(true);
  socket.close(1000);
  expect(await closed(socket)).toEqual({ code: 1000, reason: '' });
});

test('a certificate that is not trusted is an error', async () => {
  const { url } = await listen();
  const socket = client(url);
  const [[error], end] = await Promise.all([onceWithoutError(socket, 'error'), closed(socket)]);
  expect((error as NodeJS.ErrnoException).code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  expect(end).toEqual({ code: 1006, reason: '' });
});

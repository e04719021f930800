// MQTT over WebSocket on this package instead of `ws`: the client is mqtt.js, the broker is aedes, behind
// createWebSocketStream of ours or behind the package websocket-stream, which makes the server itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import websocketStream from 'websocket-stream';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { assertSameBytes, bytesOf, expectedTransport, listen, next, opened, until } from './support.mjs';

/** An aedes broker over WebSocket, by default on a port of its own. `sockets`: those of its connections, in order. */
async function serve(t, { http: given, port: wanted, broker: used, through = 'ours' } = {}) {
  const broker = used ?? (await Aedes.createBroker());
  const { server: http, port } = await listen(t, given, wanted);
  const sockets = [];
  const server =
    through === 'ours'
      ? new WebSocketServer({ server: http })
      : websocketStream.createServer({ server: http }, (stream) => broker.handle(stream));
  server.on('connection', (socket, request) => {
    sockets.push(socket);
    if (through === 'ours') broker.handle(createWebSocketStream(socket), request);
  });
  t.after(() => new Promise((resolve) => broker.close(resolve)));
  t.after(() => sockets.forEach((socket) => socket.terminate()));
  return { broker, server, http, sockets, port, url: `ws://127.0.0.1:${port}` };
}

async function connect(t, url, options = {}) {
  const client = mqtt.connect(url, { reconnectPeriod: 20, ...options });
  t.after(() => client.end(true));
  await next(client, 'connect');
  return client;
}

/** The messages that a client gets from now on. */
function collect(client) {
  const messages = [];
  client.on('message', (topic, payload, packet) => messages.push({ topic, payload, packet }));
  return messages;
}

for (const through of ['ours', 'websocket-stream']) {
  test(`quality of service 0, 1 and 2, broker behind ${through}`, async (t) => {
    const before = opened.clients.length;
    const { url, sockets } = await serve(t, { through });
    const [publisher, subscriber] = await Promise.all([connect(t, url), connect(t, url)]);
    assert.equal(opened.clients.length, before + 2);
    for (const socket of [...sockets, ...opened.clients.slice(before)]) {
      assert.ok(socket instanceof WebSocket);
      assert.equal(socket.transport, expectedTransport);
      assert.equal(socket.protocol, 'mqtt');
    }
    const messages = collect(subscriber);
    await subscriber.subscribeAsync('news/#', { qos: 2 });
    for (const qos of [0, 1, 2]) await publisher.publishAsync(`news/${qos}`, `grüße ${qos}`, { qos });
    await until(() => messages.length === 3, 'three messages');
    for (const qos of [0, 1, 2]) {
      const { topic, payload, packet } = messages[qos];
      assert.deepEqual([topic, payload.toString(), packet.qos], [`news/${qos}`, `grüße ${qos}`, qos]);
    }
    await subscriber.unsubscribeAsync('news/#');
    await Promise.all([publisher.endAsync(), subscriber.endAsync()]);
  });

  test(`large payloads and many small ones, broker behind ${through}`, async (t) => {
    const { url } = await serve(t, { through });
    const [publisher, subscriber] = await Promise.all([connect(t, url), connect(t, url)]);
    const messages = collect(subscriber);
    await subscriber.subscribeAsync('#', { qos: 1 });
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 8 << 20];
    for (const size of sizes) await publisher.publishAsync('bytes', bytesOf(size), { qos: 1 });
    await until(() => messages.length === sizes.length, 'every size');
    sizes.forEach((size, index) => assertSameBytes(messages[index].payload, bytesOf(size)));

    messages.length = 0;
    const count = 900;
    const sent = Array.from({ length: count }, (_, index) =>
      publisher.publishAsync('small', `message ${index}`, { qos: index % 2 }),
    );
    await Promise.all(sent);
    await until(() => messages.length === count, 'every message');
    for (const qos of [0, 1]) {
      const numbers = messages.map(({ payload }) => Number(payload.toString().slice(8))).filter((n) => n % 2 === qos);
      assert.deepEqual(
        numbers,
        Array.from({ length: count / 2 }, (_, index) => 2 * index + qos),
      );
    }
  });

  test(`the will of a client whose connection is cut, broker behind ${through}`, async (t) => {
    const { url, sockets } = await serve(t, { through });
    const witness = await connect(t, url);
    const messages = collect(witness);
    await witness.subscribeAsync('wills/#');
    const cuts = {
      server: () => sockets.at(-1).terminate(),
      client: () => opened.clients.at(-1).terminate(),
      stream: (client) => client.stream.destroy(),
    };
    for (const [name, cut] of Object.entries(cuts)) {
      const will = { topic: `wills/${name}`, payload: `cut by the ${name}`, qos: 1 };
      const client = await connect(t, url, { will, reconnectPeriod: 0 });
      const closed = next(client, 'close');
      cut(client);
      await closed;
      await until(() => messages.some(({ topic }) => topic === will.topic), name);
      assert.equal(messages.at(-1).payload.toString(), will.payload);
    }
    // Who takes leave has no will.
    const orderly = await connect(t, url, { will: { topic: 'wills/orderly', payload: 'not sent' } });
    await orderly.endAsync();
    await witness.publishAsync('wills/last', 'last');
    await until(() => messages.at(-1).topic === 'wills/last', 'the last message');
    assert.equal(messages.length, 4);
  });
}

test('retained messages, and a client that leaves them out', async (t) => {
  const { url } = await serve(t);
  const publisher = await connect(t, url);
  await publisher.publishAsync('state/a', 'on', { retain: true, qos: 1 });
  await publisher.publishAsync('state/b', bytesOf(300_000), { retain: true, qos: 1 });
  await publisher.publishAsync('state/c', 'gone', { retain: true, qos: 1 });
  await publisher.publishAsync('state/c', '', { retain: true, qos: 1 });
  const late = await connect(t, url);
  const messages = collect(late);
  await late.subscribeAsync('state/#', { qos: 1 });
  await until(() => messages.length === 2, 'two messages');
  const found = Object.fromEntries(messages.map(({ topic, payload }) => [topic, payload]));
  assert.ok(messages.every(({ packet }) => packet.retain));
  assert.equal(found['state/a'].toString(), 'on');
  assertSameBytes(found['state/b'], bytesOf(300_000));
});

test('a connection that is cut is made anew: what was published meanwhile arrives', async (t) => {
  const { url, sockets, broker } = await serve(t);
  const session = { clean: false, clientId: 'subscriber' };
  const [subscriber, publisher] = [await connect(t, url, session), await connect(t, url)];
  const messages = collect(subscriber);
  await subscriber.subscribeAsync('news', { qos: 1 });
  const cuts = [
    () => sockets[0].terminate(),
    () => opened.clients.at(-1).terminate(),
    () => sockets.at(-1).close(1012),
  ];
  for (const [index, cut] of cuts.entries()) {
    const [closed, again] = [next(subscriber, 'close'), next(subscriber, 'connect')];
    const gone = next(broker, 'clientDisconnect');
    cut();
    await Promise.all([closed, gone]);
    await publisher.publishAsync('news', `at the broker ${index}`, { qos: 1 });
    await again;
    await until(() => messages.length === 2 * index + 1, 'what the broker kept');
    await publisher.publishAsync('news', `live ${index}`, { qos: 1 });
    await until(() => messages.length === 2 * index + 2, 'what came live');
  }
  const texts = messages.map(({ payload }) => payload.toString());
  assert.deepEqual(
    texts,
    cuts.flatMap((_, index) => [`at the broker ${index}`, `live ${index}`]),
  );
});

test('a broker that goes away: clients come back to the next one, with what they published meanwhile', async (t) => {
  const first = await serve(t);
  const client = await connect(t, first.url);
  const closed = next(client, 'close');
  await new Promise((resolve) => first.broker.close(resolve));
  await new Promise((resolve) => first.http.close(resolve));
  await closed;
  const published = client.publishAsync('news', 'kept by the client', { qos: 1 });
  await next(client, 'error'); // refused
  const second = await serve(t, { port: first.port });
  const news = [];
  second.broker.on('publish', ({ topic, payload }) => topic === 'news' && news.push(payload.toString()));
  await published;
  assert.deepEqual(news, ['kept by the client']);
});

test("MQTT's own keep-alive, and a client that is silent", async (t) => {
  const { url, sockets, broker } = await serve(t);
  const client = await connect(t, url, { keepalive: 1 });
  const kept = [];
  client.on('packetreceive', ({ cmd }) => kept.push(cmd));
  const timerVariant = { set: () => 0, clear: () => {} }; // a clock that stands still: no pings
  const gone = next(broker, 'keepaliveTimeout');
  await connect(t, url, { keepalive: 1, reconnectPeriod: 0, timerVariant });
  await gone;
  await until(() => sockets[1].readyState === WebSocket.CLOSED, 'the end of the silent one');
  assert.ok(kept.includes('pingresp'));
  assert.equal(client.connected, true);
});

test('over TLS', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'websocket-component-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [keyFile, certFile] = ['key.pem', 'cert.pem'].map((file) => path.join(folder, file));
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, ...names], { stdio: 'pipe' });
  const cert = readFileSync(certFile);
  const { port, sockets } = await serve(t, { http: createTlsServer({ key: readFileSync(keyFile), cert }) });
  const client = await connect(t, `wss://127.0.0.1:${port}`, { ca: cert });
  assert.equal(sockets[0].transport, 'stream');
  const messages = collect(client);
  await client.subscribeAsync('bytes', { qos: 1 });
  await client.publishAsync('bytes', bytesOf(3 << 20), { qos: 1 });
  await until(() => messages.length === 1, 'the message');
  assertSameBytes(messages[0].payload, bytesOf(3 << 20));
  await client.endAsync();
});

test('bytes that are no MQTT end their connection, and no other', async (t) => {
  const { url, broker } = await serve(t);
  const client = await connect(t, url);
  broker.on('clientError', () => {});
  broker.on('connectionError', () => {});
  const raw = new WebSocket(url, 'mqtt');
  await once(raw, 'open');
  const closed = next(raw, 'close');
  raw.send(Buffer.alloc(1000, 0xff));
  await closed;
  await client.publishAsync('still', 'here', { qos: 1 });
});

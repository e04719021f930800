// Beside HTTP frameworks: Express, which knows nothing of WebSocket, and Fastify with @fastify/websocket, which has `ws`
// inside.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import fastifyWebsocket from '@fastify/websocket';
import express from 'express';
import Fastify from 'fastify';
import { WebSocket, WebSocketServer } from 'ws';
import { expectedTransport, listen, next } from './support.mjs';

/** An Express program: a page, a body parser, and a middleware that knows users by a header field. */
function program() {
  const app = express();
  app.use(express.json());
  app.use((request, _response, goOn) => {
    request.user = request.headers['x-user'];
    goOn();
  });
  app.get('/', (_request, response) => response.send('a page'));
  app.post('/sum', (request, response) => response.json({ sum: request.body.a + request.body.b }));
  return app;
}

async function connect(t, url, options) {
  const socket = new WebSocket(url, options);
  t.after(() => socket.terminate());
  await next(socket, 'open');
  return socket;
}

async function answer(socket, text) {
  socket.send(text);
  const [data] = await next(socket, 'message');
  return data.toString();
}

async function assertServesHttp(port) {
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'a page');
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1,"b":2}' };
  assert.deepEqual(await (await fetch(`http://127.0.0.1:${port}/sum`, options)).json(), { sum: 3 });
  assert.equal((await fetch(`http://127.0.0.1:${port}/nowhere`)).status, 404);
}

test('Express and a server on its HTTP server, under a path', async (t) => {
  const http = createServer(program());
  const server = new WebSocketServer({ server: http, path: '/live' });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  const { port } = await listen(t, http);
  await assertServesHttp(port);
  const socket = await connect(t, `ws://127.0.0.1:${port}/live`);
  assert.equal(socket.transport, expectedTransport);
  assert.equal(await answer(socket, 'hello'), 'echo hello');
  const [, refused] = await next(new WebSocket(`ws://127.0.0.1:${port}/sum`), 'unexpected-response');
  assert.equal(refused.statusCode, 404);
  refused.destroy();
  await assertServesHttp(port);
  assert.equal(await answer(socket, 'again'), 'echo again');
});

test("Express's middleware decides about an upgrade", async (t) => {
  const app = program();
  const http = createServer(app);
  const server = new WebSocketServer({ noServer: true });
  server.on('connection', (socket, request) => socket.send(`welcome ${request.user}`));
  http.on('upgrade', (request, stream, head) => {
    const response = { writeHead() {}, setHeader() {}, getHeader() {}, end: () => stream.destroy() };
    app.handle(request, response, () => {
      if (request.user === undefined) stream.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      else server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
    });
  });
  const { port } = await listen(t, http);
  const url = `ws://127.0.0.1:${port}/chat`;
  const socket = new WebSocket(url, { headers: { 'X-User': 'ada' } });
  t.after(() => socket.terminate());
  assert.equal((await next(socket, 'message'))[0].toString(), 'welcome ada');
  const [, refused] = await next(new WebSocket(url), 'unexpected-response');
  assert.equal(refused.statusCode, 401);
  refused.destroy();
});

/** A Fastify program with a WebSocket route and an HTTP one. */
async function fastify(t) {
  const app = Fastify();
  t.after(() => app.close());
  await app.register(fastifyWebsocket);
  app.register(async (scope) => {
    scope.addHook('preValidation', async (request, reply) => {
      if (request.headers['x-user'] === 'mallory') await reply.code(403).send('no');
    });
    scope.get('/live', { websocket: true }, (socket, request) => {
      socket.on('message', (data) => socket.send(`${request.headers['x-user'] ?? 'nobody'}: ${data}`));
    });
    scope.get('/', async () => 'a page');
  });
  await app.ready();
  return app;
}

test('@fastify/websocket: routes, hooks, and HTTP beside them', async (t) => {
  const app = await fastify(t);
  const { port } = await listen(t, app.server);
  const url = `ws://127.0.0.1:${port}/live`;
  const socket = await connect(t, url, { headers: { 'X-User': 'ada' } });
  assert.equal(socket.transport, expectedTransport);
  assert.equal(await answer(socket, 'hello'), 'ada: hello');
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'a page');
  const [, refused] = await next(new WebSocket(url, { headers: { 'X-User': 'mallory' } }), 'unexpected-response');
  assert.equal(refused.statusCode, 403);
  refused.destroy();
});

test('@fastify/websocket: a connection without a network, for tests', async (t) => {
  const app = await fastify(t);
  const socket = await app.injectWS('/live', { headers: { 'x-user': 'eve' } });
  t.after(() => socket.terminate());
  assert.ok(socket instanceof WebSocket);
  assert.equal(await answer(socket, 'hello'), 'eve: hello');
});

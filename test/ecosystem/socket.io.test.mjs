// Socket.IO, server and client, on this package instead of `ws`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { assertSameBytes, bytesOf, expectedTransport, listen, next, until } from './support.mjs';

/** A Socket.IO server with a handler that answers every 'echo' with 'echoed' and by an acknowledgement. */
async function serve(t, options = {}, port = 0) {
  const http = await listen(t, undefined, port);
  const server = new Server(http.server, options);
  t.after(() => server.close());
  server.on('connection', (socket) => {
    socket.on('echo', (...args) => {
      const acknowledge = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      socket.emit('echoed', ...args);
      acknowledge?.(...args);
    });
  });
  return { server, port: http.port, url: `http://127.0.0.1:${http.port}` };
}

/** A client that was not started yet. */
function client(t, url, options = {}) {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 20, ...options });
  t.after(() => socket.disconnect());
  return socket;
}

/** A client that is connected. */
async function connect(t, url, options) {
  const socket = client(t, url, options);
  await next(socket, 'connect');
  return socket;
}

/** A client that is connected, and the server's socket for it. */
async function pair(t, serverOptions, clientOptions) {
  const { server, url, port } = await serve(t, serverOptions);
  const accepted = next(server, 'connection');
  const socket = await connect(t, url, clientOptions);
  const [peer] = await accepted;
  return { server, socket, peer, url, port };
}

/** The WebSocket under a client or a server's socket. */
const socketOfClient = (socket) => socket.io.engine.transport.ws;
const socketOfServer = (peer) => peer.conn.transport.socket;

test('WebSocket alone: both ends are of this package', async (t) => {
  const { server, socket, peer } = await pair(t);
  assert.ok(server.engine.ws instanceof WebSocketServer);
  for (const one of [socketOfClient(socket), socketOfServer(peer)]) {
    assert.ok(one instanceof WebSocket);
    assert.equal(one.transport, expectedTransport);
  }
  assert.equal(peer.conn.transport.name, 'websocket');
  assert.equal(peer.handshake.address, '127.0.0.1');

  const echoed = next(socket, 'echoed');
  socket.emit('echo', 'grüße', { list: [1, null, { deep: true }] });
  assert.deepEqual(await echoed, ['grüße', { list: [1, null, { deep: true }] }]);
});

test('acknowledgements: both ways, and one that never comes', async (t) => {
  const { socket, peer } = await pair(t);
  assert.equal(await socket.emitWithAck('echo', 'x'.repeat(200_000)), 'x'.repeat(200_000));
  socket.on('question', (number, answer) => answer(number + 1));
  assert.equal(await peer.emitWithAck('question', 41), 42);
  await assert.rejects(peer.timeout(30).emitWithAck('nobody listens'), /timed out/);
  const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => socket.emitWithAck('echo', index)));
  assert.deepEqual(
    answers,
    Array.from({ length: 500 }, (_, index) => index),
  );
});

test('binary of every size, nested in objects', async (t) => {
  const { socket } = await pair(t, { maxHttpBufferSize: 1e8 });
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 4 << 20]) {
    const bytes = bytesOf(size);
    const answer = await socket.emitWithAck('echo', { bytes, list: [bytes.subarray(0, 10)], text: 'between' });
    assertSameBytes(answer.bytes, bytes);
    assertSameBytes(answer.list[0], bytes.subarray(0, 10));
    assert.equal(answer.text, 'between');
  }
  const view = new Uint16Array([1, 2, 65_535]).subarray(1);
  assertSameBytes(await socket.emitWithAck('echo', view), Buffer.from(view.buffer, view.byteOffset, view.byteLength));
});

test('binary arrives as the binaryType that the client asked for', async (t) => {
  const { socket } = await pair(t);
  socket.io.engine.binaryType = 'arraybuffer';
  socketOfClient(socket).binaryType = 'arraybuffer';
  const answer = await socket.emitWithAck('echo', bytesOf(1000));
  assert.ok(answer instanceof ArrayBuffer);
  assertSameBytes(Buffer.from(answer), bytesOf(1000));
});

test('rooms, broadcasts and namespaces', async (t) => {
  const { server, url } = await serve(t);
  server.on('connection', (socket) => {
    socket.on('join', (room, done) => {
      socket.join(room);
      done();
    });
    socket.on('others', (text) => socket.broadcast.emit('news', text));
  });
  const clients = await Promise.all([1, 2, 3].map(() => connect(t, url)));
  const news = clients.map((socket) => {
    const list = [];
    socket.on('news', (text) => list.push(Buffer.isBuffer(text) ? `binary ${text.toString()}` : text));
    return list;
  });
  await clients[0].emitWithAck('join', 'a');
  await clients[1].emitWithAck('join', 'a');
  await clients[1].emitWithAck('join', 'b');

  server.emit('news', 'all');
  server.to('a').emit('news', 'room a');
  server.to('a').except('b').emit('news', 'a without b');
  server.to(['a', 'b']).emit('news', 'once each');
  server.emit('news', Buffer.from('bytes'));
  clients[2].emit('others', 'from the third');
  await until(() => news[0].length === 6 && news[1].length === 5 && news[2].length === 2, 'the news');
  assert.deepEqual(news[0], ['all', 'room a', 'a without b', 'once each', 'binary bytes', 'from the third']);
  assert.deepEqual(news[1], ['all', 'room a', 'once each', 'binary bytes', 'from the third']);
  assert.deepEqual(news[2], ['all', 'binary bytes']);

  const answers = server.timeout(10_000).emitWithAck('who');
  clients.forEach((socket, index) => socket.on('who', (answer) => answer(index)));
  assert.deepEqual((await answers).sort(), [0, 1, 2]);

  const joined = next(server.of('/admin'), 'connection');
  const admin = clients[0].io.socket('/admin', {}).connect(); // the same connection
  const [[peer]] = await Promise.all([joined, next(admin, 'connect')]);
  assert.equal(peer.nsp.name, '/admin');
  assert.equal((await server.fetchSockets()).length, 3);

  const reasons = Promise.all([clients[0], clients[1]].map((socket) => next(socket, 'disconnect')));
  server.in('a').disconnectSockets(true);
  for (const [reason] of await reasons) assert.equal(reason, 'io server disconnect');
  assert.equal(await clients[2].emitWithAck('echo', 'still here'), 'still here');
});

test('a broadcast of many events reaches many clients in order', async (t) => {
  const { server, url } = await serve(t);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(t, url)));
  const seen = clients.map((socket) => {
    const numbers = [];
    socket.on('number', (number) => numbers.push(number));
    return numbers;
  });
  for (let number = 0; number < 300; number++) server.emit('number', number);
  await until(() => seen.every((numbers) => numbers.length === 300), 'every number');
  for (const numbers of seen) assert.ok(numbers.every((number, index) => number === index));
});

test('upgrade from polling: no event is lost or overtaken', async (t) => {
  const { server, url } = await serve(t);
  const received = [];
  server.on('connection', (peer) => {
    peer.on('number', (number) => received.push(number));
    let sent = 0;
    const timer = setInterval(() => (sent < 200 ? peer.emit('number', sent++) : clearInterval(timer)), 1);
  });
  const numbers = [];
  const socket = client(t, url, { transports: ['polling', 'websocket'] });
  socket.on('number', (number) => numbers.push(number));
  const upgraded = next(socket.io.engine, 'upgrade');
  await next(socket.io.engine, 'open');
  assert.equal(socket.io.engine.transport.name, 'polling');
  for (let number = 0; number < 100; number++) socket.emit('number', number);
  await upgraded;
  for (let number = 100; number < 200; number++) socket.emit('number', number);
  await until(() => numbers.length === 200 && received.length === 200, 'every number');
  const expected = Array.from({ length: 200 }, (_, index) => index);
  assert.deepEqual([numbers, received], [expected, expected]);
  assert.equal(socketOfClient(socket).transport, expectedTransport);
  const [peer] = server.sockets.sockets.values();
  assert.equal(peer.conn.transport.name, 'websocket');
  assertSameBytes(await socket.emitWithAck('echo', bytesOf(100_000)), bytesOf(100_000));
});

test('a connection that is cut is made anew', async (t) => {
  const { server, socket, peer } = await pair(t);
  const cuts = [
    () => socketOfServer(peer).terminate(),
    (present) => present.conn.close(),
    (present) => socketOfServer(present).close(1012),
    () => socketOfClient(socket).terminate(),
    () => socket.io.engine.close(),
  ];
  let present = peer;
  for (const cut of cuts) {
    const [gone, goneThere, again] = [next(socket, 'disconnect'), next(present, 'disconnect'), next(socket, 'connect')];
    const accepted = next(server, 'connection');
    cut(present);
    assert.match((await gone)[0], /^(transport close|forced close)$/, String(cut));
    assert.match((await goneThere)[0], /^(transport close|forced close)$/, String(cut));
    await again;
    [present] = await accepted;
    assert.equal(await socket.emitWithAck('echo', 'again'), 'again');
  }
  assert.equal(server.engine.clientsCount, 1);
});

test('connection state recovery: events of the meantime arrive', async (t) => {
  const { server, socket, peer } = await pair(t, { connectionStateRecovery: {} });
  const texts = [];
  socket.on('text', (text) => texts.push(text));
  peer.join('room');
  server.to('room').emit('text', 'before');
  await until(() => texts.length === 1, 'the first text');
  const gone = next(peer, 'disconnect');
  socketOfServer(peer).terminate();
  await gone;
  server.to('room').emit('text', 'in between');
  await next(socket, 'connect');
  assert.equal(socket.recovered, true);
  await until(() => texts.length === 2, 'the second text');
  assert.deepEqual(texts, ['before', 'in between']);
});

test('a server that goes away: clients come back to the next one', async (t) => {
  const first = await serve(t);
  const sockets = await Promise.all([1, 2, 3].map(() => connect(t, first.url)));
  const gone = Promise.all(sockets.map((socket) => next(socket, 'disconnect')));
  await first.server.close(); // with the HTTP server, which waits for its connections
  for (const [reason] of await gone) assert.equal(reason, 'transport close');

  const back = Promise.all(sockets.map((socket) => next(socket, 'connect')));
  sockets[0].emit('echo', 'said while away');
  const echoed = next(sockets[0], 'echoed');
  await next(sockets[1].io, 'reconnect_error');
  await serve(t, {}, first.port);
  await back;
  assert.deepEqual(await echoed, ['said while away']);
});

test('the heartbeat ends a connection whose peer is silent, and no other', async (t) => {
  const { server, socket, url } = await pair(t, { pingInterval: 100, pingTimeout: 100 });
  const disconnects = [];
  socket.on('disconnect', (reason) => disconnects.push(reason));
  const accepted = next(server.engine, 'connection');
  const silent = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`); // does not answer pings
  const [[peer], [, reason], [code]] = await Promise.all([
    accepted,
    accepted.then(([one]) => next(one, 'close').then(([why]) => [one, why])),
    next(silent, 'close'),
  ]);
  assert.equal(peer.readyState, 'closed');
  assert.equal(reason, 'ping timeout');
  assert.equal(code, 1005);
  assert.equal(await socket.emitWithAck('echo', 'alive'), 'alive');
  assert.deepEqual(disconnects, []);
});

test('a client leaves a server that is silent', async (t) => {
  const http = await listen(t);
  const server = new WebSocketServer({ server: http.server });
  server.on('connection', (peer) => {
    peer.send(`0${JSON.stringify({ sid: 'x', upgrades: [], pingInterval: 50, pingTimeout: 50, maxPayload: 1000 })}`);
    peer.once('message', () => peer.send('40{"sid":"y"}')); // then no ping
  });
  const socket = await connect(t, `http://127.0.0.1:${http.port}`, { reconnection: false });
  assert.equal((await next(socket, 'disconnect'))[0], 'ping timeout');
});

test('a message above maxHttpBufferSize ends its connection with 1009', async (t) => {
  const { socket, peer } = await pair(t, { maxHttpBufferSize: 10_000 }, { reconnection: false });
  assert.equal(await socket.emitWithAck('echo', 'x'.repeat(9000)), 'x'.repeat(9000));
  const [gone, goneThere] = [next(socket, 'disconnect'), next(peer, 'disconnect')];
  socket.emit('echo', 'x'.repeat(20_000));
  const [reason, details] = await gone;
  assert.equal(reason, 'transport close');
  assert.equal(details.context.code, 1009);
  assert.deepEqual((await goneThere).slice(0, 1), ['transport error']);
});

test('perMessageDeflate may be asked for', async (t) => {
  const perMessageDeflate = { threshold: 0 };
  const { socket, peer } = await pair(t, { perMessageDeflate }, { perMessageDeflate });
  const text = 'compressible '.repeat(10_000);
  assert.equal(await socket.compress(true).emitWithAck('echo', text), text);
  const got = next(socket, 'news');
  peer.compress(false).emit('news', text);
  assert.deepEqual(await got, [text]);
});

test('header fields, cookies, middleware and refusals', async (t) => {
  const allowRequest = (request, callback) => callback('not you', request.headers['x-name'] === 'heron');
  const { server, url } = await serve(t, { allowRequest });
  server.engine.on('initial_headers', (headers) => (headers['set-cookie'] = 'session=1; Path=/'));
  server.engine.on('headers', (headers) => (headers['x-server'] = 'one'));
  server.engine.use((request, response, go) => {
    response.setHeader('x-middleware', 'two');
    go();
  });
  server.use((socket, go) => go(socket.handshake.auth.token === 'right' ? undefined : new Error('wrong token')));

  const extraHeaders = { 'x-name': 'heron' };
  const socket = client(t, url, { extraHeaders, auth: { token: 'right' } });
  const [response] = await next(socketOfClient(socket), 'upgrade');
  assert.deepEqual(response.headers['set-cookie'], ['session=1; Path=/']);
  assert.equal(response.headers['x-server'], 'one');
  assert.equal(response.headers['x-middleware'], 'two');
  await next(socket, 'connect');

  const stranger = client(t, url, { reconnection: false });
  const [error] = await next(stranger, 'connect_error');
  assert.match(error.description.message, /400/);
  const forger = client(t, url, { extraHeaders, auth: { token: 'wrong' } });
  assert.equal((await next(forger, 'connect_error'))[0].message, 'wrong token');
});

test('a request that Engine.IO refuses after the handshake harms nobody', async (t) => {
  const { socket, url } = await pair(t);
  for (const query of ['EIO=2&transport=websocket', 'EIO=4&transport=websocket&sid=unknown', 'EIO=4&transport=none']) {
    const raw = new WebSocket(`${url}/socket.io/?${query}`);
    raw.on('error', () => {});
    assert.equal((await next(raw, 'close'))[0], 1006, query);
  }
  const babbler = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`);
  await next(babbler, 'open');
  babbler.send('what Engine.IO cannot read');
  await next(babbler, 'close');
  assert.equal(await socket.emitWithAck('echo', 'here'), 'here');
});

test('autoUnref: the connection does not keep the program alive', async (t) => {
  const { server, url } = await serve(t);
  const program = `
    import { io } from 'socket.io-client';
    const socket = io(${JSON.stringify(url)}, { transports: ['websocket'], autoUnref: true });
    socket.on('connect', () => console.log('connected'));
    const timer = setInterval(() => socket.connected && clearInterval(timer), 10);`;
  const accepted = next(server, 'connection');
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: path.dirname(import.meta.filename),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const [peer] = await accepted;
  const gone = next(peer, 'disconnect');
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(output, 'connected\n');
  assert.deepEqual((await gone).slice(0, 1), ['transport close']);
});

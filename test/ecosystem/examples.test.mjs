// The examples that need programs of others: Express, Fastify and Socket.IO. They run from a copy in build/ecosystem/examples,
// with this package installed under its own name, as in a program of a user's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createInterface } from 'node:readline';
import { WebSocket } from 'websocket-component';
import { next } from './support.mjs';

const folder = path.join(import.meta.dirname, 'examples');

/** Runs a program. `line` gives the next line that it prints; `ended` its exit status and what it complained of. */
function start(t, file, ...args) {
  const child = spawn(process.execPath, [path.resolve(folder, file), ...args]);
  child.stdin.end();
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'close').then(([status, signal]) => ({ status: status ?? signal, errors }));
  const line = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`it has ended: ${JSON.stringify(await ended)}`);
    return value;
  };
  return { child, line, ended };
}

/** Starts a server on a port that the system chooses. */
async function serve(t, file) {
  const program = start(t, file, '0');
  const [, url] = /^listening on (http:\S+\/)$/.exec(await program.line());
  return { ...program, url };
}

/** SIGTERM: the program ends in order, and has complained of nothing. */
async function endsInOrder({ child, ended }) {
  child.kill('SIGTERM');
  assert.deepEqual(await ended, { status: 0, errors: '' });
}

/** The client of the package's command line, as the header comment of the example calls it. */
function startClient(t, file, server, ...more) {
  const header = readFileSync(path.join(folder, file), 'utf8');
  const [, command] = /^\/\/ {3}npx websocket-component (connect .*?)(?: {3,}|$)/m.exec(header);
  const args = command.replace(':8080/', `:${new URL(server.url).port}/`).split(' ');
  return start(t, '../node_modules/websocket-component/dist/cli/main.js', ...args, ...more);
}

async function connect(t, server, place) {
  const socket = new WebSocket(new URL(place, server.url.replace('http', 'ws')));
  t.after(() => socket.terminate());
  await next(socket, 'open');
  return socket;
}

const textOf = ([data]) => data.toString();

async function assertNotFound(server, place) {
  const [, response] = await next(
    new WebSocket(new URL(place, server.url.replace('http', 'ws'))),
    'unexpected-response',
  );
  assert.equal(response.statusCode, 404);
  response.destroy();
}

test('Express', async (t) => {
  const server = await serve(t, 'express.mjs');
  const post = async (body) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(new URL('/news', server.url), { method: 'POST', headers, body });
    return [response.status, await response.json()];
  };
  const sockets = [await connect(t, server, '/live'), await connect(t, server, '/live')];
  const client = startClient(t, 'express.mjs', server, '--count', '1');
  const count = async () => (await fetch(server.url)).text();
  for (let text = await count(); text !== '3 connected to /live\n'; text = await count()) {
    assert.equal(text, '2 connected to /live\n');
  }
  const news = Promise.all(sockets.map((socket) => next(socket, 'message')));
  assert.deepEqual(await post('{"text":"hello"}'), [200, { recipients: 3 }]);
  assert.deepEqual((await news).map(textOf), ['hello', 'hello']);
  assert.equal(await client.line(), 'hello');
  assert.equal((await client.ended).status, 0);

  for (const [body, status] of [
    ['{"text":7}', 400],
    ['{', 400],
    [JSON.stringify({ text: 'x'.repeat(20_000) }), 413],
  ]) {
    const [actual, { error }] = await post(body);
    assert.equal(actual, status);
    assert.match(error, /\w/);
  }
  await assertNotFound(server, '/elsewhere');
  const [talker, listener] = sockets;
  const refused = next(talker, 'close');
  talker.send('what is this');
  assert.equal((await refused)[0], 1003);
  const closed = next(listener, 'close');
  await endsInOrder(server);
  assert.equal((await closed)[0], 1001);
});

test('Fastify', async (t) => {
  const server = await serve(t, 'fastify.mjs');
  const [ada, bob, eve] = [
    await connect(t, server, '/rooms/tea'),
    await connect(t, server, '/rooms/tea'),
    await connect(t, server, '/rooms/constructor'),
  ];
  assert.deepEqual(await (await fetch(new URL('/rooms', server.url))).json(), { tea: 2, constructor: 1 });
  eve.on('message', () => assert.fail('of another room'));
  const heard = Promise.all([ada, bob].map((socket) => next(socket, 'message')));
  ada.send('{"text":"hello","more":1}');
  assert.deepEqual((await heard).map(textOf), ['{"text":"hello"}', '{"text":"hello"}']);
  for (const wrong of ['{', 'null', '{"text":7}', Buffer.from('{"text":"binary"}')]) {
    const answer = next(bob, 'message');
    bob.send(wrong);
    assert.match(JSON.parse(textOf(await answer)).error, /hello/);
  }
  for (const place of ['/rooms/', '/rooms/Tea', '/elsewhere']) await assertNotFound(server, place);
  const said = next(ada, 'message');
  const client = startClient(t, 'fastify.mjs', server, '--execute', '{"text":"on the command line"}', '--count', '1');
  assert.equal(await client.line(), '{"text":"on the command line"}');
  assert.equal(textOf(await said), '{"text":"on the command line"}');
  assert.equal((await client.ended).status, 0);
  const closed = Promise.all([ada, bob, eve].map((socket) => next(socket, 'close')));
  await endsInOrder(server);
  assert.deepEqual(
    (await closed).map(([code]) => code),
    [1001, 1001, 1001],
  );
});

test('Socket.IO: the sockets of its server are of the package that the example imports', async (t) => {
  const server = await serve(t, 'socket.io/server.mjs');
  const client = start(t, 'socket.io/client.mjs', server.url);
  assert.deepEqual([await client.line(), await client.line()], ['news: heron is here', 'by websocket: {"clients":1}']);
  assert.deepEqual(await client.ended, { status: 0, errors: '' });
  const shouting = start(t, 'socket.io/client.mjs', server.url, 'x'.repeat(200));
  assert.match(await shouting.line(), /^by websocket: \{"error":/);
  assert.deepEqual(await shouting.ended, { status: 0, errors: '' });

  for (const line of [
    'connected by polling',
    'upgraded to websocket of websocket-component',
    'disconnected: client namespace disconnect',
  ]) {
    assert.equal(await server.line(), line);
  }
  await endsInOrder(server);
  const late = start(t, 'socket.io/client.mjs', server.url);
  assert.equal((await late.ended).status, 1);
});

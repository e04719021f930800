// graphql-ws on this package instead of `ws`: its server (`graphql-ws/use/ws`), its client with our class as
// `webSocketImpl`, and clients that break the protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { expectedTransport, listen, next, until } from './support.mjs';

const schema = buildSchema(`
  type Query { hello(name: String): String!, fails: String }
  type Mutation { set(value: Int!): Int! }
  type Subscription { count(to: Int!): Int!, forever: Int!, fails: Int!, text(length: Int!): String! }
`);

/** What the resolvers of all tests share: the value that was set, and how many endless subscriptions are under way. */
const state = { value: 0, underWay: 0 };

const roots = {
  query: {
    hello: ({ name }) => `Hello ${name ?? 'you'}`,
    fails: () => {
      throw new Error('the resolver failed');
    },
  },
  mutation: { set: ({ value }) => (state.value = value) },
  subscription: {
    async *count({ to }) {
      for (let count = 1; count <= to; count++) yield { count };
    },
    async *forever() {
      state.underWay++;
      try {
        for (let forever = 0; ; forever++) {
          yield { forever };
          await delay(5);
        }
      } finally {
        state.underWay--;
      }
    },
    async *fails() {
      yield { fails: 1 };
      throw new Error('the source failed');
    },
    async *text({ length }) {
      yield { text: 'é'.repeat(length) };
    },
  },
};

/** A GraphQL server on /graphql. `sockets`: those of its connections, in order. */
async function serve(t, options = {}, keepAlive = 0, port = 0) {
  const http = await listen(t, undefined, port);
  const server = new WebSocketServer({ server: http.server, path: '/graphql' });
  const sockets = [];
  server.on('connection', (socket) => sockets.push(socket));
  const { dispose } = useServer({ schema, roots, ...options }, server, keepAlive);
  t.after(() => server.clients.forEach((socket) => socket.terminate()));
  return { server, dispose, sockets, http: http.server, port: http.port, url: `ws://127.0.0.1:${http.port}/graphql` };
}

function client(t, url, options = {}) {
  const made = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  t.after(() => made.dispose());
  return made;
}

/** All results of an operation; throws its error. */
async function all(graphql, query, variables) {
  const results = [];
  for await (const result of graphql.iterate({ query, variables })) results.push(result);
  return results;
}

test('queries and mutations, with sockets of this package on both ends', async (t) => {
  const { url, sockets } = await serve(t);
  const ours = [];
  const graphql = client(t, url, { on: { opened: (socket) => ours.push(socket) } });
  assert.deepEqual(await all(graphql, '{ hello }'), [{ data: { hello: 'Hello you' } }]);
  const named = await all(graphql, 'query ($name: String) { hello(name: $name) }', { name: 'Grüße 😀' });
  assert.deepEqual(named, [{ data: { hello: 'Hello Grüße 😀' } }]);
  assert.deepEqual(await all(graphql, 'mutation { set(value: 7) }'), [{ data: { set: 7 } }]);
  assert.equal(state.value, 7);
  assert.ok(sockets.length > 0 && ours.length === sockets.length);
  for (const socket of [...sockets, ...ours]) {
    assert.ok(socket instanceof WebSocket);
    assert.equal(socket.transport, expectedTransport);
    assert.equal(socket.protocol, 'graphql-transport-ws');
  }
});

test('subscriptions: every result in order, many at once on one connection', async (t) => {
  const { url, sockets } = await serve(t);
  const graphql = client(t, url, { lazy: false });
  const runs = await Promise.all(
    Array.from({ length: 50 }, (_, index) => all(graphql, `subscription { count(to: ${index}) }`)),
  );
  runs.forEach((results, index) => {
    assert.deepEqual(
      results.map(({ data }) => data.count),
      Array.from({ length: index }, (_, before) => before + 1),
    );
  });
  const [{ data }] = await all(graphql, 'subscription { text(length: 1000000) }');
  assert.equal(data.text, 'é'.repeat(1_000_000));
  assert.equal(sockets.length, 1);
});

test('errors: of the resolver, of the source, of the query', async (t) => {
  const { url, sockets } = await serve(t);
  const graphql = client(t, url, { lazy: false });
  const [{ errors }] = await all(graphql, '{ fails }');
  assert.match(errors[0].message, /the resolver failed/);
  const invalid = await all(graphql, '{ nothing }').catch((error) => error);
  assert.match(invalid[0].message, /Cannot query field/);
  assert.deepEqual(await all(graphql, '{ hello }'), [{ data: { hello: 'Hello you' } }]);
  assert.equal(sockets.length, 1);

  const failed = await all(graphql, 'subscription { fails }').catch((error) => error);
  assert.equal(failed[0].message, 'the source failed');
});

test('completing a subscription ends its source, and neither the others nor the connection', async (t) => {
  const { url, sockets } = await serve(t);
  const graphql = client(t, url, { lazy: false });
  const other = graphql.iterate({ query: 'subscription { forever }' });
  await other.next();
  for await (const { data } of graphql.iterate({ query: 'subscription { forever }' })) {
    if (data.forever === 3) break;
  }
  await until(() => state.underWay === 1, 'the end of one source');
  assert.equal((await other.next()).done, false);
  await other.return();
  await until(() => state.underWay === 0, 'the end of the other source');
  assert.deepEqual(await all(graphql, '{ hello }'), [{ data: { hello: 'Hello you' } }]);
  assert.equal(sockets.length, 1);
});

test('a client that leaves in a hurry ends its sources', async (t) => {
  const { url, sockets } = await serve(t);
  const graphql = client(t, url);
  const results = graphql.iterate({ query: 'subscription { forever }' });
  await results.next();
  graphql.terminate(); // it does not wait for the server
  const closed = next(sockets[0], 'close');
  const rest = async () => {
    while (!(await results.next()).done);
  };
  await assert.rejects(rest, { code: 4499, wasClean: false });
  assert.equal((await closed)[0], 4499);
  await until(() => state.underWay === 0, 'the end of the source');
});

test('keep-alive of the server: who answers stays, who does not is cut', async (t) => {
  const { url, sockets } = await serve(t, {}, 40);
  let pings = 0;
  const lively = new WebSocket(url, 'graphql-transport-ws');
  lively.on('ping', () => pings++);
  await next(lively, 'open');
  const silent = new WebSocket(url, 'graphql-transport-ws', { autoPong: false });
  await next(silent, 'open');
  assert.equal((await next(silent, 'close'))[0], 1006);
  const seen = pings;
  await until(() => pings > seen + 2, 'more pings');
  assert.deepEqual(
    sockets.map((socket) => socket.readyState),
    [WebSocket.OPEN, WebSocket.CLOSED],
  );
  lively.terminate();
});

test('keep-alive of the client: messages of the protocol, and it leaves a server that is silent', async (t) => {
  const { url, sockets } = await serve(t);
  const pongs = [];
  const graphql = client(t, url, { lazy: false, keepAlive: 20, on: { pong: (received) => pongs.push(received) } });
  await until(() => pongs.includes(true), 'a pong');
  const closed = new Promise((resolve) => graphql.on('closed', resolve));
  let timer;
  const leaving = client(t, url, {
    lazy: false,
    keepAlive: 20,
    onNonLazyError: () => {},
    on: {
      ping: (received) => (timer = received ? timer : setTimeout(() => leaving.terminate(), 200)),
      pong: (received) => received && clearTimeout(timer),
    },
  });
  const left = new Promise((resolve) => leaving.on('closed', resolve));
  await until(() => sockets.length === 2 && timer !== undefined, 'the second client');
  sockets[1].pause();
  assert.equal((await left).code, 4499);
  graphql.dispose();
  assert.equal((await closed).code, 1000);
});

/** Opens a connection, sends messages, and tells how the server closed it. */
async function closeAfter(t, url, messages, protocols = ['graphql-transport-ws']) {
  const socket = new WebSocket(url, protocols);
  t.after(() => socket.terminate());
  const closed = next(socket, 'close');
  await next(socket, 'open');
  for (const [index, message] of messages.entries()) {
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    if (message.type === 'connection_init' && index < messages.length - 1) await next(socket, 'message');
  }
  const [code, reason] = await closed;
  return `${code} ${reason}`;
}

test('close codes of the protocol', async (t) => {
  t.mock.method(console, 'error', () => {}); // graphql-ws tells what onConnect threw
  const { url } = await serve(t, {
    connectionInitWaitTimeout: 50,
    onConnect: ({ connectionParams }) => {
      if (connectionParams?.fails) throw new Error('onConnect failed');
      return connectionParams?.token !== 'wrong';
    },
  });
  const init = { type: 'connection_init' };
  const subscribe = { id: '1', type: 'subscribe', payload: { query: 'subscription { forever }' } };
  const failing = { type: 'connection_init', payload: { fails: true } };
  assert.match(await closeAfter(t, url, ['no JSON']), /^4400 /);
  assert.match(await closeAfter(t, url, [init, { type: 'unknown' }]), /^4400 /);
  assert.equal(await closeAfter(t, url, [subscribe]), '4401 Unauthorized');
  assert.equal(await closeAfter(t, url, [{ ...init, payload: { token: 'wrong' } }]), '4403 Forbidden');
  assert.equal(await closeAfter(t, url, [], []), '4406 Subprotocol not acceptable');
  assert.equal(await closeAfter(t, url, []), '4408 Connection initialisation timeout');
  assert.equal(await closeAfter(t, url, [init, subscribe, subscribe]), '4409 Subscriber for 1 already exists');
  assert.equal(await closeAfter(t, url, [init, init]), '4429 Too many initialisation requests');
  assert.equal(await closeAfter(t, url, [failing]), '4500 onConnect failed');
  await until(() => state.underWay === 0, 'the end of every source');
});

test('a client is told of a fatal close code, and does not try again', async (t) => {
  t.mock.method(console, 'error', () => {});
  const onConnect = () => {
    throw new Error('out of order');
  };
  const { url, sockets } = await serve(t, { onConnect });
  const graphql = client(t, url, { retryAttempts: 5 });
  const refused = await all(graphql, '{ hello }').catch((error) => error);
  assert.deepEqual([refused.code, refused.reason, refused.wasClean], [4500, 'out of order', true]);
  assert.equal(sockets.length, 1);
});

test('a connection that is cut is made anew, and the subscription with it', async (t) => {
  const { url, sockets } = await serve(t);
  const graphql = client(t, url, { retryAttempts: 5, retryWait: () => delay(10), shouldRetry: () => true });
  const starts = [];
  const done = new Promise((resolve, reject) => {
    const stop = graphql.subscribe(
      { query: 'subscription { forever }' },
      {
        next: ({ data }) => {
          if (data.forever !== 0) return;
          starts.push(data.forever);
          if (starts.length === 3) stop();
          else if (starts.length === 2) sockets.at(-1).close(1012, 'restart');
          else sockets.at(-1).terminate();
        },
        complete: resolve,
        error: reject,
      },
    );
  });
  await done;
  assert.equal(sockets.length, 3);
  await until(() => state.underWay === 0, 'the end of every source');
});

test('dispose closes every client with 1001, and the HTTP server ends', async (t) => {
  const { url, http, dispose, sockets } = await serve(t);
  const closes = [];
  const clients = [1, 2, 3].map(() =>
    client(t, url, { lazy: false, onNonLazyError: () => {}, on: { closed: (event) => closes.push(event) } }),
  );
  const results = clients.map((graphql) => graphql.iterate({ query: 'subscription { forever }' }));
  await Promise.all(results.map((one) => one.next()));
  assert.equal(sockets.length, 3);
  await dispose();
  await until(() => closes.length === 3, 'three closes');
  for (const { code, reason } of closes) assert.deepEqual([code, reason], [1001, 'Going away']);
  await new Promise((resolve) => http.close(resolve));
  await until(() => state.underWay === 0, 'the end of every source');
});

test('a path that is not the one of GraphQL is refused', async (t) => {
  const { url } = await serve(t);
  assert.equal((await all(client(t, url), '{ hello }')).length, 1);
  const lost = client(t, url.replace('/graphql', '/other'));
  const error = await all(lost, '{ hello }').catch((reason) => reason);
  assert.match(error.message, /^Unexpected server response: 40[04]$/);
});

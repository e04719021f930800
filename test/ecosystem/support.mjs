// What the ecosystem tests share: HTTP servers that end with their test, promises for events, and the sockets that the
// programs opened, as this package's diagnostics channel tells them.
import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after } from 'node:test';

export const expectedTransport =
  process.env.WEBSOCKET_COMPONENT_TRANSPORT === 'stream' || process.platform === 'win32' ? 'stream' : 'native';

/** The sockets of this package that were opened in this file: by clients and by servers. */
export const opened = { clients: [], servers: [] };

subscribe('websocket-component:handshake', ({ server, socket }) => {
  if (socket !== undefined) (server === undefined ? opened.clients : opened.servers).push(socket);
});

after(() => {
  assert.ok(opened.clients.length > 0 && opened.servers.length > 0, 'the programs did not open sockets of this package');
});

/** Listens on a port of its own, or on a given one. */
export async function listen(t, server = createServer(), port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    if (server.listening) server.close();
  });
  return { server, port: server.address().port };
}

/** The arguments of the next event, also of emitters that are not Node's. */
export function next(emitter, name) {
  return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

/** Waits until the condition holds. */
export async function until(condition, what) {
  for (const end = Date.now() + 20_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** `size` bytes with every value. */
export function bytesOf(size) {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, index) => 255 - index)));
}

/** The same bytes: not deepEqual, which would print megabytes. */
export function assertSameBytes(actual, expected) {
  assert.equal(actual.length, expected.length);
  assert.ok(Buffer.from(actual.buffer ?? actual, actual.byteOffset, actual.byteLength).equals(expected), 'other bytes');
}

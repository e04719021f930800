// What the ecosystem tests share: HTTP servers that end with their test, promises for events, and the sockets that the
// programs opened, as this package's diagnostics channel tells them.
import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server as TlsServer } from 'node:https';

export const expectedTransport =
  process.env.WEBSOCKET_COMPONENT_TRANSPORT === 'stream' || process.platform === 'win32' ? 'stream' : 'native';

/** The sockets of this package that were opened so far: by clients and by servers. */
export const opened = { clients: [], servers: [] };

subscribe('websocket-component:handshake', ({ server, socket }) => {
  if (socket !== undefined) (server === undefined ? opened.clients : opened.servers).push(socket);
});

/**
 * Listens on a port of its own, or on a given one. The test fails when no socket of this package was opened then, or
 * one on another transport than expected.
 */
export async function listen(t, server = createServer(), port = 0) {
  const before = { clients: opened.clients.length, servers: opened.servers.length };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    if (server.listening) server.close();
    const since = [...opened.clients.slice(before.clients), ...opened.servers.slice(before.servers)];
    assert.ok(opened.servers.length > before.servers, 'no socket of this package was opened');
    for (const { transport } of since)
      assert.equal(transport, server instanceof TlsServer ? 'stream' : expectedTransport);
  });
  return { server, port: server.address().port };
}

/** The arguments of the next event, also of emitters that are not Node's, and of an 'error'. */
export function next(emitter, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the event '${name}' did not come`)), 20_000);
    emitter.once(name, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

/** Waits until the condition holds. */
export async function until(condition, what) {
  for (const end = Date.now() + 20_000; !condition();) {
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

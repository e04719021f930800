// Messages of all sizes there and back, in both roles, with and without compression. Ends with the line "echo: <transport>".
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'websocket-component';

const sizes = [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024];
let transport;
for (const perMessageDeflate of [false, true]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate });
  await once(server, 'listening');
  server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}`, { perMessageDeflate });
  await once(socket, 'open');
  assert.equal(socket.extensions !== '', perMessageDeflate);
  for (const size of sizes) {
    for (const message of ['é'.repeat(size / 2), Buffer.alloc(size, 'binary')]) {
      socket.send(message);
      const [data, isBinary] = await once(socket, 'message');
      assert.equal(isBinary, typeof message !== 'string');
      assert.ok(Buffer.from(message).equals(data), `${size} bytes`);
    }
  }
  socket.ping('ping');
  assert.equal(String((await once(socket, 'pong'))[0]), 'ping');
  transport = socket.transport;
  const closed = once(socket, 'close');
  socket.close(4000, 'done');
  assert.deepEqual(await closed.then(([code, reason]) => [code, String(reason)]), [4000, 'done']);
  await server.close({ timeout: 1000 });
}
console.log(`echo: ${transport}`);

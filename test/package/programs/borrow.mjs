// Keeps messages that were borrowed, until the next ones have come to where they lie. Ends with the line "kept: ..."; where
// borrowing is copying, nothing can be overwritten.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'websocket-component';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', delivery: 'borrow' });
await once(server, 'listening');
const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
const [[socket]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);

const sent = [100, 100, 5000, 5000, 70_000, 2_000_000, 2_000_000, 100].map((size, index) =>
  Buffer.alloc(size, index + 1),
);
const kept = [];
socket.on('message', (data) => {
  assert.ok(sent[kept.length].equals(data), `message ${kept.length}`);
  kept.push(data);
  socket.send(data); // an echo may send what it has borrowed
});
for (const message of sent) {
  client.send(message);
  const [echo] = await once(client, 'message');
  assert.ok(message.equals(echo));
}
const same = kept.filter((data, index) => sent[index].equals(data)).length;
console.log(`kept: ${same === sent.length ? 'all are as they were sent' : 'some are overwritten'}`);
client.close();
await server.close({ timeout: 1000 });

// A Socket.IO client for server.mjs, which says how to start both. It begins with HTTP polling, as Socket.IO does, waits for
// the upgrade to WebSocket, and greets.
//
//   node examples/socket.io/client.mjs [url] [name]     default: http://127.0.0.1:8080/ heron
import { once } from 'node:events';
import { io } from 'socket.io-client';

const [url = 'http://127.0.0.1:8080/', name = 'heron'] = process.argv.slice(2);

const socket = io(url, { reconnection: false });
socket.on('news', (text) => console.log(`news: ${text}`));
socket.on('connect_error', (error) => {
  console.error(`${url}: ${error.message}`);
  process.exitCode = 1;
});
socket.on('connect', async () => {
  const { engine } = socket.io;
  if (engine.transport.name !== 'websocket') await once(engine, 'upgrade');
  const answer = await socket.timeout(5000).emitWithAck('greet', name);
  console.log(`by ${engine.transport.name}: ${JSON.stringify(answer)}`);
  socket.disconnect();
});

// Node's net without WebSocket: the bytes go back as they came.
import { createServer } from 'node:net';
import { tell } from './tell.mjs';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('error', () => {}); // clients leave when they have measured enough
});
server.listen(0, '127.0.0.1', 4096, () => tell({ port: server.address().port }));

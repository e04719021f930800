// ws with what its users can do about a system call for each message: hold the socket's writes back (cork) until the
// frames that came together are handled.
import { WebSocketServer } from 'ws';
import { serve } from './websocket-server.mjs';

function corked(socket) {
  const stream = socket._socket;
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

serve(
  WebSocketServer,
  {},
  {
    echo: (socket) =>
      socket.on('message', (data, isBinary) => {
        corked(socket);
        socket.send(data, { binary: isBinary });
      }),
    strings: (socket) =>
      socket.on('message', (data) => {
        corked(socket);
        socket.send(data.toString());
      }),
  },
);

// A Socket.IO server whose WebSocket connections are this package's: the option wsEngine.
//
//   npm install websocket-component socket.io socket.io-client
//   node examples/socket.io/server.mjs   http://127.0.0.1:8080/; another port: an argument, or PORT in the environment
//   node examples/socket.io/client.mjs   in another terminal
//
// The client greets, gets an acknowledgement and the greeting as news, and ends. Browsers use the client of Socket.IO as
// ever: nothing changes for them. Ctrl-C disconnects the clients and ends the server.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { WebSocket, WebSocketServer } from 'websocket-component';

const port = Number(process.argv[2] || process.env.PORT || 8080);

const http = createServer();
const io = new Server(http, { wsEngine: WebSocketServer, maxHttpBufferSize: 64 * 1024 });

io.on('connection', (socket) => {
  console.log(`connected by ${socket.conn.transport.name}`);
  socket.conn.on('upgrade', (transport) => {
    const isOurs = transport.socket instanceof WebSocket;
    console.log(`upgraded to ${transport.name} of ${isOurs ? 'websocket-component' : 'another package'}`);
  });
  socket.on('disconnect', (reason) => console.log(`disconnected: ${reason}`));

  socket.on('greet', (name, acknowledge) => {
    if (typeof acknowledge !== 'function') return; // clients may send anything
    if (typeof name !== 'string' || name.length > 100)
      return acknowledge({ error: 'A name of at most 100 characters' });
    io.emit('news', `${name} is here`);
    acknowledge({ clients: io.of('/').sockets.size });
  });
});

http.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}/`));

const stop = () => io.close(); // with the HTTP server
process.once('SIGINT', stop).once('SIGTERM', stop);

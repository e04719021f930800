// A WebSocket server beside an Express app, on one port: Express answers HTTP, and what asks for an upgrade of /live gets
// a socket. Whatever is posted to /news goes to everybody who is connected.
//
//   npm install websocket-component express
//   node examples/express.mjs           http://127.0.0.1:8080/; another port: an argument, or PORT in the environment
//
//   npx websocket-component connect ws://127.0.0.1:8080/live --wait forever
//   curl --json '{"text":"hello"}' http://127.0.0.1:8080/news
//
// The client prints "hello", and curl {"recipients":1}. Ctrl-C closes the clients with 1001 and ends the server.
import { createServer } from 'node:http';
import express from 'express';
import { WebSocketServer } from 'websocket-component';

const port = Number(process.argv[2] || process.env.PORT || 8080);

const app = express();
app.use(express.json({ limit: '16kb' }));
app.get('/', (request, response) => {
  response.type('text').send(`${live.clients.size} connected to /live\n`);
});
app.post('/news', (request, response) => {
  const text = request.body?.text;
  if (typeof text === 'string') response.json({ recipients: live.broadcast(text) });
  else response.status(400).json({ error: 'What is posted must be like {"text":"hello"}' });
});
app.use((error, request, response, next) => {
  if (response.headersSent) next(error);
  else response.status(error.status ?? 500).json({ error: error.expose ? error.message : 'Internal Server Error' });
});

const http = createServer(app);
// Other paths get 404. A client that reads so slowly that 1 MiB waits for it is closed with 1013.
const live = new WebSocketServer({ server: http, path: '/live', maxPayload: 16 * 1024, maxBackpressure: 1024 * 1024 });
live.on('connection', (socket) => {
  socket.on('error', (error) => console.error(`/live: ${error.message}`));
  socket.on('message', () => socket.close(1003, 'Post to /news instead'));
});

http.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}/`));

async function stop() {
  http.close();
  await live.close({ code: 1001, timeout: 2000 });
  http.closeAllConnections();
}
process.once('SIGINT', stop).once('SIGTERM', stop);

// Chat rooms on the server of a Fastify app: /rooms/tea is a room for WebSocket clients, and Fastify answers HTTP.
//
//   npm install websocket-component fastify
//   node examples/fastify.mjs           http://127.0.0.1:8080/; another port: an argument, or PORT in the environment
//
//   npx websocket-component connect ws://127.0.0.1:8080/rooms/tea
//
// Everybody in the room, also who said it, gets {"text":"…"} for each {"text":"…"}; http://127.0.0.1:8080/rooms says how many
// are where. Anything else is answered with {"error":"…"}. Ctrl-C closes the clients with 1001 and ends the server.
import Fastify from 'fastify';
import { WebSocketServer } from 'websocket-component';

const port = Number(process.argv[2] || process.env.PORT || 8080);

const app = Fastify();
const chat = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024, maxBackpressure: 1024 * 1024 });
const roomOf = new WeakMap(); // of each socket

app.get('/rooms', async () => {
  const counts = new Map();
  for (const socket of chat.clients) counts.set(roomOf.get(socket), (counts.get(roomOf.get(socket)) ?? 0) + 1);
  return Object.fromEntries(counts);
});

app.server.on('upgrade', (request, socket, head) => {
  const room = /^\/rooms\/([a-z]{1,20})$/.exec(request.url)?.[1];
  if (room === undefined) {
    socket.on('error', () => socket.destroy()); // the client may be gone
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
  } else {
    chat.handleUpgrade(request, socket, head, (client) => join(client, room));
  }
});

function join(client, room) {
  roomOf.set(client, room);
  client.on('error', (error) => console.error(`/rooms/${room}: ${error.message}`));
  client.on('message', (data, isBinary) => {
    const text = isBinary ? undefined : textOf(data);
    if (text === undefined) client.send('{"error":"A message must be like {\\"text\\":\\"hello\\"}"}');
    else chat.broadcast(JSON.stringify({ text }), { filter: (other) => roomOf.get(other) === room });
  });
}

/** The text of a message like {"text":"hello"}; undefined for any other. */
function textOf(data) {
  try {
    const { text } = JSON.parse(data);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined; // no JSON, or null
  }
}

// Before Fastify closes its listener, which waits for nothing that was upgraded.
app.addHook('preClose', () => chat.close({ code: 1001, timeout: 2000 }));
const stop = () => app.close();
process.once('SIGINT', stop).once('SIGTERM', stop);

console.log(`listening on ${await app.listen({ port, host: '127.0.0.1' })}/`);

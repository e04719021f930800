// The WebSocket endpoints: /echo sends every message back, /chat passes it on to everybody, /stats tells what they do.
import { WebSocket, WebSocketServer } from 'websocket-component';
import { Monitor } from './monitor.mjs';

const maxEchoBytes = 64 * 1024 * 1024;
const maxChatBytes = 16 * 1024;
const maxChatBacklog = 1024 * 1024; // bytes that may wait for one client of the chat before it is dropped
const maxConnections = 1000; // of each endpoint; one more gets 503
const pingInterval = 2000; // milliseconds; the round trip is what the page shows as ping

/** A WebSocketServer for each path. Web pages may connect from these origins alone. */
export function createEndpoints(allowedOrigins) {
  const common = { noServer: true, allowedOrigins, maxConnections, pingInterval };
  const echo = new WebSocketServer({ ...common, maxPayload: maxEchoBytes });
  const chat = new WebSocketServer({ ...common, maxPayload: maxChatBytes });
  const monitor = new Monitor([echo, chat], common);
  serveEcho(echo, monitor);
  serveChat(chat, monitor);
  return new Map([
    ['/echo', echo],
    ['/chat', chat],
    ['/stats', monitor.server],
  ]);
}

function serveEcho(server, monitor) {
  server.on('connection', (socket, request) => {
    const counts = monitor.watch(socket, request, '/echo');
    socket.on('error', (error) => console.error(`/echo: ${error.message}`));
    socket.on('message', (data, isBinary) => {
      counts.received += 1;
      counts.sent += 1;
      const isDrained = socket.send(data, { binary: isBinary });
      // A client that sends and does not read: read nothing more from it until it has caught up.
      if (!isDrained && socket.readyState === WebSocket.OPEN) socket.pause();
    });
    socket.on('drain', () => socket.resume());
  });
}

function serveChat(server, monitor) {
  const countsOf = new Map(); // of each client in the room
  server.on('connection', (socket, request) => {
    const counts = monitor.watch(socket, request, '/chat');
    countsOf.set(socket, counts);
    socket.on('error', (error) => console.error(`/chat: ${error.message}`));
    socket.on('close', () => countsOf.delete(socket));
    socket.on('message', (data, isBinary) => {
      counts.received += 1;
      for (const [client, theirs] of countsOf) {
        if (client.bufferedAmount > maxChatBacklog) {
          client.terminate();
        } else {
          client.send(data, { binary: isBinary });
          theirs.sent += 1;
        }
      }
    });
  });
}

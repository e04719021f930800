// An example server on 127.0.0.1: one page over HTTP, an echo on /echo, a chat room on /chat.
//
//   npm start             http://127.0.0.1:8080/
//   npm start -- 9000     another port (or the environment variable PORT; 0 lets the system choose)
//
// Ctrl-C or SIGTERM ends it in order: every client gets a Close frame with status 1001 (going away).
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'websocket-component';
import { servePage } from './page.mjs';

const host = '127.0.0.1';
const maxEchoBytes = 64 * 1024 * 1024;
const maxChatBytes = 16 * 1024;
const maxChatBacklog = 1024 * 1024; // bytes that may wait for one client of the chat before it is dropped
const closeTimeout = 2000; // milliseconds that clients have for answering the Close frame

const port = Number((process.argv[2] ?? process.env.PORT) || '8080');
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  fail(`The port must be a whole number from 0 to 65535, for example: npm start -- 9000`);
}

const echo = new WebSocketServer({ noServer: true, maxPayload: maxEchoBytes });
echo.on('connection', (socket) => {
  socket.on('error', (error) => console.error(`/echo: ${error.message}`));
  socket.on('message', (data, isBinary) => {
    const isDrained = socket.send(data, { binary: isBinary });
    // A client that sends and does not read: read nothing more from it until it has caught up.
    if (!isDrained && socket.readyState === WebSocket.OPEN) socket.pause();
  });
  socket.on('drain', () => socket.resume());
});

const chat = new WebSocketServer({ noServer: true, maxPayload: maxChatBytes });
chat.on('connection', (socket) => {
  socket.on('error', (error) => console.error(`/chat: ${error.message}`));
  socket.on('message', (data, isBinary) => {
    for (const client of chat.clients) {
      if (client.bufferedAmount > maxChatBacklog) client.terminate();
      else client.send(data, { binary: isBinary });
    }
  });
});

const endpoints = new Map([
  ['/echo', echo],
  ['/chat', chat],
]);

const http = createServer((request, response) => {
  const path = pathOf(request);
  if (endpoints.has(path)) {
    response.writeHead(426, { Upgrade: 'websocket', 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${path} speaks WebSocket: connect to ws://${request.headers.host ?? host}${path}\n`);
  } else {
    servePage(path, request, response);
  }
});

http.on('upgrade', (request, socket, head) => {
  const endpoint = endpoints.get(pathOf(request));
  if (endpoint === undefined) {
    refuse(socket, '404 Not Found', 'There are two endpoints: /echo and /chat.');
  } else if (!isSameOrigin(request)) {
    refuse(socket, '403 Forbidden', 'Pages of other origins may not connect.');
  } else {
    endpoint.handleUpgrade(request, socket, head, (client) => endpoint.emit('connection', client, request));
  }
});

http.on('error', (error) => {
  if (error.code === 'EADDRINUSE') {
    fail(`Port ${port} on ${host} is taken. Stop the program that uses it, or choose another port: npm start -- 9000`);
  }
  fail(`The server cannot listen on ${host}:${port}: ${error.message}`);
});

http.listen(port, host, () => {
  const address = `${host}:${http.address().port}`;
  console.log(`Example server: http://${address}/`);
  console.log(`  echo  ws://${address}/echo`);
  console.log(`  chat  ws://${address}/chat`);
  console.log('Ctrl-C ends it.');
});

// A terminal sends SIGINT to the whole process group and npm may pass it on once more: the second one changes nothing.
let ending = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    void end();
  });
}

/** Closes every connection with status 1001, then the listener; the process ends because nothing is left to do. */
async function end() {
  http.close();
  http.closeIdleConnections();
  await Promise.all([echo, chat].map((server) => server.close({ code: 1001, timeout: closeTimeout })));
  http.closeAllConnections();
}

/** The path of the request's URL, without its query. */
function pathOf(request) {
  return request.url.split('?', 1)[0];
}

/** A browser always sends Origin; accept only pages that this server served. Other programs send none. */
function isSameOrigin(request) {
  const { origin, host: authority } = request.headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === authority);
}

/** Answers an upgrade request with an HTTP error and ends the connection. */
function refuse(socket, status, text) {
  const body = `${text}\n`;
  socket.on('error', () => socket.destroy()); // the peer may be gone already
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

// An example server on 127.0.0.1: a page over HTTP, an echo on /echo, a chat room on /chat, and what they do on /stats.
//
//   npm start             http://127.0.0.1:8080/
//   npm start -- 9000     another port (or the environment variable PORT; 0 lets the system choose)
//
// Browsers may connect from this page alone. When it is seen under another address, behind a proxy or a forwarded port,
// the environment variable ORIGIN names that: ORIGIN=https://example.com npm start.
//
// Ctrl-C or SIGTERM ends it in order: every client gets a Close frame with status 1001 (going away).
import { createServer } from 'node:http';
import { createEndpoints } from './endpoints.mjs';
import { servePage } from './page.mjs';

const host = '127.0.0.1';
const closeTimeout = 2000; // milliseconds that clients have for answering the Close frame

const port = Number((process.argv[2] ?? process.env.PORT) || '8080');
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  fail(`The port must be a whole number from 0 to 65535, for example: npm start -- 9000`);
}

/** The WebSocketServer of each path. */
let endpoints = new Map();

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
    refuse(socket, '404 Not Found', `The endpoints are ${[...endpoints.keys()].join(', ')}.`);
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
  endpoints = createEndpoints(originsOf(http.address().port));
  console.log(`Example server: http://${address}/`);
  for (const path of endpoints.keys()) console.log(`  ${path.slice(1).padEnd(5)}  ws://${address}${path}`);
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
  await Promise.all([...endpoints.values()].map((server) => server.close({ code: 1001, timeout: closeTimeout })));
  http.closeAllConnections();
}

/** The path of the request's URL, without its query. */
function pathOf(request) {
  return request.url.split('?', 1)[0];
}

/** The origins of this page. Names that point here without being listed do not count: their owner may be anybody. */
function originsOf(listeningPort) {
  const addresses = [host, 'localhost'].map((name) => `http://${name}:${listeningPort}`);
  if (process.env.ORIGIN) addresses.push(process.env.ORIGIN);
  return addresses.map((address) => (URL.canParse(address) ? new URL(address).origin : fail('ORIGIN must be a URL.')));
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

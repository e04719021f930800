// The server that is measured, the same program for every WebSocket library: the class is all that differs.
// The task is the first argument of the process.
import { tell } from './tell.mjs';

/** What each task does with a message. */
const tasks = {
  /** Sends back what came. */
  echo: (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),

  /** The same with text as a string, as a program that reads text has it. */
  strings: (socket) => socket.on('message', (data) => socket.send(data.toString())),

  /** Sends back what came, compressed. */
  deflated: (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),

  /** Sends what one client sent to every client. */
  broadcast: (socket, server) => socket.on('message', (data, isBinary) => broadcast(server, data, isBinary)),

  /** Accepts, keeps the connections and nothing else. */
  accept: () => {},
};

function broadcast(server, data, isBinary) {
  if (typeof server.broadcast === 'function') {
    server.broadcast(data, { binary: isBinary });
  } else {
    for (const client of server.clients) client.send(data, { binary: isBinary });
  }
}

/** Options of a task: compression at the same level and window for every library. */
const taskOptions = {
  deflated: { perMessageDeflate: { threshold: 0, zlibDeflateOptions: { level: 6, memLevel: 8 } } },
};

/**
 * @param WebSocketServer the class of the library
 * @param options what is added to its options
 * @param handlers tasks that this subject does in its own way
 */
export function serve(WebSocketServer, options = {}, handlers = {}) {
  const handle = { ...tasks, ...handlers }[process.argv[2]];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    backlog: 4096,
    ...taskOptions[process.argv[2]],
    ...options,
  });
  server.on('connection', (socket) => handle(socket, server));
  server.on('listening', () => tell({ port: server.address().port }));
}

// The table of what a program may do in which handler (fire.test.ts). The peer sends m1, ping p, pong q, m2, m3, then ends.
import { closePayload, dial, listen, requestText } from './fire-peer.mjs';

const serverPlaces = ['verifyClient', 'headers', 'connection'];
const clientPlaces = ['upgrade', 'open'];
const places = ['message', 'ping', 'pong', 'error', 'close', 'sent', 'microtask', 'nextTick', 'immediate', 'timer'];

/** What a program does: to its socket, or before it has one to the stream. */
const actions = {
  nothing: () => {},
  terminate: ({ socket }) => socket?.terminate(),
  close: ({ socket }) => socket?.close(1000),
  'close and terminate': ({ socket }) => {
    socket?.close(1000);
    socket?.terminate();
  },
  'close and throw': ({ socket, record }) => {
    socket?.close(1000);
    record.throwOnPurpose();
  },
  pause: ({ socket }) => socket?.pause(),
  'pause for a time': ({ socket, record }) => {
    socket?.pause();
    setTimeout(() => {
      record.log('RESUME');
      socket?.resume();
    }, 15);
  },
  'pause and resume': ({ socket }) => {
    socket?.pause();
    socket?.resume();
  },
  resume: ({ socket }) => socket?.resume(),
  send: ({ socket, record }) => send(socket, record, 'a'),
  'send much': ({ socket, record }) => send(socket, record, Buffer.alloc(1 << 20)),
  'send and terminate': ({ socket, record }) => {
    send(socket, record, Buffer.alloc(1 << 20));
    socket?.terminate();
  },
  ping: ({ socket, record }) => send(socket, record, undefined),
  throw: ({ record }) => record.throwOnPurpose(),
  'close the server': ({ server, record }) => server?.close(() => record.log('server closed')),
  'remove all listeners': ({ socket, record }) => {
    socket?.removeAllListeners();
    if (socket) record.watch(socket, 'error', 'close');
  },
  'destroy the stream': ({ socket, stream }) => (socket?._socket ?? stream)?.destroy(),
  'end the stream': ({ socket, stream }) => (socket?._socket ?? stream)?.end(),
};

/** How the peer ends. */
const endings = ['close', 'fin', 'reset', 'fault', 'fault and reset'];
/** With the handshake in one write; in one write behind it; each frame in a write of its own. */
const arrivals = ['glued', 'together', 'apart'];

/** Sends data, or a ping without it. While there is no connection that throws, which is not what is tested here. */
function send(socket, record, data) {
  if (socket === undefined || socket.readyState === socket.CONNECTING) return;
  const callback = record.callback(socket.readyState === socket.OPEN ? 'taken' : 'refused');
  if (data === undefined) socket.ping('ping', undefined, callback);
  else socket.send(data, callback);
}

export const handlerCells = [];
for (const role of ['server', 'client']) {
  const own = role === 'server' ? serverPlaces : clientPlaces;
  for (const place of [...own, ...places]) {
    for (const action of Object.keys(actions)) {
      if (action === 'close the server' && role === 'client') continue;
      for (const ending of endings) {
        if (place === 'error' && !ending.includes('fault')) continue;
        for (const arrival of arrivals) handlerCells.push({ role, place, action, ending, arrival });
      }
    }
  }
}

/**
 * Cells whose events have the same order with `ws`. What it does at other times is left out: it delivers messages after
 * `pause` and `terminate`, and does not see the end of a paused connection; a listener that throws leaves it hanging.
 * So are listeners that are removed just when the events come.
 */
export const referenceCells = handlerCells.filter(
  ({ place, action, ending, arrival }) =>
    arrival === 'together' &&
    !ending.includes('reset') &&
    !/pause|throw|terminate|the (server|stream)/.test(action) &&
    !(action === 'remove all listeners' && /sent|microtask|nextTick|immediate|timer/.test(place)),
);

const settings = { closeTimeout: 20_000 };

/** Starts a cell; fulfilled when the connection is gone on both sides, or never was. */
export async function startHandlers(cell, record, ws, cleanup) {
  const act = (context) => {
    if (record.isReached) return;
    record.isReached = true;
    record.log('ACT');
    try {
      actions[cell.action]({ ...context, record });
    } finally {
      record.log('ACTED');
    }
  };
  return cell.role === 'server'
    ? serverCell(cell, record, ws, cleanup, act)
    : clientCell(cell, record, ws, cleanup, act);
}

async function serverCell(cell, record, { WebSocketServer }, cleanup, act) {
  const options = { ...settings, port: 0, host: '127.0.0.1' };
  const at = (place, context) => cell.place === place && act(context);
  if (cell.place === 'verifyClient') {
    options.verifyClient = ({ req }) => {
      at('verifyClient', { server, stream: req.socket });
      return true;
    };
  }
  const server = new WebSocketServer(options);
  cleanup(() => server.close());
  cleanup(() => server.clients.forEach((socket) => socket.terminate()));
  await new Promise((resolve) => server.on('listening', resolve));
  if (cell.place === 'headers') server.on('headers', (_lines, req) => at('headers', { server, stream: req.socket }));
  let hasSocket = false;
  server.on('connection', (socket) => {
    hasSocket = true;
    prepare(socket, cell, record, (place) => at(place, { socket, server }));
    at('connection', { socket, server });
  });
  const peer = await dial(server.address().port);
  cleanup(() => peer.socket.destroy());
  const gone = new Promise((resolve) => peer.socket.on('close', resolve));
  await play(peer, cell);
  await gone;
  if (hasSocket) await record.closed;
}

async function clientCell(cell, record, { WebSocket }, cleanup, act) {
  const { port, peer: accepted, server } = await listen();
  cleanup(() => server.close());
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, settings);
  cleanup(() => socket.terminate());
  const at = (place) => cell.place === place && act({ socket });
  socket.on('upgrade', (response) => cell.place === 'upgrade' && act({ socket, stream: response.socket }));
  prepare(socket, cell, record, at);
  const peer = await accepted;
  cleanup(() => peer.socket.destroy());
  const gone = new Promise((resolve) => peer.socket.on('close', resolve));
  await play(peer, cell);
  await Promise.all([gone, record.closed]);
}

/** Watches a socket and acts in its handlers. */
function prepare(socket, cell, record, at) {
  record.watch(socket);
  const later = {
    microtask: (f) => void Promise.resolve().then(f),
    nextTick: process.nextTick,
    immediate: setImmediate,
    timer: (f) => setTimeout(f, 1),
  }[cell.place];
  // What is thrown in the callback of a promise is a rejection.
  const orReport = (f) => () => {
    try {
      f();
    } catch (error) {
      if (cell.place !== 'microtask') throw error;
      record.log('uncaught');
    }
  };
  socket.on('message', (data) => {
    if (String(data) !== 'm1') return;
    if (later) later(orReport(() => at(cell.place)));
    else at('message');
  });
  for (const name of ['open', 'ping', 'pong', 'error', 'close']) socket.on(name, () => at(name));
  const begin = () => {
    const callback = record.callback('first');
    socket.send('first', (error) => {
      callback(error);
      at('sent');
    });
  };
  if (cell.role === 'server') begin();
  else socket.prependListener('open', begin);
}

/** The peer's part. */
async function play(peer, { ending, arrival }) {
  let frames = [peer.frame(1, 'm1'), peer.frame(9, 'p'), peer.frame(10, 'q'), peer.frame(2, 'm2'), peer.frame(1, 'm3')];
  const last = {
    close: [peer.frame(8, closePayload(1000))],
    fin: [],
    reset: [],
    fault: [peer.frame(3), peer.frame(1, 'late')],
    'fault and reset': [peer.frame(3), peer.frame(1, 'late')],
  }[ending];
  if (ending === 'close') peer.closeSent = true;
  frames.push(...last);

  const opening = await opened(peer, arrival === 'glued');
  if (arrival === 'glued') frames = [Buffer.concat([opening, ...frames])];
  if (arrival === 'together') frames = [Buffer.concat(frames)];
  for (const bytes of frames) {
    await peer.write(bytes);
    await new Promise(setImmediate);
  }
  if (ending.endsWith('reset')) peer.reset();
  else peer.answer();
  if (ending === 'fin') peer.socket.end();
}

/** Makes the handshake; `isGlued`: returns what is left to write of it. */
async function opened(peer, isGlued) {
  if (peer.isClient) {
    if (isGlued) return Buffer.from(requestText);
    await peer.write(requestText);
    await peer.head;
  } else {
    const response = Buffer.from(await peer.opening());
    if (isGlued) return response;
    await peer.write(response);
  }
  return Buffer.alloc(0);
}

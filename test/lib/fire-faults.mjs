// The table of what a peer may do to a connection in which state (fire.test.ts).
import { closePayload, dial, listen, requestText } from './fire-peer.mjs';

/** What the peer does when the connection is open, and what the tested socket does before. */
const openStates = {
  idle: () => {},
  'after messages': (peer) => peer.write(Buffer.concat([peer.frame(1, 'm1'), peer.frame(9, 'p'), peer.frame(2, 'm2')])),
  'in the header of a frame': (peer) => peer.write(peer.frame(1, 'half').subarray(0, 1)),
  'in a message': (peer) => peer.write(peer.frame(1, 'half').subarray(0, -2)),
  'in a fragmented message': (peer) => peer.write(peer.frame(1, 'half', { fin: false })),
  'behind a message and in another': (peer) =>
    peer.write(Buffer.concat([peer.frame(1, 'm1'), peer.frame(1, 'half').subarray(0, -2)])),
  'after its Close frame': (peer) => {
    peer.closeSent = true;
    return peer.write(peer.frame(8, closePayload(1000)));
  },
  'after a fault': (peer) => peer.write(peer.frame(3)),
  'after our Close frame': (peer, socket) => {
    socket.close(1000);
    return peer.closing();
  },
  'after our Close frame and its messages': async (peer, socket) => {
    socket.close(1000);
    await peer.closing();
    await peer.write(peer.frame(1, 'm1'));
  },
  paused: (peer, socket) => {
    socket.pause();
    return peer.write(peer.frame(1, 'm1'));
  },
  'with a long send queue': (peer, socket, record) => {
    peer.socket.pause();
    const message = Buffer.alloc(1 << 20);
    for (let i = 0; i < 16; i++) socket.send(message, record.callback(`large ${i}`));
  },
};
const states = ['before the handshake', 'in the handshake', ...Object.keys(openStates)];

const faults = {
  reset: (peer) => peer.reset(),
  // It goes on reading, and ends when the other side does.
  'half-close': (peer) => {
    peer.answer();
    peer.socket.end();
  },
  'half-close and reset': (peer) => {
    peer.socket.end();
    setTimeout(() => peer.reset(), 20);
  },
  close: (peer) => peer.socket.destroy(),
  'Close frame': (peer) => {
    if (!peer.closeSent) peer.socket.write(peer.frame(8, closePayload(1001)));
    peer.closeSent = true;
    peer.answer();
  },
  'Close frame and reset': (peer) => peer.write(peer.frame(8, closePayload(1001))).then(() => peer.reset()),
  'Close frame and garbage': (peer) => {
    peer.closeSent = true;
    peer.socket.write(Buffer.concat([peer.frame(8, closePayload(1001)), Buffer.alloc(500, 0xff)]));
    peer.answer();
  },
  garbage: (peer) => {
    peer.socket.write(Buffer.alloc(500, 0xff));
    peer.answer();
    peer.socket.end();
  },
  'two faults': (peer) => {
    peer.socket.write(Buffer.concat([peer.frame(3), peer.frame(4), peer.frame(1, 'late')]));
    peer.answer();
  },
  'fault and half-close': (peer) => {
    peer.socket.end(Buffer.concat([peer.frame(3), peer.frame(1, 'late')]));
    peer.answer();
  },
  'fault and reset': (peer) =>
    peer.write(Buffer.concat([peer.frame(3), peer.frame(1, 'late')])).then(() => peer.reset()),
};

export const faultCells = ['server', 'client'].flatMap((role) =>
  states.flatMap((state) => Object.keys(faults).map((fault) => ({ role, state, fault }))),
);

const settings = { closeTimeout: 20_000, backpressure: 'drop' };

/** Starts a cell; fulfilled when the connection is gone on both sides, or never was. */
export async function startFault(cell, record, ws, cleanup) {
  const { peer, socket } = await (cell.role === 'server' ? serverSide : clientSide)(cell, record, ws, cleanup);
  cleanup(() => peer.socket.destroy());
  peer.socket.on('close', () => record.log('PEER CLOSED'));
  const gone = new Promise((resolve) => peer.socket.on('close', resolve));
  const opened = await socket;
  if (opened) await openStates[cell.state](peer, opened, record);
  await new Promise((resolve) => setTimeout(resolve, 10)); // what was written arrives, or not
  record.log('FAULT');
  record.isReached = true;
  peer.socket.resume();
  await faults[cell.fault](peer);
  await gone;
  if (opened || cell.role === 'client') await record.closed;
}

async function serverSide({ state }, record, { WebSocketServer }, cleanup) {
  const server = new WebSocketServer({ ...settings, port: 0, host: '127.0.0.1' });
  cleanup(() => server.close());
  cleanup(() => server.clients.forEach((socket) => socket.terminate()));
  await new Promise((resolve) => server.on('listening', resolve));
  let connected;
  const socket = new Promise((resolve) => (connected = resolve));
  server.on('connection', (accepted) => {
    record.watch(accepted);
    connected(accepted);
  });
  const peer = await dial(server.address().port);
  if (state === 'in the handshake') await peer.write(requestText.slice(0, -10));
  if (!(state in openStates)) return { peer, socket: undefined };
  await peer.write(requestText);
  await peer.head;
  return { peer, socket };
}

async function clientSide({ state }, record, { WebSocket }, cleanup) {
  const { port, peer: accepted, server } = await listen();
  cleanup(() => server.close());
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, settings);
  cleanup(() => socket.terminate());
  record.watch(socket);
  const opened = new Promise((resolve) => socket.on('open', resolve));
  const peer = await accepted;
  const response = await peer.opening();
  if (state === 'in the handshake') await peer.write(response.slice(0, -10));
  if (!(state in openStates)) return { peer, socket: undefined };
  await peer.write(response);
  await opened;
  return { peer, socket };
}

// A server process of the mixed soak, on the transport that the environment names: a port that receives messages, and one
// that receives them as streams. Argument: the seed. It answers each message with one of its own flow, sends messages to
// all, and closes and cuts connections when their plan says so.
import { openSync, closeSync } from 'node:fs';
import { once } from 'node:events';
import { PreparedMessage, WebSocketServer } from 'websocket-component';
import { Line, pause } from './line.mjs';
import { broadcastOf, Random } from './messages.mjs';
import { downFlow, planOf, upFlow } from './plan.mjs';
import { sample, serveCommands } from './process.mjs';

const seed = Number(process.argv[2]);
const MiB = 2 ** 20;
const broadcastEvery = 100; // milliseconds, at most

/** How many messages to all each open connection got. */
const broadcasts = new WeakMap();

async function listen(options) {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: { threshold: 100 },
    handshakeTimeout: 60_000, // the machine may have much else to do
    ...options,
  });
  server.on('connection', (socket, request) => serve(socket, request.url, options.messageStream === true));
  await once(server, 'listening');
  return server;
}

function serve(socket, url, isStream) {
  const query = new URL(url, 'ws://localhost').searchParams;
  const id = Number(query.get('id'));
  const broken = query.get('break') ?? undefined;
  const plan = planOf(seed, id, query.get('kind'), query.has('survives'));
  const random = new Random(seed, id, 4);
  const line = new Line(socket, {
    sends: downFlow(seed, id),
    receives: upFlow(seed, id),
    mode: isStream ? 'stream' : random.pick(['message', 'iterate']),
    ways: ['whole', 'whole', 'fragments', 'prepared', 'writer'],
    isSlow: random.chance(0.1),
    broken,
    random,
  });
  broadcasts.set(socket, 0);
  let answered = 0;
  line.onMessage = () => {
    for (; answered < line.received && line.isOpen; answered++) line.send();
  };
  const end = plan.end.startsWith('server') && broken === undefined;
  const timer = end ? setTimeout(() => line.end(plan.end), plan.lifetime) : undefined;
  void line.finished.then((record) => {
    clearTimeout(timer);
    process.send({ record: { id, side: 'server', ...record, broadcasts: broadcasts.get(socket) } });
  });
}

const servers = [await listen({}), await listen({ messageStream: true })];
const counting = (socket) => {
  broadcasts.set(socket, (broadcasts.get(socket) ?? 0) + 1);
  return true;
};
let isBroadcasting = false;
let broadcast = 0;

async function broadcastAll() {
  const random = new Random(seed, 5);
  while (isBroadcasting) {
    for (let i = random.below(4); i > 0; i--) {
      const text = broadcastOf(broadcast++);
      const data = random.chance(0.5) ? new PreparedMessage(text) : text;
      for (const server of servers) server.broadcast(data, { filter: counting, compress: random.chance(0.5) });
    }
    await pause(random.below(broadcastEvery));
  }
}

let leak;
serveCommands({
  ports: () => servers.map((server) => server.address().port),
  start: () => {
    isBroadcasting = true;
    void broadcastAll();
  },
  stop: () => {
    isBroadcasting = false;
  },
  sample: async ({ settles }) => ({
    ...(await sample(settles)),
    connections: servers.reduce((sum, { clients }) => sum + clients.size, 0),
  }),
  // A leak on purpose, which the judge has to see.
  leak: () => {
    leak = { descriptor: openSync('/dev/null'), memory: Buffer.alloc(96 * MiB, 1) };
  },
  repair: () => {
    closeSync(leak.descriptor);
    leak = undefined;
  },
});

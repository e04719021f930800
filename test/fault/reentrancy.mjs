// A program that sends, closes, terminates, pauses or closes the server in any event, of a socket or of the server: every
// socket ends once, every callback comes once, nothing is thrown, and the server closes.
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'websocket-component';
import { descriptors, pause, rawConnect, report, until } from './common.mjs';

const [maxPayload, large, highWaterMark] = [300_000, 200_000, 1000];
const atOnce = 8;

const socketEvents = ['message', 'messageStream', 'ping', 'pong', 'drain', 'error', 'close', 'sent'];
const events = {
  client: ['redirect', 'upgrade', 'unexpected-response', 'open', ...socketEvents],
  connection: socketEvents,
  server: ['verifyClient', 'handleProtocols', 'headers', 'connection', 'wsClientError', 'listening', 'close', 'error'],
};

/** What is done to a socket. Sending is forbidden while it connects, as in ws. */
const actions = {
  send: (socket, cell) => {
    if (socket.readyState === WebSocket.CONNECTING) return;
    socket.send('again', cell.callback());
  },
  close: (socket) => socket.close(1000),
  terminate: (socket) => socket.terminate(),
  pause: (socket) => socket.pause(),
};
/** The socket that the event is of, or every other one; an event of the server is of none. */
const targets = ['itself', 'others'];

const cells = Object.entries(events).flatMap(([emitter, names]) =>
  names.flatMap((event) => [
    ...Object.keys(actions).flatMap((action) =>
      targets
        .filter((target) => emitter !== 'server' || target === 'others')
        .map((target) => ({ emitter, event, action, target })),
    ),
    { emitter, event, action: 'server.close' },
    { emitter, event, action: 'server.close at once' },
  ]),
);

class Cell {
  wrong = [];
  hasActed = false;
  /** How often the server was closed. */
  closes = 0;
  /** Every socket, with what it emitted. */
  #sockets = new Map();
  #callbacks = [];

  constructor(choice) {
    Object.assign(this, choice);
  }

  /** A callback that has to come once. */
  callback() {
    const calls = { count: 0 };
    this.#callbacks.push(calls);
    return () => calls.count++;
  }

  /** Closes the server; each time that is told with 'close', as in ws, also when it is closed already. */
  close(options) {
    this.closes++;
    this.server.close(options, this.callback());
  }

  add(socket) {
    const seen = { open: 0, error: 0, close: 0 };
    this.#sockets.set(socket, seen);
    for (const name of Object.keys(seen)) socket.on(name, () => seen[name]++);
    socket.on('close', () => setImmediate(() => (seen.isOver = true)));
  }

  /** Acts, the first time that this is the event. */
  at(emitter, event, itself) {
    if (this.emitter !== emitter || this.event !== event || this.hasActed) return;
    this.hasActed = true;
    try {
      if (this.action === 'server.close') this.close({});
      else if (this.action === 'server.close at once') this.close({ timeout: 0 });
      else {
        const chosen =
          this.target === 'itself' ? [itself] : [...this.#sockets.keys()].filter((socket) => socket !== itself);
        for (const socket of chosen) actions[this.action](socket, this);
      }
    } catch (error) {
      this.wrong.push(`threw ${error.message}`);
    }
  }

  /** Has a socket act, and take its part: it sends everything that makes events, and errors when the cell is of them. */
  play(emitter, socket) {
    this.add(socket);
    for (const name of Object.values(events[emitter])) {
      if (name === 'messageStream' && this.event === 'messageStream') {
        socket.on(name, (stream) => {
          this.at(emitter, name, socket);
          stream.resume().on('error', () => {});
        });
      } else if (name === 'unexpected-response') {
        if (this.event === name) socket.on(name, (request) => (this.at(emitter, name, socket), request.destroy()));
      } else if (name !== 'sent') socket.on(name, () => this.at(emitter, name, socket));
    }
    const begin = () => {
      const sent = this.callback();
      socket.send('small', () => (sent(), this.at(emitter, 'sent', socket)));
      socket.ping('ping', undefined, this.callback());
      socket.pong('pong', undefined, this.callback());
      const breaks = this.event === 'error' && this.emitter !== emitter;
      const count = this.event === 'drain' && this.emitter === emitter ? 60 : 1; // more than the kernel takes at once
      for (let i = 0; i < count; i++) socket.send(Buffer.alloc(breaks ? 2 * maxPayload : large), this.callback());
    };
    if (emitter === 'connection') begin();
    else socket.on('open', begin);
  }

  /** Whether every socket is at its end; those that never opened have none in a server. */
  get isOver() {
    return [...this.#sockets.values()].every((seen) => seen.isOver);
  }

  /** Goes on where the cell had stopped something, and ends it. */
  async end() {
    for (const socket of this.#sockets.keys()) {
      socket.resume();
      socket.close(1000);
    }
    if (this.closes === 0) this.close({ timeout: 5000 });
    if (!(await until(() => this.isOver, 15_000))) this.wrong.push('a socket did not end');
    await until(() => this.#callbacks.every(({ count }) => count > 0), 5000);
    if (!this.hasActed) this.wrong.push('the event did not come');
    for (const { error, close } of this.#sockets.values()) {
      if (close !== 1 || error > 1) this.wrong.push(`${error} errors, ${close} closes`);
    }
    const once = this.#callbacks.filter(({ count }) => count === 1).length;
    if (once !== this.#callbacks.length) this.wrong.push(`${this.#callbacks.length - once} callbacks not once`);
  }
}

/** A server with a connection that is open, and another one that goes through everything. */
async function run(choice) {
  const cell = new Cell(choice);
  const streams = (emitter) => ({ messageStream: choice.event === 'messageStream' && choice.emitter === emitter });
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    maxPayload,
    highWaterMark,
    closeTimeout: 2000,
    ...streams('connection'),
    verifyClient: ({ req }, answer) => {
      cell.at('server', 'verifyClient');
      if (req.url === '/redirect') answer(false, 302, '', { Location: '/' });
      else if (req.url === '/refuse') answer(false, 403);
      else answer(true);
    },
    handleProtocols: (protocols) => {
      cell.at('server', 'handleProtocols');
      return [...protocols][0];
    },
  });
  cell.server = server;
  let closes = 0;
  server.on('close', () => {
    closes++;
    cell.at('server', 'close');
  });
  server.on('listening', () => cell.at('server', 'listening'));
  server.on('headers', () => cell.at('server', 'headers'));
  server.on('connection', (socket) => {
    cell.play('connection', socket);
    cell.at('server', 'connection', socket);
  });
  if (choice.event === 'wsClientError') {
    server.on('wsClientError', (_error, stream) => {
      cell.at('server', 'wsClientError');
      stream.destroy();
    });
  }
  await once(server, 'listening');
  const { port } = server.address() ?? {};
  if (port !== undefined) {
    const path = { redirect: '/redirect', 'unexpected-response': '/refuse' }[choice.event] ?? '/';
    const options = { maxPayload, highWaterMark, closeTimeout: 2000, followRedirects: true, ...streams('client') };
    const other = new WebSocket(`ws://127.0.0.1:${port}/`, [], options);
    cell.add(other);
    await Promise.race([once(other, 'open'), once(other, 'close')]).catch(() => {});
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['reentrancy'], options);
    cell.play('client', socket);
    if (choice.event === 'error' && choice.emitter === 'server') {
      const second = new WebSocketServer({ port, host: '127.0.0.1' });
      second.on('error', () => cell.at('server', 'error'));
      await once(second, 'error');
    }
    if (choice.event === 'wsClientError') {
      const raw = rawConnect(port);
      raw.end('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      raw.resume();
    }
    if (choice.event === 'close') {
      const end = () => (choice.emitter === 'server' ? cell.close({ timeout: 0 }) : socket.close(1000));
      socket.once('message', end);
    }
    await until(() => cell.hasActed, 3000);
    for (let i = 0; i < 4; i++) await pause(1);
  }
  await cell.end();
  if (closes !== cell.closes) cell.wrong.push(`the server closed ${closes} times`);
  return cell.wrong.map((why) => `${Object.values(choice).join(', ')}: ${why}`);
}

const wrong = [];
process.on('uncaughtException', (error) => wrong.push(`an exception: ${error.stack}`));
process.on('unhandledRejection', (error) => wrong.push(`a rejection: ${error.stack}`));
await run(cells[0]); // what stays open once is open now
const before = descriptors();
const waiting = [...cells];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) wrong.push(...(await run(cell)));
  }),
);
await until(() => descriptors() <= before, 5000);
const left = Math.max(0, descriptors() - before);
const count = Object.values(events).flat().length;
report(
  `${cells.length} cases: send, close, terminate, pause and server.close in ${count} events of sockets and servers: ${wrong.length} wrong, ` +
    `${left} descriptors left ${wrong.slice(0, 5).join('; ')}`,
  wrong.length === 0 && left === 0,
);

// Loaded with --require into every Node.js process that a block starts. It is the network of the block, and its audience:
// - A port that the block listens on is one of the system's choice; the file ports/N of the block's folder says which.
//   Connections to port N of this machine go there. Every other address is that of the stand-in (stand-in.mjs).
// - What console.log prints is written down with its line.
// - A program that does not end by itself is ended when it has come to rest. Before that, each server of it that nobody
//   has connected to gets a visitor, who sends a text and a binary message and closes.
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const util = require('node:util');
const { isMainThread } = require('node:worker_threads');

/** What the test says: folder, standIn: { plain, secure }, program: is this one to be ended, awaited: lines, path, ws. */
const settings = JSON.parse(process.env.WEBSOCKET_COMPONENT_DOCS_BLOCK);
const portFolder = path.join(settings.folder, 'ports');
const freeFolder = path.join(settings.folder, 'free'); // the ports that servers got who asked for any
const isProgram = settings.program && isMainThread;
// Programs that it starts are its own business.
process.env.WEBSOCKET_COMPONENT_DOCS_BLOCK = JSON.stringify({ ...settings, program: false });

const isPort = (value) => /^\d+$/.test(String(value)) && Number(value) > 0;
const fileOf = (port) => path.join(portFolder, String(port));
const portsInUse = () => fs.readdirSync(portFolder);

/** The servers of this process that listen, or are about to, by the port that they asked for. */
const servers = new Map();
let connecting = 0;

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const asked = typeof args[0] === 'object' ? args[0]?.port : args[0];
  if (!isPort(asked)) {
    this.prependOnceListener('listening', () => {
      const { port } = this.address();
      if (port !== undefined) fs.writeFileSync(path.join(freeFolder, String(port)), '');
    });
    return listen.apply(this, args);
  }
  if (servers.has(Number(asked)) || fs.existsSync(fileOf(asked))) {
    const taken = new Error(`listen EADDRINUSE: address already in use: ${asked}`);
    process.nextTick(() => this.emit('error', Object.assign(taken, { code: 'EADDRINUSE' })));
    return this;
  }
  args[0] = typeof args[0] === 'object' ? { ...args[0], port: 0 } : 0;
  const entry = { server: this, visited: false };
  servers.set(Number(asked), entry);
  this.prependOnceListener('listening', () => fs.writeFileSync(fileOf(asked), String(this.address().port)));
  this.once('connection', () => (entry.visited = true));
  this.once('close', () => {
    servers.delete(Number(asked));
    fs.rmSync(fileOf(asked), { force: true });
  });
  return listen.apply(this, args);
};

const isLocal = (host) => /^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::1?\]?)?$/.test(host ?? '');

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  // Node's own functions pass what they have normalised already.
  const normalized = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
  const [options] = normalized;
  const isFree = fs.existsSync(path.join(freeFolder, String(options.port)));
  if (!isPort(options.port) || (isLocal(options.host) && isFree)) return connect.apply(this, args);
  const pending = servers.get(Number(options.port))?.server;
  if (isLocal(options.host) && pending !== undefined && !fs.existsSync(fileOf(options.port))) {
    this.connecting = true;
    pending.once('listening', () => this.connect(...args));
    return this;
  }
  const standIn = this instanceof tls.TLSSocket ? settings.standIn.secure : settings.standIn.plain;
  // A block with servers of its own means these when it says localhost.
  const own = isLocal(options.host) && (servers.size > 0 || portsInUse().length > 0);
  const port = own
    ? fs.existsSync(fileOf(options.port))
      ? Number(fs.readFileSync(fileOf(options.port)))
      : 1
    : standIn;
  normalized[0] = { ...options, host: '127.0.0.1', port, lookup: undefined };
  connecting++;
  let over = false;
  for (const event of ['connect', 'close']) {
    this.once(event, () => {
      if (!over) connecting--;
      over = true;
    });
  }
  return Array.isArray(args[0]) ? connect.call(this, normalized) : connect.call(this, normalized[0], normalized[1]);
};

if (isProgram) {
  const awaited = new Set(settings.awaited);
  const { log } = console;
  console.log = function (...args) {
    const [, line] = /program\.\w+:(\d+)/.exec(new Error('where').stack) ?? [];
    if (line !== undefined) {
      awaited.delete(Number(line));
      const record = JSON.stringify({ line: Number(line), text: util.format(...args) });
      fs.appendFileSync(path.join(settings.folder, 'printed'), `${record}\n`);
    }
    return log.apply(this, args);
  };
  endWhenQuiet(awaited);
}

/** At rest: no work for some ticks one after the other, nothing on its way, and every awaited line was printed. */
function endWhenQuiet(awaited) {
  const tick = 25; // milliseconds
  const ticksAtRest = 8;
  const ticksAwaiting = 100; // when something was not printed yet
  let visitors = [];
  let steps = [visit, leave, end];
  let before = process.cpuUsage();
  let quiet = 0;
  setInterval(() => {
    const { user, system } = process.cpuUsage(before); // microseconds
    before = process.cpuUsage();
    // A process that it has started may have to come up yet.
    const isBusy = awaited.size > 0 && process.getActiveResourcesInfo().includes('ProcessWrap');
    quiet = user + system > 4000 || connecting > 0 || isBusy ? 0 : quiet + 1;
    if (quiet < (steps[0] === end && awaited.size > 0 ? ticksAwaiting : ticksAtRest)) return;
    quiet = 0;
    steps.shift()?.();
  }, tick).unref();

  function visit() {
    const unseen = [...servers.values()].filter(({ server, visited }) => server.listening && !visited);
    if (unseen.length === 0) {
      steps = [end];
      if (awaited.size === 0) steps.shift()();
      return;
    }
    const { WebSocket } = require(settings.ws);
    visitors = unseen.map(({ server }) => {
      const scheme = server instanceof tls.Server ? 'wss' : 'ws';
      const [port] = [...servers].find(([, entry]) => entry.server === server);
      const visitor = new WebSocket(`${scheme}://localhost:${port}${settings.path}`);
      const message = '{"hello":"world"}';
      visitor.on('open', () => {
        visitor.send(message);
        visitor.send(Buffer.from(message));
      });
      visitor.on('error', () => {}); // it may be refused
      return visitor;
    });
  }

  function leave() {
    for (const visitor of visitors) visitor.close(1000);
  }

  function end() {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      if (process.listenerCount(signal) > 0) return void process.kill(process.pid, signal);
    }
    process.exit();
  }
}

// Writes that end at every byte of what a connection sends: with EAGAIN behind it everything arrives, with EPIPE the
// connection ends once, on either side. socket_faults.c counts the connections of a role, and gives each another byte.
// Arguments: cut | broken, and the step: 1 is every byte.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'websocket-component';
import { descriptors, pause, report, serve, until } from './common.mjs';
import { socketFaults } from './preload.mjs';

const [, , mode, number, part] = process.argv;
const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126)];
/** Each side sends them; the second begins with a frame whose length takes eight bytes. */
const scripts = [texts, ['d'.repeat(65_536), ...texts]];
const atOnce = 4;
/** Bytes that a server, and a client, sends in a connection: a prime that is not larger. */
const periods = { accepted: 401, connected: 499 };

/** Sends the texts and a ping, and notes what comes; a client closes when everything came. */
function watch(socket, isServer, sent) {
  const seen = { got: [], pongs: 0, errors: 0, closes: [], callbacks: 0, due: 0 };
  const count = () => seen.callbacks++;
  const begin = () => {
    seen.due = sent.length + 1;
    for (const text of sent) socket.send(text, count);
    socket.ping('ping', undefined, count);
  };
  if (isServer) begin();
  else socket.on('open', begin);
  const next = () => {
    if (!isServer && seen.got.length === sent.length && seen.pongs === 1) socket.close(1000);
  };
  socket.on('message', (data) => {
    seen.got.push(String(data));
    next();
  });
  socket.on('pong', () => {
    seen.pongs++;
    next();
  });
  socket.on('error', () => seen.errors++);
  socket.on('close', (code) => seen.closes.push(code));
  return seen;
}

function isWrong({ got, pongs, errors, closes, callbacks, due }, sent) {
  if (closes.length !== 1 || callbacks !== due || errors > 1) return true;
  if (got.some((text, i) => text !== sent[i])) return true;
  if (mode === 'broken') return false;
  return got.length !== sent.length || pongs !== 1 || errors !== 0 || closes[0] !== 1000;
}

/** In the process whose sockets are faulty: both sides of so many connections for each script. */
async function play(count) {
  const { server, url } = await serve({ closeTimeout: 5000 });
  const all = [];
  let wrong = 0;
  let sent;
  server.on('connection', (socket) => all.push(watch(socket, true, sent)));
  const before = descriptors();
  for (sent of scripts) {
    for (let left = count; left > 0; left -= atOnce) {
      const sockets = Array.from({ length: Math.min(atOnce, left) }, () => new WebSocket(url));
      all.push(...sockets.map((socket) => watch(socket, false, sent)));
      await until(() => all.every(({ closes }) => closes.length > 0));
      await pause(0); // what would come twice
      wrong += all.splice(0).filter((seen) => isWrong(seen, sent)).length;
    }
  }
  await until(() => server.clients.size === 0 && descriptors() <= before, 5000);
  const left = server.clients.size + Math.max(0, descriptors() - before);
  server.close();
  console.log(JSON.stringify({ wrong, left }));
}

async function main(step) {
  const figures = [];
  let isMet = true;
  for (const [role, period] of Object.entries(periods)) {
    const count = Math.ceil(period / step);
    const connections = scripts.length * count;
    const faults = socketFaults(`${mode} ${role} ${period}`);
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), mode, String(count), 'play'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...faults.env },
    });
    const exited = once(child, 'exit');
    const output = await text(child.stdout);
    const [status, signal] = await exited;
    if (status !== 0) throw new Error(`it ended with ${signal ?? status}`);
    const { wrong, left } = JSON.parse(output);
    const times = faults.takeCount();
    faults.remove();
    // What is broken may be written to again.
    const isEach = mode === 'cut' ? times === connections : times >= connections;
    isMet &&= wrong === 0 && left === 0 && isEach;
    figures.push(`${connections} ${role}, ${count} of bytes 0 to ${period - 1}: ${wrong} wrong, ${left} left`);
  }
  report(`${mode === 'cut' ? 'EAGAIN' : 'EPIPE'} inside of connections: ${figures.join('; ')}`, isMet);
}

if (part === 'play') await play(Number(number));
else await main(Number(number));

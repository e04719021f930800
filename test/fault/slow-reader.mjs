// A peer that reads a byte each second while 250 MiB are sent to it: the sender is told, holds 64 MiB at most, and ends it.
import { fits, KiB, MiB, pause, rawClient, report, residentMemory, serve } from './common.mjs';

const [piece, total, closeTimeout] = [256 * KiB, 250 * MiB, 3000];
const { server, url } = await serve({ closeTimeout });
const connected = new Promise((resolve) => server.on('connection', resolve));
const reader = await rawClient(url);
const socket = await connected;
let code;
let failures = 0;
let read = 0;
reader.pause();
const timer = setInterval(() => (read += reader.read(1)?.length ?? 0), 1000);
socket.on('error', () => {});
const closed = new Promise((resolve) => socket.on('close', (status) => resolve((code = status))));
const before = residentMemory();
const payload = Buffer.alloc(piece, 'slow');
let refused = 0;
for (let sent = 0; sent < total; sent += piece) {
  if (!socket.send(payload, (error) => (failures += error === undefined ? 0 : 1))) refused++;
  if (sent % (16 * MiB) === 0) await pause(1);
}
const grown = residentMemory() - before;
await closed;
clearInterval(timer);
reader.destroy();
server.close();
report(
  `250 MiB to a reader of 1 byte/s: ${(grown / MiB).toFixed(1)} MiB of memory, ` +
    `send returned false ${refused} times, ${failures} callbacks got an error, close ${code}`,
  fits(grown, 96 * MiB) && refused > 0 && failures > 0 && code === 1006,
);

// More clients than a server has descriptors: some are refused, nothing else is harmed, and when there are descriptors again
// everybody is served.
import { openConnection } from '../conformance/runner/handshake.mjs';
import { pause, report, until } from './common.mjs';
import { startServer } from './server-process.mjs';

const [clients, descriptors] = [300, 100];
const server = await startServer({}, { descriptors });
const tryOpen = () =>
  openConnection(server.url).then(
    ({ socket }) => socket.on('error', () => {}),
    () => undefined,
  );
const first = (await Promise.all(Array.from({ length: clients }, tryOpen))).filter((one) => one !== undefined);
const inRush = first.length;
for (const socket of first) socket.destroy();
await until(() => true);
for (let i = 0; i < 400 && (await server.ask()).connections > 0; i++) await pause(10);
const second = [];
for (let i = 0; i < 30; i++) second.push(await tryOpen());
const served = second.filter((one) => one !== undefined).length;
for (const socket of second) socket?.destroy();
const [status, signal] = await server.end();
report(
  `${clients} clients of a server with ${descriptors} descriptors: ${inRush} served, then ${served} of 30; it ended with ${signal ?? status}`,
  inRush >= 20 && inRush < descriptors && served === 30 && status === 0,
);

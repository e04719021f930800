// npm start [-- PORT]: builds what is missing, then runs the example server in this process (signals reach it as usual).
import { fileURLToPath } from 'node:url';
import { buildLibrary, buildNative, orExplain } from './build.mjs';

orExplain(() => {
  buildNative('release', { targets: ['addon'] });
  buildLibrary();
});
const server = new URL('../examples/server/server.mjs', import.meta.url);
process.argv[1] = fileURLToPath(server);
await import(server.href);

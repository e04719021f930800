// Who is measured. `server` and `client` are programs in bench/subjects/, `program` one of the build.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const sockets = { server: 'ours.mjs', client: 'ours-client.mjs' };
const wsSockets = { server: 'ws.mjs', client: 'ws-client.mjs' };
const clients = ['client-c', 'client-cs', 'client-d'];
const echoes = ['a', 'b', 'c', 'k', 'd', 'd8', 'e'];

export const subjects = {
  ours: { title: 'websocket-component', ...sockets, env: { WEBSOCKET_COMPONENT_TRANSPORT: 'native' } },
  'ours-borrow': {
    title: 'websocket-component, borrowed memory',
    server: 'ours-borrow.mjs',
    env: { WEBSOCKET_COMPONENT_TRANSPORT: 'native' },
    only: [...echoes],
  },
  'ours-stream': {
    title: 'websocket-component, stream transport',
    ...sockets,
    env: { WEBSOCKET_COMPONENT_TRANSPORT: 'stream' },
  },
  'ours-onmessage': {
    title: 'websocket-component, onmessage and ArrayBuffers',
    client: 'ours-onmessage-client.mjs',
    env: { WEBSOCKET_COMPONENT_TRANSPORT: 'native' },
    only: clients,
  },
  whatwg: {
    title: 'websocket-component/whatwg, the same program',
    client: 'whatwg-client.mjs',
    env: { WEBSOCKET_COMPONENT_TRANSPORT: 'native' },
    only: clients,
  },
  ws: { title: 'ws', ...wsSockets, env: { WS_NO_BUFFER_UTIL: '1' } },
  'ws-bufferutil': {
    title: 'ws with bufferutil',
    ...wsSockets,
    missing: () =>
      isNative('bufferutil') ? undefined : 'the package bufferutil is not installed or has no binary here',
  },
  'ws-corked': {
    title: 'ws, corked by hand',
    server: 'ws-corked.mjs',
    env: { WS_NO_BUFFER_UTIL: '1' },
    only: [...echoes, 'cs'],
  },
  'node-client': {
    title: "Node's built-in WebSocket",
    client: 'node-client.mjs',
    env: { NODE_OPTIONS: '--experimental-websocket' }, // Node 20 asks for it
    only: clients,
    missing: () =>
      process.allowedNodeEnvironmentFlags.has('--experimental-websocket') ? undefined : 'this Node.js has no WebSocket',
  },
  net: { title: "Node's net, bytes without frames", server: 'net-echo.mjs', raw: true, only: echoes },
  libuv: {
    title: 'libuv in C, bytes without frames',
    program: 'uv_echo',
    raw: true,
    only: echoes,
  },
};

function isNative(name) {
  try {
    // bufferutil falls back to JavaScript where it has no binary.
    return String(require(name).mask).includes('[native code]');
  } catch {
    return false;
  }
}

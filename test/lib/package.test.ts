// What the package gives to require and import, and what happens without its native module.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import defaultExport, * as index from '../../lib';
import { afterTest, root } from './support';

function node(args: string[], env: NodeJS.ProcessEnv = {}): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000, env: { ...process.env, ...env } });
}

test('the names', () => {
  expect(defaultExport).toBe(index.WebSocket);
  expect(index.Server).toBe(index.WebSocketServer);
  expect(index.WebSocket.Server).toBe(index.WebSocketServer);
  expect(index.WebSocket.WebSocketServer).toBe(index.WebSocketServer);
  expect(index.WebSocket.WebSocket).toBe(index.WebSocket);
  expect(Object.keys(index).sort()).toEqual([
    ...['PreparedMessage', 'Server', 'WebSocket', 'WebSocketServer', 'component', 'createWebSocketStream', 'default'],
  ]);
  expect(index.WebSocket.createWebSocketStream).toBe(index.createWebSocketStream);
});

test('require gives the class with the other names on it, import gives the same class', () => {
  const program = `
    const WebSocket = require(${JSON.stringify(join(root, 'dist/cjs.cjs'))});
    const { Server, WebSocketServer, createWebSocketStream, component } = WebSocket;
    import(${JSON.stringify(join(root, 'dist/esm.mjs'))}).then((esm) => console.log(JSON.stringify([
      typeof WebSocket, WebSocket.name, WebSocket.OPEN, Server === WebSocketServer, typeof component.WebSocketHandle,
      esm.default === WebSocket, esm.WebSocket === WebSocket, esm.WebSocketServer === Server, esm.component === component,
      WebSocket.WebSocket === WebSocket, typeof createWebSocketStream,
      esm.createWebSocketStream === createWebSocketStream, esm.Server === Server,
    ])));
  `;
  const { stdout, stderr } = node(['-e', program]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    ...['function', 'WebSocket', 1, true, 'function', true, true, true, true],
    ...[true, 'function', true, true],
  ]);
});

test('without the native module the error says what is missing and how to build it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  afterTest(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  const load = ['-e', `require(${JSON.stringify(join(folder, 'dist/cjs.cjs'))})`];
  const missing = node(load, { WEBSOCKET_COMPONENT_BINARY: undefined });
  expect(missing.status).toBe(1);
  expect(missing.stderr).toContain('The native module of websocket-component is missing');
  expect(missing.stderr).toContain(join(folder, 'build', 'release', 'websocket_component.node'));
  expect(missing.stderr).toContain(`websocket-component-${process.platform}-${process.arch}`);
  expect(missing.stderr).toContain('npx websocket-component build');

  const misnamed = node(load, { WEBSOCKET_COMPONENT_BINARY: join(folder, 'nowhere.node') });
  expect(misnamed.status).toBe(1);
  expect(misnamed.stderr).toContain(
    `${join(folder, 'nowhere.node')}, which WEBSOCKET_COMPONENT_BINARY names, does not exist`,
  );

  const broken = join(folder, 'broken.node');
  writeFileSync(broken, 'not a module');
  const unloadable = node(load, { WEBSOCKET_COMPONENT_BINARY: broken });
  expect(unloadable.status).toBe(1);
  expect(unloadable.stderr).toMatch(/The native module of websocket-component cannot be loaded .*broken.node/);
  expect(unloadable.stderr).toContain('npx websocket-component build');
});

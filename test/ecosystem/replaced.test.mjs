// That `ws` is this package wherever the programs look for it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';

const modules = path.join(import.meta.dirname, 'node_modules');
const ours = path.join(modules, 'ws');

for (const program of [
  ...['engine.io', 'engine.io-client', 'socket.io', 'socket.io-adapter', 'socket.io-client'],
  ...['graphql-ws', 'mqtt', 'websocket-stream'],
]) {
  test(`${program} finds this package by the name ws`, () => {
    const require = createRequire(path.join(modules, program, 'package.json'));
    assert.equal(realpathSync(require.resolve('ws')), path.join(realpathSync(ours), 'dist/cjs.cjs'));
    assert.equal(require('ws/package.json').name, 'websocket-component');
    assert.equal(typeof require('ws').component.WebSocketHandle, 'function');
  });
}

test('there is no other package of that name', () => {
  const found = readdirSync(modules, { recursive: true }).filter((file) => /(^|node_modules[\\/])ws$/.test(file));
  assert.deepEqual(found, ['ws']);
});

test('it is the package as it was built', () => {
  const root = path.join(import.meta.dirname, '../..');
  const files = readdirSync(path.join(root, 'dist'), { recursive: true }).filter((name) => /\.\w+$/.test(name));
  assert.ok(files.length > 50);
  // Those of the command line program are not in the package.
  for (const file of files.filter((name) => !/^\.|^cli[\\/].*\.d\.ts$/.test(name))) {
    const [built, installed] = [root, ours].map((folder) => path.join(folder, 'dist', file));
    assert.ok(existsSync(installed), file);
    assert.equal(readFileSync(installed, 'utf8'), readFileSync(built, 'utf8'), file);
  }
});

// websocket-component/register, and the entries of the package.
import { spawnSync } from 'node:child_process';
import { root } from '../lib/support';

/** Runs an ES module that finds this package by its name, and gives what it printed. */
function run(program: string): unknown {
  const args = ['--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 20_000 });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('import and require give the same classes, by name', () => {
  expect(
    run(`
      import { createRequire } from 'node:module';
      import * as esm from 'websocket-component/whatwg';
      const cjs = createRequire(process.cwd() + '/')('websocket-component/whatwg');
      const names = Object.keys(cjs).sort();
      console.log(JSON.stringify([names, names.map((name) => esm[name] === cjs[name]), esm.MessageEvent === MessageEvent]));
    `),
  ).toEqual([
    ['CloseEvent', 'MessageEvent', 'WebSocket', 'WebSocketError', 'WebSocketStream'],
    [true, true, true, true, true],
    true,
  ]);
});

test('register makes them globals, as interface objects are', () => {
  expect(
    run(`
      import * as classes from 'websocket-component/whatwg';
      import 'websocket-component/register';
      const names = ['CloseEvent', 'WebSocket', 'WebSocketError', 'WebSocketStream'];
      console.log(JSON.stringify(names.map((name) => {
        const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name);
        return [value === classes[name], writable, enumerable, configurable];
      })));
    `),
  ).toEqual(Array(4).fill([true, true, false, true]));
});

test('a program written for browsers runs after it, against a server of the same engine', () => {
  expect(
    run(`
      import { WebSocketServer } from 'websocket-component';
      import 'websocket-component/register';
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        socket.onopen = () => socket.send('hello');
        socket.onmessage = ({ data }) => { socket.close(1000, data); };
        socket.onclose = (event) => {
          console.log(JSON.stringify([event instanceof CloseEvent, event.code, event.reason, event.wasClean]));
          server.close();
        };
      });
      server.on('connection', (peer) => peer.on('message', (data) => peer.send(String(data))));
    `),
  ).toEqual([true, 1000, 'hello', true]);
});

/** What Node 23 and later have: the interface, as its users see it. */
const nodesOwn = `
  globalThis.CloseEvent = class CloseEvent extends Event {
    #init;
    constructor(type, init = {}) {
      super(type, init);
      this.#init = init;
    }
    get wasClean() { return this.#init.wasClean; }
    get code() { return this.#init.code; }
    get reason() { return this.#init.reason; }
  };
`;

test('where Node has a CloseEvent, it is that one', () => {
  expect(
    run(`${nodesOwn}
      const Own = globalThis.CloseEvent;
      const { WebSocketServer } = await import('websocket-component');
      const { CloseEvent, WebSocket } = await import('websocket-component/whatwg');
      await import('websocket-component/register');
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        socket.onopen = () => socket.close(3000, 'reason');
        socket.addEventListener('close', (event) => {
          const { code, reason, wasClean, isTrusted, type } = event;
          const same = [CloseEvent === Own, globalThis.CloseEvent === Own, event instanceof Own];
          const names = Object.getOwnPropertyNames(event);
          console.log(JSON.stringify([same, code, reason, wasClean, isTrusted, type, event.target === socket, names]));
          server.close();
        });
      });
    `),
  ).toEqual([[true, true, true], 3000, 'reason', true, true, 'close', true, ['isTrusted']]);
});

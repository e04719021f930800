// docs/coming-from-ws.md: nothing of ws is missing from it, and every test that it names exists.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import WS, { WebSocketServer as WSServer } from 'ws';
import { hasTest, tableRows } from './documented-tests';
import { root } from './support';

const page = readFileSync(join(root, 'docs/coming-from-ws.md'), 'utf8');
const version = (JSON.parse(readFileSync(join(root, 'node_modules/ws/package.json'), 'utf8')) as { version: string })
  .version;

interface Row {
  section: string;
  /** What stands in backticks in the first cell. */
  names: string[];
  here: string;
  test: string;
}

const rows: Row[] = page.split('\n## ').flatMap((text) => {
  const section = text.split('\n', 1)[0];
  return tableRows(text).map(([first, here, test]) => {
    return { section, names: [...first.matchAll(/`([^`]+)`/g)].map((m) => m[1]), here, test };
  });
});

function expectRows(section: string, names: string[]): void {
  const known = new Set(rows.filter((row) => row.section.startsWith(section)).flatMap((row) => row.names));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
}

/** The options that the comments of ws name. */
function optionsOf(file: string): string[] {
  const text = readFileSync(join(root, `node_modules/ws/lib/${file}.js`), 'utf8');
  return [...new Set([...text.matchAll(/\[options\.(\w+)/g)].map((match) => match[1]))];
}

/** The events that the types of ws name, in two parts: of sockets and of servers. */
function eventsOf(part: 0 | 1): string[] {
  const text = readFileSync(join(root, 'node_modules/@types/ws/index.d.ts'), 'utf8').split('class Server')[part];
  const unions = [...text.matchAll(/\bon\(\s*event: ("[^,:]+),/g)].flatMap((match) => match[1].split('|'));
  return [...new Set(unions.map((name) => name.trim().slice(1, -1)))];
}

test('is about the version of ws that the tests compare with', () => {
  expect(page).toContain(`\`ws\` ${version.split('.').slice(0, 2).join('.')} `);
});

test('every option of clients', () => {
  const ofSend = ['binary', 'compress', 'fin', 'mask'];
  const options = optionsOf('websocket').filter((name) => !ofSend.includes(name));
  expect(options.length).toBeGreaterThan(12);
  expectRows('Options of `new WebSocket(', options);
  expectRows('`WebSocket`: properties', ofSend);
});

test('every option of servers', () => {
  const options = optionsOf('websocket-server');
  expect(options.length).toBeGreaterThan(15);
  expectRows('Options of `new WebSocketServer(', options);
});

test('every property and method', () => {
  const own = (object: object): string[] => Object.getOwnPropertyNames(object).filter((name) => name !== 'constructor');
  expectRows('`WebSocket`: properties', own(WS.prototype));
  expectRows('`WebSocketServer`: properties', [...own(WSServer.prototype), 'clients', 'options']);
});

test('every static', () => {
  const statics = Object.getOwnPropertyNames(WS).filter((name) => !['length', 'name', 'prototype'].includes(name));
  const states = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
  expectRows(
    'Exports',
    statics.filter((name) => !states.includes(name)),
  );
  expectRows('`WebSocket`: properties', states);
});

test('every event', () => {
  expect(eventsOf(0).length).toBe(9);
  expect(eventsOf(1).length).toBe(6);
  expectRows('`WebSocket`: events', eventsOf(0));
  expectRows('`WebSocketServer`: properties', eventsOf(1));
});

test('every program of the ecosystem tests, with its version', () => {
  const section = page.split('\n## ').find((text) => text.startsWith('Programs that run'));
  const manifest = readFileSync(join(root, 'test/ecosystem/package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  const programs = Object.entries(dependencies).filter(([name]) => name !== 'ws');
  expect(programs.length).toBeGreaterThan(5);
  for (const [name, version] of programs) expect(section).toContain(`${name} ${version}`);
});

test('every row names a test that exists, or says that there is nothing here', () => {
  expect(rows.length).toBeGreaterThan(80);
  for (const { names, here, test } of rows) {
    if (test === '') {
      expect([names, here]).toEqual([names, expect.stringMatching(/^not here: /)]);
      continue;
    }
    const [, file, title] = /^`([\w-]+)`: (.+)$/.exec(test) ?? [];
    expect([test, hasTest(`lib/${file}`, title)]).toEqual([test, true]);
  }
});

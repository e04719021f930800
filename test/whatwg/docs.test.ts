// docs/whatwg.md: every step names a test that exists.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/support';

const page = readFileSync(join(root, 'docs/whatwg.md'), 'utf8');
const steps = page.split('## The steps of the standard')[1].split('## What Chromium')[0];

const rows = steps
  .split('\n')
  .filter((line) => /^\| (?!(Step|What) \||---)/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('every row names a test that exists', () => {
  expect(rows.length).toBeGreaterThan(90);
  for (const [, test] of rows) {
    const [, file, title] = /^`(\w+)`: (.+)$/.exec(test) ?? [];
    const path = join(root, `test/whatwg/${file}.test.ts`);
    expect([test, existsSync(path)]).toEqual([test, true]);
    const source = readFileSync(path, 'utf8');
    expect([test, source.includes(`'${title}'`) || source.includes(`"${title}"`)]).toEqual([test, true]);
  }
});

test('every section of the standard with steps is there', () => {
  const sections = [...steps.matchAll(/^### (.+)$/gm)].map((match) => match[1]);
  expect(sections).toEqual([
    'Opening handshake (Fetch)',
    'WebSocket: constructor',
    'WebSocket: close(code, reason)',
    'WebSocket: send(data) and the attributes',
    'WebSocket: feedback from the protocol',
    'Interfaces (Web IDL)',
    'WebSocketError',
    'WebSocketStream',
  ]);
});

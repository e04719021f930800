// docs/errors.md and the code name the same errors.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './support';

const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const library = readAll('lib');

function readAll(folder: string): string {
  return readdirSync(join(root, folder))
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'))
    .join('\n');
}

/** The cells of the rows of the table under a heading, without its head. */
function table(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1].split('\n## ')[0];
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What stands in backticks. */
function literals(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
}

/** A message as it may stand in the source: quotes are doubled by no escapes there. */
function expectInLibrary(message: string): void {
  expect([message, library.includes(message.trimEnd())]).toEqual([message, true]);
}

const codes = (text: string): string[] => [...new Set(text.match(/WS_ERR_[A-Z0-9_]*[A-Z0-9]/g))].sort();

test('the table of codes has those of the library, each once, and no others', () => {
  const documented = table('Codes').map(([code]) => literals(code)[0]);
  const union = readFileSync(join(root, 'lib/errors.ts'), 'utf8')
    .split('export type WebSocketErrorCode')[1]
    .split(';')[0];
  expect([...documented].sort()).toEqual(codes(union));
  expect(codes(library)).toEqual(codes(union));
});

test('every code of ws has a row, and the page says which ones they are', () => {
  const documented = table('Codes').map(([code]) => literals(code)[0]);
  expect(documented.slice(0, 12).sort()).toEqual(codes(readAll('node_modules/ws/lib')));
});

test('the close codes are those that the tests of faults see', () => {
  const faults = readFileSync(join(root, 'test/lib/faults.test.ts'), 'utf8');
  const seen = [...faults.matchAll(/(\d{4}),\s*'(WS_ERR_\w+)'/g)].map(([, status, code]) => [code, status]);
  const rows = new Map(table('Codes').map(([code, , , status]) => [literals(code)[0], status]));
  expect(seen.length).toBeGreaterThan(20);
  for (const [code, status] of seen) expect([code, rows.get(code)]).toEqual([code, status]);
});

test.each(['Opening handshake, clients', 'Opening handshake, servers'])(
  '%s: every message is in the code',
  (heading) => {
    const column = heading.endsWith('clients') ? 0 : 1;
    const statusTexts = ['Unauthorized', 'verifyClient']; // from Node's table; and no message
    const messages = table(heading).flatMap((row) => literals(row[column]));
    expect(messages.length).toBeGreaterThan(10);
    for (const message of messages.filter((one) => !statusTexts.includes(one))) expectInLibrary(message);
  },
);

test('every message of the handshake is on the page', () => {
  const sources = ['client', 'client-response', 'redirect', 'server-handshake', 'admission', 'url'];
  for (const source of sources) {
    const text = readFileSync(join(root, `lib/${source}.ts`), 'utf8');
    const made: (string | undefined)[][] = [
      ...text.matchAll(/new Error\('([^']+)'\)|message: '([^']+)'|closedEarly = '([^']+)'/g),
    ];
    for (const [, ...found] of made) {
      const message = found.find((one) => one !== undefined)!;
      expect([message, page.includes(message)]).toEqual([message, true]);
    }
  }
});

// SECURITY.md: every test that it names exists, and its limits are those in force.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasTest, tableRows } from './documented-tests';
import { root, serve } from './support';

const page = readFileSync(join(root, 'SECURITY.md'), 'utf8');

/** The rows of the tables of a section, cell by cell. */
function rowsOf(section: string): string[][] {
  return tableRows(page.split('\n## ').find((part) => part.startsWith(section)) ?? '');
}

test.each([
  ['Threats', 24],
  ['Lessons', 12],
])('%s: every row names tests that exist', (section, least) => {
  const rows = rowsOf(section);
  expect(rows.length).toBeGreaterThanOrEqual(least);
  const list = [join(root, 'test/conformance/conformance.mjs'), '--list'];
  const env = { ...process.env, LD_PRELOAD: undefined }; // plain Node, without a sanitizer
  const ids = execFileSync(process.execPath, list, { env, encoding: 'utf8' }).match(/^\S+/gm)!;
  for (const row of rows) {
    const references = row.at(-1)!.split('<br>');
    for (const reference of references) {
      const [, file, title] = /^`([\w./-]+)`: (.+)$/.exec(reference) ?? ['', '', ''];
      const found =
        file === 'conformance'
          ? title.split(', ').every((group) => ids.some((id) => id === group || id.startsWith(`${group}.`)))
          : hasTest(file, title);
      expect([reference, found]).toEqual([reference, true]);
    }
  }
});

test('the limits in the table are those in force', async () => {
  const { server } = await serve();
  const kib = 1024;
  const values: Record<string, number> = { KiB: kib, MiB: kib * kib, s: 1000 };
  const options = server.options as unknown as Record<string, unknown>;
  const rows = rowsOf('Limits').filter(([name]) => /^`\w+`$/.test(name));
  expect(rows.length).toBeGreaterThan(8);
  for (const [name, value] of rows) {
    const parts = /^([\d,]+)(?: (KiB|MiB|s))?/.exec(value);
    const expected = parts === null ? value : Number(parts[1].replaceAll(',', '')) * (values[parts[2]] ?? 1);
    expect([name, options[name.slice(1, -1)]]).toEqual([name, expected]);
  }
});

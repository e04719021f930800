// What documents say in tables, and the tests that they name.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './support';

/** The rows of the tables of a text, cell by cell; without those of the first table's head. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Whether a test file, as `lib/echo`, `component/pool_test.cc` or `fault/faults.mjs`, has a test or a group of this name. */
export function hasTest(file: string, title: string): boolean {
  const path = join(root, 'test', /\.\w+$/.test(file) ? file : `${file}.test.ts`);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  const names = file.endsWith('.cc') ? [`, ${title})`] : [`'${title}'`, `"${title}"`, `\`${title}\``];
  return names.some((name) => source.includes(name));
}

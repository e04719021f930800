// Tests that documents name.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './support';

/** Whether a test file, as `lib/echo`, `component/pool_test.cc` or `fault/faults.mjs`, has a test or a group of this name. */
export function hasTest(file: string, title: string): boolean {
  const path = join(root, 'test', /\.\w+$/.test(file) ? file : `${file}.test.ts`);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  const names = file.endsWith('.cc') ? [`, ${title})`] : [`'${title}'`, `"${title}"`, `\`${title}\``];
  return names.some((name) => source.includes(name));
}

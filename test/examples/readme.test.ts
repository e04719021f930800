// examples/README.md names every program, with a command that starts it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../interop/peers';

const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');
const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).map((file) =>
  file.replaceAll('\\', '/'),
);

test('every link leads to a file', () => {
  const targets = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target]) => target);
  expect(targets.length).toBeGreaterThan(10);
  for (const target of targets) expect([target, existsSync(join(root, 'examples', target))]).toEqual([target, true]);
});

test('every program that can be started is in the list', () => {
  const programs = files.filter((file) => {
    if (!/^(?!electron\/)(?!.*node_modules).*\.(mjs|sh|c)$/.test(file)) return false;
    const text = readFileSync(join(root, 'examples', file), 'utf8');
    return file.endsWith('.c') || /^(#|\/\/)( +| Run: )(node|sh|npm start)\b/m.test(text);
  });
  expect(programs.length).toBeGreaterThan(12);
  for (const program of programs) expect([program, readme.includes(`](${program})`)]).toEqual([program, true]);
});

test('every command of the list names a file', () => {
  const commands = [...readme.matchAll(/`(?:node|sh) (examples\/[^\s`]+)/g)].map(([, file]) => file);
  expect(commands.length).toBeGreaterThan(10);
  for (const file of commands) expect([file, existsSync(join(root, file))]).toEqual([file, true]);
});

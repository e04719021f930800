// Runs every code block of the documentation, as a suite of `npm test`:
//   node suite.mjs [--json FILE] [--filter WORD] [--pages FOLDER]   FOLDER: of other pages than this repository's
// Each block is a test. broken.md has a broken block of each kind, and what must be said of it.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/run.mjs';
import { noPrograms, testedElsewhere } from './exceptions.mjs';
import { compile, languages as javaScript, runJavaScript } from './javascript.mjs';
import { blocksOf, examplesOf } from './markdown.mjs';
import { checkHaproxy, checkJson, checkText, runC, runCMake, runHtml, runNginx } from './other-kinds.mjs';
import { Sandbox } from './sandbox.mjs';
import { runConsole, runShell } from './shell.mjs';

const { values } = parseArgs({
  options: { json: { type: 'string' }, filter: { type: 'string' }, pages: { type: 'string' } },
});
const folder = path.resolve(values.pages ?? root);

/** What is done with a block of a language. @type {Record<string, (block, sandbox) => unknown>} */
const kinds = {
  ...Object.fromEntries(javaScript.map((language) => [language, runJavaScript])),
  ...{ sh: runShell, bash: runShell, shell: runShell, console: runConsole },
  ...{ c: runC, cpp: runC, cmake: runCMake, nginx: runNginx, haproxy: checkHaproxy, json: checkJson, html: runHtml },
  text: (block, sandbox) => checkText(block, (previous) => execute(previous, sandbox)),
  mermaid: () => {},
};

function execute(block, sandbox) {
  const kind = kinds[block.language];
  if (kind === undefined) throw new Error(`nothing is known of blocks in '${block.language}': see test/docs/suite.mjs`);
  const other = testedElsewhere.find(([page, language]) => page === block.page && language === block.language)?.[2];
  const elsewhere = other ?? /test\/[\w./]+/.exec(noPrograms[block.language] ?? '')?.[0];
  if (elsewhere === undefined) return kind(block, sandbox);
  const source = readFileSync(path.join(root, elsewhere), 'utf8');
  if (!source.includes(path.basename(block.page))) throw new Error(`${elsewhere} does not name ${block.page}`);
}

function pages() {
  const sources = existsSync(path.join(folder, 'lib'))
    ? readdirSync(path.join(folder, 'lib'), { recursive: true })
    : [];
  const folders = ['.', 'docs', 'bench', 'examples', ...subfolders('examples')];
  const documents = folders.flatMap((name) =>
    !existsSync(path.join(folder, name))
      ? []
      : readdirSync(path.join(folder, name))
          .filter((file) => file.endsWith('.md') && file !== 'RESULTS.md')
          .map((file) => path.posix.join(name, file)),
  );
  return [...documents, ...sources.filter((file) => file.endsWith('.ts')).map((file) => path.posix.join('lib', file))];
}

function subfolders(name) {
  if (!existsSync(path.join(folder, name))) return [];
  const entries = readdirSync(path.join(folder, name), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(name, entry.name));
}

const texts = new Map(pages().map((page) => [page, readFileSync(path.join(folder, page), 'utf8')]));
const broken = readFileSync(path.join(root, 'test/docs/broken.md'), 'utf8');

/** @type {{ name: string, block?: Block, run: (sandbox: Sandbox) => unknown }[]} */
const tests = [];
for (const [page, text] of texts) {
  try {
    for (const block of page.endsWith('.ts') ? examplesOf(page, text) : blocksOf(page, text)) {
      tests.push({ name: block.name, block, run: (sandbox) => execute(block, sandbox) });
    }
  } catch (error) {
    tests.push({ name: page, run: () => Promise.reject(error) });
  }
}
for (const block of blocksOf('broken.md', broken)) {
  const [, expected] = /<!-- (.+?) -->/.exec(block.prose) ?? [];
  const run = (sandbox) => (expected === undefined ? execute(block, sandbox) : mustFail(block, expected, sandbox));
  tests.push({ name: `self-test: ${block.name}: ${expected ?? 'runs'}`, block, run });
}
tests.push({ name: 'self-test: a block that is not closed', run: checkUnclosed });

async function mustFail(block, expected, sandbox) {
  let message;
  try {
    await execute(block, sandbox);
  } catch (error) {
    message = error.message;
  }
  if (message === undefined) throw new Error('nothing wrong was found');
  if (!message.includes(expected)) throw new Error(`it failed, but not as expected: ${message}`);
}

function checkUnclosed() {
  try {
    blocksOf('page.md', '```js\nfirst();\n');
  } catch {
    return;
  }
  throw new Error('nothing wrong was found');
}

const code = tests.map(({ block }) => block?.code ?? '').join('\n');
const hosts = [...code.matchAll(/(?:wss|https):\/\/([\w-]+(?:\.[\w-]+)+)/g)].map(([, host]) => host);
const sandbox = await Sandbox.open(hosts);
const results = [];
const waiting = tests.filter(({ name }) => values.filter === undefined || name.includes(values.filter));
// What takes long comes first, so that nobody waits for it in the end. Blocks wait much of the time.
const takesLong = ({ name }) => / (cmake|sh|console)\b/.test(name);
sandbox.compiled = compile(
  waiting.flatMap(({ block }) => block ?? []),
  sandbox,
);
waiting.sort((a, b) => Number(takesLong(b)) - Number(takesLong(a)));
const lanes = Array.from({ length: Math.min(4, availableParallelism() + 1) }, async () => {
  for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) {
    const started = performance.now();
    let error;
    try {
      await test.run(sandbox);
    } catch (thrown) {
      error = thrown;
    }
    results.push({ name: test.name, seconds: (performance.now() - started) / 1000, failed: error !== undefined });
    if (error !== undefined) console.log(`FAILED ${test.name}\n  ${error.message.trim().replaceAll('\n', '\n  ')}`);
  }
});
await Promise.all(lanes);
sandbox.close();
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results));
const failures = results.filter(({ failed }) => failed).length;
for (const { name, seconds } of results.toSorted((a, b) => b.seconds - a.seconds).slice(0, 5)) {
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${name}`);
}
console.log(`${results.length - failures} passed, ${failures} failed`);
process.exitCode = failures > 0 || (results.length === 0 && values.filter === undefined) ? 1 : 0;

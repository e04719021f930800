// Runs every code block of the documentation, as a suite of `npm test`:
//   node suite.mjs [--json FILE] [--filter WORD] [--pages FOLDER]   FOLDER: of other pages than this repository's
// Each block is a test, named page:line language. What a block has to be:
// - A block begins a program with its import, require() or #include. One without continues the block before it.
// - It ends by itself, or is ended when it has come to rest (inside.cjs). It has to end with 0, and writes nothing to stderr.
//   Other machines are played by stand-in.mjs; ports are mapped. ca.pem, cert.pem, key.pem and film.mp4 are there.
// - A comment behind console.log is what it prints, up to a colon that an explanation follows; `…` stands for anything.
//   So is a block of text behind a line that ends with "prints:", and a line behind the block that begins with
//   "It prints `TEXT`".
// - Commands run in a project with the package installed. A block whose line before ends with "`NAME`:" is a file there.
// - Blocks that are no programs, and commands that are not run, are in exceptions.mjs, with their reasons.
// broken.md has a broken block of each kind, and what must be said of it.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/run.mjs';
import { testedElsewhere } from './exceptions.mjs';
import { compile, languages as javaScript, matches, runJavaScript } from './javascript.mjs';
import { blocksOf, examplesOf } from './markdown.mjs';
import { checkHaproxy, checkJson, checkText, runC, runCMake, runHtml, runNginx } from './other-kinds.mjs';
import { Sandbox } from './sandbox.mjs';
import { checkScripts, runConsole, runShell } from './shell.mjs';

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
};

/** Returns what it prints. */
async function execute(block, sandbox) {
  const elsewhere = testedElsewhere.find(([page, language]) => page === block.page && language === block.language)?.[2];
  if (elsewhere !== undefined) return checkNamed(elsewhere, block.page);
  const kind = kinds[block.language];
  if (kind === undefined) throw new Error(`nothing is known of blocks in '${block.language}': see test/docs/suite.mjs`);
  const printed = await kind(block, sandbox);
  const [, claimed] = /^It prints `(.+?)`/.exec(block.after) ?? [];
  if (claimed !== undefined && !matches(printed.trim(), claimed)) {
    throw new Error(`it prints\n${printed}\nand not\n${claimed}`);
  }
  return printed;
}

function checkNamed(test, page) {
  const source = readFileSync(path.join(root, test), 'utf8');
  if (!source.includes(path.basename(page))) throw new Error(`${test} does not name ${page}`);
}

const notOurs = ['node_modules', 'build', 'dist', 'coverage', '.git', 'test/docs'];

/** The documents of a folder and of those in it, and the sources of the library. */
function pagesIn(name) {
  return readdirSync(path.join(folder, name), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(name, entry.name);
    if (entry.isDirectory()) return notOurs.includes(file) ? [] : pagesIn(file);
    return file.endsWith('.md') || /^lib\/.*\.[cm]?ts$/.test(file) ? [file] : [];
  });
}

const texts = new Map(pagesIn('.').map((page) => [page, readFileSync(path.join(folder, page), 'utf8')]));
const broken = readFileSync(path.join(root, 'test/docs/broken.md'), 'utf8');

/** @type {{ name: string, block?: Block, run: (sandbox: Sandbox) => unknown }[]} */
const tests = [];
for (const [page, text] of texts) {
  try {
    for (const block of page.endsWith('ts') ? examplesOf(page, text) : blocksOf(page, text)) {
      tests.push({ name: block.name, block, run: (sandbox) => execute(block, sandbox) });
    }
  } catch (error) {
    tests.push({ name: page, run: () => Promise.reject(error) });
  }
  if (text.includes('`npm '))
    tests.push({ name: `${page}: the scripts of npm that it names`, run: () => checkScripts(text, page, folder) });
}
for (const block of blocksOf('broken.md', broken)) {
  const [, expected] = /<!-- (.+?) -->/.exec(block.prose) ?? [];
  const run = (sandbox) => (expected === undefined ? execute(block, sandbox) : mustFail(block, expected, sandbox));
  tests.push({ name: `self-test: ${block.name}: ${expected ?? 'runs'}`, block, run });
}
tests.push({
  name: 'self-test: a block that is not closed',
  run: () => expectError(() => blocksOf('page.md', '```js\n')),
});
tests.push({
  name: 'self-test: a script of npm that is not there',
  run: () => expectError(() => checkScripts('`npm run x`', 'page.md', folder)),
});

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

function expectError(run) {
  try {
    run();
  } catch {
    return;
  }
  throw new Error('nothing wrong was found');
}

const code = tests.map(({ block }) => block?.code ?? '').join('\n');
const hosts = [...code.matchAll(/(?:wss|https):\/\/([\w-]+(?:\.[\w-]+)+)/g)].map(([, host]) => host);
const sandbox = await Sandbox.open(hosts, folder);
const results = [];
const waiting = tests.filter(({ name }) => values.filter === undefined || name.includes(values.filter));
// What takes long comes first, so that nobody waits for it in the end; programs come last, because their types are
// compared meanwhile. Blocks wait much of the time.
const placeOf = ({ block }) =>
  javaScript.includes(block?.language) ? 2 : ['cmake', 'sh', 'console'].includes(block?.language) ? 0 : 1;
sandbox.compiled = compile(
  waiting.flatMap(({ block }) => block ?? []),
  sandbox,
);
waiting.sort((a, b) => placeOf(a) - placeOf(b));
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

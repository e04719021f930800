// npm run lint: formatting, clang-tidy, eslint, types and the project's own rules (check.mjs). Runs all, then says which
// failed. `-- --fix` formats instead of checking; `-- --ci` leaves out clang-tidy's analyzer, which takes minutes.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { buildLibrary, buildNative, orExplain } from './build.mjs';
import { capture, nodeProgram, root, runBeside, which } from './run.mjs';

const fix = process.argv.includes('--fix');

const folder = orExplain(() => {
  buildNative('release', { tests: true, targets: ['addon'] });
  buildLibrary(); // the examples import the package by its name
  return path.join(root, 'build/release');
});
const tidyFolder = path.join(root, 'build/clang-tidy');

// The analyzer leaves a function after so many states: by default 225,000, which takes twice the time for few large ones.
const tidyOptions = process.argv.includes('--ci')
  ? ['--checks=-clang-analyzer-*']
  : ['-Xclang', '-analyzer-config', '-Xclang', 'max-nodes=50000'].map((arg) => `--extra-arg=${arg}`);

async function succeeds(program, args) {
  const { status, output } = await runBeside(program, args);
  process.stdout.write(output);
  return status === 0;
}
const node = (program, ...args) => succeeds(process.execPath, [nodeProgram(program), ...args]);
const steps = {
  'clang-format': () => succeeds('clang-format', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...cppFiles()]),
  prettier: () => node('prettier/bin/prettier.cjs', fix ? '--write' : '--check', '--log-level', 'warn', '.'),
  eslint: () => node('eslint/bin/eslint.js', ...(fix ? ['--fix'] : []), '.'),
  types: () => node('typescript/bin/tsc', '--noEmit'),
  reference: () => node('typedoc/bin/typedoc', '--emit', 'none', '--logLevel', 'Warn'),
  rules: () => succeeds(process.execPath, [path.join(root, 'scripts/check.mjs')]),
};

const failed = [];
async function perform(name, step) {
  const started = Date.now();
  const ok = await step();
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) failed.push(name);
}
const tidied = perform('clang-tidy', clangTidy); // beside the others, which take one core
for (const [name, step] of Object.entries(steps)) await perform(name, step);
await tidied;
if (failed.length > 0) console.error(`lint failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

function cppFiles() {
  const known = capture('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.h', '*.cc', '*.c']);
  return known.stdout.split('\n').filter((file) => file && existsSync(path.join(root, file)));
}

// clang-tidy on what the addon is made of, as many at a time as there are cores.
async function clangTidy() {
  if (!which('clang-tidy')) {
    console.error('clang-tidy was not found: run `npm run setup -- --test`');
    return false;
  }
  // One command for each file, although some are compiled for several targets; without GCC's options of link-time
  // optimization, which clang does not know.
  const commands = JSON.parse(readFileSync(path.join(folder, 'compile_commands.json'), 'utf8'));
  const unique = new Map(commands.map((command) => [command.file, command]));
  for (const command of unique.values()) {
    command.command = command.command.replaceAll(/ -f(?:no-fat-)?lto\S*/g, '');
  }
  mkdirSync(tidyFolder, { recursive: true });
  writeFileSync(path.join(tidyFolder, 'compile_commands.json'), JSON.stringify([...unique.values()]));
  const source = path.join(root, 'src') + path.sep;
  const files = [...unique.keys()].filter((file) => file.startsWith(source));
  let ok = files.length > 0;
  const worker = async () => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) ok = (await tidy(file)) && ok;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return ok;
}

function tidy(file) {
  return new Promise((resolve) => {
    const child = spawn('clang-tidy', ['-p', tidyFolder, '--quiet', ...tidyOptions, file], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.on('close', (status) => {
      process.stdout.write(output);
      resolve(status === 0);
    });
  });
}

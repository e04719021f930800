// npm run build [-- --preset NAME]: the addon with CMake into build/<preset>/, then lib/ with TypeScript into dist/.
// `--all` builds the tests and examples too.
// Does only what is out of date. Downloads nothing.
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { capture, nodeProgram, root, run, takeOption, which } from './run.mjs';

/** What stops a build: a message for the person who reads it, without a stack. */
class BuildError extends Error {}

/**
 * Configures and builds one preset of CMakePresets.json.
 * @param {string} preset
 * @param {{ tests?: boolean, targets?: string[] }} options `tests` adds GoogleTest and the examples
 * @returns {string} the folder of the build
 */
export function buildNative(preset, { tests = false, targets = [] } = {}) {
  const folder = path.join(root, 'build', preset);
  checkTools(preset);
  configure(preset, folder, tests);
  const jobs = String(availableParallelism());
  const config = process.platform === 'win32' ? ['--config', preset === 'debug' ? 'Debug' : 'Release'] : [];
  const target = targets.length > 0 ? ['--target', ...targets] : [];
  const result = capture('cmake', ['--build', folder, '--parallel', jobs, ...config, ...target]);
  if (result.status !== 0) throw new BuildError(result.all);
  return folder;
}

// The compiler and CMake; CMake itself looks for the headers and libraries (cmake/Missing.cmake).
function checkTools(preset) {
  const missing = [];
  if (!which('cmake')) missing.push('CMake');
  if (process.platform !== 'win32') {
    const compilers = preset.endsWith('clang') ? ['clang++'] : [process.env.CXX, 'c++', 'g++', 'clang++'];
    if (!compilers.some((name) => name && (which(name) || existsSync(name)))) missing.push('a C++ compiler');
    if (!which('ninja') && !which('make')) missing.push('ninja or make');
  }
  if (missing.length > 0) throw new BuildError(missingMessage(missing.join(', ')));
}

function missingMessage(what) {
  const hint = readFileSync(path.join(root, 'cmake/install_hint.txt'), 'utf8');
  return `websocket-component cannot be built. Not found: ${what}.\nInstall what is missing:\n${hint}`;
}

function configure(preset, folder, tests) {
  const cache = path.join(folder, 'CMakeCache.txt');
  const known = existsSync(cache) ? readFileSync(cache, 'utf8') : '';
  const complete = existsSync(path.join(folder, 'build.ninja')) || existsSync(path.join(folder, 'Makefile'));
  const sameNode = known.includes(`NODE_EXECUTABLE:FILEPATH=${process.execPath}\n`);
  if (complete && sameNode && (!tests || known.includes('BUILD_TESTING:BOOL=ON'))) return;

  const args = ['--preset', preset, `-DNODE_EXECUTABLE:FILEPATH=${process.execPath}`];
  if (tests || !complete) args.push(`-DBUILD_TESTING:BOOL=${tests ? 'ON' : 'OFF'}`);
  if (!complete) {
    rmSync(cache, { force: true }); // what a failed run found missing may be there now
    if (which('ninja')) args.push('-G', 'Ninja');
  }
  const result = capture('cmake', args);
  if (result.status === 0) return;
  // CMake wraps and indents its messages; ours reads better as it was written.
  const missing = /Not\s+found:\s+([\s\S]*?)\.\s+Install\s+what\s+is\s+missing/.exec(result.all);
  throw new BuildError(missing ? missingMessage(missing[1].replace(/\s+/g, ' ')) : result.all);
}

/** Compiles lib/ to dist/ when a source is newer than the last compilation. */
export function buildLibrary() {
  if (!existsSync(path.join(root, 'lib'))) return;
  const stamp = path.join(root, 'dist/.built');
  const sources = [...filesOf('lib'), ...filesOf('types'), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  const list = sources.join('\n');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === list) {
    const builtAt = statSync(stamp).mtimeMs;
    if (sources.every((file) => statSync(path.join(root, file)).mtimeMs < builtAt)) return;
  }
  const compiler = nodeProgram('typescript/bin/tsc');
  if (!existsSync(compiler)) throw new BuildError('TypeScript was not found: run `npm ci` first.');
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  if (run(process.execPath, [compiler, '-p', 'tsconfig.build.json']) !== 0) {
    throw new BuildError('TypeScript could not compile lib/.');
  }
  writeFileSync(stamp, list);
}

function filesOf(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((file) => path.join(folder, file))
    .filter((file) => statSync(path.join(root, file)).isFile())
    .sort();
}

/** Runs the steps of a script; a BuildError ends it with its message alone. */
export function orExplain(steps) {
  try {
    return steps();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message.trimEnd());
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const preset = takeOption(process.argv, 'preset') ?? 'release';
  const all = process.argv.includes('--all');
  orExplain(() => {
    const folder = buildNative(preset, all ? { tests: true } : { targets: ['addon'] });
    buildLibrary();
    const library = existsSync(path.join(root, 'lib')) ? ' and dist/' : ''; // the package has it compiled
    console.log(`built ${path.relative(root, folder)}/websocket_component.node${library}`);
  });
}

// What those get who use the packages. C and C++ programs, from `cmake --install`: the package is installed into a folder
// of the build, used from there by both ways and languages, and its symbols and its layout on 32-bit machines are checked.
// JavaScript programs, from npm: npm.mjs, in Electron: electron.mjs, and in workers that end: termination.mjs. Run by npm
// test.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { capture, root, which } from '../../scripts/run.mjs';
import { electronTests } from './electron.mjs';
import { npmTests } from './npm.mjs';
import { terminationTests } from './termination.mjs';

const folder = path.join(root, 'test/package');
const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];
/** The languages of the consumers: file suffix, compiler and its options. */
const languages = [
  { name: 'C11', suffix: 'c', compiler: process.env.CC ?? 'cc', options: ['-std=c11', ...warnings] },
  { name: 'C++11', suffix: 'cc', compiler: process.env.CXX ?? 'c++', options: ['-std=c++11', ...warnings] },
];

/**
 * Runs the tests on a finished build.
 * @param {string} build its folder
 * @param {string} [filter] a part of the names of those to run
 * @returns {{ cases: { name: string, seconds: number, failed: boolean }[], status: number }}
 */
export function packageTests(build, filter = '') {
  const prefix = path.join(build, 'package/prefix');
  rmSync(path.join(build, 'package'), { recursive: true, force: true });
  const tests = [
    ['every global symbol is one of the API or in namespace websocket', () => checkSymbols(build)],
    ['structures have their documented layout with 32-bit pointers', () => checkLayout()],
    ...languages.flatMap((language) => [
      [`${language.name} finds the package with CMake`, () => useCMake(language, build, prefix)],
      [`${language.name} finds the package with pkg-config`, () => usePkgConfig(language, build, prefix)],
    ]),
    ...electronTests(build),
    ...terminationTests(build),
    ...npmTests(build),
  ].filter(([name]) => name.includes(filter));
  if (tests.some(([name]) => name.includes('finds the package'))) {
    must('cmake', ['--install', build, '--prefix', prefix, '--component', 'websocket_component']);
  }
  const cases = tests.map(([name, test]) => {
    const started = Date.now();
    let failed = false;
    try {
      test();
    } catch (error) {
      failed = true;
      console.error(`${name}:\n${error.message}`);
    }
    return { name, seconds: (Date.now() - started) / 1000, failed };
  });
  return { cases, status: 0 };
}

function must(program, args, options = {}) {
  const result = capture(program, args, options);
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}\n${result.all}`);
  return result.stdout;
}

function useCMake({ suffix }, build, prefix) {
  const consumer = path.join(build, 'package', `cmake-${suffix}`);
  must('cmake', ['-S', folder, '-B', consumer, `-DCONSUMER=${suffix}`, `-DCMAKE_PREFIX_PATH=${prefix}`]);
  must('cmake', ['--build', consumer]);
  must(path.join(consumer, 'consumer'), []);
}

function usePkgConfig({ suffix, compiler, options }, build, prefix) {
  const pkgConfig = which('pkg-config') ?? which('pkgconf');
  if (pkgConfig === undefined) throw new Error('pkg-config was not found: run `npm run setup -- --test`');
  const library = must('cmake', ['-L', '-N', '-B', build]).match(/CMAKE_INSTALL_LIBDIR:PATH=(.*)/)?.[1] ?? 'lib';
  const env = { ...process.env, PKG_CONFIG_PATH: path.join(prefix, library, 'pkgconfig') };
  const flags = must(pkgConfig, ['--cflags', '--libs', 'websocket_component'], { env }).trim().split(/\s+/);
  const program = path.join(build, 'package', `pkg-config-${suffix}`);
  must(compiler, [...options, '-o', program, path.join(folder, `consumer.${suffix}`), ...flags]);
  must(program, []);
}

/** The functions that the two headers declare. */
function declaredFunctions() {
  return ['websocket.h', 'websocket_ext.h'].map((file) => {
    const header = readFileSync(path.join(root, 'src/component', file), 'utf8');
    return [...header.matchAll(/^\w+ WINAPI (WebSocket\w+)\(/gm)].map(([, name]) => name);
  });
}

function checkSymbols(build) {
  const [documented, additions] = declaredFunctions();
  if (documented.length !== 13) throw new Error(`websocket.h declares ${documented.length} functions, not 13`);
  const underscore = process.platform === 'darwin' ? '_' : ''; // of every C name
  const api = new Set([...documented, ...additions].map((name) => underscore + name));
  const library = path.join(build, 'src/component/libwebsocket_component.a');
  const symbols = must('nm', ['-g', library])
    .split('\n')
    .map((line) => /^[0-9a-f]+ ([A-Za-z]) (\S+)$/.exec(line.trim()))
    .filter((match) => match !== null && !/[wWVuv]/.test(match[1])) // weak: instances of standard templates
    .map(([, , name]) => name);
  const ours = new RegExp(`^${underscore}_ZN?K?[A-Z]?[A-Z]?N?K?9websocket`);
  const strangers = symbols.filter((name) => !api.has(name) && !ours.test(name));
  const missing = [...api].filter((name) => !symbols.includes(name));
  if (strangers.length > 0) throw new Error(`not of the API, nor in namespace websocket: ${strangers.join(', ')}`);
  if (missing.length > 0) throw new Error(`declared but not there: ${missing.join(', ')}`);
}

// The headers' tests assert sizes and offsets at compile time.
function checkLayout() {
  const probe = ['-m32', '-fsyntax-only', '-x', 'c++', '-'];
  if (capture(languages[1].compiler, probe, { input: '#include <cstring>\n' }).status !== 0) {
    console.warn('the compiler has no 32-bit headers here (on Debian: libc6-dev-i386 and lib32stdc++-12-dev)');
    return;
  }
  const include = `-I${path.join(root, 'src/component')}`;
  for (const { compiler, options, suffix } of languages) {
    const source = path.join(root, 'test/component', suffix === 'c' ? 'header_c11.c' : 'header_cpp11.cc');
    must(compiler, ['-m32', '-fsyntax-only', ...options, include, source]);
  }
}

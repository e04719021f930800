// npm run pack:all -- --out DIR [--binary TARGET=FILE ...]: the tarballs of a release: a package for each system with its
// native module, and the main package, which names them in `optionalDependencies`. The native module of this machine is
// built when no --binary gives it. `optionalDependencies` has only what is packed beside it: a name that nobody has
// published could be published by anybody.
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';
import { buildLibrary, buildNative, orExplain } from './build.mjs';
import { capture, root, takeOption } from './run.mjs';

const fileName = 'websocket_component.node';
const mostBytes = { main: 300 * 1024, binary: 3 * 1024 * 1024 };
/** The oldest glibc that Node 20 runs with. */
const oldestGlibc = 28;

/**
 * What the native module is made of, besides this project: licence file, name, SPDX name, and where it is a part. `oldest`
 * are the versions that have the fixes of every advisory that concerns us, one for each series (docs/platforms.md).
 */
const parts = [
  {
    file: 'openssl.txt',
    name: 'OpenSSL (libcrypto)',
    license: 'Apache-2.0',
    version: /OpenSSL (\d+\.\d+\.\d+)\w* \d/,
    oldest: ['3.0.19'],
  },
  { file: 'zlib.txt', name: 'zlib', license: 'Zlib', version: / deflate (\d+[\d.]+) Copyright/, oldest: ['1.2.13'] },
  { file: 'node-addon-api.txt', name: 'node-addon-api', license: 'MIT' },
  {
    file: 'gcc-runtime.txt',
    name: "GCC's C++ runtime (libstdc++)",
    license: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    os: 'linux',
  },
];

/**
 * Writes the tarballs.
 * @param {string} out the folder for them
 * @param {Map<string, string>} binaries the file of each target
 * @returns {{ file: string, bytes: number }[]} what was written, the main package first
 */
export function packAll(out, binaries) {
  const { targets } = createRequire(import.meta.url)('../dist/targets.js');
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const stage = path.join(root, 'build/pack');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });

  const read = [...binaries].map(([target, file]) => {
    if (targets[target] === undefined) {
      throw new Error(`${target} is no target; those are ${Object.keys(targets).join(', ')}`);
    }
    const binary = readFileSync(file);
    check(binary, target, targets[target]);
    checkParts(binary, target);
    return [target, binary];
  });
  const names = read.map(([target]) => `${manifest.name}-${target}`);
  const main = pack(stageMain(manifest, names, path.join(stage, 'main')), out, mostBytes.main);
  const platforms = read.map(([target, binary]) =>
    pack(stagePlatform(manifest, target, targets[target], binary, path.join(stage, target)), out, mostBytes.binary),
  );
  return [main, ...platforms];
}

/**
 * The files that npm would pack, with a package.json for those who install it. To keep it small, JavaScript is compacted
 * (the comments of the API are in the declarations), and declarations that no public one refers to stay out.
 */
function stageMain(manifest, platforms, folder) {
  const [listing] = JSON.parse(must('npm', ['pack', '--dry-run', '--json'], { cwd: root }).stdout);
  const declarations = new Set(typesOf(manifest.exports).flatMap((file) => [...reachable(path.join(root, file))]));
  for (const { path: file } of listing.files) {
    const source = path.join(root, file);
    if (/^dist\/.*\.d\.[cm]?ts$/.test(file) && !declarations.has(source)) continue;
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    if (/\.[cm]?js$/.test(file)) writeFileSync(path.join(folder, file), compact(file));
    else copyFileSync(source, path.join(folder, file));
  }
  const published = { ...manifest };
  for (const key of ['devDependencies', 'scripts', 'files']) delete published[key];
  published.optionalDependencies = Object.fromEntries(platforms.map((name) => [name, manifest.version]));
  writeJson(path.join(folder, 'package.json'), published);
  return folder;
}

/** The declaration files that `exports` of package.json names. */
function typesOf(conditions) {
  if (typeof conditions === 'string') return /\.d\.[cm]?ts$/.test(conditions) ? [conditions] : [];
  return Object.values(conditions).flatMap(typesOf);
}

/** A declaration file and those that it refers to, directly or not. */
function reachable(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  const references = readFileSync(file, 'utf8').matchAll(/(?:from|import|require)\s*\(?'(\.[^']+)'/g);
  for (const [, name] of references) {
    reachable(path.join(path.dirname(file), name.replace(/\.([cm]?)js$/, '.d.$1ts')), found);
  }
  return found;
}

/** JavaScript without its comments; the programs, in whose stacks nobody looks, without spaces and long names too. */
function compact(file) {
  const isLibrary = /^dist\/(?!cli\/)/.test(file);
  const isCommonJs = file.endsWith('.cjs') || /^dist\/.*\.js$/.test(file);
  return transformSync(readFileSync(path.join(root, file), 'utf8'), {
    configFile: false,
    swcrc: false,
    isModule: !isCommonJs,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'ecmascript' },
      minify: { compress: false, mangle: !isLibrary, format: { comments: false } },
    },
    minify: !isLibrary,
  }).code;
}

function stagePlatform(manifest, target, { os, cpu, libc }, binary, folder) {
  const contained = parts.filter((part) => part.os === undefined || part.os === os);
  mkdirSync(path.join(folder, 'licenses'), { recursive: true });
  writeFileSync(path.join(folder, fileName), binary);
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  for (const { file } of contained) {
    copyFileSync(path.join(root, 'licenses', file), path.join(folder, 'licenses', file));
  }
  const system = [os, cpu, libc].filter(Boolean).join(' ');
  writeJson(path.join(folder, 'package.json'), {
    name: `${manifest.name}-${target}`,
    version: manifest.version,
    description: `The native module of ${manifest.name} for ${system}`,
    license: 'MIT AND Apache-2.0 AND Zlib', // GCC's exception asks nothing of programs
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    engines: manifest.engines,
    main: fileName,
    preferUnplugged: true,
  });
  const text = binary.toString('latin1');
  const rows = contained.map(({ name, license, file, version }) => {
    const found = version?.exec(text)?.[1];
    return `| ${name}${found === undefined ? '' : ` ${found}`} | ${license} | [licenses/${file}](licenses/${file}) |`;
  });
  const readme = [
    `# ${manifest.name}-${target}`,
    '',
    `The native module of \`${manifest.name}\` ${manifest.version} for ${system}. That package installs this one; it is of no use alone.`,
    '',
    'Parts of others in it:',
    '',
    '| Part | Licence | Text |',
    '|---|---|---|',
    ...rows,
    '',
  ];
  writeFileSync(path.join(folder, 'README.md'), readme.join('\n'));
  return folder;
}

// A file for another system in the wrong package, or one that needs more of the system than it should, would only be
// noticed by those who install it.
function check(binary, target, { os, cpu, libc }) {
  const arm = cpu === 'arm64';
  const kinds = {
    linux: () => binary.readUInt32BE(0) === 0x7f454c46 && binary.readUInt16LE(18) === (arm ? 183 : 62),
    darwin: () => binary.readUInt32LE(0) === 0xfeedfacf && binary.readUInt32LE(4) === (arm ? 0x0100000c : 0x01000007),
    win32: () => {
      const header = binary.readUInt32LE(0x3c);
      return binary.readUInt16LE(0) === 0x5a4d && binary.readUInt16LE(header + 4) === (arm ? 0xaa64 : 0x8664);
    },
  };
  if (!kinds[os]()) throw new Error(`${target}: the file is no native module for ${os} ${cpu}`);
  if (os !== 'linux') return;
  const text = binary.toString('latin1');
  const usesMusl = /\0libc\.musl-\w+\.so\.1\0/.test(text);
  if (usesMusl !== (libc === 'musl')) throw new Error(`${target}: the file is linked with another C library`);
  if (/\0libstdc\+\+\.so/.test(text)) throw new Error(`${target}: needs libstdc++ (link the static one)`);
  const newest = Math.max(...[...text.matchAll(/\0GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor)));
  if (newest > oldestGlibc) throw new Error(`${target}: needs glibc 2.${newest}; 2.${oldestGlibc} has to do`);
}

// A library with a known fault is not to be shipped because a build machine was not up to date.
function checkParts(binary, target) {
  const text = binary.toString('latin1');
  for (const { name, version, oldest } of parts.filter((part) => part.oldest !== undefined)) {
    const found = version.exec(text)?.[1];
    if (found === undefined) throw new Error(`${target}: the version of ${name} is not in the file`);
    const series = (number) => number.split('.').slice(0, 2).join('.');
    const wanted = oldest.find((one) => series(one) === series(found)) ?? oldest.at(-1);
    if (found.localeCompare(wanted, 'en', { numeric: true }) < 0) {
      throw new Error(`${target}: has ${name} ${found}; ${wanted} has fixes that it needs`);
    }
  }
}

function pack(folder, out, most) {
  const result = must('npm', ['pack', '--json', '--pack-destination', out], { cwd: folder });
  const file = path.join(out, JSON.parse(result.stdout)[0].filename);
  const bytes = statSync(file).size;
  if (bytes > most) throw new Error(`${file} has ${kibibytes(bytes)}, more than ${kibibytes(most)}`);
  return { file, bytes };
}

function must(program, args, options) {
  const result = capture(program, args, { shell: process.platform === 'win32', ...options });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}\n${result.all}`);
  return result;
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function kibibytes(bytes) {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

/** The target of this machine. */
export function ownTarget() {
  const { targets, targetsOfThisSystem, glibcVersion } = createRequire(import.meta.url)('../dist/targets.js');
  const libc = glibcVersion() === undefined ? 'musl' : 'glibc';
  return targetsOfThisSystem().find((name) => (targets[name].libc ?? libc) === libc);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const out = takeOption(process.argv, 'out');
  if (out === undefined) {
    console.error('usage: npm run pack:all -- --out DIR [--binary TARGET=FILE ...]');
    process.exit(2);
  }
  const binaries = new Map();
  for (let given = takeOption(process.argv, 'binary'); given; given = takeOption(process.argv, 'binary')) {
    const [target, file] = given.split('=');
    binaries.set(target, path.resolve(file));
  }
  orExplain(buildLibrary);
  const own = ownTarget();
  if (own !== undefined && !binaries.has(own)) {
    const folder = orExplain(() => buildNative('release', { targets: ['addon'] }));
    binaries.set(own, path.join(folder, fileName));
  }
  for (const { file, bytes } of packAll(path.resolve(out), binaries)) {
    console.log(`${kibibytes(bytes).padStart(9)}  ${path.relative('.', file)}`);
  }
}

// What those get who install from npm: both packages are packed and installed into an empty folder, without the network,
// install scripts or a compiler, and the programs there run on them. Part of package.mjs.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ownTarget, packAll } from '../../scripts/pack-all.mjs';
import { capture, root, which } from '../../scripts/run.mjs';

const fileName = 'websocket_component.node';
const buildCommand = 'npx websocket-component build';

/**
 * The tests, in the order in which they have to run.
 * @param {string} build the folder of a finished build
 * @returns {[name: string, test: () => void][]}
 */
export function npmTests(build) {
  const folder = path.join(build, 'npm');
  const project = path.join(folder, 'project');
  const platform = path.join(project, 'node_modules', `websocket-component-${ownTarget()}`);
  const install = once(() => packAndInstall(build, folder, project));
  const installed = (test) => () => {
    install();
    test();
  };
  return [
    ['npm: the native module needs nothing but what Node needs', () => checkBinary(path.join(build, fileName))],
    ['npm: every target is required by name, and built for releases', () => checkTargets()],
    ['npm: a native module with an old OpenSSL or zlib is not packed', () => checkOldParts(build, folder)],
    ['npm: both packages install offline, without scripts', install],
    ['npm: the package has what it is built from, and nothing else', installed(() => checkFiles(project))],
    ['npm: the first program of README, as an ES module', installed(() => firstProgram(project, 'first.mjs'))],
    ['npm: the first program of README, in CommonJS', installed(() => firstProgram(project, 'first.cjs'))],
    ['npm: the native module can be built where it was installed', installed(() => buildInstalled(project))],
    ['npm: the command line program', installed(() => checkProgram(project))],
    ['npm: the error with --no-addons', installed(() => checkNoAddons(project))],
    ['npm: the error on a system without a package', installed(() => checkUnknownSystem(project))],
    ['npm: the error for a package of another version', installed(() => checkOtherVersion(project, platform))],
    ['npm: the error for a module that cannot be loaded', installed(() => checkBroken(project, platform))],
    ['npm: the error without the package of the system', installed(() => checkMissing(project, platform))],
  ];
}

// Steps that several tests need; the first that needs them fails when they fail, and so does every other.
function once(step) {
  let outcome;
  return () => {
    outcome ??= attempt(step);
    if (outcome.error) throw outcome.error;
  };
}

function attempt(step) {
  try {
    step();
    return {};
  } catch (error) {
    return { error };
  }
}

function must(program, args, options = {}) {
  const result = capture(program, args, { timeout: 120_000, ...options });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}\n${result.all}`);
  return result.stdout;
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

function packAndInstall(build, folder, project) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  const written = packAll(folder, new Map([[ownTarget(), path.join(build, fileName)]]));
  for (const { file, bytes } of written) console.log(`${path.basename(file)}: ${(bytes / 1024).toFixed(0)} KiB`);
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'project', private: true }));
  const options = ['--offline', '--ignore-scripts', '--install-links', '--no-audit', '--no-fund'];
  const packages = [...written.map(({ file }) => file), ...dependencies()];
  must('npm', ['install', ...options, ...packages], { cwd: project, env: withoutCompilers(folder) });
}

function checkOldParts(build, folder) {
  mkdirSync(folder, { recursive: true });
  const binary = readFileSync(path.join(build, fileName), 'latin1');
  const old = path.join(folder, 'old.node');
  for (const [pattern, replacement, message] of [
    [/OpenSSL \d+\.\d+\.\d+(?=\w* \d)/g, 'OpenSSL 3.0.7', /has OpenSSL \(libcrypto\) 3\.0\.7; .* has fixes/],
    [/ deflate \d[\d.]+(?= Copyright)/g, ' deflate 1.2.11', /has zlib 1\.2\.11; .* has fixes/],
  ]) {
    writeFileSync(old, binary.replaceAll(pattern, replacement), 'latin1');
    const { error } = attempt(() => packAll(folder, new Map([[ownTarget(), old]])));
    expect(message.test(error?.message), `packed, or another error: ${error?.message}`);
  }
}

/** The folders of what users get with the package, which would come from the registry. */
function dependencies() {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([name, { dev, optional }]) => name.startsWith('node_modules/') && !dev && !optional)
    .map(([name]) => path.join(root, name));
}

/** An environment whose PATH has Node, npm and a shell, and where nothing points to a native module. */
function withoutCompilers(folder) {
  const programs = path.join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  for (const name of ['node', 'npm', 'sh']) {
    const link = path.join(programs, name);
    rmSync(link, { force: true });
    symlinkSync(name === 'node' ? process.execPath : which(name), link);
  }
  const env = { ...process.env, PATH: programs };
  for (const name of ['WEBSOCKET_COMPONENT_BINARY', 'WEBSOCKET_COMPONENT_TRANSPORT', 'NODE_OPTIONS']) delete env[name];
  for (const compiler of ['cc', 'c++', 'g++', 'clang++', 'cmake']) {
    expect(!readdirSync(programs).includes(compiler), `${compiler} is on PATH`);
  }
  return env;
}

function run(project, args) {
  return capture(process.execPath, args, {
    cwd: project,
    timeout: 30_000,
    env: withoutCompilers(path.dirname(project)),
  });
}

function checkFiles(project) {
  const main = path.join(project, 'node_modules/websocket-component');
  const files = readdirSync(main, { recursive: true });
  for (const file of [
    'LICENSE',
    'README.md',
    'dist/esm.d.mts',
    'src/component/session.cc',
    'cmake/NodeHeaders.cmake',
  ]) {
    expect(files.includes(file), `${file} is not in the package`);
  }
  const unwanted = /(^|\/)\.|\.node$|^(bench|docs|lib|build|test\/(?!conformance\b))/;
  const strangers = files.filter((file) => unwanted.test(file));
  expect(strangers.length === 0, `in the package: ${strangers.join(', ')}`);

  const manifest = JSON.parse(readFileSync(path.join(main, 'package.json'), 'utf8'));
  const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const wanted = { [`websocket-component-${ownTarget()}`]: own.version };
  expect(
    JSON.stringify(manifest.optionalDependencies) === JSON.stringify(wanted),
    `optionalDependencies are ${JSON.stringify(manifest.optionalDependencies)}`,
  );
  expect(own.optionalDependencies === undefined, 'package.json of the repository names packages of systems');
  const cmake = /project\(websocket_component VERSION (\S+)/.exec(
    readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8'),
  )?.[1];
  expect(cmake === own.version, `CMakeLists.txt says version ${cmake}, package.json ${own.version}`);

  const licences = readdirSync(path.join(project, 'node_modules', Object.keys(wanted)[0], 'licenses'));
  for (const file of ['openssl.txt', 'zlib.txt', 'node-addon-api.txt']) {
    expect(licences.includes(file), `licenses/${file} is not in the package of the system`);
  }
}

// README's program stays as it is, but for the port, and ends after its message.
function firstProgram(project, file) {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const [, source] = /```js\n(import [^\n]* from 'websocket-component';\n[\s\S]*?)```/.exec(readme);
  const findPort =
    "require('net').createServer().listen(0, function () { console.log(this.address().port); this.close() })";
  const port = must(process.execPath, ['-e', findPort]).trim();
  let program = `${source.replaceAll('8080', port)}\nsocket.on('close', () => server.close());\n`;
  program += "socket.on('message', () => socket.close());\n";
  if (file.endsWith('.cjs')) program = program.replace(/import (\{[^}]*\}) from ('[^']*')/, 'const $1 = require($2)');
  writeFileSync(path.join(project, file), program);
  const { stdout, stderr, status } = run(project, [file]);
  expect(status === 0 && stdout === 'hello\n' && stderr === '', `status ${status}, output ${stdout}${stderr}`);
}

function checkProgram(project) {
  const { stdout, status } = run(project, ['node_modules/.bin/websocket-component', 'doctor', '--json']);
  expect(status === 0, `status ${status}: ${stdout}`);
  const { binary, echo } = JSON.parse(stdout);
  expect(binary.file.includes(`websocket-component-${ownTarget()}`), `the native module is ${binary.file}`);
  expect(echo.transport === 'native', `the echo went over ${echo.transport}`);
}

// The whole build takes too long here: the configuration, the list of what would be done, and the file that needs the
// most headers say whether something is missing.
function buildInstalled(project) {
  const main = path.join(project, 'node_modules/websocket-component');
  const build = path.join(main, 'build/release');
  const node = `-DNODE_EXECUTABLE:FILEPATH=${process.execPath}`;
  must('cmake', ['--preset', 'release', '-G', 'Ninja', node, '-DBUILD_TESTING=OFF'], { cwd: main });
  must('ninja', ['-C', build, '-n', 'addon']);
  must('ninja', ['-C', build, 'src/binding/CMakeFiles/addon.dir/module.cc.o']);
  rmSync(path.join(main, 'build'), { recursive: true });
}

/** Loads the package and returns the message of the error. */
function failure(project, args = [], before = '') {
  const program = `${before}; require('websocket-component')`;
  const { stderr, status } = run(project, [...args, '-e', program]);
  expect(status === 1, `status ${status}: ${stderr}`);
  return /^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr;
}

function expectParts(message, parts) {
  for (const part of parts) expect(message.includes(part), `"${part}" is not in: ${message}`);
}

function checkNoAddons(project) {
  expectParts(failure(project, ['--no-addons']), ['may not load addons', '--no-addons', '--allow-addons']);
}

function checkUnknownSystem(project) {
  const message = failure(project, [], "Object.defineProperty(process, 'platform', { value: 'sunos' })");
  expectParts(message, ['no package', `sunos ${process.arch}`, buildCommand]);
}

function checkMissing(project, platform) {
  renameSync(platform, `${platform}-away`);
  try {
    const message = failure(project);
    expectParts(message, [`${path.basename(platform)} is not installed`, '--omit=optional', buildCommand]);
    expect(!message.includes('musl'), `names the package of another C library: ${message}`);
  } finally {
    renameSync(`${platform}-away`, platform);
  }
}

function checkBroken(project, platform) {
  const file = path.join(platform, fileName);
  renameSync(file, `${file}.away`);
  try {
    writeFileSync(file, 'not a module');
    expectParts(failure(project), ['cannot be loaded', path.basename(platform), buildCommand]);
  } finally {
    renameSync(`${file}.away`, file);
  }
}

function checkOtherVersion(project, platform) {
  const file = path.join(project, 'node_modules/websocket-component/package.json');
  const text = readFileSync(file, 'utf8');
  try {
    writeFileSync(file, text.replace(/"version": ".*?"/, '"version": "99.0.0"'));
    expectParts(failure(project), ['99.0.0', path.basename(platform), 'of the same version']);
  } finally {
    writeFileSync(file, text);
  }
}

function checkTargets() {
  const names = Object.keys(
    JSON.parse(
      must(process.execPath, [...['-p', "JSON.stringify(require('./dist/targets.js').targets)"]], { cwd: root }),
    ),
  );
  expect(names.length === 7, `${names.length} targets`);
  const loader = readFileSync(path.join(root, 'dist/binary.js'), 'utf8');
  const workflow = readFileSync(path.join(root, '.github/workflows/build.yml'), 'utf8');
  for (const name of names) {
    expect(loader.includes(`require('websocket-component-${name}')`), `lib/binary.ts does not require ${name}`);
    expect(new RegExp(`target: ${name}\\b`).test(workflow), `build.yml does not build ${name}`);
  }
}

/** The libraries that every Linux with Node 20 has, because Node itself needs them. */
const shared = /^(libc|libm|libdl|libpthread|libgcc_s|ld-linux-[\w-]+)\.so\.\d+$/;
const entryPoints = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

function checkBinary(file) {
  if (process.platform !== 'linux') return;
  const headers = must('objdump', ['-p', file]);
  const needed = [...headers.matchAll(/NEEDED\s+(\S+)/g)].map(([, name]) => name);
  expect(needed.length > 0 && needed.every((name) => shared.test(name)), `needs ${needed.join(', ')}`);
  const newest = Math.max(...[...headers.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor)));
  expect(newest <= 28, `needs glibc 2.${newest}`);
  expect(!/R(UN)?PATH/.test(headers), 'has a run path');
  // With one symbol of OpenSSL or zlib to be seen, Node's own copy and ours could take the place of each other.
  const shown = must('nm', ['-D', '--defined-only', file]).trim().split('\n');
  const names = shown.map((line) => line.split(' ').at(-1)).sort();
  expect(names.join() === entryPoints.join(), `shows ${names.join(', ')}`);
}

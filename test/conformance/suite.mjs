// The suites of `npm test`: node suite.mjs native | stream | check [--filter WORD] [--json FILE]
//   native, stream  this package on one transport, as server and as client: each case has to pass strictly
//   check           the suite itself: sound and broken peers, and what docs/conformance.md says of ws
// Fails when a test does; with --json writes a list of { name, seconds, failed }.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commandChecks, suiteChecks } from './check-suite.mjs';
import { describeDifferences } from './differences.mjs';
import { defects } from './peers/defects.mjs';
import { formatResult } from './runner/result.mjs';
import { testClients } from './runner/test-clients.mjs';
import { testServer } from './runner/test-server.mjs';
import { chooseCases, families } from './table.mjs';

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, filter: { type: 'string' } },
  allowPositionals: true,
});
const [suite] = positionals;
/** Nothing is waited for so long on a sound peer, not even on a busy machine. */
const limits = { timeout: 30_000, hold: 30_000, jobs: 8 };
/** Of the package, and of ws: with permessage-deflate, and with the largest messages that the cases have. */
const common = { perMessageDeflate: { threshold: 0 }, maxPayload: 16 * 1024 * 1024 };
/** ms for a peer's process to end by itself: less than the `closeTimeout` of a connection that was forgotten. */
const endTimeout = 20_000;

/** How this package is tested: by itself, and with other ways to deliver messages where those matter. */
const variants = [
  { title: 'server', role: 'server', cases: chooseCases('server'), settings: {} },
  { title: 'client', role: 'client', cases: chooseCases('client'), settings: {} },
  {
    title: 'server with borrowed strings',
    role: 'server',
    cases: chooseCases('server', '1,5,6,12.6,12.8,12.9'),
    settings: { textType: 'string', delivery: 'borrow' },
  },
  {
    title: 'client with a turn for each event',
    role: 'client',
    cases: chooseCases('client', '2,3,4,5,7,12.6,12.7,13.13'),
    settings: { allowSynchronousEvents: false },
  },
];

const tests = [];
const report = (name, seconds, problems) => {
  tests.push({ name, seconds, failed: problems.length > 0 });
  if (problems.length > 0) console.error(`${name}\n  ${problems.join('\n  ')}`);
};
const wanted = (name) => values.filter === undefined || name.includes(values.filter);

if (suite === 'check') await checkSuite();
else for (const variant of variants) await testPackage(variant);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(tests));
const failures = tests.filter(({ failed }) => failed).length;
console.log(`${tests.length - failures} passed, ${failures} failed`);
process.exitCode = failures > 0 ? 1 : 0;

/** The cases of a variant, and that the process ends without having lost a connection. */
async function testPackage({ title, role, cases, settings }) {
  const chosen = cases.filter((one) => wanted(`${title}: ${one.id} ${one.title}`));
  const endName = `${title}: no connection is left, and it ends`;
  if (chosen.length === 0 && !wanted(endName)) return;
  let last = performance.now();
  const onResult = (result) => {
    const now = performance.now();
    const problems = result.verdict === 'passed' ? [] : [formatResult(result)];
    report(`${title}: ${result.id} ${result.title}`, (now - last) / 1000, problems);
    last = now;
  };
  const { ended } = await runPeer(role, 'websocket-component', chosen, { ...limits, settings }, onResult);
  report(endName, (performance.now() - last) / 1000, ended);
}

/** @returns {Promise<{ results: object[], ended: string[] }>} ended: what is wrong with the end of the peer's process */
async function runPeer(role, name, cases, options, onResult) {
  const settings = JSON.stringify({ ...common, ...options.settings });
  if (role === 'server') {
    const peer = start('echo-server.mjs', [name, settings]);
    const [url] = await once(createInterface(peer.stdout), 'line');
    const results = await testServer(url, cases, options, onResult);
    peer.stdin.end();
    return { results, ended: await endOf(peer) };
  }
  const { url, results, stop } = await testClients({}, cases, options, onResult);
  const peer = start('echo-client.mjs', [name, url, options.jobs, settings]);
  peer.exited.then(stop);
  const all = await results;
  return { results: all, ended: await endOf(peer) };
}

function start(program, args) {
  const file = fileURLToPath(new URL(`peers/${program}`, import.meta.url));
  const peer = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  peer.exited = once(peer, 'exit');
  return peer;
}

async function endOf(peer) {
  const timer = setTimeout(() => peer.kill('SIGKILL'), endTimeout);
  const [code, signal] = await peer.exited;
  clearTimeout(timer);
  if (signal === 'SIGKILL') return [`it did not end within ${endTimeout / 1000} s`];
  return code === 0 ? [] : [`it ended with ${signal ?? `status ${code}`}`];
}

async function checkSuite() {
  const document = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  const ofWs = ['server', 'client'].map((role) => [
    `what ws differs in as a ${role} is documented`,
    async () => {
      const { results, ended } = await runPeer(role, 'ws', chooseCases(role), { ...limits, hold: 2000, jobs: 64 });
      const missing = describeDifferences(role, results).filter((row) => !document.includes(row));
      return [...ended, ...missing.map((row) => `docs/conformance.md does not say: ${row}`)];
    },
  ]);
  const counts = [
    ...families.map(({ number, title, cases }) => `| ${number} ${title} | ${cases.length} |`),
    `each of ${Object.keys(defects).length} defects`,
  ];
  const ofCounts = [
    'families and defects are counted in the document',
    () => counts.filter((text) => !document.includes(text)).map((text) => `docs/conformance.md does not say: ${text}`),
  ];
  // Broken peers mostly keep the runner waiting, so that several can be checked at a time.
  const checks = [...ofWs, ...suiteChecks(), ...commandChecks(), ofCounts].filter(([name]) => wanted(name));
  const worker = async () => {
    for (let check = checks.shift(); check !== undefined; check = checks.shift()) {
      const [name, run] = check;
      const started = performance.now();
      const problems = await run();
      report(name, (performance.now() - started) / 1000, problems);
    }
  };
  await Promise.all(Array.from({ length: limits.jobs }, worker));
}

// Checks the suite: a sound peer passes every case, and each broken peer is caught by the cases that name it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { defects } from './peers/defects.mjs';
import { connectPlainPeer, servePlainPeers } from './peers/plain-peer.mjs';
import { testClients } from './runner/test-clients.mjs';
import { testServer } from './runner/test-server.mjs';
import { chooseCases } from './table.mjs';

const jobs = 8;
/** Broken peers keep the runner waiting, sound ones never. */
const brokenLimits = { timeout: 1500, hold: 300, jobs };
const soundLimits = { timeout: 20_000, hold: 10_000, jobs };

/** Runs cases against a plain peer in one role. */
async function runPlainPeer(role, cases, limits, defect) {
  if (role === 'server') {
    const { url, stop } = await servePlainPeers(defect);
    const results = await testServer(url, cases, limits);
    stop();
    return results;
  }
  const { url, results, stop } = await testClients({}, cases, limits);
  const ids = cases.map(({ id }) => id);
  const worker = async () => {
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) await connectPlainPeer(`${url}/case/${id}`, defect);
  };
  await Promise.all(Array.from({ length: limits.jobs }, worker));
  stop();
  return results;
}

const defectsOf = (role) => Object.entries(defects).filter(([, { roles = [role] }]) => roles.includes(role));

/** @returns {[string, () => Promise<string[]>][]} tests by name; what is wrong */
export function suiteChecks() {
  return ['server', 'client'].flatMap((role) => [
    [
      `a sound ${role} passes every case`,
      async () => {
        const results = await runPlainPeer(role, chooseCases(role), soundLimits);
        return results
          .filter(({ verdict }) => verdict !== 'passed')
          .map(({ id, differences }) => `${id}: ${differences.join('; ')}`);
      },
    ],
    ...defectsOf(role).map(([name, { title, caughtBy }]) => [
      `a ${role} that ${title} is caught`,
      async () => {
        const unknown = caughtBy.filter((id) => chooseCases(role, id).length !== 1);
        const results = await runPlainPeer(role, chooseCases(role, caughtBy.join()), brokenLimits, name);
        const missed = results.filter(({ verdict }) => verdict === 'passed');
        const notRun = results.filter(({ ran }) => !ran);
        return [
          ...unknown.map((id) => `there is no case ${id}`),
          ...missed.map(({ id }) => `${id} passed`),
          ...notRun.map(({ id, seen }) => `${id} did not run: ${seen}`),
        ];
      },
    ]),
  ]);
}

/** Starts the command, and gathers what it prints. */
function startCommand(...args) {
  const file = fileURLToPath(new URL('conformance.mjs', import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const running = { child, output: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (running.output += chunk));
  return running;
}

/** @returns {[string, () => Promise<string[]>][]} tests by name; what is wrong */
export function commandChecks() {
  const expectStatus = async (expected, text, ...args) => {
    const running = startCommand(...args);
    const [status] = await once(running.child, 'close');
    const { output } = running;
    const problems = status === expected ? [] : [`${args.join(' ')} ended with ${status}: ${output}`];
    return output.includes(text) ? problems : [...problems, `${args.join(' ')} did not print ${text}: ${output}`];
  };
  const against = async (defect, ...expected) => {
    const { url, stop } = await servePlainPeers(defect);
    const problems = await expectStatus(...expected, url, '--only', '1.1,6.3', '--hold', '300');
    stop();
    return problems;
  };
  return [
    ['the command ends with 0 when all cases pass', () => against(undefined, 0, 'passed  1.1.1 ')],
    ['the command ends with 1 when a case fails', () => against('type-lost', 1, 'failed  1.1.1 ')],
    ['the command ends with 1 when a case is lenient', () => against('utf8-at-message-end', 1, 'lenient 6.3.2 ')],
    [
      'the command accepts lenient cases when it is told to',
      () => against('utf8-at-message-end', 0, 'lenient 6.3.2 ', '--lenient'),
    ],
    ['the command ends with 2 without a server', () => expectStatus(2, 'ECONNREFUSED', 'ws://127.0.0.1:1')],
    ['the command ends with 2 for an unknown option', () => expectStatus(2, '--wrong', '--wrong')],
    ['the command ends with 2 for an unknown case', () => expectStatus(2, '77.7', '--only', '77.7')],
    ['the command tests clients until one asks it to finish', () => commandWithClient()],
    ['the command lists the cases', () => expectStatus(0, '10.1.1 ', '--list')],
  ];
}

/** A sound client runs one of two cases, and asks to finish. */
async function commandWithClient() {
  const running = startCommand('--client', '--only', '1.1.1,1.1.2');
  while (!running.output.includes('\n')) await once(running.child.stdout, 'data');
  const [url] = /ws:[^\s]+:\d+/.exec(running.output);
  await connectPlainPeer(`${url}/case/1`);
  await connectPlainPeer(`${url}/finish`);
  const [status] = await once(running.child, 'close');
  const expected = ['passed  1.1.1 ', '1 Framing                       1        0        1'];
  const missing = expected.filter((text) => !running.output.includes(text));
  return status === 1 && missing.length === 0 ? [] : [`it ended with ${status}: ${running.output}`];
}

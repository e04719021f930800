// Checks the suite: a sound peer passes every case, and each broken peer is caught by the cases that name it.
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
        const results = await runPlainPeer(role, chooseCases(), soundLimits);
        return results
          .filter(({ verdict }) => verdict !== 'passed')
          .map(({ id, differences }) => `${id}: ${differences.join('; ')}`);
      },
    ],
    ...defectsOf(role).map(([name, { title, caughtBy }]) => [
      `a ${role} that ${title} is caught`,
      async () => {
        const unknown = caughtBy.filter((id) => chooseCases(id).length !== 1);
        const results = await runPlainPeer(role, chooseCases(caughtBy.join()), brokenLimits, name);
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

// Tests a server: opens a connection for each case.
import { Connection } from './connection.mjs';
import { settle } from './extensions.mjs';
import { openConnection } from './handshake.mjs';
import { describeRefusal, describeResult } from './result.mjs';
import { runCase } from './run-case.mjs';

/**
 * @param {string} url of an echo server
 * @param {object[]} cases
 * @param {{ timeout: number, hold: number, jobs: number, access?: object }} options milliseconds, how many cases run at a
 *   time, and what openConnection() needs besides
 * @param {(result: object) => void} [onResult]
 * @returns {Promise<object[]>} the results, in the order of the cases
 */
export async function testServer(url, cases, options, onResult = () => {}) {
  const results = new Array(cases.length);
  let next = 0;
  const worker = async () => {
    while (next < cases.length) {
      const index = next++;
      results[index] = await testOne(url, cases[index], options);
      onResult(results[index]);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return results;
}

async function testOne(url, testCase, options) {
  const offers = testCase.deflate?.offers ?? [];
  let opened;
  try {
    opened = await openConnection(url, offers, options.access);
  } catch (error) {
    const isMeant = testCase.expect.close.by === 'handshake' && error.status >= 400;
    if (isMeant) return describeRefusal(testCase, error.status);
    return describeResult(testCase, undefined, undefined, error.message);
  }
  const negotiated = settle(offers.join(', '), opened.chosen);
  const connection = new Connection(opened.socket, 'client', opened.rest, negotiated.sides);
  const seen = await runCase(testCase, connection, options, negotiated);
  return describeResult(testCase, connection, seen);
}

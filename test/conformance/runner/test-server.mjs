// Tests a server: opens a connection for each case.
import { Connection } from './connection.mjs';
import { openConnection } from './handshake.mjs';
import { describeResult } from './result.mjs';
import { runCase } from './run-case.mjs';

/**
 * @param {string} url of an echo server
 * @param {object[]} cases
 * @param {{ timeout: number, hold: number, jobs: number }} options milliseconds, and how many cases run at a time
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
  let opened;
  try {
    opened = await openConnection(url);
  } catch (error) {
    return describeResult(testCase, undefined, undefined, error.message);
  }
  const connection = new Connection(opened.socket, 'client', opened.rest);
  const seen = await runCase(testCase, connection, options);
  return describeResult(testCase, connection, seen);
}

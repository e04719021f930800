// Tests clients: listens, and hands out a case on each connection. By path:
//   /count       a text message with the number of cases
//   /cases       a text message with their ids, a JSON array
//   /case/ID     runs the case with this id, or with this number from 1 on; the client sends every message back
//   /finish      ends the run; a text message with the number of passed, lenient and failed cases, as JSON
// Any other path gets 404. The connections that are no cases are closed with 1000.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Connection } from './connection.mjs';
import { encodeFrame, Opcode } from './frames.mjs';
import { checkOffers, parseElements, settle } from './extensions.mjs';
import { acceptConnection } from './handshake.mjs';
import { countVerdicts, describeResult } from './result.mjs';
import { runCase } from './run-case.mjs';

/**
 * Listens for clients. The run ends when each case was run once, at /finish, or when `stop` is called; cases that were not
 * run have failed then.
 * @param {{ port?: number, host?: string }} address
 * @param {object[]} cases
 * @param {{ timeout: number, hold: number }} options milliseconds
 * @param {(result: object) => void} [onResult]
 * @returns {Promise<{ url: string, results: Promise<object[]>, stop: () => void }>}
 */
export async function testClients({ port = 0, host = '127.0.0.1' }, cases, options, onResult = () => {}) {
  /** By case; the last run counts. */
  const results = new Map();
  const running = new Set();
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const caseOf = (name) => cases.find(({ id }) => id === name) ?? cases[Number(name) - 1];
  const answers = {
    '/count': () => String(cases.length),
    '/cases': () => JSON.stringify(cases.map(({ id }) => id)),
    '/finish': () => JSON.stringify(countVerdicts(allResults())),
  };
  const allResults = () =>
    cases.map((one) => results.get(one) ?? describeResult(one, undefined, undefined, 'the client did not run it'));
  const targetOf = (path) => answers[path] ?? (path.startsWith('/case/') ? caseOf(path.slice(6)) : undefined);

  /** An answer that a client's offer does not go with is not given, unless the client is to fail it. */
  const choose = (path, offered) => {
    const target = targetOf(path);
    if (target === undefined) return { status: '404 Not Found' };
    const answer = target.deflate?.answer;
    const isGiven = answer !== undefined && (isHandshakeCase(target) || settle(offered, answer).problem === undefined);
    return { chosen: isGiven ? answer : undefined };
  };

  const serve = async (socket) => {
    const accepted = await acceptConnection(socket, choose);
    if (accepted === undefined) return;
    const target = targetOf(accepted.path);
    const negotiated = settle(accepted.offered, choose(accepted.path, accepted.offered).chosen);
    const connection = new Connection(socket, 'server', accepted.rest, negotiated.sides);
    if (typeof target === 'function') {
      if (accepted.path === '/finish') await Promise.all(running);
      await answer(connection, target(), options.timeout);
      if (accepted.path === '/finish') finish();
      return;
    }
    connection.violations.push(...checkField(accepted.offered));
    const run = runAndReport(target, connection, negotiated);
    running.add(run);
    await run;
    running.delete(run);
    if (results.size === cases.length) finish();
  };
  const runAndReport = async (testCase, connection, { isDeclined, problem, sides }) => {
    // Of wrong answers, which are the runner's own, nothing is the client's fault.
    const negotiated = { isDeclined, sides, problem: isHandshakeCase(testCase) ? undefined : problem };
    const seen = await runCase(testCase, connection, options, negotiated);
    const result = describeResult(testCase, connection, seen);
    results.set(testCase, result);
    onResult(result);
  };

  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket).catch(() => {}); // not a WebSocket client
  });
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address();
  const ended = finished.then(async () => {
    await Promise.all(running);
    server.close();
    for (const socket of sockets) socket.destroySoon();
    return allResults();
  });
  const shownHost = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { url: `ws://${shownHost}:${bound.port}`, results: ended, stop: finish };
}

const isHandshakeCase = (testCase) => testCase.expect?.close.by === 'handshake';

/** What is wrong with a client's Sec-WebSocket-Extensions. */
function checkField(offered) {
  try {
    return checkOffers(parseElements(offered));
  } catch (error) {
    return [error.message];
  }
}

async function answer(connection, message, timeout) {
  await connection.write(encodeFrame({ opcode: Opcode.text, payload: message }, false).bytes);
  await connection.sendClose(1000);
  await connection.until(() => connection.isOver, timeout);
  connection.socket.end();
}

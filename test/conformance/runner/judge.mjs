// Compares what was seen with what a case expects.
import { bytesOf } from './frames.mjs';

/**
 * Ways to differ that the RFC allows with SHOULD or MAY, or leaves open. A case that names them in `lenient` is then
 * "lenient"; any other difference fails it.
 */
export const Leniency = {
  late: 'failed only after the rest was sent',
  dropped: 'ended TCP without a Close frame',
  discarded: 'did not echo messages that came before the error',
  coalesced: 'did not answer each of several pings',
  status: 'another status code',
  accepted: 'did not fail',
  reset: 'ended TCP with a reset',
  declined: 'did not negotiate permessage-deflate',
};

/**
 * @param {object} testCase
 * @param {import('./connection.mjs').Connection} connection
 * @param {import('./run-case.mjs').Seen} seen
 * @returns {{ verdict: 'passed' | 'lenient' | 'failed', differences: string[] }}
 */
export function judge(testCase, connection, seen) {
  const differences = [];
  const leniencies = [];
  const fail = (text) => differences.push(text);
  /** The difference is allowed where the case says so. */
  const note = (name, text) => leniencies.push(`${name}: ${text}`);
  const mind = (name, text = Leniency[name]) => {
    if (testCase.lenient.includes(name)) note(name, text);
    else fail(text);
  };
  const { expect } = testCase;
  const mustFail = expect.close.by === 'peer';

  for (const violation of connection.violations) fail(violation);
  if (seen.isDeclined) {
    mind('declined');
    return verdictOf(differences, leniencies);
  }
  if (seen.isAccepted && expect.accepted !== undefined) {
    compareMessages(connection.messages, expect.accepted, fail);
    mind('accepted');
    return verdictOf(differences, leniencies);
  }
  for (const what of seen.missed) fail(`timed out waiting for ${what}`);
  if (seen.isAccepted) fail(Leniency.accepted);
  if (seen.isClosedFirst) fail('closed before it was asked to');
  compareMessages(connection.messages, expect.messages, (text, isPrefix) => {
    if (mustFail && isPrefix) mind('discarded');
    else fail(text);
  });
  comparePongs(connection.pongs, expect.pongs, (text, isCoalesced) => {
    if (isCoalesced) mind('coalesced');
    else fail(text);
  });
  judgeEnd(testCase, connection, seen, { fail, note, mind });
  return verdictOf(differences, leniencies);
}

function judgeEnd({ expect, lenientStatus, mayReset }, connection, seen, { fail, note, mind }) {
  const { by, status } = expect.close;
  if (by === 'handshake') {
    if (connection.end === undefined) fail('TCP did not end');
    if (connection.close !== undefined) mind('status', 'a Close frame, although there was no connection');
    return;
  }
  if (seen.isLate) mind('late');
  if (connection.close === undefined) {
    if (by === 'peer' && connection.end !== undefined) mind('dropped');
    else fail('no Close frame');
    return;
  }
  if (connection.close.status !== status) {
    const text = `Close frame with status ${connection.close.status} instead of ${status}`;
    if (lenientStatus.includes(connection.close.status)) note('status', text);
    else fail(text);
  }
  if (connection.end === undefined) fail('TCP did not end');
  else if (by !== 'peer' && connection.end === 'reset' && !mayReset) mind('reset');
}

function verdictOf(failures, leniencies) {
  const verdict = failures.length > 0 ? 'failed' : leniencies.length > 0 ? 'lenient' : 'passed';
  return { verdict, differences: [...failures, ...leniencies] };
}

/** Calls `differ` with a description, and whether the seen messages are the first of the expected ones. */
function compareMessages(seen, expected, differ) {
  const all = expected.flatMap(({ times = 1, ...message }) => {
    const bytes = { type: message.type, payload: bytesOf(message.payload) };
    return Array.from({ length: times }, () => bytes);
  });
  for (const [i, { type, payload }] of seen.entries()) {
    if (i >= all.length) return differ(`an unexpected message: ${type} of ${payload.length} bytes`, false);
    if (type !== all[i].type) return differ(`message ${i + 1} is ${type} instead of ${all[i].type}`, false);
    if (payload.length !== all[i].payload.length) {
      return differ(`message ${i + 1} has ${payload.length} bytes instead of ${all[i].payload.length}`, false);
    }
    if (!payload.equals(all[i].payload)) return differ(`message ${i + 1} has other bytes`, false);
  }
  if (seen.length < all.length) differ(`${seen.length} messages instead of ${all.length}`, true);
  return undefined;
}

/** Calls `differ` with a description, and whether the pongs answer only some of the pings, but the last one. */
function comparePongs(seen, expected, differ) {
  const all = expected.map(bytesOf);
  if (seen.length === all.length && seen.every((pong, i) => pong.equals(all[i]))) return;
  let next = 0;
  const inOrder = seen.every((pong) => {
    next = 1 + all.findIndex((one, i) => i >= next && one.equals(pong));
    return next > 0;
  });
  const last = seen.at(-1);
  const isCoalesced = inOrder && all.length > 1 && last !== undefined && last.equals(all.at(-1));
  differ(`pongs ${describe(seen)} instead of ${describe(all)}`, isCoalesced);
}

function describe(payloads) {
  const shown = payloads.slice(0, 4).map((one) => JSON.stringify(one.toString('latin1').slice(0, 24)));
  return `[${shown.join(', ')}${payloads.length > 4 ? `, … ${payloads.length} in all` : ''}]`;
}

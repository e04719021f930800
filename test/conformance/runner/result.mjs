// A case's result as plain data, and results as text.
import { bytesOf, Opcode } from './frames.mjs';
import { judge } from './judge.mjs';

const opcodeNames = Object.fromEntries(Object.entries(Opcode).map(([name, value]) => [value, name]));

/**
 * @param {object} testCase
 * @param {import('./connection.mjs').Connection | undefined} connection undefined: there was none
 * @param {import('./run-case.mjs').Seen | undefined} seen
 * @param {string} [problem] why there was none
 */
export function describeResult(testCase, connection, seen, problem) {
  const { id, title, family, familyTitle, expect } = testCase;
  const { verdict, differences } =
    connection === undefined ? { verdict: 'failed', differences: [problem] } : judge(testCase, connection, seen);
  return {
    id,
    family,
    familyTitle,
    title,
    ran: connection !== undefined,
    verdict,
    differences,
    sent: describeSteps(testCase),
    expected: `${describeReceived(expect.messages, expect.pongs)}; ${describeExpectedClose(expect.close)}`,
    seen: connection === undefined ? problem : describeSeen(connection, seen),
    wasClean: seen?.isClean ?? false,
  };
}

/** A server refused the handshake with this HTTP status, as the case wants it. */
export function describeRefusal(testCase, status) {
  const seen = `HTTP status ${status}`;
  return { ...describeResult(testCase, undefined, undefined, seen), ran: true, verdict: 'passed', differences: [] };
}

/** @returns {{ passed: number, lenient: number, failed: number }} */
export function countVerdicts(results) {
  const counts = { passed: 0, lenient: 0, failed: 0 };
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}

/** One case: a line, or several when it says more than that all was as expected. */
export function formatResult({ id, title, verdict, differences, sent, expected, seen }, verbose) {
  const line = `${verdict.padEnd(7)} ${id.padEnd(9)} ${title}`;
  if (verdict === 'passed' && !verbose) return `${line} · ${seen}`;
  const details = [`sent      ${sent}`, `expected  ${expected}`, `seen      ${seen}`];
  if (differences.length > 0) details.push(`because   ${differences.join('; ')}`);
  return [line, ...details.map((detail) => `          ${detail}`)].join('\n');
}

/** The table of families. */
export function formatSummary(results) {
  const families = Map.groupBy === undefined ? groupByFamily(results) : Map.groupBy(results, (one) => one.family);
  const rows = [...families].map(([family, list]) => [`${family} ${list[0].familyTitle}`, countVerdicts(list)]);
  rows.push(['all', countVerdicts(results)]);
  const columns = ['passed', 'lenient', 'failed'];
  const header = `${'family'.padEnd(24)}${columns.map((name) => name.padStart(9)).join('')}`;
  const lines = rows.map(
    ([name, counts]) => name.padEnd(24) + columns.map((column) => String(counts[column]).padStart(9)).join(''),
  );
  return [header, ...lines].join('\n');
}

function groupByFamily(results) {
  const groups = new Map();
  for (const one of results) groups.set(one.family, [...(groups.get(one.family) ?? []), one]);
  return groups;
}

// ---- Steps, expectations and what was seen -----------------------------------------------------------------------------

function describeSteps({ send, chop, perFrame, deflate }) {
  const shown = send.slice(0, 8).map(describeStep);
  if (deflate !== undefined) {
    const answer = deflate.answer === undefined ? '' : `, or answer ${deflate.answer}`;
    shown.unshift(`offer ${deflate.offers.join(' and ')}${answer}`);
  }
  if (send.length > 8) shown.push(`… ${send.length} steps`);
  const pace = chop !== undefined ? `, TCP writes of ${chop}` : perFrame ? ', a TCP write for each frame' : '';
  return shown.join(', ') + pace;
}

function describeStep(step) {
  if (step.await !== undefined) {
    const what = Object.entries(step.await).map(([name, count]) => `${count} ${name}`);
    return `wait for ${what.join(' and ')}`;
  }
  if (step.hold) return 'wait for the failure';
  if (step.message !== undefined) {
    const size = `${bytesOf(step.payload).length} bytes`;
    const cut = step.fragmentSize === undefined ? '' : ` in fragments of ${step.fragmentSize}`;
    return `${step.times ?? 1} × ${step.deflate === undefined ? '' : 'compressed '}${step.message} ${size}${cut}`;
  }
  const parts = [opcodeNames[step.opcode] ?? `opcode ${step.opcode}`, describePayload(bytesOf(step.payload))];
  if (step.fin === false) parts.push('without FIN');
  if (step.rsv) parts.push(`RSV ${step.rsv}`);
  if (step.wrongMask) parts.push('wrong mask bit');
  if (step.declaredLength !== undefined) parts.push(`length ${step.declaredLength}`);
  if (step.lengthSize !== undefined) parts.push(`length in ${step.lengthSize} bytes`);
  if (step.stopAfter !== undefined) {
    const { header, payload } = step.stopAfter;
    parts.push(`only ${header === undefined ? `${payload} bytes of the payload` : `${header} bytes of the header`}`);
  }
  return parts.join(' ');
}

function describeReceived(messages, pongs) {
  const parts = messages.slice(0, 4).map(({ type, payload, times = 1 }) => {
    const what = `${type} ${describePayload(bytesOf(payload))}`;
    return times === 1 ? what : `${times} × ${what}`;
  });
  if (messages.length > 4) parts.push(`… ${messages.length} messages`);
  if (pongs.length > 0 && pongs.length <= 4) parts.push(...pongs.map((one) => `pong ${describePayload(bytesOf(one))}`));
  if (pongs.length > 4) parts.push(`${pongs.length} pongs`);
  return parts.length === 0 ? 'no message' : parts.join(', ');
}

const closers = { us: 'answers Close', script: 'answers Close', peer: 'fails with Close' };
function describeExpectedClose({ by, status }) {
  if (by === 'handshake') return 'fails the handshake';
  return `${closers[by]} ${status}`;
}

function describeSeen(connection, { closeAfter, isClean }) {
  const { messages, pongs, close, end } = connection;
  const parts = [describeReceived(messages, pongs)];
  const reason = close === undefined || close.reason.length === 0 ? '' : ` ${JSON.stringify(close.reason.toString())}`;
  const after = closeAfter === undefined ? '' : ` after ${Math.max(0, closeAfter).toFixed(0)} ms`;
  parts.push(close === undefined ? 'no Close' : `Close ${close.status}${reason}${after}`);
  parts.push(end === undefined ? 'TCP open' : `TCP ${end === 'fin' ? 'FIN' : 'reset'}`);
  parts.push(isClean ? 'clean' : 'not clean');
  return parts.join('; ');
}

function describePayload(bytes) {
  if (bytes.length > 24) return `${bytes.length} bytes`;
  const shown = bytes.toString();
  return Buffer.from(shown).equals(bytes) && !/\p{Cc}/u.test(shown)
    ? JSON.stringify(shown)
    : `<${bytes.toString('hex')}>`;
}

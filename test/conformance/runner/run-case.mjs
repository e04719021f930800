// Runs one case of the table on an open connection: sends what it says, waits for what it expects, and closes.
import { encodeFrame, Opcode, bytesOf } from './frames.mjs';

/**
 * @typedef {object} Seen what happened
 * @property {boolean} isLate the peer did not fail when it could have, but only after the rest was sent
 * @property {boolean} isAccepted what should have failed the connection did not
 * @property {boolean} isClosedFirst the peer closed before our Close frame, which it should have answered
 * @property {boolean} isDeclined permessage-deflate was not negotiated, and so the case was not run
 * @property {string[]} missed waits that came to nothing
 * @property {number | undefined} closeAfter milliseconds from the last bytes to the peer's Close frame or end
 * @property {boolean} isClean both Close frames were exchanged, and the peer ended its side with a FIN
 */

/**
 * @param {object} testCase an entry of the table
 * @param {import('./connection.mjs').Connection} connection
 * @param {{ timeout: number, hold: number }} limits milliseconds: for anything expected; for a failure at the earliest point
 * @param {{ isDeclined: boolean, problem?: string }} negotiated see settle() in extensions.mjs
 * @returns {Promise<Seen>}
 */
export async function runCase(testCase, connection, limits, { isDeclined, problem }) {
  const { deflate, expect } = testCase;
  if (problem !== undefined) connection.violations.push(problem);
  const isOther =
    deflate !== undefined && expect.close.by !== 'handshake' && isDeclined !== (deflate.declines ?? false);
  const seen = await runSteps(
    isOther || problem !== undefined ? { send: [], expect: nothing } : testCase,
    connection,
    limits,
  );
  seen.isDeclined = isOther && isDeclined;
  return seen;
}

/** Of a connection on which the case cannot be run. */
const nothing = { messages: [], pongs: [], close: { by: 'us', status: 1000 } };

async function runSteps(testCase, connection, limits) {
  const { expect } = testCase;
  const seen = {
    isLate: false,
    isAccepted: false,
    isClosedFirst: false,
    isDeclined: false,
    missed: [],
    closeAfter: undefined,
    isClean: false,
  };
  const wait = async (what, condition) => {
    const held = await connection.until(condition, limits.timeout);
    if (!held) seen.missed.push(what);
    return held;
  };

  const atBoundary = await send(testCase, connection, limits, seen, wait);
  const sentAt = performance.now();
  if (expect.close.by === 'peer') {
    // A message or pong that should not be there shows that the peer did not fail, and will not.
    const failedOrNot = () =>
      connection.isOver || connection.isProbed || connection.messages.length > expect.messages.length;
    if (!(await connection.until(failedOrNot, limits.hold)) && atBoundary) await connection.probe();
    await wait('a Close frame', failedOrNot);
    seen.isAccepted = !connection.isOver && failedOrNot();
  } else if (expect.close.by === 'handshake') {
    await wait('the end of TCP', () => connection.isOver || connection.messages.length > 0);
    seen.isAccepted = connection.messages.length > 0;
  } else if (expect.close.by === 'us') {
    const complete = () =>
      connection.messages.length >= expect.messages.length && connection.pongs.length >= expect.pongs.length;
    await wait('all messages and pongs', () => connection.isOver || complete());
    seen.isClosedFirst = connection.isOver;
    if (!connection.isOver) await connection.sendClose(expect.close.status);
    await wait('a Close frame', () => connection.isOver);
  } else {
    connection.closeSent = true;
    await wait('a Close frame', () => connection.isOver);
  }
  if (connection.isOver) seen.closeAfter = performance.now() - sentAt;
  await finish(connection, atBoundary, wait, seen);
  return seen;
}

/** Both ends of the connection, in the order of RFC 6455, 7.1.1: the server ends TCP first. */
async function finish(connection, atBoundary, wait, seen) {
  if (seen.isAccepted) {
    await connection.sendClose(1000);
    await connection.until(() => connection.isOver, 500);
  } else if (connection.close !== undefined && atBoundary) {
    await connection.sendClose(connection.close.status);
  }
  if (connection.role === 'server') connection.socket.end();
  if (connection.isOver) await wait('the end of TCP', () => connection.end !== undefined);
  seen.isClean = connection.closeSent && connection.close !== undefined && connection.end === 'fin';
  connection.socket.end();
  connection.socket.destroySoon();
}

/** Sends the steps. @returns {Promise<boolean>} whether the peer got whole frames only, so that a Close frame may follow */
async function send({ send: steps, chop, perFrame }, connection, limits, seen, wait) {
  let pending = [];
  const flush = async () => {
    const bytes = Buffer.concat(pending);
    pending = [];
    await connection.write(bytes, chop);
  };
  /** Gives the peer time to fail. @returns {Promise<boolean>} whether it did */
  const hold = async () => {
    await flush();
    const failed = await connection.until(() => connection.isOver, limits.hold);
    if (!failed) seen.isLate = true;
    return failed;
  };
  for (const step of steps) {
    if (step.await !== undefined) {
      await flush();
      const { messages = 0, pongs = 0 } = step.await;
      const arrived = () => connection.messages.length >= messages && connection.pongs.length >= pongs;
      await wait(`${messages} messages and ${pongs} pongs`, () => connection.isOver || arrived());
    } else if (step.hold) {
      if (await hold()) return true;
    } else {
      for (const frame of framesOf(step, connection.deflater)) {
        const isMasked = (connection.role === 'client') !== (frame.wrongMask ?? false);
        const { bytes, headerSize } = encodeFrame(frame, isMasked);
        if (frame.stopAfter === undefined) {
          pending.push(bytes);
        } else {
          const { header = headerSize, payload = 0 } = frame.stopAfter;
          pending.push(bytes.subarray(0, header + payload));
          if (await hold()) return false;
          pending.push(bytes.subarray(header + payload));
        }
        if (perFrame) await flush();
      }
    }
    if (connection.isOver) break;
  }
  await flush();
  return true;
}

/** The frames of a step: itself, or a message cut into fragments, once or more often. */
function* framesOf(step, deflater) {
  if (step.message === undefined) {
    if (step.inflated !== undefined) deflater?.remember(bytesOf(step.inflated));
    yield step;
    return;
  }
  const plain = bytesOf(step.payload);
  for (let round = 0; round < (step.times ?? 1); round++) {
    const payload = step.deflate === undefined ? plain : deflater.compress(plain, step.deflate);
    const size = step.fragmentSize ?? Math.max(payload.length, 1);
    let at = 0;
    do {
      const opcode = at === 0 ? Opcode[step.message] : Opcode.continuation;
      const rsv = at === 0 && step.deflate !== undefined ? 4 : 0;
      yield { opcode, payload: payload.subarray(at, at + size), fin: at + size >= payload.length, rsv };
      at += size;
    } while (at < payload.length);
  }
}

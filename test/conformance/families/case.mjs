// The words of the case table.
//
// A case is data:
//   id, title
//   send      steps, in order:
//               a frame { opcode, payload, fin, rsv, ... }, see frames.mjs; with `stopAfter: { header, payload }` only so
//               many bytes of it go out, and the rest only if the peer does not fail the connection by then; with
//               `wrongMask: true` a client does not mask it, and a server does
//               { message: 'text' | 'binary', payload, fragmentSize, times }: a message, whole or in fragments
//               { await: { messages, pongs } }: until the peer has sent so many in all
//               { hold: true }: the peer should fail the connection now; the rest follows only if it does not
//   chop      bytes of each TCP write; without it, everything up to an `await` or a hold is one write
//   perFrame  a TCP write for each frame (which `chop` may divide)
//   expect    messages and pongs of the peer, each in order; close:
//               { by: 'us', status }      we close when all is there, and the peer answers with the same status
//               { by: 'script', status }  the Close frame is among the steps
//               { by: 'peer', status }    the peer fails the connection with this status
//               { by: 'handshake' }       the peer fails the handshake
//             and where the RFC does not ask the peer to fail, `accepted`: the messages of one that does not
//   role      'server' or 'client': the case is for peers in this role only
//   isLimit   the case is for peers that take messages of 16 MiB at most
//   mayReset  the peer may end TCP with a reset although the closing handshake was complete
//   lenient   names of Leniency (judge.mjs) that are noted instead of failing the case
//   lenientStatus  statuses of the peer's Close frame that are noted, likewise
// What compressed messages add is said in compressed-case.mjs.
import { closePayload, Opcode } from '../runner/frames.mjs';

// ---- Frames ----------------------------------------------------------------------------------------------------------

const frameOf = (opcode) => (payload, options) => ({ opcode, payload, ...options });
export const text = frameOf(Opcode.text);
export const binary = frameOf(Opcode.binary);
export const continuation = frameOf(Opcode.continuation);
export const ping = frameOf(Opcode.ping);
export const pong = frameOf(Opcode.pong);
/** A Close frame with a status and a reason, or with this payload. */
export const close = (status, reason, options) => ({
  opcode: Opcode.close,
  payload: typeof status === 'number' ? closePayload(status, reason) : status,
  ...options,
});
/** Not the last frame of its message. */
export const more = { fin: false };

// ---- Expectations ----------------------------------------------------------------------------------------------------

/** A message to be echoed. */
export const textMessage = (payload, times) => ({ type: 'text', payload, times });
export const binaryMessage = (payload, times) => ({ type: 'binary', payload, times });

/** The peer echoes these messages, answers these pings, and then answers our Close frame. */
export const echoes = (messages, pongs = []) => ({ messages, pongs, close: { by: 'us', status: 1000 } });
/** The same, with the Close frame among the steps; status 1005: without one. */
export const answersClose = (status, messages = [], pongs = []) => ({
  messages,
  pongs,
  close: { by: 'script', status },
});
/** The peer fails the connection. */
export const fails = (status, messages = [], pongs = []) => ({ messages, pongs, close: { by: 'peer', status } });

// ---- Cases -----------------------------------------------------------------------------------------------------------

const leniencyOf = {
  us: { lenient: ['reset'], lenientStatus: [1005] },
  script: { lenient: ['reset'], lenientStatus: [1000, 1005] },
  handshake: { lenient: ['status'], lenientStatus: [] },
  peer: { lenient: ['late', 'dropped', 'discarded'], lenientStatus: [] },
};

/** A case with the leniency that its kind of end has, and what `options` adds or changes. */
export function makeCase(title, send, expect, { lenient = [], ...options } = {}) {
  const usual = leniencyOf[expect.close.by];
  return { title, send, expect, ...usual, lenient: [...usual.lenient, ...lenient], ...options };
}

/** Numbers cases: `prefix.1`, `prefix.2` and so on. */
export function number(prefix, cases) {
  return cases.map((one, index) => ({ id: `${prefix}.${index + 1}`, ...one }));
}

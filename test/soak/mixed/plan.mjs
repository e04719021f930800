// What becomes of a connection: it follows from the seed and its number, so that client, server and judge agree on it.
import { mix, Random } from './messages.mjs';

/** The flows of a connection. */
export const upFlow = (seed, id) => mix(seed, id, 1);
export const downFlow = (seed, id) => mix(seed, id, 2);

/** How connections of each kind of client end. A quarter of them is closed by each side, the others are killed. */
const closes = ['client-close', 'server-close'];
const ends = {
  ours: [...closes, ...closes, 'client-terminate', 'server-terminate', 'destroy', 'client-terminate'],
  ws: [...closes, ...closes, 'client-terminate', 'server-terminate', 'reset', 'reset'],
  raw: [...closes, ...closes, 'server-terminate', 'reset', 'half-close', 'garbage', 'cut'],
};

/** After these nothing says how much of what was sent arrived. */
const kills = new Set(['client-terminate', 'server-terminate', 'destroy', 'reset', 'cut']);

/** What a server may do wrong on purpose, with a message from the sixth on or, `last`, by losing the fortieth. */
export const breaks = ['drop', 'swap', 'twice', 'alter', 'kind', 'last'];
export const lastBroken = 39;

/**
 * @param {number} id of the connection
 * @param {'ours' | 'ws' | 'raw'} kind of the client
 * @param {boolean} survives whether it lasts until the load is over
 */
export function planOf(seed, id, kind, survives) {
  const random = new Random(seed, id, 3);
  return {
    id,
    kind,
    end: survives ? 'client-close' : random.pick(ends[kind]),
    /** Milliseconds until then. */
    lifetime: survives ? Infinity : 50 + random.below(random.chance(0.2) ? 200 : 15_000),
    isCompressed: random.chance(0.5),
    mode: kind === 'ours' ? random.pick(['message', 'borrow', 'iterate', 'stream']) : 'message',
    isSlow: random.chance(0.15),
    random,
  };
}

/**
 * Compares the two ends of a connection, when both have told what they saw.
 * @returns {string[]} what is wrong
 */
export function judge(client, server) {
  const problems = [
    ...client.problems.map((problem) => `client: ${problem}`),
    ...server.problems.map((problem) => `server: ${problem}`),
  ];
  const compare = (name, from, to, isComplete) => {
    if (to > from || (isComplete && to < from)) problems.push(`${name}: ${from} sent, ${to} received`);
  };
  const isKilled = kills.has(client.ended) || kills.has(server.ended);
  const isClosed = !isKilled && (client.ended ?? 'client-close') === 'client-close';
  compare('messages to the server', client.sent, server.received, !isKilled);
  compare('messages to the client', server.sent, client.received, isClosed);
  const isClosedByServer = isClosed && client.ended === undefined;
  compare('broadcasts', server.broadcasts, client.broadcasts, isClosedByServer);
  if (isClosed) {
    if (client.ended === undefined && server.ended === undefined) problems.push('it ended by itself');
    if (client.code !== 1000 || server.code !== 1000) problems.push(`closed with ${client.code} and ${server.code}`);
    for (const error of [...client.errors, ...server.errors]) problems.push(`error ${error}`);
  }
  return problems.map((problem) => `connection ${client.id} (${client.kind}, ${client.plan}): ${problem}`);
}

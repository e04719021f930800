// The negotiation of permessage-deflate (RFC 6455, 9.1; RFC 7692, 7.1), seen by somebody who trusts neither side.
export const permessageDeflate = 'permessage-deflate';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const windowBits = /^(?:[89]|1[0-5])$/;

/** @typedef {{ name: string, parameters: [string, string | undefined][] }} Element */

/**
 * The elements of a field; quoted values without their quotes. The suite writes no commas or semicolons in quotes.
 * @param {string | undefined} field undefined: there was none
 * @returns {Element[]}
 * @throws {Error} when it does not follow the grammar
 */
export function parseElements(field) {
  if (field === undefined) return [];
  return field.split(',').map((text) => {
    const [name, ...parameters] = text.split(';').map((part) => part.trim());
    return { name: checkToken(name, text), parameters: parameters.map((one) => parseParameter(one)) };
  });
}

function parseParameter(text) {
  const equals = text.indexOf('=');
  if (equals < 0) return [checkToken(text, text), undefined];
  const value = text.slice(equals + 1).trim();
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  const unquoted = isQuoted ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  return [checkToken(text.slice(0, equals).trim(), text), checkToken(unquoted, text)];
}

function checkToken(value, text) {
  if (!token.test(value)) throw new Error(`"${text}" does not follow the grammar of Sec-WebSocket-Extensions`);
  return value;
}

/**
 * The parameters of permessage-deflate.
 * @param {Element} element
 * @param {'offer' | 'answer'} kind only an offer may have client_max_window_bits without a value
 * @returns {Map<string, string | undefined> | string} a string: why they are wrong
 */
export function readParameters({ parameters }, kind) {
  const read = new Map();
  for (const [name, value] of parameters) {
    if (read.has(name)) return `${name} stands there twice`;
    if (name.endsWith('_no_context_takeover')) {
      if (value !== undefined) return `${name} has a value`;
    } else if (name.endsWith('_max_window_bits')) {
      const mayLack = name === 'client_max_window_bits' && kind === 'offer';
      if (value === undefined ? !mayLack : !windowBits.test(value)) return `${name} has the value ${value}`;
    }
    if (!/^(?:server|client)_(?:no_context_takeover|max_window_bits)$/.test(name)) return `${name} is unknown`;
    read.set(name, value);
  }
  return read;
}

/** What is wrong with a client's offers. @param {Element[]} offers @returns {string[]} */
export function checkOffers(offers) {
  return offers
    .filter(({ name }) => name === permessageDeflate)
    .map((offer) => readParameters(offer, 'offer'))
    .filter((read) => typeof read === 'string')
    .map((why) => `offered permessage-deflate, but ${why}`);
}

/**
 * What is wrong with a server's answer.
 * @param {Element[]} offers
 * @param {Element[]} answer
 * @returns {string | undefined}
 */
export function checkAnswer(offers, answer) {
  if (answer.length === 0) return undefined;
  const [{ name }] = answer;
  if (answer.length > 1 || name !== permessageDeflate) return 'chose an extension that was not offered';
  const given = readParameters(answer[0], 'answer');
  if (typeof given === 'string') return given;
  const problems = offers
    .filter((offer) => offer.name.toLowerCase() === permessageDeflate)
    .map((offer) => readParameters(offer, 'offer'))
    .map((offer) => (typeof offer === 'string' ? 'accepted an offer that is wrong' : compare(offer, given)));
  // One of the offers was meant.
  return problems.includes(undefined) ? undefined : (problems[0] ?? 'chose an extension that was not offered');
}

/** An offer and the answer to it. */
function compare(offer, given) {
  if (offer.has('server_no_context_takeover') && !given.has('server_no_context_takeover')) {
    return 'did not answer server_no_context_takeover';
  }
  if (given.has('client_max_window_bits') && !offer.has('client_max_window_bits')) {
    return 'answered client_max_window_bits, which was not offered';
  }
  if (offer.has('server_max_window_bits') && !given.has('server_max_window_bits')) {
    return 'did not answer server_max_window_bits';
  }
  for (const name of ['server_max_window_bits', 'client_max_window_bits']) {
    const most = Number(offer.get(name) ?? 15);
    if (given.has(name) && Number(given.get(name)) > most) return `answered ${name} above what was offered`;
  }
  return undefined;
}

/** How both sides compress. @param {Element[]} answer @returns {Record<'server' | 'client', import('./deflate.mjs').Side>} */
export function agreedBy([answer]) {
  const given = readParameters(answer, 'answer');
  const side = (role) => ({
    takeover: !given.has(`${role}_no_context_takeover`),
    windowBits: Number(given.get(`${role}_max_window_bits`) ?? 15),
  });
  return { server: side('server'), client: side('client') };
}

/**
 * What was negotiated.
 * @param {string | undefined} offered the client's field
 * @param {string | undefined} chosen the server's
 * @returns {{ isDeclined: boolean, sides?: Record<'server' | 'client', import('./deflate.mjs').Side>, problem?: string }}
 *   sides: how each compresses; problem: what is wrong with the server's field
 */
export function settle(offered, chosen) {
  if (chosen === undefined) return { isDeclined: true };
  try {
    const answer = parseElements(chosen);
    const problem = checkAnswer(parseElements(offered), answer);
    return { isDeclined: false, problem, sides: problem === undefined ? agreedBy(answer) : undefined };
  } catch (error) {
    return { isDeclined: false, problem: error.message };
  }
}

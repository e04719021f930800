// The negotiation of the plain peer, with the defects of defects.mjs that concern it.
import { agreedBy, checkAnswer, parseElements, permessageDeflate, readParameters } from '../runner/extensions.mjs';

/** The client's. */
export const offer = 'permessage-deflate; client_max_window_bits';

/** What a sound peer declines, and one with this defect takes. */
const accepts = {
  'offer-bits-accepted': /max_window_bits has the value/,
  'offer-repeated': /twice/,
  'offer-unknown': /is unknown/,
  'offer-flag-value': /has a value/,
};

const isTaken = (problem, defect) => typeof problem !== 'string' || accepts[defect]?.test(problem) === true;

/**
 * A server's answer to the field of a request.
 * @returns {{ status?: string, chosen?: string, agreed?: object }}
 */
export function answerTo(offered, defect) {
  let elements;
  try {
    elements = parseElements(offered);
  } catch {
    return defect === 'offer-grammar' ? {} : { status: '400 Bad Request' };
  }
  const known = elements.filter(({ name }) => name === permessageDeflate);
  const usable = known.filter((one) => isTaken(readParameters(one, 'offer'), defect));
  const [element] = defect === 'offer-first-only' ? known.slice(0, 1).filter((one) => usable.includes(one)) : usable;
  if (element === undefined) return {};
  const read = readParameters(element, 'offer');
  const chosen = chosenFrom(typeof read === 'string' ? new Map() : read, defect);
  return { chosen, agreed: agreedBy(parseElements(chosen)) };
}

/** The same as was offered, of which a server may not leave out anything that is asked of itself. */
function chosenFrom(offered, defect) {
  const parameters = [...offered]
    .filter(([name, value]) => name !== 'client_max_window_bits' || value !== undefined)
    .filter(([name]) => defect !== 'answer-incomplete' || !name.startsWith('server'))
    .map(([name, value]) => (value === undefined ? name : `${name}=${value}`));
  if (defect === 'answer-uninvited' && !offered.has('client_max_window_bits'))
    parameters.push('client_max_window_bits=15');
  return [permessageDeflate, ...parameters].join('; ');
}

/**
 * Whether a client goes on with an answer.
 * @returns {{ isFine: boolean, agreed?: object }}
 */
export function isAnswerFine(chosen, defect) {
  if (chosen === undefined) return { isFine: true };
  let answer;
  try {
    answer = parseElements(chosen);
  } catch {
    return { isFine: defect === 'answer-grammar' };
  }
  const problem = checkAnswer(parseElements(offer), answer);
  if (problem === undefined) return { isFine: true, agreed: agreedBy(answer) };
  const isOther = problem === 'chose an extension that was not offered';
  return { isFine: isOther ? defect === 'answer-other' : isTaken(problem, defect) };
}

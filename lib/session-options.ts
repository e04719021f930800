/**
 * The driver's numbers for sets of limits. They live as long as the driver, so equal sets share one: a client per
 * request must not make one each.
 */
import { driver } from './dispatch.js';
import type { SessionLimits } from './native.js';
import type { ResolvedSettings } from './options.js';

const numbers = new Map<string, number>();

/** What a handshake need not find out again: a server's sockets have the same settings. */
const known = new WeakMap<ResolvedSettings, number>();

/** The driver's number for these settings. */
export function optionsNumber(settings: ResolvedSettings): number {
  let number = known.get(settings);
  if (number === undefined) {
    number = numberOf(limitsOf(settings));
    known.set(settings, number);
  }
  return number;
}

function numberOf(limits: SessionLimits): number {
  const key = JSON.stringify(limits);
  let number = numbers.get(key);
  if (number === undefined) {
    number = driver.createOptions(limits);
    numbers.set(key, number);
  }
  return number;
}

function limitsOf(settings: ResolvedSettings): SessionLimits {
  const { maxPayload, maxFragments, skipUTF8Validation, highWaterMark, maxBackpressure } = settings;
  const autoPong = settings.autoPong && settings.generateMask === undefined; // else the connection answers, with its keys
  const borrow = settings.delivery === 'borrow';
  const { messageStream: fragments, deflate } = settings;
  return {
    ...{ maxPayload, maxFragments, skipUTF8Validation, autoPong },
    ...{ borrow, fragments, highWaterMark, maxBackpressure, deflate },
  };
}

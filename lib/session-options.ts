/**
 * The driver's numbers for sets of limits. They live as long as the driver, so equal sets share one: a client per
 * request must not make one each.
 */
import { driver } from './dispatch.js';
import type { ResolvedSettings } from './options.js';

const numbers = new Map<string, number>();

/** The driver's number for these settings. */
export function optionsNumber(settings: ResolvedSettings): number {
  const { maxPayload, maxFragments, skipUTF8Validation, highWaterMark, maxBackpressure } = settings;
  const autoPong = settings.autoPong && settings.generateMask === undefined; // else the connection answers, with its keys
  const borrow = settings.delivery === 'borrow';
  const fragments = settings.messageStream;
  const limits = {
    ...{ maxPayload, maxFragments, skipUTF8Validation, autoPong },
    ...{ borrow, fragments, highWaterMark, maxBackpressure },
  };
  const key = Object.values(limits).join(' ');
  let number = numbers.get(key);
  if (number === undefined) {
    number = driver.createOptions(limits);
    numbers.set(key, number);
  }
  return number;
}

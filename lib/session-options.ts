/**
 * The driver's numbers for sets of limits. They live as long as the driver, so equal sets share one: a client per
 * request must not make one each.
 */
import { driver } from './dispatch.js';
import type { ResolvedSettings } from './options.js';
import { permessageDeflate } from './permessage-deflate.js';

const numbers = new Map<string, number>();

/** What a connection, its handshake done, negotiated beside the subprotocol: as `WebSocket.extensions` has it. */
export function extensionsOf(id: number, settings: ResolvedSettings): string {
  return settings.deflate !== undefined && driver.compresses(id) ? permessageDeflate : '';
}

/** The driver's number for these settings. */
export function optionsNumber(settings: ResolvedSettings): number {
  const { maxPayload, maxFragments, skipUTF8Validation, highWaterMark, maxBackpressure } = settings;
  const autoPong = settings.autoPong && settings.generateMask === undefined; // else the connection answers, with its keys
  const borrow = settings.delivery === 'borrow';
  const { messageStream: fragments, deflate } = settings;
  const limits = {
    ...{ maxPayload, maxFragments, skipUTF8Validation, autoPong },
    ...{ borrow, fragments, highWaterMark, maxBackpressure, deflate },
  };
  const key = JSON.stringify(limits);
  let number = numbers.get(key);
  if (number === undefined) {
    number = driver.createOptions(limits);
    numbers.set(key, number);
  }
  return number;
}

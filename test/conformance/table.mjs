// The case table: every case with the title of its family. families/case.mjs says what a case consists of.
import { autoFragmentation } from './families/auto-fragmentation.mjs';
import { compression } from './families/compression.mjs';
import { compressionOffers } from './families/compression-offers.mjs';
import { closing } from './families/closing.mjs';
import { fragmentation } from './families/fragmentation.mjs';
import { framing } from './families/framing.mjs';
import { limits } from './families/limits.mjs';
import { opcodes } from './families/opcodes.mjs';
import { pings } from './families/pings.mjs';
import { reservedBits } from './families/reserved-bits.mjs';
import { utf8 } from './families/utf8.mjs';

/** The families with Autobahn's numbers. */
export const families = [
  { number: 1, title: 'Framing', cases: framing },
  { number: 2, title: 'Pings and pongs', cases: pings },
  { number: 3, title: 'Reserved bits', cases: reservedBits },
  { number: 4, title: 'Opcodes', cases: opcodes },
  { number: 5, title: 'Fragmentation', cases: fragmentation },
  { number: 6, title: 'UTF-8', cases: utf8 },
  { number: 7, title: 'Close', cases: closing },
  { number: 9, title: 'Limits', cases: limits },
  { number: 10, title: 'Auto-fragmentation', cases: autoFragmentation },
  { number: 12, title: 'Compression', cases: compression },
  { number: 13, title: 'Compression offers', cases: compressionOffers },
];

export const allCases = families.flatMap(({ number, title, cases }) =>
  cases.map((one) => ({ ...one, family: number, familyTitle: title })),
);

/**
 * The cases for a peer in this role whose id is one of these or begins with one of them and a dot.
 * @param {'server' | 'client' | undefined} role undefined: cases for either
 * @param {string} [ids] separated by commas; without them, all cases
 * @param {boolean} [isLimited] the peer takes messages of 16 MiB at most
 */
export function chooseCases(role, ids, isLimited = true) {
  const chosen = ids?.split(',').map((id) => id.trim());
  return allCases.filter((one) => {
    if ((role ?? one.role) !== (one.role ?? role) || (one.isLimit && !isLimited)) return false;
    return chosen === undefined || chosen.some((id) => one.id === id || one.id.startsWith(`${id}.`));
  });
}

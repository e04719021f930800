/** The keys with which a client masks its frames (RFC 6455, 5.3), where the program has a say; all others are random. */
import { Buffer } from 'node:buffer';
import { driver } from './dispatch.js';
import type { ResolvedSettings } from './options.js';

/** Leaves the payload as it is. */
const zeroKey = Buffer.alloc(4);

/**
 * The key of a frame; undefined: a random one. Servers do not mask and ignore it.
 * @param mask what the caller asked for; only false has a meaning: a key of zeros
 * @throws what `generateMask` throws.
 */
export function maskKey(settings: ResolvedSettings, mask?: unknown): Uint8Array | undefined {
  if (mask === false) return zeroKey;
  return settings.generateMask === undefined ? undefined : generatedKey(settings.generateMask);
}

function generatedKey(generateMask: (mask: Buffer) => void): Buffer {
  const key = Buffer.alloc(4);
  generateMask(key);
  return key;
}

/** Answers a ping in place of the driver, which cannot ask for a key. */
export function answerPing(id: number, ping: Buffer, settings: ResolvedSettings): void {
  if (settings.autoPong) driver.sendControl(id, true, ping, 0, maskKey(settings));
}

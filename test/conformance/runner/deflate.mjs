// permessage-deflate's messages (RFC 7692, 7.2), by Node's zlib: what one side has sent so far is the dictionary of its
// next message, which is the same as a context that is kept.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';

const maxWindow = 32_768;
const tail = Buffer.from([0, 0, 0xff, 0xff]);
/** An empty final block: zlib only says that a stream is complete when it ends with one. */
const finalBlock = Buffer.from([3, 0]);
/** Nothing in the table is larger. */
const maxOutputLength = 64 * 1024 * 1024;

/** How one side compresses. @typedef {{ takeover: boolean, windowBits: number }} Side */

/** The messages of one side: compresses them as this side, or decompresses them as the other one. */
export class MessageStream {
  #takeover;
  #windowBits;
  #history = Buffer.alloc(0);

  /** @param {Side} side */
  constructor({ takeover, windowBits }) {
    this.#takeover = takeover;
    this.#windowBits = windowBits;
  }

  /**
   * @param {Buffer} payload
   * @param {object} [options] of deflateRawSync
   * @returns {Buffer} without the four bytes that the receiver puts back
   */
  compress(payload, options) {
    // With 9 bits, zlib refers to 250 bytes at most, which is right for 8, too; those it does not take.
    const windowBits = Math.max(this.#windowBits, 9);
    const finishFlush = constants.Z_SYNC_FLUSH;
    const bytes = deflateRawSync(payload, { level: 1, ...this.#dictionary(), windowBits, finishFlush, ...options });
    this.remember(payload);
    return bytes.subarray(0, -tail.length);
  }

  /**
   * @param {Buffer} bytes of a message
   * @throws {Error} when they are not DEFLATE, do not end where the message does, or refer to what is not in the window
   */
  decompress(bytes) {
    // zlib takes references into what one call has put out however far they reach: so that is little when windows are small.
    const chunkSize = this.#windowBits < 15 ? 64 : 65_536;
    const options = { windowBits: this.#windowBits, chunkSize, maxOutputLength, info: true };
    const payloads = [];
    // What is behind a block that says it is the last is a stream of its own (RFC 7692, 7.2.3.4).
    for (let rest = Buffer.concat([bytes, tail, finalBlock]); rest.length > 0;) {
      const { buffer, engine } = inflateRawSync(rest, { ...options, ...this.#dictionary() });
      this.remember(buffer);
      payloads.push(buffer);
      rest = rest.subarray(engine.bytesWritten);
    }
    return payloads.length === 1 ? payloads[0] : Buffer.concat(payloads);
  }

  /** What bytes that are not the whole message begin with. @throws {Error} when they are not DEFLATE */
  decompressSome(bytes) {
    return inflateRawSync(bytes, { ...this.#dictionary(), finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength });
  }

  /** Puts a message that was compressed elsewhere behind the others. */
  remember(payload) {
    if (this.#takeover) this.#history = Buffer.concat([this.#history, payload]).subarray(-maxWindow);
  }

  #dictionary() {
    return this.#history.length > 0 ? { dictionary: this.#history } : {};
  }
}

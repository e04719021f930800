// Frames (RFC 6455, 5.2), written and read by the conformance suite alone. The encoder writes whatever it is told to, the
// decoder accepts only what a correct peer may send and notes everything else.
import { randomFillSync } from 'node:crypto';
import { sliceOf } from './contents.mjs';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** Text that breaks wherever it is cut: characters of one, two, three and four bytes. */
const textPattern = Buffer.from('aé€😀');
/** Every byte value, with a period that divides none of the sizes. */
const binaryPattern = Buffer.from(Array.from({ length: 251 }, (_, index) => 255 - index));

/**
 * The bytes of a payload of the case table: bytes or text as they are, `{ text: size }` or `{ binary: size }` made here, and
 * `{ content, at, size }` from contents.mjs.
 * @param {Buffer | string | { text: number } | { binary: number } | { content: string, at: number, size: number } |
 *   undefined} payload
 * @returns {Buffer}
 */
export function bytesOf(payload = '') {
  if (Buffer.isBuffer(payload)) return payload;
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload.content !== undefined) return sliceOf(payload.content, payload.at, payload.size);
  if (payload.binary !== undefined) return Buffer.alloc(payload.binary, binaryPattern);
  const whole = Math.floor(payload.text / textPattern.length) * textPattern.length;
  return Buffer.concat([Buffer.alloc(whole, textPattern), Buffer.alloc(payload.text - whole, 'x')]);
}

/**
 * Encodes a frame.
 * @param {object} frame `opcode`, `payload`; `fin` (true), `rsv` (0); to break the rules: `lengthSize` (0, 2 or 8 bytes of
 *   extended length), `declaredLength` (a BigInt that the header says instead of the payload's length)
 * @param {boolean} masked whether the frame gets the mask bit and a random key
 * @returns {{ bytes: Buffer, headerSize: number }}
 */
export function encodeFrame({ opcode, payload, fin = true, rsv = 0, lengthSize, declaredLength }, masked) {
  const data = bytesOf(payload);
  const length = declaredLength ?? BigInt(data.length);
  const extended = lengthSize ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const header = Buffer.alloc(2 + extended + (masked ? 4 : 0));
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  header[1] = (masked ? 0x80 : 0) | (extended === 0 ? Number(length) : extended === 2 ? 126 : 127);
  if (extended === 2) header.writeUInt16BE(Number(length), 2);
  if (extended === 8) header.writeBigUInt64BE(length, 2);
  if (!masked) return { bytes: Buffer.concat([header, data]), headerSize: header.length };
  const key = newKey();
  key.copy(header, 2 + extended);
  return { bytes: Buffer.concat([header, mask(data, key)]), headerSize: header.length };
}

const keys = Buffer.alloc(4096);
let keysUsed = keys.length;

function newKey() {
  if (keysUsed === keys.length) {
    randomFillSync(keys);
    keysUsed = 0;
  }
  keysUsed += 4;
  return keys.subarray(keysUsed - 4, keysUsed);
}

/** A copy of the data with the key on it. */
function mask(data, key) {
  const masked = Buffer.allocUnsafeSlow(data.length);
  const words = data.length >> 2;
  const source = Buffer.allocUnsafeSlow(words << 2); // on its own, so that it is aligned
  data.copy(source, 0, 0, words << 2);
  const from = new Uint32Array(source.buffer, 0, words);
  const to = new Uint32Array(masked.buffer, 0, words);
  const keyWord = new Uint32Array(Uint8Array.from(key).buffer)[0];
  for (let i = 0; i < words; i++) to[i] = from[i] ^ keyWord;
  for (let i = words << 2; i < data.length; i++) masked[i] = data[i] ^ key[i & 3];
  return masked;
}

/** The payload of a Close frame. */
export function closePayload(status, reason = '') {
  return Buffer.concat([Buffer.from([status >> 8, status & 255]), bytesOf(reason)]);
}

/** Takes the bytes of a peer and makes frames of them; what a correct peer must not send goes to `violations`. */
export class FrameDecoder {
  /** @type {string[]} */
  violations = [];
  #header = Buffer.alloc(0);
  #frame;
  #parts = [];
  #missing = 0;
  #isBroken = false;

  /**
   * @param {boolean} peerIsClient whether its frames have to be masked
   * @param {boolean} compresses whether the first frame of a message may have RSV1
   */
  constructor(peerIsClient, compresses) {
    this.peerIsClient = peerIsClient;
    this.compresses = compresses;
  }

  /** Bytes of an unfinished frame were received. */
  get isMidFrame() {
    return this.#frame !== undefined || this.#header.length > 0;
  }

  /** @returns {{ opcode: number, fin: boolean, isCompressed: boolean, payload: Buffer }[]} the frames that are complete now */
  push(chunk) {
    const frames = [];
    while (chunk.length > 0 && !this.#isBroken) {
      if (this.#frame === undefined) chunk = this.#readHeader(chunk);
      if (this.#frame === undefined) break;
      const part = chunk.subarray(0, this.#missing);
      chunk = chunk.subarray(part.length);
      this.#parts.push(part);
      this.#missing -= part.length;
      if (this.#missing > 0) break;
      const { opcode, fin, isCompressed, key } = this.#frame;
      const payload = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
      frames.push({ opcode, fin, isCompressed, payload: key === undefined ? payload : mask(payload, key) });
      this.#frame = undefined;
      this.#parts = [];
    }
    return frames;
  }

  /** Returns what is behind the header. */
  #readHeader(chunk) {
    const held = this.#header.length;
    const bytes = Buffer.concat([this.#header, chunk.subarray(0, 14)]);
    this.#header = bytes;
    if (bytes.length < 2) return chunk.subarray(bytes.length - held);
    const length7 = bytes[1] & 0x7f;
    const extended = length7 < 126 ? 0 : length7 === 126 ? 2 : 8;
    const masked = (bytes[1] & 0x80) !== 0;
    const size = 2 + extended + (masked ? 4 : 0);
    if (bytes.length < size) return chunk.subarray(bytes.length - held);
    let length = BigInt(length7);
    if (extended === 2) length = BigInt(bytes.readUInt16BE(2));
    if (extended === 8) length = bytes.readBigUInt64BE(2);
    this.#check(bytes[0], length, extended, masked);
    this.#frame = {
      opcode: bytes[0] & 15,
      fin: (bytes[0] & 0x80) !== 0,
      isCompressed: (bytes[0] & 0x40) !== 0,
      key: masked ? bytes.subarray(size - 4, size) : undefined,
    };
    this.#missing = Number(length);
    this.#header = Buffer.alloc(0);
    return chunk.subarray(size - held);
  }

  #check(first, length, extended, masked) {
    const opcode = first & 15;
    const note = (text) => this.violations.push(text);
    const mayCompress = this.compresses && (opcode === Opcode.text || opcode === Opcode.binary);
    if ((first & (mayCompress ? 0x30 : 0x70)) !== 0) note(`sent a frame with RSV bits ${(first >> 4) & 7}`);
    if (!Object.values(Opcode).includes(opcode)) note(`sent a frame with the reserved opcode ${opcode}`);
    if (opcode >= 8 && (first & 0x80) === 0) note(`sent a fragmented control frame`);
    if (opcode >= 8 && length > 125n) note(`sent a control frame of ${length} bytes`);
    if (masked !== this.peerIsClient) note(masked ? 'sent a masked frame' : 'sent a frame without a mask');
    if ((extended === 2 && length < 126n) || (extended === 8 && length < 65_536n)) {
      note(`sent the length ${length} in ${extended} bytes`);
    }
    if (length > 1n << 28n) {
      note(`sent a frame of ${length} bytes`);
      this.#isBroken = true; // nothing behind it can be read
    }
  }
}

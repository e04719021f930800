// Where a byte string stops being UTF-8 (RFC 3629, 4).

/** The ranges of the bytes behind a first byte: [first from, first to, second from, second to, bytes after the second]. */
const sequences = [
  [0xc2, 0xdf, 0x80, 0xbf, 0],
  [0xe0, 0xe0, 0xa0, 0xbf, 1],
  [0xe1, 0xec, 0x80, 0xbf, 1],
  [0xed, 0xed, 0x80, 0x9f, 1],
  [0xee, 0xef, 0x80, 0xbf, 1],
  [0xf0, 0xf0, 0x90, 0xbf, 2],
  [0xf1, 0xf3, 0x80, 0xbf, 2],
  [0xf4, 0xf4, 0x80, 0x8f, 2],
];

/**
 * The offset of the first byte that cannot be part of UTF-8 text, given those before it; the length of the bytes when they
 * end inside a character; undefined when they are valid.
 * @param {Uint8Array} bytes
 */
export function firstBadByte(bytes) {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] < 0x80) continue;
    const sequence = sequences.find(([from, to]) => bytes[at] >= from && bytes[at] <= to);
    if (sequence === undefined) return at;
    const [, , from, to, more] = sequence;
    for (let i = 0; i <= more; i++) {
      at++;
      if (at === bytes.length) return at;
      if (bytes[at] < (i === 0 ? from : 0x80) || bytes[at] > (i === 0 ? to : 0xbf)) return at;
    }
  }
  return undefined;
}

// 12: messages compressed with permessage-deflate (RFC 7692). 12.1 to 12.5 are Autobahn's sizes with contents of ours;
// what follows is not Autobahn's: every form of a compressed message, and everything that may be wrong with one.
import { constants, deflateRawSync } from 'node:zlib';
import { contentNames } from '../runner/contents.mjs';
import { MessageStream } from '../runner/deflate.mjs';
import { bytesOf } from '../runner/frames.mjs';
import {
  binary,
  binaryMessage,
  close,
  continuation,
  echoes,
  fails,
  more,
  number,
  ping,
  pong,
  text,
  textMessage,
} from './case.mjs';
import {
  compressed,
  compressedCase,
  exchange,
  inFragments,
  messageSizes,
  precompressed,
  rsv1,
} from './compressed-case.mjs';

const KiB = 1024;
const MiB = 1024 * KiB;
/** Of peers that are said to have one. */
const peerLimit = 16 * MiB;
const hello = 'Hello';
const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const deflate = (payload, options) =>
  new MessageStream({ takeover: false, windowBits: 15 }).compress(bytesOf(payload), options);
const json = (size, at = 0) => ({ content: 'json', at, size });

// ---- Forms (RFC 7692, 7.2.3, and what zlib can be told) --------------------------------------------------------------

/** @type {[string, string][]} what a sender may make of "Hello" */
const helloForms = [
  ['in a block of fixed codes', 'f2 48 cd c9 c9 07 00'],
  ['in a block that is not compressed', '00 05 00 fa ff 48 65 6c 6c 6f 00'],
  ['in a final block', 'f3 48 cd c9 c9 07 00 00'],
  ['in two blocks', 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00'],
  ['behind an empty block', '00 00 00 ff ff f2 48 cd c9 c9 07 00'],
  [
    'in a block of each byte',
    `${[...'Hello'].map((one) => `000100feff${Buffer.from(one).toString('hex')}`).join('')}00`,
  ],
];
const zlibForms = [
  ['not compressed', { level: 0 }],
  ['compressed as fast as zlib can', { level: 1, memLevel: 1 }],
  ['compressed as well as zlib can', { level: 9, memLevel: 9 }],
  ['with fixed codes', { strategy: constants.Z_FIXED }],
  ['with Huffman codes only', { strategy: constants.Z_HUFFMAN_ONLY }],
  ['with runs only', { strategy: constants.Z_RLE }],
];
const twice = [textMessage(hello), textMessage(hello)];
const euro = 'Die Käsespätzle kosten 9 € – 😀. '.repeat(20);

const forms = [
  compressedCase('an empty text', [precompressed(text, hex('00'), '')], echoes([textMessage('')])),
  compressedCase('an empty binary message', [precompressed(binary, hex('00'), '')], echoes([binaryMessage('')])),
  compressedCase(
    'an empty text of three empty blocks',
    [precompressed(text, hex('000000ffff 000000ffff 00'), '')],
    echoes([textMessage('')]),
  ),
  ...helloForms.map(([how, bytes]) =>
    compressedCase(`text ${how}`, [precompressed(text, hex(bytes), hello)], echoes([textMessage(hello)])),
  ),
  ...helloForms.map(([how, bytes]) =>
    compressedCase(
      `text ${how}, then one that the runner compresses`,
      [precompressed(text, hex(bytes)), compressed('text', json(300))],
      echoes([textMessage(hello), textMessage(json(300))]),
    ),
  ),
  compressedCase(
    'text, and a reference to it',
    [precompressed(text, hex('f248cdc9c90700')), precompressed(text, hex('f200110000'))],
    echoes(twice),
  ),
  ...zlibForms.map(([how, options]) =>
    compressedCase(
      `text of 40 KiB ${how}`,
      [compressed('text', json(40 * KiB), { deflate: options })],
      echoes([textMessage(json(40 * KiB))]),
    ),
  ),
  compressedCase(
    '100 × the same message, each a reference to the one before',
    [compressed('binary', { content: 'dense', at: 0, size: KiB }, { times: 100 })],
    echoes([binaryMessage({ content: 'dense', at: 0, size: KiB }, 100)]),
  ),
  compressedCase(
    'compressed and plain messages in turns',
    [0, 1, 2].flatMap((i) => [compressed('text', json(2000, i * 500)), text(json(2000, i * 900))]),
    echoes([0, 1, 2].flatMap((i) => [textMessage(json(2000, i * 500)), textMessage(json(2000, i * 900))])),
  ),
  compressedCase(
    'text in fragments of one byte',
    [compressed('text', json(KiB), { fragmentSize: 1 })],
    echoes([textMessage(json(KiB))]),
  ),
  compressedCase(
    'text of long characters in fragments of three bytes',
    [compressed('text', euro, { fragmentSize: 3 })],
    echoes([textMessage(euro)]),
  ),
  compressedCase(
    'text in TCP writes of one byte',
    [compressed('text', euro), compressed('text', euro)],
    echoes([textMessage(euro), textMessage(euro)]),
    { chop: 1 },
  ),
  compressedCase(
    'binary of 64 KiB in TCP writes of 997 bytes',
    [compressed('binary', { content: 'bitmap', at: 0, size: 64 * KiB })],
    echoes([binaryMessage({ content: 'bitmap', at: 0, size: 64 * KiB })]),
    { chop: 997 },
  ),
  ...[
    ['an empty first fragment', [0]],
    ['an empty fragment in the middle', [3, 0]],
    ['an empty last fragment', [3, 4]],
    ['only empty fragments around the bytes', [0, 0, 7, 0]],
  ].map(([what, sizes]) =>
    compressedCase(
      `text with ${what}`,
      [...inFragments(text, continuation, hex('f248cdc9c90700'), sizes, hello), compressed('text', hello)],
      echoes(twice),
    ),
  ),
  compressedCase(
    'pings between the fragments',
    inFragments(text, continuation, hex('f248cdc9c90700'), [1, 2, 2], hello).flatMap((frame, i) => [
      frame,
      ping(`ping ${i}`),
    ]),
    echoes([textMessage(hello)], ['ping 0', 'ping 1', 'ping 2', 'ping 3']),
  ),
  compressedCase('the Close frame inside a message', [text(hex('f248'), { rsv: rsv1, ...more }), close(1000)], {
    messages: [],
    pongs: [],
    close: { by: 'script', status: 1000 },
  }),
];

// ---- Reserved bits ---------------------------------------------------------------------------------------------------

const begun = text(hex('f248'), { rsv: rsv1, ...more });
const plainBegun = text('He', more);
const bitsOf = (rsvs, name, frame, before = []) =>
  rsvs.map((rsv) =>
    compressedCase(
      `first byte of a ${name} with RSV ${rsv}`,
      [...before, { ...frame, rsv, stopAfter: { header: 1 } }],
      fails(1002),
    ),
  );
const all = [1, 2, 3, 4, 5, 6, 7];
const reservedBits = [
  ...bitsOf([1, 2, 3, 5, 6, 7], 'text', text('12')),
  ...bitsOf([1, 2, 3, 5, 6, 7], 'binary message', binary('12')),
  ...bitsOf(all, 'continuation of a compressed message', continuation('12'), [begun]),
  ...bitsOf(all, 'continuation of a plain message', continuation('12'), [plainBegun]),
  ...bitsOf(all, 'ping', ping('12')),
  ...bitsOf(all, 'pong', pong('12')),
  ...bitsOf(all, 'Close frame', close(1000)),
  compressedCase(
    'a message inside a compressed one',
    [begun, text(hex('f248'), { rsv: rsv1, stopAfter: { header: 1 } })],
    fails(1002),
  ),
];

// ---- Data that is not DEFLATE ----------------------------------------------------------------------------------------

/** The RFC names no status. */
const corruptStatus = { lenientStatus: [1002, 1003, 1006, 1008, 1011] };
const corrupt = (title, send, options) => compressedCase(title, send, fails(1007), { ...corruptStatus, ...options });
/** What no continuation can mend; the message says more than that, but the rest is held back. @type {[string, string][]} */
const broken = [
  ['a block of type 3', '06'],
  ['a final block of type 3', '07'],
  ['a length whose complement is wrong', '00 05 00 00 00'],
  ['too many symbols', 'fc 00 00'],
  ['code lengths that are too many', '04 00 fe ff'],
  ['a repeated code length without one before it', '04 00 24 49 00'],
  ['code lengths repeated beyond the end', '04 00 24 e9 ff ff'],
  ['no code for the end of the block', '04 00 24 e9 ff 6d'],
  ['a wrong set of literal codes', '04 80 49 92 24 49 92 24 71 ff ff 93 11 00'],
  ['a wrong set of distance codes', '04 80 49 92 24 49 92 24 0f b4 ff ff c3 84'],
  ['an unknown distance', '02 7e ff ff'],
  ['a reference to before the beginning', 'f2 00 11 00 00'],
];
const wholeMessage = deflate(json(600));
/** Lengths at which a message that is cut does not end, seen by zlib. */
function cutLengths(bytes) {
  return Array.from({ length: bytes.length - 1 }, (_, i) => i + 1).filter((length) => {
    try {
      new MessageStream({ takeover: false, windowBits: 15 }).decompress(bytes.subarray(0, length));
      return false;
    } catch {
      return true;
    }
  });
}
const cuts = cutLengths(hex('f248cdc9c90700'));
const longCuts = [1, 2, 50, 51, wholeMessage.length >> 1, wholeMessage.length - 2];

const corruptData = [
  ...broken.map(([what, bytes]) => corrupt(`${what}, in a whole message`, [binary(hex(bytes), { rsv: rsv1 })])),
  ...broken.map(([what, bytes]) =>
    corrupt(`${what}, and the rest of the frame later`, [
      binary(Buffer.concat([hex(bytes), Buffer.alloc(1000)]), {
        rsv: rsv1,
        stopAfter: { payload: hex(bytes).length + 16 },
      }),
    ]),
  ),
  ...broken
    .slice(0, 3)
    .map(([what, bytes]) =>
      corrupt(`${what}, in a fragment`, [
        binary(hex('000000ffff'), { rsv: rsv1, ...more }),
        continuation(hex(bytes), more),
        { hold: true },
        continuation(hex('00')),
      ]),
    ),
  ...cuts.map((length) =>
    corrupt(`the first ${length} bytes of a message of 7`, [
      text(hex('f248cdc9c90700').subarray(0, length), { rsv: rsv1 }),
    ]),
  ),
  ...longCuts.map((length) =>
    corrupt(`the first ${length} bytes of a message of ${wholeMessage.length}`, [
      text(wholeMessage.subarray(0, length), { rsv: rsv1 }),
    ]),
  ),
  corrupt('a message cut by its last fragment', [text(hex('f248'), { rsv: rsv1, ...more }), continuation('')]),
  ...['07', 'ff', '00 05 00 00 00'].map((bytes) =>
    compressedCase(
      `a final block with ${bytes} behind it`,
      [text(hex(`f348cdc9c90700 ${bytes}`), { rsv: rsv1 })],
      { ...fails(1007), accepted: [textMessage(hello)] },
      { ...corruptStatus, lenient: ['accepted'] },
    ),
  ),
  compressedCase(
    'a good message in front of a corrupt one',
    [compressed('text', hello), binary(hex('07'), { rsv: rsv1 }), ping('behind')],
    fails(1007, [textMessage(hello)]),
    corruptStatus,
  ),
];

// ---- UTF-8 -----------------------------------------------------------------------------------------------------------

const badTexts = [
  ['ff', 'no first byte'],
  ['80', 'a byte that continues nothing'],
  ['c0 80', 'an overlong sequence'],
  ['e0 80', 'an overlong sequence'],
  ['ed a0', 'a surrogate'],
  ['f4 90', 'beyond U+10FFFF'],
  ['c3 28', 'a sequence that is not continued'],
];
const flushed = { finishFlush: constants.Z_SYNC_FLUSH };
/** Compressed so that everything can be read up to the end, with the block that a message would leave out. */
const upTo = (bytes, options) => deflateRawSync(bytes, { ...flushed, ...options });
const utf8 = badTexts.flatMap(([bytes, what]) => {
  const bad = Buffer.concat([Buffer.from('κόσμε '), hex(bytes)]);
  const rest = deflate(' and more'.repeat(30));
  const name = `${what} (${bytes})`;
  const held = (options) => {
    const begin = upTo(bad, options);
    return text(Buffer.concat([begin, rest]), { rsv: rsv1, stopAfter: { payload: begin.length } });
  };
  return [
    compressedCase(`${name}, in a whole text`, [text(deflate(bad), { rsv: rsv1 })], fails(1007)),
    compressedCase(`${name}, and the rest of the frame later`, [held()], fails(1007)),
    compressedCase(`${name}, not compressed, and the rest of the frame later`, [held({ level: 0 })], fails(1007)),
    compressedCase(
      `${name}, in a fragment, octet-wise, and the next one later`,
      [text(upTo(bad), { rsv: rsv1, ...more }), { hold: true }, continuation(rest)],
      fails(1007),
      { chop: 1 },
    ),
  ];
});
const cutText = [
  compressedCase('text that ends inside a character', [text(deflate(hex('41 e2 82')), { rsv: rsv1 })], fails(1007)),
  compressedCase(
    'a character cut by a block and by a fragment',
    [text(upTo(hex('41 e2 82')), { rsv: rsv1, ...more }), continuation(deflate(hex('ac 42')))],
    echoes([textMessage('A€B')]),
  ),
  compressedCase(
    'binary that is not UTF-8',
    [binary(deflate(hex('ff fe c0')), { rsv: rsv1 })],
    echoes([binaryMessage(hex('ff fe c0'))]),
  ),
];

// ---- Limits ----------------------------------------------------------------------------------------------------------

const zeros = (size) => deflate(Buffer.alloc(size), { level: 1 });
const inPieces = zeros(peerLimit + 70_000);
const most = Buffer.alloc(peerLimit);
const beyond = (title, send, messages) => compressedCase(title, send, fails(1009, messages), { isLimit: true });
const limits = [
  compressedCase('inflates to 16 MiB', [compressed('binary', most)], echoes([binaryMessage(most)]), { isLimit: true }),
  beyond('inflates to 16 MiB and a byte', [binary(zeros(peerLimit + 1), { rsv: rsv1 })]),
  beyond('text that inflates to 16 MiB and a byte', [text(zeros(peerLimit + 1), { rsv: rsv1 })]),
  beyond('inflates to 48 MiB', [binary(zeros(3 * peerLimit), { rsv: rsv1 })]),
  beyond('inflates to 16 MiB and a byte in fragments, and the rest later', [
    ...inFragments(binary, continuation, inPieces, [5000, 5000, inPieces.length - 10_010], undefined).slice(0, -1),
    { hold: true },
    continuation(inPieces.subarray(-10)),
  ]),
  beyond(
    'a message, then one that inflates to 17 MiB',
    [compressed('text', hello), binary(zeros(17 * MiB), { rsv: rsv1 })],
    [textMessage(hello)],
  ),
];

export const compression = [
  ...contentNames.flatMap((content, index) =>
    number(
      `12.${index + 1}`,
      messageSizes.map(([size, fragmentSize]) => exchange(content, size, fragmentSize)),
    ),
  ),
  ...number('12.6', forms),
  ...number('12.7', reservedBits),
  ...number('12.8', corruptData),
  ...number('12.9', [...utf8, ...cutText]),
  ...number('12.10', limits),
];

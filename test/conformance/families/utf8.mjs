// 6: text messages that are UTF-8 and those that are not, which have to fail at the first bad byte.
//
// From 6.5 on, each sequence comes in four forms; the last part of the id is the form:
//   1  a message of one frame
//   2  a fragment for each octet; when it is bad, pings show that the message was good up to the first bad octet, and
//      the message does not end
//   3  one frame, octet-wise
//   4  inside a longer text: when it is good, a fragment for each octet with an answered ping behind each; when it is
//      bad, one frame of which nothing behind the first bad octet is sent
import { firstBadByte } from '../runner/utf8.mjs';
import { continuation, echoes, fails, makeCase, more, number, ping, text, textMessage } from './case.mjs';
import { groups } from './utf8-sequences.mjs';

/** Fragments of one octet each. */
const octets = (bytes, last = { fin: true }) =>
  Array.from(bytes, (_, i) => {
    const octet = bytes.subarray(i, i + 1);
    const options = i < bytes.length - 1 ? more : last;
    return i === 0 ? text(octet, options) : continuation(octet, options);
  });

/** A ping behind each frame, answered before the next one. */
const withPings = (frames) => frames.flatMap((frame, i) => [frame, ping(`${i}`), { await: { pongs: i + 1 } }]);
const pongsTo = (count) => Array.from({ length: count }, (_, i) => `${i}`);

const before = 'text in front, 0123456789 €: ';
const behind = Buffer.from(', and text behind');

function goodForms(bytes) {
  const embedded = Buffer.concat([Buffer.from(before), bytes, behind]);
  const forms = [
    ['one frame', [text(bytes)], echoes([textMessage(bytes)])],
    ['a fragment for each octet', octets(bytes), echoes([textMessage(bytes)])],
    ['octet-wise', [text(bytes)], echoes([textMessage(bytes)]), { chop: 1 }],
    [
      'in a text, a fragment and a ping for each octet',
      withPings(octets(embedded, more)).concat(continuation()),
      echoes([textMessage(embedded)], pongsTo(embedded.length)),
    ],
  ];
  return forms;
}

function badForms(bytes) {
  // What ends inside a character is bad only when the message ends, or when the next octet is none of the character's.
  const bad = firstBadByte(bytes);
  const isCut = bad === bytes.length;
  const embedded = Buffer.concat([Buffer.from(before), bytes, behind]);
  const stop = firstBadByte(embedded) + 1;
  const good = withPings(octets(bytes.subarray(0, bad), more));
  const badOctet = isCut ? [] : [bytes.subarray(bad, bad + 1)];
  const rest = badOctet.map((octet) => (bad === 0 ? text(octet, more) : continuation(octet, more)));
  return [
    ['one frame', [text(bytes)], fails(1007)],
    [
      'a fragment for each octet',
      isCut ? [...good, continuation()] : [...good, ...rest, { hold: true }, continuation()],
      fails(1007, [], pongsTo(bad)),
    ],
    ['octet-wise', [text(bytes)], fails(1007), { chop: 1 }],
    ['in a frame that goes on', [text(embedded, { stopAfter: { payload: stop } })], fails(1007)],
  ];
}

const sequenceCases = groups.flatMap(({ id, title, valid, sequences }) =>
  sequences.flatMap((hex, index) => {
    const bytes = Buffer.from(hex, 'hex');
    const isGood = firstBadByte(bytes) === undefined;
    if (valid !== undefined && valid !== isGood) throw new Error(`${id}.${index + 1} ${hex}: not what the table says`);
    const shown = hex.length > 24 ? `${hex.slice(0, 24)}…` : hex;
    return number(
      `${id}.${index + 1}`,
      (isGood ? goodForms(bytes) : badForms(bytes)).map(([form, ...rest]) =>
        makeCase(`${title}: ${shown}, ${form}`, ...rest),
      ),
    );
  }),
);

// ---- 6.1 to 6.4 ------------------------------------------------------------------------------------------------------

const good = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!');
const half = Buffer.byteLength('Hello-µ@ßöä');
const short = Buffer.from('κόσμε');
/** A surrogate in the middle, and a character beyond U+10FFFF. */
const surrogate = [short, Buffer.from('eda080', 'hex'), Buffer.from('edited')];
const beyond = [short, Buffer.from('f490', 'hex'), Buffer.from('8080edited', 'hex')];
const bad = Buffer.concat(surrogate);
const badOctets = octets(bad.subarray(0, firstBadByte(bad) + 1), more);
const offsetOfBad = (parts) => firstBadByte(Buffer.concat(parts));

const inThreeFragments = ([first, second, third]) => [
  text(first, more),
  ping('so far'),
  { await: { pongs: 1 } },
  continuation(second, more),
  { hold: true },
  continuation(third),
];
const inOneFrame = (parts) => [text(Buffer.concat(parts), { stopAfter: { payload: offsetOfBad(parts) + 1 } })];

const basic = [
  ...number('6.1', [
    makeCase('empty text', [text()], echoes([textMessage('')])),
    makeCase('3 empty fragments', [text('', more), continuation('', more), continuation()], echoes([textMessage('')])),
    makeCase(
      '3 fragments, only the middle one with text',
      [text('', more), continuation('middle frame payload', more), continuation()],
      echoes([textMessage('middle frame payload')]),
    ),
  ]),
  ...number('6.2', [
    makeCase('valid text in one frame', [text(good)], echoes([textMessage(good)])),
    makeCase(
      'valid text in 2 fragments, cut between characters',
      [text(good.subarray(0, half), more), continuation(good.subarray(half))],
      echoes([textMessage(good)]),
    ),
    makeCase('valid text, a fragment for each octet', octets(good), echoes([textMessage(good)])),
    makeCase('κόσμε, a fragment for each octet', octets(short), echoes([textMessage(short)])),
    makeCase('κόσμε, a frame and a TCP write for each octet', octets(short), echoes([textMessage(short)]), {
      perFrame: true,
    }),
    makeCase('text that begins with a byte order mark', [text('\ufeffmark')], echoes([textMessage('\ufeffmark')])),
  ]),
  ...number('6.3', [
    makeCase('text with a surrogate, one frame', [text(bad)], fails(1007)),
    makeCase(
      'text with a surrogate, a fragment for each octet',
      [...badOctets, { hold: true }, continuation()],
      fails(1007),
      {
        perFrame: true,
      },
    ),
  ]),
  ...number('6.4', [
    makeCase('a surrogate in the second of 3 fragments', inThreeFragments(surrogate), fails(1007, [], ['so far'])),
    makeCase('half of F4 90 80 80 in the second of 3 fragments', inThreeFragments(beyond), fails(1007, [], ['so far'])),
    makeCase('a surrogate in a frame that goes on', inOneFrame(surrogate), fails(1007)),
    makeCase('F4 90 in a frame that goes on', inOneFrame(beyond), fails(1007)),
    makeCase(
      'F4 90 in front of 128 KiB, which are not sent',
      [text(Buffer.concat([Buffer.from('f490', 'hex'), Buffer.alloc(131_072, 'x')]), { stopAfter: { payload: 2 } })],
      fails(1007),
    ),
    makeCase(
      '64 KiB of text, then 80, in a frame that goes on',
      [
        text(Buffer.concat([Buffer.alloc(65_529, '€'), Buffer.from('807878', 'hex')]), {
          stopAfter: { payload: 65_530 },
        }),
      ],
      fails(1007),
    ),
    makeCase(
      '80 as the first octet of a continuation that goes on',
      [text(good, more), continuation(Buffer.from('8078', 'hex'), { stopAfter: { payload: 1 } })],
      fails(1007),
    ),
    makeCase(
      'a text ends inside a character, a message follows',
      [text('x'), text(Buffer.from('e282', 'hex')), text('y')],
      fails(1007, [textMessage('x')]),
    ),
  ]),
];

export const utf8 = [...basic, ...sequenceCases];

// 1: frames of every length format, whole and cut into TCP writes; 1.3: wrong masks and lengths.
import {
  binary,
  binaryMessage,
  close,
  continuation,
  echoes,
  fails,
  makeCase,
  more,
  number,
  ping,
  text,
} from './case.mjs';
import { textMessage } from './case.mjs';

const sizes = [0, 125, 126, 127, 128, 65_535, 65_536];
/** Bytes of each TCP write. */
const chops = { small: [1, 3, 16], large: [61, 997, 1460, 16_384, 65_535] };

const kinds = [
  ['text', text, textMessage],
  ['binary', binary, binaryMessage],
];

const whole = kinds.map(([kind, frame, message], index) => {
  const payloadOf = (size) => (size === 0 ? '' : { [kind]: size });
  const make = (size, chop) =>
    makeCase(
      `${kind} message of ${size} bytes${chop === undefined ? '' : `, in TCP writes of ${chop}`}`,
      [frame(payloadOf(size))],
      echoes([message(payloadOf(size))]),
      { chop },
    );
  return number(`1.${index + 1}`, [
    ...sizes.map((size) => make(size)),
    make(65_536, 997),
    ...sizes
      .flatMap((size) => (size < 1000 ? chops.small : chops.large).map((chop) => [size, chop]))
      .map(([size, chop]) => make(size, chop)),
  ]);
});

const firstTwoBytes = { stopAfter: { header: 2 } };
const wrongMask = { wrongMask: true };
const masks = [
  makeCase('text with the wrong mask bit', [text('wrong', wrongMask)], fails(1002)),
  makeCase('empty text with the wrong mask bit', [text('', wrongMask)], fails(1002)),
  makeCase('ping with the wrong mask bit', [ping('wrong', wrongMask)], fails(1002)),
  makeCase('Close frame with the wrong mask bit', [close(1000, '', wrongMask)], fails(1002)),
  makeCase(
    'the second fragment has the wrong mask bit',
    [text('first', more), continuation('second', wrongMask)],
    fails(1002),
  ),
  makeCase(
    'the mask bit is wrong, its frame is incomplete',
    [text('wrong', { ...wrongMask, ...firstTwoBytes })],
    fails(1002),
  ),
];

/** The RFC asks senders for the shortest form, and does not say what a receiver does with another one. */
const lengths = [
  [0, 2],
  [1, 2],
  [125, 2],
  [0, 8],
  [125, 8],
  [126, 8],
  [65_535, 8],
].map(([size, lengthSize]) =>
  makeCase(
    `text of ${size} bytes, its length in ${lengthSize} bytes`,
    [text({ text: size }, { lengthSize })],
    { ...fails(1002), accepted: [textMessage({ text: size })] },
    { lenient: ['accepted'] },
  ),
);

const tooLong = [1n << 63n, (1n << 64n) - 1n].map((declaredLength) =>
  makeCase(
    `a header that says ${declaredLength} bytes`,
    [binary('', { declaredLength, lengthSize: 8, stopAfter: { header: 10 } })],
    fails(1002),
    { lenientStatus: [1009] },
  ),
);

export const framing = [...whole.flat(), ...number('1.3', [...masks, ...lengths, ...tooLong])];

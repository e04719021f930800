// 3: bits that no extension gave a meaning.
import { binary, close, continuation, fails, makeCase, more, number, ping, pong, text, textMessage } from './case.mjs';

const hello = 'Hello, world!';
const echoed = [textMessage(hello)];
const rsvs = [1, 2, 3, 4, 5, 6, 7];
const behind = ping('behind');

const basic = [
  makeCase('text with RSV 1', [text(hello, { rsv: 1 })], fails(1002)),
  makeCase(
    'text, then text with RSV 2 and a ping',
    [text(hello), text(hello, { rsv: 2 }), behind],
    fails(1002, echoed),
  ),
  makeCase(
    'text, then text with RSV 3 and a ping, frame by frame',
    [text(hello), text(hello, { rsv: 3 }), behind],
    fails(1002, echoed),
    { perFrame: true },
  ),
  makeCase(
    'text, then text with RSV 4 and a ping, octet-wise',
    [text(hello), text(hello, { rsv: 4 }), behind],
    fails(1002, echoed),
    { chop: 1 },
  ),
  makeCase('binary with RSV 5', [binary(hello, { rsv: 5 })], fails(1002)),
  makeCase('ping with RSV 6', [ping(hello, { rsv: 6 })], fails(1002)),
  makeCase('Close frame with RSV 7', [close(1000, '', { rsv: 7 })], fails(1002)),
];

/** Every frame with every combination, of which only the first byte is sent. */
const firstByte = [
  ['text', text('12')],
  ['binary', binary('12')],
  ['continuation', continuation('12'), text('begun', more)],
  ['Close', close(1000)],
  ['ping', ping('12')],
  ['pong', pong('12')],
].flatMap(([name, frame, ...before], index) =>
  number(
    `3.${basic.length + 1 + index}`,
    rsvs.map((rsv) =>
      makeCase(
        `first byte of a ${name} frame with RSV ${rsv}`,
        [...before, { ...frame, rsv, stopAfter: { header: 1 } }],
        fails(1002),
      ),
    ),
  ),
);

export const reservedBits = [...number('3', basic), ...firstByte];

// 4: opcodes that no specification gave a meaning.
import { continuation, fails, makeCase, more, number, ping, text, textMessage } from './case.mjs';

const hello = 'Hello, world!';
const echoed = [textMessage(hello)];
const behind = ping('behind');

/** The five cases of a group; `first` is its lowest opcode. */
const group = (first) => {
  const frame = (offset, payload, options) => ({ opcode: first + offset, payload, ...options });
  return [
    makeCase(`opcode ${first}`, [frame(0)], fails(1002)),
    makeCase(`opcode ${first + 1} with payload`, [frame(1, 'reserved')], fails(1002)),
    makeCase(`text, then opcode ${first + 2} and a ping`, [text(hello), frame(2), behind], fails(1002, echoed)),
    makeCase(
      `text, then opcode ${first + 3} with payload and a ping`,
      [text(hello), frame(3, 'reserved'), behind],
      fails(1002, echoed),
    ),
    makeCase(
      `text, then opcode ${first + 4} with payload and a ping, octet-wise`,
      [text(hello), frame(4, 'reserved'), behind],
      fails(1002, echoed),
      { chop: 1 },
    ),
  ];
};

const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

export const opcodes = [
  ...number('4.1', group(3)),
  ...number('4.2', group(11)),
  ...number(
    '4.3',
    reserved.map((opcode) =>
      makeCase(`first byte of opcode ${opcode}`, [{ opcode, payload: 'rest', stopAfter: { header: 1 } }], fails(1002)),
    ),
  ),
  ...number(
    '4.4',
    reserved.map((opcode) =>
      makeCase(
        `opcode ${opcode} inside a fragmented message`,
        [text('begun', more), { opcode, payload: 'reserved' }, continuation('end')],
        fails(1002),
      ),
    ),
  ),
  ...number(
    '4.5',
    reserved.map((opcode) =>
      makeCase(`opcode ${opcode} without FIN`, [{ opcode, ...more }, continuation('end')], fails(1002)),
    ),
  ),
];

// 5: messages in fragments, control frames between them, and every wrong order.
import {
  binary,
  binaryMessage,
  continuation,
  echoes,
  fails,
  makeCase,
  more,
  number,
  ping,
  pong,
  text,
} from './case.mjs';
import { close, textMessage } from './case.mjs';
import { bytesOf } from '../runner/frames.mjs';

const paces = [
  ['', {}],
  [', frame by frame', { perFrame: true }],
  [', octet-wise', { chop: 1 }],
];
/** The same at once, with a TCP write for each frame, and for each octet. */
const paced = (title, send, expect) =>
  paces.map(([suffix, options]) => makeCase(title + suffix, send, expect, options));

const first = text('fragment1', more);
const second = continuation('fragment2');
const joined = [textMessage('fragment1fragment2')];
const onePing = ping('ping payload');
const unexpected = 'non-continuation payload';

const five = [
  text('fragment1', more),
  continuation('fragment2', more),
  ping('pongme 1!'),
  continuation('fragment3', more),
  continuation('fragment4', more),
  ping('pongme 2!'),
  continuation('fragment5'),
];
const fiveEchoed = echoes([textMessage('fragment1fragment2fragment3fragment4fragment5')], ['pongme 1!', 'pongme 2!']);
const fiveAwaited = five.flatMap((frame, i) =>
  i === 2 ? [frame, { await: { pongs: 1 } }] : i === 5 ? [frame, { await: { pongs: 2 } }] : [frame],
);

const asInAutobahn = [
  makeCase('ping in 2 fragments', [ping('fragment1', more), second], fails(1002)),
  makeCase('pong in 2 fragments', [pong('fragment1', more), second], fails(1002)),
  ...paced('text in 2 fragments', [first, second], echoes(joined)),
  ...paced('text in 2 fragments, a ping between', [first, onePing, second], echoes(joined, ['ping payload'])),
  ...paced('a last continuation of nothing, then text', [continuation(unexpected), text('Hello')], fails(1002)),
  ...paced('a continuation of nothing, then text', [continuation(unexpected, more), text('Hello')], fails(1002)),
  makeCase(
    'text in 2 fragments, a continuation of nothing, then text',
    [first, second, continuation('fragment3', more), text('fragment4')],
    fails(1002, joined),
  ),
  makeCase(
    'twice: a continuation of nothing and a text in 2 fragments',
    [1, 2].flatMap(() => [continuation('fragment1', more), text('fragment2', more), continuation('fragment3')]),
    fails(1002),
    { perFrame: true },
  ),
  makeCase(
    'twice: a last continuation of nothing and a text in 2 fragments',
    [1, 2].flatMap(() => [continuation('fragment1'), text('fragment2', more), continuation('fragment3')]),
    fails(1002),
    { perFrame: true },
  ),
  makeCase('text begins inside a text', [first, text('fragment2')], fails(1002)),
  makeCase('text in 5 fragments with 2 pings, each awaited', fiveAwaited, fiveEchoed),
  makeCase('text in 5 fragments with 2 pings', five, fiveEchoed, { perFrame: true, lenient: ['coalesced'] }),
];

/** A message with so many fragments in its middle. */
const pinged = (count) => [
  binary('x', more),
  ...Array.from({ length: count }, () => [continuation('x', more), ping('1')]).flat(),
  continuation('x'),
];

const notUtf8 = Buffer.from('00ff80', 'hex');
const further = [
  ...paced(
    'binary in 2 fragments',
    [binary(notUtf8, more), continuation(notUtf8)],
    echoes([binaryMessage(Buffer.concat([notUtf8, notUtf8]))]),
  ),
  ...paced('text in 5 fragments with 2 pings', fiveAwaited, fiveEchoed),
  makeCase('unsolicited pong between fragments', [first, pong('pong'), second], echoes(joined)),
  makeCase('binary begins inside a text', [first, binary('fragment2')], fails(1002)),
  makeCase('text begins inside a binary', [binary('fragment1', more), text('fragment2')], fails(1002)),
  makeCase('a fragmented text begins inside a text', [first, text('fragment2', more)], fails(1002)),
  makeCase(
    'text begins inside a text, only its first byte',
    [first, text('fragment2', { stopAfter: { header: 1 } })],
    fails(1002),
  ),
  makeCase('first byte of a continuation of nothing', [continuation('end', { stopAfter: { header: 1 } })], fails(1002)),
  makeCase('first byte of a fragmented ping', [ping('ping', { ...more, stopAfter: { header: 1 } })], fails(1002)),
  makeCase('first byte of a fragmented pong', [pong('pong', { ...more, stopAfter: { header: 1 } })], fails(1002)),
  makeCase('first byte of a fragmented Close', [close(1000, '', { ...more, stopAfter: { header: 1 } })], fails(1002)),
  makeCase('fragmented ping between fragments', [first, ping('1', more), continuation('2'), second], fails(1002)),
  makeCase('continuation behind a finished message', [first, second, continuation('end')], fails(1002, joined)),
  makeCase(
    'continuation behind an unfragmented message',
    [text('whole'), continuation('end')],
    fails(1002, [textMessage('whole')]),
  ),
  makeCase('first fragment empty', [text('', more), continuation('end')], echoes([textMessage('end')])),
  makeCase('last fragment empty', [text('begin', more), continuation('')], echoes([textMessage('begin')])),
  makeCase(
    'all fragments of a binary empty',
    [binary('', more), continuation('', more), continuation('')],
    echoes([binaryMessage('')]),
  ),
  makeCase(
    '1,000 empty fragments',
    [text('a', more), ...Array.from({ length: 1000 }, () => continuation('', more)), continuation('b')],
    echoes([textMessage('ab')]),
  ),
  makeCase(
    '1,000 fragments of one byte with a ping behind each',
    pinged(1000),
    echoes(
      [binaryMessage('x'.repeat(1002))],
      Array.from({ length: 1000 }, () => '1'),
    ),
    { lenient: ['coalesced'] },
  ),
  makeCase(
    '50 fragments of one byte with a ping behind each, octet-wise',
    pinged(50),
    echoes(
      [binaryMessage('x'.repeat(52))],
      Array.from({ length: 50 }, () => '1'),
    ),
    { chop: 1, lenient: ['coalesced'] },
  ),
  makeCase(
    'fragments of every length format',
    [binary({ binary: 125 }, more), continuation({ binary: 126 }, more), continuation({ binary: 65_536 })],
    echoes([binaryMessage(Buffer.concat([125, 126, 65_536].map((size) => bytesOf({ binary: size }))))]),
  ),
  makeCase(
    'fragmented messages one behind the other',
    Array.from({ length: 50 }, (_, i) => [
      (i % 2 === 0 ? text : binary)(`begin ${i} `, more),
      continuation('middle ', more),
      continuation('end'),
    ]).flat(),
    echoes(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? textMessage : binaryMessage)(`begin ${i} middle end`))),
  ),
];

export const fragmentation = number('5', [...asInAutobahn, ...further]);

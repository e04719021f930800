// 7: Close frames: status codes, reasons, and what comes around them.
import { bytesOf } from '../runner/frames.mjs';
import { firstBadByte } from '../runner/utf8.mjs';
import {
  answersClose,
  binary,
  binaryMessage,
  close,
  continuation,
  fails,
  makeCase,
  more,
  number,
  ping,
} from './case.mjs';
import { pong, text, textMessage } from './case.mjs';
import { groups } from './utf8-sequences.mjs';

const hello = text('Hello World!');
const helloMessage = textMessage('Hello World!');
const large = { text: 256 * 1024 };

/** What arrives at a socket that is closed is answered with a reset by TCP itself. */
const behind = { mayReset: true };

const around = number('7.1', [
  makeCase('a message, then Close', [hello, close(1000)], answersClose(1000, [helloMessage])),
  makeCase('Close twice', [close(1000), close(1000)], answersClose(1000), behind),
  makeCase('ping behind Close', [close(1000), ping('late')], answersClose(1000), behind),
  makeCase('text behind Close', [close(1000), hello], answersClose(1000), behind),
  makeCase(
    'Close between 2 fragments',
    [text('fragment1', more), close(1000), continuation('fragment2')],
    answersClose(1000),
    behind,
  ),
  makeCase(
    'text of 256 KiB, Close, ping',
    [text(large), close(1000), ping('late')],
    answersClose(1000, [textMessage(large)]),
    behind,
  ),
  makeCase('Close twice with other codes', [close(1001), close(3000)], answersClose(1001), behind),
  makeCase('pong behind Close', [close(1000), pong('late')], answersClose(1000), behind),
  makeCase('binary behind Close', [close(1000), binary('late')], answersClose(1000), behind),
  makeCase('text behind Close, in TCP writes of their own', [close(1000), hello], answersClose(1000), {
    ...behind,
    perFrame: true,
  }),
  makeCase('text behind Close, octet-wise', [close(1000), hello], answersClose(1000), { ...behind, chop: 1 }),
  makeCase(
    'a broken frame behind Close',
    [close(1000), { opcode: 7, payload: 'reserved', rsv: 7 }],
    answersClose(1000),
    behind,
  ),
  makeCase('64 KiB behind Close', [close(1000), binary({ binary: 65_536 })], answersClose(1000), behind),
  makeCase(
    'half a frame behind Close',
    [close(1000), text('0123456789', { declaredLength: 20n })],
    answersClose(1000),
    behind,
  ),
  makeCase(
    '10 messages and pings, then Close',
    [...Array.from({ length: 10 }, (_, i) => [text(`message ${i}`), ping(`${i}`)]).flat(), close(1000)],
    answersClose(
      1000,
      Array.from({ length: 10 }, (_, i) => textMessage(`message ${i}`)),
      Array.from({ length: 10 }, (_, i) => `${i}`),
    ),
    { lenient: ['coalesced'] },
  ),
  makeCase(
    'a message in fragments, then Close, octet-wise',
    [binary('one', more), continuation('two'), close(1000, 'done')],
    answersClose(1000, [binaryMessage('onetwo')]),
    { chop: 1 },
  ),
]);

const reason = (size) => bytesOf({ text: size });
const payloads = number('7.3', [
  makeCase('Close without payload', [close('')], answersClose(1005)),
  makeCase('Close of 1 byte', [close('a')], fails(1002)),
  makeCase('Close with a code', [close(1000)], answersClose(1000)),
  makeCase('Close with a code and a reason', [close(1000, 'Hello World!')], answersClose(1000)),
  makeCase('reason of 123 bytes', [close(1000, reason(123))], answersClose(1000)),
  makeCase('reason of 124 bytes', [close(1000, reason(124))], fails(1002)),
  ...[1, 2, 3, 61, 62, 121, 122].map((size) =>
    makeCase(`reason of ${size} bytes`, [close(1000, reason(size))], answersClose(1000)),
  ),
  makeCase('reason of 123 bytes, octet-wise', [close(3000, reason(123))], answersClose(3000), { chop: 1 }),
  makeCase('reason of 125 bytes', [close(1000, reason(125))], fails(1002)),
  makeCase('reason of 65,536 bytes', [close(1000, reason(65_536))], fails(1002)),
  makeCase(
    'reason of 124 bytes, only its length',
    [close(1000, reason(124), { stopAfter: { header: 2 } })],
    fails(1002),
  ),
  makeCase('Close of 1 byte, octet-wise', [close('a')], fails(1002), { chop: 1 }),
  makeCase('Close without payload, octet-wise', [close('')], answersClose(1005), { chop: 1 }),
  makeCase('Close without FIN', [close(1000, '', more)], fails(1002)),
  makeCase('Close without FIN, then its continuation', [close(1000, '', more), continuation('bye')], fails(1002)),
  makeCase('reason with NUL', [close(1000, 'a\0b')], answersClose(1000)),
]);

const valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999, 1012, 1013, 1014];
const invalid = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 1, 125, 126, 1015, 1017, 1999];
const undefinedCodes = [5000, 65_535, 5001, 32_768, 10_000];

const codes = [
  ...number(
    '7.7',
    valid.map((status) => makeCase(`code ${status}`, [close(status)], answersClose(status))),
  ),
  ...number(
    '7.8',
    valid.map((status) => makeCase(`code ${status} with a reason`, [close(status, 'reason €')], answersClose(status))),
  ),
  ...number(
    '7.9',
    invalid.map((status) => makeCase(`invalid code ${status}`, [close(status)], fails(1002))),
  ),
  ...number(
    '7.10',
    invalid.map((status) => makeCase(`invalid code ${status} with a reason`, [close(status, 'reason')], fails(1002))),
  ),
  ...number(
    '7.13',
    undefinedCodes.map((status) => makeCase(`code ${status}, beyond all`, [close(status)], fails(1002))),
  ),
];

/** Kuhn's sequences as reasons. */
const reasons = groups.flatMap(({ title, sequences }) =>
  sequences
    .map((hex) => ({ title, bytes: Buffer.from(hex, 'hex') }))
    .filter(({ bytes }) => bytes.length <= 123)
    .map((one) => ({ ...one, isGood: firstBadByte(one.bytes) === undefined })),
);
const shown = ({ title, bytes }) => `${title}: ${bytes.toString('hex').slice(0, 24)}`;

const textReasons = [
  ...number('7.5', [
    makeCase(
      'a reason that is not UTF-8',
      [hello, close(1000, Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex'))],
      fails(1007, [helloMessage]),
    ),
    ...reasons
      .filter((one) => !one.isGood)
      .map((one) => makeCase(`bad reason, ${shown(one)}`, [close(1000, one.bytes)], fails(1007))),
  ]),
  ...number(
    '7.6',
    reasons
      .filter((one) => one.isGood)
      .map((one) => makeCase(`good reason, ${shown(one)}`, [close(1000, one.bytes)], answersClose(1000))),
  ),
];

export const closing = [...around, ...payloads, ...textReasons, ...codes];

// 2: pings and pongs.
import { close, continuation, echoes, fails, makeCase, more, number, ping, pong, text, textMessage } from './case.mjs';
import { answersClose, binary, binaryMessage } from './case.mjs';

const notText = Buffer.from('00fffefdfcfb00ff', 'hex');
const largest = { binary: 125 };
const ten = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
const everyLength = Array.from({ length: 126 }, (_, size) => ({ binary: size }));
const everyFourth = everyLength.filter((_, size) => size % 4 === 0);
const firstTwoBytes = { stopAfter: { header: 2 } };
const coalesced = { lenient: ['coalesced'] }; // RFC 6455, 5.5.3: only the most recent ping may be answered

export const pings = number('2', [
  makeCase('ping without payload', [ping()], echoes([], [''])),
  makeCase('ping with text', [ping('Hello, world!')], echoes([], ['Hello, world!'])),
  makeCase('ping with bytes that are not UTF-8', [ping(notText)], echoes([], [notText])),
  makeCase('ping of 125 bytes', [ping(largest)], echoes([], [largest])),
  makeCase('ping of 126 bytes', [ping({ binary: 126 })], fails(1002)),
  makeCase('ping of 125 bytes, octet-wise', [ping(largest)], echoes([], [largest]), { chop: 1 }),
  makeCase('unsolicited pong without payload', [pong()], echoes([])),
  makeCase('unsolicited pong with payload', [pong('unsolicited')], echoes([])),
  makeCase('unsolicited pong, then a ping', [pong('unsolicited'), ping('ping')], echoes([], ['ping'])),
  makeCase(
    '10 pings',
    ten.map((one) => ping(one)),
    echoes([], ten),
    coalesced,
  ),
  makeCase(
    '10 pings, octet-wise',
    ten.map((one) => ping(one)),
    echoes([], ten),
    { chop: 1, ...coalesced },
  ),
  makeCase(
    'pings of 0 to 125 bytes, each when the one before was answered',
    everyLength.flatMap((payload, i) => [ping(payload), { await: { pongs: i + 1 } }]),
    echoes([], everyLength),
  ),
  makeCase(
    'pings of 0 to 125 bytes at once',
    everyLength.map((one) => ping(one)),
    echoes([], everyLength),
    coalesced,
  ),
  makeCase(
    'pings of 0, 4 and so on to 124 bytes, in TCP writes of 7',
    everyFourth.map((one) => ping(one)),
    echoes([], everyFourth),
    { chop: 7, ...coalesced },
  ),
  makeCase(
    'unsolicited pongs of 0 to 125 bytes',
    everyLength.map((one) => pong(one)),
    echoes([]),
  ),
  makeCase('pong of 126 bytes', [pong({ binary: 126 })], fails(1002)),
  makeCase('ping of 126 bytes, only its length', [ping({ binary: 126 }, firstTwoBytes)], fails(1002)),
  makeCase('pong of 126 bytes, only its length', [pong({ binary: 126 }, firstTwoBytes)], fails(1002)),
  makeCase('ping of 65,536 bytes, only its length', [ping({ binary: 65_536 }, firstTwoBytes)], fails(1002)),
  makeCase(
    'ping with its length of 5 in 2 bytes',
    [ping('12345', { lengthSize: 2 })],
    { ...fails(1002), accepted: [] },
    {
      lenient: ['accepted'],
    },
  ),
  makeCase(
    'pings between messages',
    [text('one'), ping('1'), binary('two'), ping('2'), text('three'), ping('3')],
    echoes([textMessage('one'), binaryMessage('two'), textMessage('three')], ['1', '2', '3']),
    coalesced,
  ),
  makeCase(
    'a ping inside a fragmented message is answered before its end',
    [text('be', more), ping(notText), { await: { pongs: 1 } }, continuation('gun')],
    echoes([textMessage('begun')], [notText]),
  ),
  makeCase('ping right before a Close frame', [ping('last'), close(1000)], answersClose(1000, [], ['last'])),
  makeCase(
    '1,000 unsolicited pongs, then a message',
    [...Array.from({ length: 1000 }, () => pong({ binary: 125 })), text('behind')],
    echoes([textMessage('behind')]),
  ),
]);

// 13: the negotiation of permessage-deflate (RFC 7692, 7.1). 13.1 to 13.7 are Autobahn's parameters and sizes; what follows
// is not Autobahn's: all windows, who keeps a context, and offers and answers that are wrong.
import { echoes, fails, makeCase, number, text, textMessage } from './case.mjs';
import { compressed, compressedCase, exchange, messageSizes, rsv1 } from './compressed-case.mjs';

const name = 'permessage-deflate';
const withParameters = (...parameters) => [name, ...parameters].join('; ');
const hello = 'Hello, world!';

// ---- Autobahn's ------------------------------------------------------------------------------------------------------

/** The offer as a client, and the answer as a server. @type {[string, string][]} */
const autobahn = [
  [withParameters('client_max_window_bits'), name],
  [
    withParameters('client_max_window_bits', 'server_no_context_takeover'),
    withParameters('client_no_context_takeover'),
  ],
  ...[8, 15].map((bits) => [
    withParameters('client_max_window_bits', `server_max_window_bits=${bits}`),
    withParameters(`client_max_window_bits=${bits}`),
  ]),
  ...[8, 15].map((bits) => [
    withParameters('client_max_window_bits', 'server_no_context_takeover', `server_max_window_bits=${bits}`),
    withParameters('client_no_context_takeover', `client_max_window_bits=${bits}`),
  ]),
  [
    [
      withParameters('client_max_window_bits', 'server_no_context_takeover', 'server_max_window_bits=8'),
      withParameters('client_max_window_bits', 'server_no_context_takeover'),
      withParameters('client_max_window_bits'),
    ].join(', '),
    withParameters('client_no_context_takeover', 'client_max_window_bits=8', 'server_no_context_takeover'),
  ],
];

// ---- Windows and contexts --------------------------------------------------------------------------------------------

/** Repeats at a distance that every window up to its own size misses. */
const windows = [8, 9, 10, 11, 12, 13, 14, 15].flatMap((bits) =>
  [
    [`server_max_window_bits=${bits}`],
    [`client_max_window_bits=${bits}`],
    [`server_max_window_bits=${bits}`, `client_max_window_bits=${bits}`],
  ].map((parameters) =>
    exchange('json', 20_000, undefined, {
      deflate: {
        offers: [withParameters(...parameters)],
        answer: withParameters(...parameters),
      },
    }),
  ),
);
const noTakeover = [
  [],
  ['server_no_context_takeover'],
  ['client_no_context_takeover'],
  ['server_no_context_takeover', 'client_no_context_takeover'],
];
const contexts = noTakeover.flatMap((parameters) => {
  const deflate = { offers: [withParameters(...parameters)], answer: withParameters(...parameters) };
  const dense = { content: 'dense', at: 0, size: 2000 };
  return [
    exchange('dense', 2000, undefined, { deflate }),
    exchange('prose', 10_000, 700, { deflate }),
    compressedCase(
      '50 × the same message',
      [compressed('binary', dense, { times: 50 })],
      echoes([{ type: 'binary', payload: dense, times: 50 }]),
      { deflate },
    ),
  ];
});
const withoutContext = (role, parameter) => ({
  ...compressedCase(
    `a reference to the message before, although ${parameter} was agreed`,
    [text(Buffer.from('f248cdc9c90700', 'hex'), { rsv: rsv1 }), text(Buffer.from('f200110000', 'hex'), { rsv: rsv1 })],
    { ...fails(1007, [textMessage('Hello')]), accepted: [textMessage('Hello'), textMessage('Hello')] },
    { deflate: { offers: [withParameters(parameter)], answer: withParameters(parameter) }, lenient: ['accepted'] },
  ),
  role,
});
/** Of a server, whose answer may leave the parameter out, that is not wrong. */
const lostContexts = [withoutContext('client', 'server_no_context_takeover')];

// ---- Offers ----------------------------------------------------------------------------------------------------------

const goodOffers = [
  ['with a quoted value', [withParameters('server_max_window_bits="10"')]],
  ['with blanks', [`${name} ;  server_max_window_bits=10 ;client_no_context_takeover`]],
  ['behind an unknown extension', [`x-unknown; foo=1, ${name}`]],
  ['in a field of its own', ['x-unknown', name]],
  ['behind one with an unknown parameter', [`${withParameters('foo')}, ${name}`]],
  ['behind one with a wrong value, in another field', [withParameters('server_max_window_bits=16'), name]],
  ['of every parameter', [withParameters(...noTakeover[3], 'server_max_window_bits=12', 'client_max_window_bits=12')]],
  ['of the largest windows', [withParameters('client_max_window_bits=15', 'server_max_window_bits=15')]],
];
const wrongValues = ['7', '16', '0', '08', '1', '100', '-9', '9.0', '0x9', 'nine', '"7"'];
/** The grammar is right. @type {string[][]} */
const wrongParameters = [
  ...wrongValues.map((value) => [`server_max_window_bits=${value}`]),
  ...wrongValues.map((value) => [`client_max_window_bits=${value}`]),
  ['server_max_window_bits'],
  ['server_max_window_bits=10', 'server_max_window_bits=10'],
  ['client_max_window_bits=10', 'client_max_window_bits=10'],
  ['server_no_context_takeover', 'server_no_context_takeover'],
  ['client_no_context_takeover', 'client_no_context_takeover'],
  ['server_no_context_takeover=1'],
  ['client_no_context_takeover=true'],
  ['unknown'],
  ['unknown=1'],
  ['client_max_window_bit'],
];
const onlyForClients = [['client_max_window_bits', 'client_max_window_bits']];
const badGrammar = [
  'server_max_window_bits=',
  'server_max_window_bits=""',
  'server_max_window_bits="10',
  'server_max_window_bits=1 0',
  '',
  '=10',
  'a b',
];
const declined = (offer) => ({ offers: [offer], answer: offer, declines: true });

const offers = [
  ...goodOffers.map(([how, fields]) =>
    compressedCase(`an offer ${how}`, [compressed('text', hello)], echoes([textMessage(hello)]), {
      deflate: { offers: fields, answer: undefined },
      role: 'server',
    }),
  ),
];
const wrongOffers = [...wrongParameters, ...onlyForClients].map((parameters) =>
  makeCase(`declines ${parameters.join('; ')}`, [text(hello)], echoes([textMessage(hello)]), {
    deflate: declined(withParameters(...parameters)),
    role: 'server',
  }),
);
const uninvited = [
  ['text', 4],
  ['text', 5],
  ['binary', 4],
].map(([kind, rsv]) =>
  makeCase(
    `${kind} with RSV ${rsv} behind an offer that was declined`,
    [{ ...text('12', { rsv, stopAfter: { header: 1 } }), opcode: kind === 'text' ? 1 : 2 }],
    fails(1002),
    { deflate: declined(withParameters('unknown')), role: 'server' },
  ),
);
const failsHandshake = { messages: [], pongs: [], close: { by: 'handshake' } };
const refusedOffers = badGrammar.map((parameter) =>
  makeCase(`refuses "${parameter}", which is no parameter`, [text(hello)], failsHandshake, {
    deflate: declined(withParameters(parameter)),
    role: 'server',
  }),
);

// ---- Answers ---------------------------------------------------------------------------------------------------------

const wrongAnswers = [
  ...wrongParameters.map((parameters) => withParameters(...parameters)),
  withParameters('client_max_window_bits'),
  ...badGrammar.map((parameter) => withParameters(parameter)),
  'x-unknown',
  `${name}, x-unknown`,
  `${name}, ${name}`,
].map((answer) =>
  makeCase(`fails an answer of ${answer}`, [text(hello)], failsHandshake, {
    deflate: { offers: [], answer },
    role: 'client',
  }),
);

export const compressionOffers = [
  ...autobahn.flatMap(([offer, answer], index) =>
    number(
      `13.${index + 1}`,
      messageSizes.map(([size, fragmentSize]) =>
        exchange('json', size, fragmentSize, { deflate: { offers: [offer], answer } }),
      ),
    ),
  ),
  ...number('13.8', windows),
  ...number('13.9', [...contexts, ...lostContexts]),
  ...number('13.10', offers),
  ...number('13.11', [...wrongOffers, ...uninvited]),
  ...number('13.12', refusedOffers),
  ...number('13.13', wrongAnswers),
];

// Byte sequences at the borders of UTF-8, in the order of Markus Kuhn's decoder stress test and with Autobahn's numbers.
// Each group has an id, a title and sequences in hexadecimal; `valid` is what RFC 3629 says of them.

const everyByte = (from, to, behind = '') =>
  Array.from({ length: to - from + 1 }, (_, i) => (from + i).toString(16) + behind).join('');
const encoded = (...codePoints) => codePoints.map((one) => Buffer.from(String.fromCodePoint(one)).toString('hex'));
const kosme = Buffer.from('κόσμε');

const lastByteMissing = [
  'c0',
  'e080',
  'f08080',
  'f8808080',
  'fc80808080',
  'df',
  'efbf',
  'f7bfbf',
  'fbbfbfbf',
  'fdbfbfbfbf',
];

/** @type {{ id: string, title: string, valid: boolean, sequences: string[] }[]} */
export const groups = [
  {
    id: '6.5',
    title: 'text with a character of each length',
    valid: true,
    sequences: ['$', '¢', '€', '𤭢']
      .map((one) => Buffer.from(`hello${one}world`).toString('hex'))
      .concat(kosme.toString('hex')),
  },
  {
    id: '6.6',
    title: 'beginnings of κόσμε',
    valid: undefined, // those that end with a character
    sequences: Array.from({ length: kosme.length }, (_, i) => kosme.subarray(0, i + 1).toString('hex')),
  },
  { id: '6.7', title: 'first sequence of each length', valid: true, sequences: encoded(0, 0x80, 0x800, 0x1_0000) },
  { id: '6.8', title: 'first sequence of 5 and 6 bytes', valid: false, sequences: ['f888808080', 'fc8480808080'] },
  {
    id: '6.9',
    title: 'last sequence of each length',
    valid: true,
    sequences: encoded(0x7f, 0x7ff, 0xffff, 0x10_ffff),
  },
  {
    id: '6.10',
    title: 'last sequence of 4, 5 and 6 bytes',
    valid: false,
    sequences: ['f7bfbfbf', 'fbbfbfbfbf', 'fdbfbfbfbfbf'],
  },
  {
    id: '6.11',
    title: 'other boundaries',
    valid: undefined, // the last one is not
    sequences: ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf', 'f4908080'],
  },
  {
    id: '6.12',
    title: 'unexpected continuation bytes',
    valid: false,
    sequences: ['80', 'bf', '80bf', '80bf80', '80bf80bf', '80bf80bf80', '80bf80bf80bf', everyByte(0x80, 0xbf)].concat(
      '80bf80bf80bf80',
    ),
  },
  {
    id: '6.13',
    title: 'lonely start bytes',
    valid: false,
    sequences: [
      [0xc0, 0xdf],
      [0xe0, 0xef],
      [0xf0, 0xf7],
      [0xf8, 0xfb],
      [0xfc, 0xfd],
    ].map(([from, to]) => everyByte(from, to, '20')),
  },
  { id: '6.14', title: 'the last byte is missing', valid: false, sequences: lastByteMissing },
  { id: '6.15', title: 'all of these in a row', valid: false, sequences: [lastByteMissing.join('')] },
  { id: '6.16', title: 'impossible bytes', valid: false, sequences: ['fe', 'ff', 'fefeffff'] },
  {
    id: '6.17',
    title: 'overlong slash',
    valid: false,
    sequences: ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'],
  },
  {
    id: '6.18',
    title: 'longest overlong sequences',
    valid: false,
    sequences: ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf'],
  },
  {
    id: '6.19',
    title: 'overlong NUL',
    valid: false,
    sequences: ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080'],
  },
  {
    id: '6.20',
    title: 'single surrogates',
    valid: false,
    sequences: ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf'],
  },
  {
    id: '6.21',
    title: 'surrogate pairs',
    valid: false,
    sequences: ['eda080', 'edadbf', 'edae80', 'edafbf'].flatMap((high) => [`${high}edb080`, `${high}edbfbf`]),
  },
  {
    id: '6.22',
    title: 'noncharacters, which are allowed',
    valid: true,
    sequences: Array.from({ length: 17 }, (_, plane) => [plane * 0x1_0000 + 0xfffe, plane * 0x1_0000 + 0xffff]).flatMap(
      (pair) => encoded(...pair),
    ),
  },
  {
    id: '6.23',
    title: 'specials',
    valid: true,
    sequences: encoded(0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff),
  },
];

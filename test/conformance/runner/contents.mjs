// What compressed messages are made of: five kinds of content, from text that shrinks to a tenth to data that hardly
// shrinks. Made here, always the same; 256 KiB of each, so that pieces of them repeat only beyond every window.
const size = 256 * 1024;

/** Numbers below `limit`, the same in every run (xorshift). */
function makeRandom(seed) {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const syllables = [
  'an',
  'be',
  'che',
  'der',
  'ein',
  'fünf',
  'gro',
  'hei',
  'ist',
  'kö',
  'lich',
  'men',
  'nu',
  'ßer',
  'wal',
];

function makeWords(random) {
  return Array.from({ length: 700 }, () =>
    Array.from({ length: 1 + random(4) }, () => syllables[random(syllables.length)]).join(''),
  );
}

/** Pieces of text up to the size. */
function gather(makePiece) {
  let text = '';
  while (text.length < size) text += makePiece();
  return Buffer.from(text).subarray(0, size);
}

const makers = {
  prose() {
    const random = makeRandom(1);
    const words = makeWords(random);
    return gather(() => words[random(8) === 0 ? random(700) : random(90)] + (random(9) === 0 ? '.\r\n' : ' '));
  },
  bitmap() {
    const random = makeRandom(2);
    return Buffer.from(
      Array.from({ length: size }, (_, i) => ((i % 512) / 4 + Math.sin(i / 9000) * 60 + random(6) + 60) & 255),
    );
  },
  dense() {
    const random = makeRandom(3);
    return Buffer.from(Array.from({ length: size }, (_, i) => (i % 1024 < 40 ? 32 + (i % 7) : random(256))));
  },
  json() {
    const random = makeRandom(4);
    return gather(() => {
      const names = ['"alpha"', '"beta"', '"gamma"', '"delta"'];
      const position = `{"x":${random(10_000)},"y":${random(10_000) / 100}}`;
      return `{"id":${random(1e9)},"name":${names[random(4)]},"active":${random(2) === 0},"position":${position}},`;
    });
  },
  html() {
    const random = makeRandom(5);
    const words = makeWords(random).map((word) => word.replace(/[^a-z]/g, 'e'));
    const text = () => Array.from({ length: 3 + random(12) }, () => words[random(300)]).join(' ');
    return gather(() => `<div class="row c${random(9)}"><a href="/page/${random(1e6)}">${text()}</a></div>\n`);
  },
};

export const contentNames = Object.keys(makers);
/** Those that are text wherever they are cut. */
export const asciiContents = ['json', 'html'];

const made = new Map();

/** So many bytes of a content from a place on; it begins again at its end. @returns {Buffer} */
export function sliceOf(name, at, length) {
  if (!made.has(name)) made.set(name, makers[name]());
  const content = made.get(name);
  const from = at % size;
  const first = content.subarray(from, from + length);
  return first.length === length ? first : Buffer.concat([first, content.subarray(0, length - first.length)]);
}

// What the mixed soak sends, and how a receiver knows it: every message follows from its flow (one direction of one
// connection) and its number, so what is lost, doubled, reordered or altered differs from what is due.

const KiB = 1024;
const MiB = 1024 * KiB;

/** One of 2^32 numbers that depends on all of these. */
export function mix(...numbers) {
  let hash = 0x9e3779b9;
  for (const number of numbers) {
    hash = Math.imul(hash ^ number, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/** Random numbers that follow from a seed (the generator is known as mulberry32). */
export class Random {
  #state;

  constructor(...seed) {
    this.#state = mix(...seed);
  }

  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }

  /** A whole number from 0 to below the end. */
  below(end) {
    return this.next() % end;
  }

  chance(share) {
    return this.next() < share * 2 ** 32;
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}

// ---- Messages ---------------------------------------------------------------------------------------------------------

/** How many of a hundred messages have at most so many bytes or characters. */
const sizes = [
  [4, 0],
  [50, 200],
  [28, 4 * KiB],
  [10, 20 * KiB],
  [4, 70 * KiB],
  [3, 200 * KiB],
  [1, MiB],
].flatMap(([share, most], i, all) => Array(share).fill([i === 0 ? 0 : all[i - 1][1], most]));

const source = new Random(1);
const words = Array.from({ length: 500 }, () => source.next().toString(36));
/** Half of it can be compressed. */
const bytePool = Buffer.concat([
  Buffer.from(Uint32Array.from({ length: MiB / 4 }, () => source.next()).buffer),
  Buffer.from(Array.from({ length: MiB / 4 }, () => source.pick(words)).join(' ')).subarray(0, MiB),
]);
/** Characters of one to three bytes. */
const textPool = Array.from({ length: MiB / 4 }, () => source.pick(words) + source.pick([' ', ' ', 'é', '€']))
  .join('')
  .slice(0, MiB + MiB / 4);
const binaryHeader = 8;

/** What a message is made of. */
function contentsOf(flow, number) {
  const random = new Random(flow, number);
  const [least, most] = random.pick(sizes);
  const size = least + random.below(most - least + 1);
  const isBinary = random.chance(0.5);
  const pool = isBinary ? bytePool : textPool;
  return { size, isBinary, at: random.below(pool.length - size + 1) };
}

/** The message of a flow that has this number. @returns {{ data: Buffer | string, isBinary: boolean }} */
export function messageOf(flow, number) {
  const { size, isBinary, at } = contentsOf(flow, number);
  if (size === 0) return { data: isBinary ? Buffer.alloc(0) : '', isBinary };
  if (!isBinary) return { data: `${flow}:${number}:${textPool.slice(at, at + size)}`, isBinary };
  const data = Buffer.allocUnsafe(binaryHeader + size);
  data.writeUInt32BE(flow, 0);
  data.writeUInt32BE(number, 4);
  bytePool.copy(data, binaryHeader, at, at + size);
  return { data, isBinary };
}

/** A message to all connections. */
export function broadcastOf(number) {
  return `broadcast:${number}:${textPool.slice(number % 1000, (number % 1000) + ((number * 97) % 9000))}`;
}

/** What a message says that it is, for people. */
function nameOf(data, isBinary) {
  if (data.length === 0) return `an empty ${isBinary ? 'binary' : 'text'} message`;
  const label = isBinary
    ? data.length < binaryHeader || `${data.readUInt32BE(0)}:${data.readUInt32BE(4)}`
    : /^\w+:\d+/.exec(data.toString('utf8', 0, 40))?.[0];
  return `a ${isBinary ? 'binary' : 'text'} message of ${data.length} bytes, labelled ${label}`;
}

/** Compares what arrives on a connection with what is due. */
export class Receiver {
  /** Messages that came, those to all apart. */
  received = 0;
  broadcasts = 0;
  /** What was wrong; empty on a good connection. */
  problems = [];
  #flow;
  #nextBroadcast;

  constructor(flow) {
    this.#flow = flow;
  }

  /** @param {Buffer | string} message */
  accept(message, isBinary) {
    const data = typeof message === 'string' ? Buffer.from(message) : message;
    if (!isBinary && data.subarray(0, 10).equals(broadcastMark)) return this.#acceptBroadcast(data.toString());
    const number = this.received++;
    const due = messageOf(this.#flow, number);
    const isRight = isBinary === due.isBinary && (isBinary ? due.data.equals(data) : due.data === data.toString());
    if (!isRight) {
      this.note(`${nameOf(data, isBinary)}, came where ${this.#flow}:${number} (${due.data.length}) was due`);
    }
  }

  #acceptBroadcast(text) {
    const number = Number(text.split(':', 2)[1]);
    if (text !== broadcastOf(number)) this.note(`broadcast ${number} is altered`);
    if (this.broadcasts > 0 && number !== this.#nextBroadcast) {
      this.note(`broadcast ${number} came where ${this.#nextBroadcast} was due`);
    }
    this.#nextBroadcast = number + 1;
    this.broadcasts++;
  }

  /** Adds to what was wrong; the first few of a connection say it all. */
  note(problem) {
    if (this.problems.length < 3) this.problems.push(problem);
  }
}

const broadcastMark = Buffer.from('broadcast:');

/** Checks the answers to pings, which carry increasing numbers; some pings may share one (RFC 6455, 5.5.3). */
export class Pings {
  #sent = 0;
  #answered = 0;
  #receiver;

  constructor(receiver) {
    this.#receiver = receiver;
  }

  /** The payload of the next ping. */
  next() {
    return String(++this.#sent);
  }

  answered(payload) {
    const number = Number(payload);
    if (!(number > this.#answered && number <= this.#sent)) {
      this.#receiver.note(`a pong with "${payload}" behind ${this.#answered} of ${this.#sent}`);
    }
    this.#answered = number;
  }
}

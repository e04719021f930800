// What is measured. The letters are those of docs and issues; `load` are options of the load generator
// (bench/load/options.h). `bars`: how many times cheaper than ws this package has to be at least, and aims to be.

const echo = (connections, inFlight, size, more = {}) => ({
  mode: 'echo',
  task: 'echo',
  load: { connections, 'in-flight': inFlight, size },
  ...more,
});
/** Compressed JSON, the same level and windows for every library. */
const deflated = (scenario, options = {}) => ({
  ...scenario,
  task: 'deflated',
  load: { ...scenario.load, deflate: 1, size: 1024, ...options },
});
const strings = (scenario) => ({ ...scenario, task: 'strings', load: { ...scenario.load, text: 1 } });
const client = (scenario) => ({ ...scenario, mode: 'echo-server', task: undefined });

/** The class of the WHATWG standard may be 15 % dearer than the main class with the same program. */
const whatwgBar = 0.87;

export const scenarios = {
  a: { title: '1 connection, 64 B, ping-pong', ...echo(1, 1, 64), bars: { native: 1.2, aim: 1.35 } },
  b: { title: '100 × 1 in flight, 64 B', ...echo(100, 1, 64), bars: { native: 1.5, aim: 1.65 } },
  c: {
    title: '100 × 64 in flight, 20 B',
    ...echo(100, 64, 20),
    bars: { native: 20, aim: 35, stream: 15, corked: 3, corkedAim: 4.5 },
  },
  cs: { title: '100 × 64 in flight, 20 B, strings', ...strings(echo(100, 64, 20)), bars: { native: 20, aim: 30 } },
  k: { title: '100 × 16 in flight, 1 KiB', ...echo(100, 16, 1024), bars: { native: 8, aim: 13 } },
  d: {
    title: '10 × 1 in flight, 64 KiB',
    ...echo(10, 1, 65536),
    bars: { native: 4.5, aim: 5.5, borrow: 5.5, borrowAim: 7 },
  },
  d8: { title: '10 × 8 in flight, 64 KiB', ...echo(10, 8, 65536), bars: { native: 4.5, aim: 5.5 } },
  e: { title: '1 × 1 in flight, 16 MiB', ...echo(1, 1, 16 << 20), bars: { native: 3.5, aim: 4 } },
  z: {
    title: '50 × 4 in flight, 1 KiB of JSON compressed, without context takeover',
    ...deflated(echo(50, 4)),
    bars: { native: 4, aim: 5 },
  },
  zt: {
    title: '50 × 4 in flight, 1 KiB of JSON compressed, with context takeover',
    ...deflated(echo(50, 4), { takeover: 1 }),
    bars: { native: 4, aim: 5 },
  },
  zr: {
    title: '50 × 4 in flight, 1 KiB of JSON compressed, with context takeover, little changes',
    ...deflated(echo(50, 4), { takeover: 1, repeats: 1 }),
    bars: { native: 4, aim: 5 },
  },
  f: {
    title: 'broadcast to 1,000, 1 KiB, per delivery',
    mode: 'broadcast',
    task: 'broadcast',
    load: { connections: 1000, size: 1024 },
    bars: { native: 1.15, aim: 1.3 },
  },
  h: {
    title: 'connect, upgrade, close',
    mode: 'handshake',
    task: 'accept',
    load: { connections: 32 },
    warmupFactor: 4, // a round touches more code than a message: V8 takes longer to compile it all
    bars: { native: 1.2, aim: 1.4 },
  },
  'client-c': {
    title: 'client: 100 × 64 in flight, 20 B',
    ...client(echo(100, 64, 20)),
    bars: { native: 10, aim: 17.5, stream: 7.5, whatwg: whatwgBar },
  },
  'client-cs': {
    title: 'client: 100 × 64 in flight, 20 B, text',
    ...client(strings(echo(100, 64, 20))),
    bars: { whatwg: whatwgBar },
  },
  'client-d': {
    title: 'client: 10 × 1 in flight, 64 KiB',
    ...client(echo(10, 1, 65536)),
    bars: { native: 2.25, aim: 2.75, whatwg: whatwgBar },
  },
  idle: {
    title: 'idle connections, KiB of memory each',
    mode: 'idle',
    task: 'accept',
    load: {},
    steps: [5000, 15000],
    limits: { atFirst: 5, slope: 3, atFirstAim: 3.5, slopeAim: 2 },
  },
  'idle-z': {
    title: 'idle connections that exchanged a compressed message, KiB of memory each',
    mode: 'idle',
    ...deflated({}, { takeover: 1 }),
    steps: [2000, 4000],
    bars: { native: 3 },
  },
};

/** What the stream transport has to reach where a scenario says nothing of it. */
export const streamBar = 0.95;

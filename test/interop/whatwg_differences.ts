// What Chromium's classes and ours give differently in whatwg_cases.js, and why.

interface Difference {
  /** The name of the case. */
  name: string;
  theirs: unknown;
  ours: unknown;
  reason: string;
}

const clamp = "Web IDL's [Clamp] rounds to the nearest integer; Chromium cuts off";
const additions = "an object that is no list holds Node's additions";
const abortReason = "the standard rejects with the signal's reason; Chromium with an AbortError of its own";

export const differences: Difference[] = [
  {
    name: 'new WebSocket("ws://a b")',
    theirs: 'ws://a%20b/',
    ours: 'throws SyntaxError',
    reason: 'the URL standard forbids a space in a host; Chromium encodes it',
  },
  { name: 'protocols {}', theirs: 'throws SyntaxError', ours: 0, reason: additions },
  { name: 'protocols {"0":"a","length":1}', theirs: 'throws SyntaxError', ours: 0, reason: additions },
  { name: 'close(2999.5) while connecting', theirs: 'throws InvalidAccessError', ours: 2, reason: clamp },
  { name: 'WebSocketError: a code between two', theirs: 3000, ours: 3001, reason: clamp },
  {
    name: 'events: a reason alone',
    theirs: 'throws InvalidAccessError',
    ours: [1000, 'r'],
    reason: 'the standard has no error for it; its text for both classes sends 1000',
  },
  {
    name: 'CloseEvent: a lone surrogate',
    theirs: 'd800',
    ours: 'fffd',
    reason: 'a USVString has none; Chromium keeps it',
  },
  {
    name: 'the phase of an event in the microtask of its listener',
    theirs: 2,
    ours: 0,
    reason: "Node's EventTarget runs microtasks after the last listener, a browser's after each",
  },
  {
    name: 'stream: the class of a binary chunk',
    theirs: 'ArrayBuffer',
    ours: 'Uint8Array',
    reason: 'the standard says Uint8Array; Chromium has an earlier draft',
  },
  {
    name: 'stream: a signal that was aborted',
    theirs: ['AbortError', 'AbortError'],
    ours: ['RangeError', 'RangeError'],
    reason: abortReason,
  },
  {
    name: 'stream: a signal while connecting',
    theirs: ['AbortError', 'AbortError'],
    ours: ['RangeError', 'RangeError'],
    reason: abortReason,
  },
];

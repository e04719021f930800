// The interface definitions of the WebSockets standard as data, and how a value gets to each place that converts it.
import { CloseEvent, WebSocket, WebSocketError, WebSocketStream } from '../../lib/whatwg';
import { afterTest } from '../lib/support';

/** A constructor, getter or method, called with whatever a test likes. */
export type AnyClass = new (...args: unknown[]) => Record<string, unknown>;

interface Argument {
  name: string;
  isOptional?: boolean;
}

interface Attribute {
  name: string;
  type: 'string' | 'number' | 'boolean' | 'EventHandler' | 'enumeration' | 'promise' | 'number or null';
  isReadonly: boolean;
}

export interface InterfaceDefinition {
  name: string;
  object: AnyClass;
  inherits: object;
  constructorArguments: Argument[];
  constants: Record<string, number>;
  attributes: Attribute[];
  operations: { name: string; arguments: Argument[] }[];
  /** An object that is nobody's. */
  make: () => Record<string, unknown>;
}

/** A socket that never asks the network: the port is a bad one. */
export const nowhere = 'ws://127.0.0.1:1/';

export function idleSocket(): WebSocket {
  const socket = new WebSocket(nowhere);
  afterTest(() => new Promise((resolve) => (socket.readyState === 3 ? resolve(0) : (socket.onclose = resolve))));
  return socket;
}

const readonly = (type: Attribute['type'], ...names: string[]): Attribute[] =>
  names.map((name) => ({ name, type, isReadonly: true }));
const writable = (type: Attribute['type'], ...names: string[]): Attribute[] =>
  names.map((name) => ({ name, type, isReadonly: false }));
const required = (name: string): Argument => ({ name });
const optional = (name: string): Argument => ({ name, isOptional: true });

export const definitions: InterfaceDefinition[] = [
  {
    name: 'WebSocket',
    object: WebSocket as unknown as AnyClass,
    inherits: EventTarget,
    constructorArguments: [required('url'), optional('protocols')],
    constants: { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 },
    attributes: [
      ...readonly('string', 'url', 'extensions', 'protocol'),
      ...readonly('number', 'readyState', 'bufferedAmount'),
      ...writable('EventHandler', 'onopen', 'onerror', 'onclose', 'onmessage'),
      ...writable('enumeration', 'binaryType'),
    ],
    operations: [
      { name: 'close', arguments: [optional('code'), optional('reason')] },
      { name: 'send', arguments: [required('data')] },
    ],
    make: () => idleSocket() as unknown as Record<string, unknown>,
  },
  {
    name: 'WebSocketStream',
    object: WebSocketStream as unknown as AnyClass,
    inherits: Function.prototype,
    constructorArguments: [required('url'), optional('options')],
    constants: {},
    attributes: [...readonly('string', 'url'), ...readonly('promise', 'opened', 'closed')],
    operations: [{ name: 'close', arguments: [optional('closeInfo')] }],
    make: () => new WebSocketStream(nowhere) as unknown as Record<string, unknown>,
  },
  {
    name: 'WebSocketError',
    object: WebSocketError as unknown as AnyClass,
    inherits: DOMException,
    constructorArguments: [optional('message'), optional('init')],
    constants: {},
    attributes: [...readonly('number or null', 'closeCode'), ...readonly('string', 'reason')],
    operations: [],
    make: () => new WebSocketError() as unknown as Record<string, unknown>,
  },
  {
    name: 'CloseEvent',
    object: CloseEvent as unknown as AnyClass,
    inherits: Event,
    constructorArguments: [required('type'), optional('eventInitDict')],
    constants: {},
    attributes: [...readonly('boolean', 'wasClean'), ...readonly('number', 'code'), ...readonly('string', 'reason')],
    operations: [],
    make: () => new CloseEvent('close') as unknown as Record<string, unknown>,
  },
];

// ---- Conversions --------------------------------------------------------------------------------------------------------

/** Values and what they become; Error: a TypeError. */
export type Table = [value: unknown, result: unknown][];

const texts: Table = [
  ['plain', 'plain'],
  ['', ''],
  [12, '12'],
  [null, 'null'],
  [true, 'true'],
  [12n, '12'],
  [{ toString: () => 'made' }, 'made'],
  [['a', 'b'], 'a,b'],
  [Symbol('s'), Error],
  [{ toString: () => ({}), valueOf: () => ({}) }, Error],
];

const shorts: Table = [
  [3000, 3000],
  ['3001', 3001],
  [{ valueOf: () => 3002 }, 3002],
  [3000n, Error],
  [Symbol('s'), Error],
];

/** The tables of Web IDL's types. */
export const tables = {
  DOMString: [...texts, ['\ud800', '\ud800']],
  USVString: [...texts, ['a\ud800b', 'a\ufffdb'], ['\udc00', '\ufffd'], ['\ud83d\ude00', '\ud83d\ude00']],
  'unsigned short': [
    ...shorts,
    [65_536 + 7, 7],
    [-1, 65_535],
    [3000.9, 3000],
    [NaN, 0],
    [Infinity, 0],
    [undefined, 0],
    [null, 0],
  ],
  '[Clamp] unsigned short': [
    ...shorts,
    [3000.4, 3000],
    [3000.5, 3000],
    [3001.5, 3002],
    [2999.5, 3000],
    [4999.4, 4999],
    [999.6, 1000],
  ],
  boolean: [
    [true, true],
    [1, true],
    ['', false],
    [null, false],
    [{}, true],
    [Symbol('s'), true],
  ],
  object: [
    [5, Error],
    ['text', Error],
    [true, Error],
    [Symbol('s'), Error],
    [null, undefined],
    [undefined, undefined],
    [() => {}, undefined],
  ],
} satisfies Record<string, Table>;

/** For places that show nothing of what a value became. */
function nothing(made: object): undefined {
  expect(made).toBeDefined();
}

/** Every place of the standard that converts a value: its type, and what a value becomes there. */
export const places: { place: string; type: keyof typeof tables; convert: (value: unknown) => unknown }[] = [
  {
    place: 'CloseEvent: code',
    type: 'unsigned short',
    convert: (code) => (code === undefined ? 0 : new CloseEvent('x', { code } as never).code),
  },
  {
    place: 'CloseEvent: reason',
    type: 'USVString',
    convert: (reason) => new CloseEvent('x', { reason } as never).reason,
  },
  {
    place: 'CloseEvent: wasClean',
    type: 'boolean',
    convert: (wasClean) => new CloseEvent('x', { wasClean } as never).wasClean,
  },
  { place: 'CloseEvent: type', type: 'DOMString', convert: (type) => new CloseEvent(type as never).type },
  {
    place: 'CloseEvent: eventInitDict',
    type: 'object',
    convert: (init) => nothing(new CloseEvent('x', init as never)),
  },
  {
    place: 'WebSocketError: closeCode',
    type: '[Clamp] unsigned short',
    convert: (closeCode) => new WebSocketError('', { closeCode } as never).closeCode,
  },
  {
    place: 'WebSocketError: reason',
    type: 'USVString',
    convert: (reason) => new WebSocketError('', { reason } as never).reason,
  },
  {
    place: 'WebSocketError: message',
    type: 'DOMString',
    convert: (message) => new WebSocketError(message as never).message,
  },
  { place: 'WebSocketError: init', type: 'object', convert: (init) => nothing(new WebSocketError('', init as never)) },
  {
    place: 'WebSocket: url',
    type: 'USVString',
    convert: (value) => {
      const url = inQuery(value, (one) => new WebSocket(one as never).url);
      return decodeURIComponent(url);
    },
  },
  {
    place: 'WebSocketStream: url',
    type: 'USVString',
    convert: (value) => decodeURIComponent(inQuery(value, (one) => new WebSocketStream(one as never).url)),
  },
  {
    place: 'WebSocketStream: options',
    type: 'object',
    convert: (options) => nothing(new WebSocketStream(nowhere, options as never)),
  },
  {
    place: 'WebSocketStream: closeInfo',
    type: 'object',
    convert: (info) => new WebSocketStream(nowhere).close(info as never),
  },
];

/** Passes the value as a part of a URL, converted where the URL is, and gives that part of the result. */
function inQuery(value: unknown, make: (url: unknown) => string): string {
  const prefix = `${nowhere}?`;
  const url = { toString: () => (prefix as unknown as { concat(value: unknown): string }).concat(value) };
  return make(url).slice(prefix.length);
}

// What programs can observe of the classes of the WebSockets standard. The same file runs in Chromium with the browser's
// own classes and in Node with ours; each case gives a value that JSON keeps. `api` has the classes, `url` is that of the
// server in whatwg_browser.test.ts, whose paths name what it does.
/* global AbortController, AbortSignal, Blob, DOMException, Event, MessageEvent */
'use strict';

/** A case: its name, and a function of (api, url). */
const cases = {};

const tell = (call) => {
  try {
    const value = call();
    return value === undefined ? 'undefined' : value;
  } catch (error) {
    return `throws ${error.name}`;
  }
};

/** Every event of a socket as text, with the state, and `-` where the microtasks of its listener have run. */
function observe(api, address, act = () => {}) {
  return new Promise((resolve) => {
    const socket = new api.WebSocket(address);
    const log = [];
    for (const type of ['open', 'message', 'error', 'close']) {
      socket.addEventListener(type, (event) => {
        const { data, code, reason, wasClean } = event;
        const more =
          type === 'message' ? ` ${data.size ?? data}` : type === 'close' ? ` ${code} ${reason} ${wasClean}` : '';
        log.push(`${type}${more} in ${socket.readyState}`);
        void Promise.resolve().then(() => log.push('-'));
        act(type, socket, log);
        if (type === 'close') setTimeout(() => resolve(log), 30);
      });
    }
    act('new', socket, log);
  });
}

function opened(api, address, protocols = []) {
  return new Promise((resolve, reject) => {
    const socket = new api.WebSocket(address, protocols);
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error(`${address} did not open`));
  });
}

const nextEvent = (socket, type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }));

// ---- The constructor ----------------------------------------------------------------------------------------------------

const addresses = [
  ...[
    'ws://a',
    'WSS://A:443/b c?d',
    'ws://a:80',
    'http://a/',
    'https://a:443/',
    'http://a:443',
    'ws://u:p@a/',
    'ws://[::1]/',
  ],
  ...[
    'ws://a/#',
    'ws://a/#b',
    '#',
    'http://a/?b#c',
    'ftp://a/',
    'about:blank',
    'mailto:a@b',
    'blob:x',
    'x',
    '/x',
    '?x',
    '',
    '//a',
  ],
  ...['ws://', 'ws://a b', 'ws://a:99999', 'ws:///a', 'ws://a\u00e4', 'ws://a/\ud800', null, 5, ' ws://a '],
];
for (const address of addresses) {
  cases[`new WebSocket(${JSON.stringify(address)})`] = ({ WebSocket }) => tell(() => new WebSocket(address).url);
}

const protocolLists = [
  ...['a', '', 'a b', 'a,b', '\u00e4', '!#$%&*+-.^_`|~', 'a/b', [], ['a', 'b'], ['a', 'a'], ['a', 'A'], [''], null, 5],
  ...[['a', null], {}, { 0: 'a', length: 1 }, [['a']]],
];
for (const list of protocolLists) {
  cases[`protocols ${JSON.stringify(list)}`] = ({ WebSocket }, url) =>
    tell(() => new WebSocket(`${url}/never`, list).readyState);
}
const oddProtocols = {
  undefined: () => undefined,
  'a set': () => new Set(['a', 'b']),
  'an object with toString': () => ({ toString: () => 'a' }),
  'a function': () => () => {},
  'a symbol': () => Symbol('s'),
  'a symbol in a list': () => [Symbol('s')],
  'an iterator that is none': () => ({ [Symbol.iterator]: 3 }),
  'a getter that throws': () => ({
    get [Symbol.iterator]() {
      throw new RangeError('mine');
    },
  }),
};
for (const [name, make] of Object.entries(oddProtocols)) {
  cases[`protocols: ${name}`] = ({ WebSocket }, url) => tell(() => new WebSocket(`${url}/never`, make()).readyState);
}
cases['the first protocol is chosen'] = async (api, url) => (await opened(api, `${url}/echo`, ['a', 'b'])).protocol;
cases['a new socket'] = ({ WebSocket }, url) => {
  const socket = new WebSocket(`${url}/never`);
  const { readyState, bufferedAmount, extensions, protocol, binaryType, onopen } = socket;
  return [readyState, bufferedAmount, extensions, protocol, binaryType, onopen];
};

// ---- Web IDL ------------------------------------------------------------------------------------------------------------

const describe = (object) =>
  Object.getOwnPropertyNames(object)
    .filter((name) => name !== 'prototype')
    .sort()
    .map((name) => {
      const { value, get, set, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(object, name);
      const what = typeof value === 'function' ? `function ${value.name} ${value.length}` : value;
      return [name, what, get?.name, get?.length, set?.name, set?.length, writable, enumerable, configurable]
        .map(String)
        .join();
    });
for (const name of ['WebSocket', 'WebSocketStream', 'WebSocketError', 'CloseEvent']) {
  cases[`${name}: members`] = (api) => [describe(api[name]), describe(api[name].prototype)];
  cases[`${name}: tag`] = (api) => {
    const tag = Object.getOwnPropertyDescriptor(api[name].prototype, Symbol.toStringTag);
    return [tag.value, tag.writable, tag.enumerable, tag.configurable];
  };
  cases[`${name}: without new`] = (api) => tell(() => api[name]('x'));
  cases[`${name}: without arguments`] = (api) => tell(() => typeof new api[name]());
}
cases['members of another object'] = (api, url) => {
  const socket = new api.WebSocket(`${url}/never`);
  const members = Object.entries(Object.getOwnPropertyDescriptors(api.WebSocket.prototype)).sort();
  return members.flatMap(([name, { get, set, value }]) =>
    name === 'constructor' || typeof value === 'number'
      ? []
      : [{}, undefined, Object.create(socket)].map((other) =>
          [
            get && tell(() => get.call(other)),
            set && tell(() => set.call(other, null)),
            value && tell(() => value.call(other, 'x')),
          ].join(),
        ),
  );
};
cases['binaryType'] = ({ WebSocket }, url) => {
  const socket = new WebSocket(`${url}/never`);
  return ['arraybuffer', 'x', null, 'blob', ''].map((type) => {
    socket.binaryType = type;
    return socket.binaryType;
  });
};
cases['event handlers'] = ({ WebSocket }, url) => {
  const socket = new WebSocket(`${url}/never`);
  return [null, undefined, 1, 'x', {}, () => {}, []].map((value) => {
    socket.onopen = value;
    return socket.onopen === value ? 'kept' : socket.onopen;
  });
};
cases['event handlers and listeners in order'] = ({ WebSocket }, url) => {
  const socket = new WebSocket(`${url}/never`);
  const log = [];
  socket.addEventListener('open', { handleEvent: () => log.push('object') });
  socket.onopen = () => log.push('never');
  socket.addEventListener('open', () => log.push('function'));
  socket.onopen = function (event) {
    log.push(this === socket, event.target === socket);
  };
  socket.dispatchEvent(new Event('open'));
  socket.onopen = null;
  socket.onopen = { handleEvent: () => log.push('never') };
  socket.dispatchEvent(new Event('open'));
  socket.onclose = () => false;
  log.push(socket.dispatchEvent(new Event('close', { cancelable: true })));
  return log;
};
const codes = [1000, 1001, 3000, 4999, 5000, 2999, 2999.4, 2999.5, 3000.6, '3000', null, NaN, -1, 1e9, true, [3000]];
for (const code of codes) {
  cases[`close(${JSON.stringify(code)}) while connecting`] = ({ WebSocket }, url) =>
    tell(() => {
      const socket = new WebSocket(`${url}/never`);
      socket.close(code);
      return socket.readyState;
    });
}
cases['close: other arguments'] = ({ WebSocket }, url) => {
  const close = (...args) =>
    tell(() => {
      const socket = new WebSocket(`${url}/never`);
      socket.close(...args);
      return socket.readyState;
    });
  return [
    ...[close(), close(undefined), close(undefined, undefined), close(1000, undefined), close(1000, null), close(1n)],
    ...[
      close(1000, 'x'.repeat(123)),
      close(1000, 'x'.repeat(124)),
      close(1000, '\u00e4'.repeat(62)),
      close(Symbol('s')),
    ],
    ...[close(1001, 'x'.repeat(124)), close(1000, Symbol('s'))],
  ];
};
cases['CloseEvent: conversions'] = ({ CloseEvent }) => {
  const inits = [{}, { code: 65536 + 7 }, { code: -1 }, { code: '12' }, { code: 1.9 }, { reason: null }];
  return [...inits, { wasClean: 1 }, undefined, null, { bubbles: true, cancelable: 1 }].map((init) => {
    const event = new CloseEvent('x', init);
    return [event.type, event.code, event.reason, event.wasClean, event.bubbles, event.cancelable, event.isTrusted];
  });
};
cases['CloseEvent: a lone surrogate'] = ({ CloseEvent }) =>
  new CloseEvent('x', { reason: '\ud800' }).reason.codePointAt(0).toString(16);
cases['CloseEvent: what it refuses'] = ({ CloseEvent }) =>
  [5, 'x', true, { code: Symbol('s') }, { code: 1n }, { reason: Symbol('s') }].map((init) =>
    tell(() => typeof new CloseEvent('x', init)),
  );
cases['WebSocketError'] = ({ WebSocketError }) => {
  const error = new WebSocketError('m', { closeCode: 3000, reason: 'r' });
  const { name, message, code, closeCode, reason } = error;
  const plain = new WebSocketError();
  const inits = [
    { reason: 'r' },
    { reason: '' },
    { closeCode: 1000 },
    { closeCode: '3000' },
    { closeCode: 70000 },
    { closeCode: 1001 },
  ];
  return [
    ...[name, message, code, closeCode, reason, error instanceof DOMException, error instanceof Error],
    ...[plain.message, plain.closeCode, plain.reason],
    ...[...inits, { reason: 'x'.repeat(124) }, null, undefined, 5].map((init) =>
      tell(() => new WebSocketError('m', init).closeCode),
    ),
  ];
};
cases['WebSocketError: a code between two'] = ({ WebSocketError }) =>
  new WebSocketError('', { closeCode: 3000.6 }).closeCode;

// ---- send ---------------------------------------------------------------------------------------------------------------

cases['send while connecting'] = ({ WebSocket }, url) => {
  const socket = new WebSocket(`${url}/never`);
  return [
    tell(() => socket.send('x')),
    tell(() => socket.send()),
    tell(() => socket.send(Symbol('s'))),
    socket.bufferedAmount,
  ];
};
cases['send: what comes back'] = async (api, url) => {
  const socket = await opened(api, `${url}/echo`);
  socket.binaryType = 'arraybuffer';
  const values = [
    '',
    'text',
    'a\ud800b',
    '\udc00',
    '\ud83d\ude00',
    '\ufeffx',
    5,
    null,
    undefined,
    {},
    [1, 2],
    true,
    12n,
  ];
  values.push(
    new ArrayBuffer(3),
    Uint8Array.of(1, 2, 3).subarray(1),
    new DataView(Uint8Array.of(7, 8).buffer, 1),
    new Blob(['blob']),
  );
  values.push(Object.create(ArrayBuffer.prototype), Object.create(Blob.prototype), new Blob([]));
  const back = [];
  for (const value of values) {
    const sent = tell(() => socket.send(value));
    if (sent !== 'undefined') {
      back.push(sent);
      continue;
    }
    const { data } = await nextEvent(socket, 'message');
    back.push(
      typeof data === 'string'
        ? `text ${[...data].map((c) => c.codePointAt(0).toString(16))}`
        : `bytes ${new Uint8Array(data)}`,
    );
  }
  socket.close();
  return back;
};
cases['send: resizable memory and symbols'] = async (api, url) => {
  const socket = await opened(api, `${url}/echo`);
  const memory = new ArrayBuffer(2, { maxByteLength: 4 });
  const results = [memory, new Uint8Array(memory), Symbol('s')].map((value) => tell(() => socket.send(value)));
  socket.close();
  return results;
};
cases['bufferedAmount'] = async (api, url) => {
  const socket = await opened(api, `${url}/echo`);
  const amounts = [];
  for (const value of [
    'text',
    '\u00e4',
    '\ud800',
    new ArrayBuffer(5),
    new Uint8Array(9).subarray(2),
    new Blob(['xy']),
  ]) {
    socket.send(value);
    amounts.push(socket.bufferedAmount);
  }
  await Promise.resolve();
  amounts.push(socket.bufferedAmount);
  while (socket.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  socket.close(3000, 'reason');
  amounts.push(socket.bufferedAmount);
  socket.send('text');
  amounts.push(socket.bufferedAmount);
  await nextEvent(socket, 'close');
  amounts.push(socket.bufferedAmount);
  socket.send(new Uint8Array(3));
  socket.send(new Blob(['x']));
  amounts.push(socket.bufferedAmount);
  return amounts;
};
cases['the phase of an event in the microtask of its listener'] = async (api, url) => {
  const socket = await opened(api, `${url}/echo`);
  socket.send('x');
  const { eventPhase } = await nextEvent(socket, 'message');
  socket.close();
  return eventPhase;
};
cases['a message event'] = async (api, url) => {
  const socket = await opened(api, `${url}/echo`);
  socket.send('x');
  const event = await nextEvent(socket, 'message');
  const { data, origin, lastEventId, source, ports, isTrusted, bubbles, cancelable, composed } = event;
  socket.close();
  return [
    ...[data, origin.replace(/\d+$/, ''), lastEventId, source, ports.length, isTrusted, bubbles, cancelable, composed],
    ...[Object.getPrototypeOf(event) === MessageEvent.prototype, Object.getOwnPropertyNames(event)],
  ];
};

// ---- The order of events ------------------------------------------------------------------------------------------------

for (const path of [
  'fin',
  'rst',
  'fault',
  'bad-utf8',
  'messages',
  '404',
  'redirect',
  'unasked-protocol',
  'closed',
  'no-status',
  'binary',
]) {
  cases[`events: ${path}`] = (api, url) => observe(api, `${url}/${path}`);
}
cases['events: a bad port'] = (api) => observe(api, 'ws://127.0.0.1:6000/');
cases['events: refused'] = (api) => observe(api, 'ws://127.0.0.1:2/');
cases['events: close while connecting'] = (api, url) =>
  observe(api, `${url}/never`, (type, socket, log) => {
    if (type !== 'new') return;
    socket.close();
    log.push(socket.readyState);
    void Promise.resolve().then(() => log.push('microtask of the program'));
  });
cases['events: close in open'] = (api, url) =>
  observe(api, `${url}/echo`, (type, socket) => type === 'open' && socket.close(3000, 'r'));
cases['events: close without a code'] = (api, url) =>
  observe(api, `${url}/echo`, (type, socket) => type === 'open' && socket.close());
cases['events: close in the first message'] = (api, url) =>
  observe(api, `${url}/messages`, (type, socket) => type === 'message' && socket.close());
cases['events: close, and the connection is lost'] = (api, url) =>
  observe(api, `${url}/lost-on-close`, (type, socket) => type === 'open' && socket.close());
cases['events: close, and a fault comes'] = (api, url) =>
  observe(api, `${url}/fault-on-close`, (type, socket) => type === 'open' && socket.close());
cases['events: a reason alone'] = async (api, url) => {
  const socket = await opened(api, `${url}/echo`);
  const result = tell(() => socket.close(undefined, 'r'));
  if (result !== 'undefined') return result;
  const { code, reason } = await nextEvent(socket, 'close');
  return [code, reason];
};
cases['events: send in open, answers in order'] = (api, url) =>
  observe(api, `${url}/echo`, (type, socket, log) => {
    if (type === 'open') for (const text of ['1', '2', '3']) socket.send(text);
    if (type === 'message' && log.filter((line) => line.startsWith('message')).length === 3) socket.close();
  });

// ---- WebSocketStream ----------------------------------------------------------------------------------------------------

const settled = async (promise) => {
  try {
    const value = await promise;
    return value.readable === undefined ? value : Object.keys(value);
  } catch (error) {
    return [error.name, error.closeCode, error.reason, error.constructor.name].map(String);
  }
};
for (const path of ['fin', 'fault', 'messages', '404', 'closed', 'no-status']) {
  cases[`stream: ${path}`] = async ({ WebSocketStream }, url) => {
    const stream = new WebSocketStream(`${url}/${path}`);
    return [await settled(stream.opened), await settled(stream.closed)];
  };
}
for (const info of [
  undefined,
  {},
  { closeCode: 3000 },
  { closeCode: 3000, reason: 'r' },
  { reason: 'r' },
  { reason: '' },
  { closeCode: 1001 },
  5,
]) {
  cases[`stream: close(${JSON.stringify(info)})`] = async ({ WebSocketStream }, url) => {
    const stream = new WebSocketStream(`${url}/echo`);
    await stream.opened;
    const result = tell(() => stream.close(info));
    if (result !== 'undefined') {
      stream.close();
      return result;
    }
    return settled(stream.closed);
  };
}
cases['stream: close while connecting'] = async ({ WebSocketStream }, url) => {
  const stream = new WebSocketStream(`${url}/never`);
  stream.close();
  return [await settled(stream.opened), await settled(stream.closed)];
};
cases['stream: the class of a binary chunk'] = async ({ WebSocketStream }, url) => {
  const stream = new WebSocketStream(`${url}/binary`);
  const { value } = await (await stream.opened).readable.getReader().read();
  return value.constructor.name;
};
cases['stream: chunks'] = async ({ WebSocketStream }, url) => {
  const stream = new WebSocketStream(`${url}/echo`);
  const { readable, writable } = await stream.opened;
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const back = [];
  for (const chunk of [
    'text',
    'a\ud800',
    Uint8Array.of(1, 2),
    new ArrayBuffer(2),
    new DataView(new ArrayBuffer(1)),
    5,
    null,
  ]) {
    await writer.write(chunk);
    const { value } = await reader.read();
    back.push(typeof value === 'string' ? value.replace('\ufffd', '?') : [...new Uint8Array(value)]);
  }
  stream.close();
  back.push(await settled(stream.closed), (await reader.read()).done, await writer.closed.catch((error) => error.name));
  return back;
};
for (const [name, make] of Object.entries({
  'an Error': () => new Error('x'),
  'what looks like an error': () => ({ closeCode: 3000, reason: 'r' }),
  'a WebSocketError': ({ WebSocketError }) => new WebSocketError('m', { closeCode: 3000, reason: 'r' }),
  nothing: () => undefined,
})) {
  cases[`stream: abort with ${name}`] = async (api, url) => {
    const stream = new api.WebSocketStream(`${url}/echo`);
    await (await stream.opened).writable.abort(make(api));
    return settled(stream.closed);
  };
  cases[`stream: cancel with ${name}`] = async (api, url) => {
    const stream = new api.WebSocketStream(`${url}/echo`);
    await (await stream.opened).readable.cancel(make(api));
    return settled(stream.closed);
  };
}
cases['stream: closing the writable'] = async ({ WebSocketStream }, url) => {
  const stream = new WebSocketStream(`${url}/echo`);
  const { writable } = await stream.opened;
  await writable.close();
  return settled(stream.closed);
};
cases['stream: options'] = ({ WebSocketStream }, url) =>
  [
    undefined,
    null,
    {},
    5,
    'x',
    { protocols: 'x' },
    { protocols: ['('] },
    { protocols: ['a', 'a'] },
    { signal: null },
    { signal: {} },
  ].map((options) => tell(() => typeof new WebSocketStream(`${url}/never`, options)));
cases['stream: a signal that was aborted'] = async ({ WebSocketStream }, url) => {
  const stream = new WebSocketStream(`${url}/never`, { signal: AbortSignal.abort(new RangeError('mine')) });
  return [(await settled(stream.opened))[0], (await settled(stream.closed))[0]];
};
cases['stream: a signal while connecting'] = async ({ WebSocketStream }, url) => {
  const aborting = new AbortController();
  const stream = new WebSocketStream(`${url}/never`, { signal: aborting.signal });
  aborting.abort(new RangeError('mine'));
  return [(await settled(stream.opened))[0], (await settled(stream.closed))[0]];
};

/** The class, with every object that it makes put into a list: Chromium makes one connection to a server at a time. */
function tracked(Class, made) {
  return new Proxy(Class, {
    construct(target, args) {
      const object = Reflect.construct(target, args);
      // Closing a stream whose signal was aborted crashes Chromium 156.
      if (args[1]?.signal === undefined) made.push(object);
      return object;
    },
  });
}

/** Runs every case: what each gave, by name. */
async function runCases(api, url) {
  const results = {};
  for (const [name, run] of Object.entries(cases)) {
    const made = [];
    const classes = {
      ...api,
      WebSocket: tracked(api.WebSocket, made),
      WebSocketStream: tracked(api.WebSocketStream, made),
    };
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, 20_000, 'nothing within 20 seconds'); // other browsers may be at work
    });
    const result = (async () => run(classes, url))().catch((error) => `rejected: ${error}`);
    results[name] = await Promise.race([result, late]);
    clearTimeout(timer);
    for (const object of made) object.close();
  }
  return JSON.parse(JSON.stringify(results));
}
globalThis.runCases = runCases;

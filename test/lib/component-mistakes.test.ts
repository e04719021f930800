// What a caller of a WebSocketHandle can do wrong: each mistake is an error at the call that says what is allowed, and
// leaves the handle as it was.
import { component } from '../../lib';
import {
  openPair,
  openServer,
  Property,
  Queue,
  run,
  thrownBy,
  Type,
  WebSocketHandle,
  type Handle,
} from './component-support';

/** A method as one can call it without types. */
type Call = (...args: unknown[]) => unknown;
const untyped = (handle: object) => handle as unknown as Record<string, Call>;

const bytes = Buffer.from('abc');
const reasonOf = (length: number) => Buffer.alloc(length, 'r');

describe('arguments', () => {
  const notNumbers = [undefined, null, '1', {}, [], true, 1n, Symbol('s'), () => 1];
  const notUint32 = [-1, 1.5, NaN, Infinity, 2 ** 32];
  const notBytes = [1, 'text', {}, [1], true, new DataView(new ArrayBuffer(1)), new Uint16Array(1), new ArrayBuffer(1)];
  const notStrings = [1, 'text', {}, [1], [null], [Symbol('s')], true];
  const { UTF8_MESSAGE_BUFFER_TYPE: Text, CLOSE_BUFFER_TYPE: Close, PING_PONG_BUFFER_TYPE: Ping } = Type;

  // The method, which argument is wrong, the others, wrong values, the error and what its message says.
  const table: [string, string, unknown[], number, readonly unknown[], string, RegExp][] = [
    ['send', 'type', [undefined, bytes], 0, notNumbers, 'TypeError', /^type must be a number$/],
    [
      'send',
      'type',
      [undefined, bytes],
      0,
      notUint32,
      'RangeError',
      /^type must be an integer from 0 to 4294967295, not /,
    ],
    [
      'send',
      'type',
      [undefined, bytes],
      0,
      [1, 3, 2 ** 16, 0x80000007, 0x80001000],
      'E_INVALIDARG',
      /WEB_SOCKET_BUFFER_TYPE/,
    ],
    ['send', 'buffer', [Text], 1, notBytes, 'TypeError', /^buffer must be a Uint8Array or a Buffer$/],
    ['send', 'buffer', [Text], 1, [undefined, null], 'E_INVALIDARG', /data needs a buffer/],
    ['send', 'buffer', [Ping], 1, [bytes], 'E_INVALIDARG', /sendControl has a payload/],
    ['send', 'buffer', [Close], 1, [1, 'text', true], 'TypeError', /must be \{ status, reason \}/],
    ['send', 'status', [Close], 1, [{}, bytes, { status: '1' }], 'TypeError', /^status .* must be a number$/],
    ['send', 'status', [Close], 1, [{ status: 65536 }, { status: -1 }], 'RangeError', /from 0 to 65535/],
    ['send', 'status', [Close], 1, [{ status: 999 }, { status: 1006 }], 'E_INVALIDARG', /1004, 1006 and 1015/],
    ['send', 'reason', [Close], 1, [{ status: 1000, reason: 'text' }], 'TypeError', /^reason must be a Uint8Array/],
    ['send', 'reason', [Close], 1, [{ status: 1000, reason: reasonOf(124) }], 'E_INVALIDARG', /at most 123 bytes/],
    ['send', 'reason', [Close], 1, [{ status: 1005, reason: bytes }], 'E_INVALIDARG', /0 or 1005 without a reason/],
    ['sendControl', 'type', [undefined, bytes], 0, notNumbers, 'TypeError', /^type must be a number$/],
    ['sendControl', 'type', [undefined, bytes], 0, [Text, Close, 0], 'E_INVALIDARG', /PING_PONG or UNSOLICITED_PONG/],
    ['sendControl', 'payload', [Ping], 1, notBytes, 'TypeError', /^payload must be a Uint8Array/],
    ['sendControl', 'payload', [Ping], 1, [Buffer.alloc(126)], 'E_INVALIDARG', /at most 125 bytes/],
    ['receive', 'buffer', [], 0, notBytes, 'TypeError', /^buffer must be a Uint8Array/],
    ['receive', 'buffer', [], 0, [new Uint8Array(0)], 'E_INVALIDARG', /must not be empty/],
    ['receive', 'buffer', [], 0, [new Uint8Array(new SharedArrayBuffer(8))], 'TypeError', /fixed length/],
    ['getAction', 'queue', [], 0, notNumbers, 'TypeError', /^queue must be a number$/],
    ['getAction', 'queue', [], 0, [0, 4, ...notUint32], 'RangeError', /^queue must be an integer from 1 to 3, not /],
    ['getAction', 'capacity', [1], 1, [null, '1', {}], 'TypeError', /^capacity must be a number$/],
    ['getAction', 'capacity', [1], 1, [0, ...notUint32], 'RangeError', /^capacity must be an integer from 1 to /],
    ['completeAction', 'actionContext', [undefined, 0], 0, notNumbers, 'TypeError', /^actionContext must be a number$/],
    [
      'completeAction',
      'actionContext',
      [undefined, 0],
      0,
      [-1, 0.5, NaN, 2 ** 53],
      'RangeError',
      /from 0 to 9007199254740991/,
    ],
    ['completeAction', 'actionContext', [undefined, 0], 0, [2 ** 52], 'RangeError', /an action of this handle/],
    ['completeAction', 'bytesTransferred', [0], 1, notNumbers, 'TypeError', /^bytesTransferred must be a number$/],
    ['completeAction', 'bytesTransferred', [0], 1, notUint32, 'RangeError', /from 0 to 4294967295/],
    ['injectReceivedBytes', 'bytes', [], 0, [undefined, null, ...notBytes], 'TypeError', /^bytes must be a Uint8Array/],
    ['beginClientHandshake', 'subprotocols', [], 0, notStrings, 'TypeError', /^subprotocols.* must be a.* string/],
    ['beginClientHandshake', 'subprotocols', [], 0, [['']], 'E_INVALIDARG', /client handle/],
    ['beginClientHandshake', 'extensions', [[]], 1, notStrings, 'TypeError', /^extensions.* must be a.* string/],
    ['beginClientHandshake', 'extensions', [[]], 1, [['a\0b']], 'TypeError', /NUL character/],
    ['beginClientHandshake', 'headers', [[], []], 2, [['Host']], 'TypeError', /names and values by turns/],
    ['endClientHandshake', 'headers', [], 0, [undefined, ...notStrings], 'TypeError', /^headers.* must be a.* string/],
    [
      'beginServerHandshake',
      'headers',
      [],
      0,
      [undefined, ...notStrings],
      'TypeError',
      /^headers.* must be a.* string/,
    ],
    ['beginServerHandshake', 'headers', [], 0, [['Host', '\u0161']], 'TypeError', /characters above U\+00FF/],
    ['beginServerHandshake', 'headers', [], 0, [['Host']], 'TypeError', /names and values by turns/],
    ['beginServerHandshake', 'subprotocol', [[]], 1, [1, {}, []], 'TypeError', /^subprotocol must be a string$/],
    ['beginServerHandshake', 'subprotocol', [[]], 1, ['a\0'], 'TypeError', /NUL character/],
    ['beginServerHandshake', 'extensions', [[], ''], 2, notStrings, 'TypeError', /^extensions.* must be a.* string/],
  ];

  test.each(table)('%s: a wrong %s', (method, _argument, others, at, wrong, kind, message) => {
    const handle = openServer();
    for (const value of wrong) {
      const args = [...others];
      args[at] = value;
      const error = thrownBy(() => untyped(handle)[method](...args));
      expect([error.name, error.code]).toContain(kind);
      expect(error.message).toMatch(message);
    }
    expect(run(handle)).toEqual([]); // nothing was queued
    expect(handle.getFault().hresult).toBe(0);
  });

  const properties: [string, unknown, string, RegExp][] = [
    ['no array', 'x', 'TypeError', /an array of \{ type, value \}/],
    ['an element that is null', [null], 'TypeError', /an array of \{ type, value \}/],
    ['no type', [{ value: 1 }], 'TypeError', /^type of a property must be a number$/],
    ['no value', [{ type: 0 }], 'TypeError', /^the value of property 0 must be a number$/],
    ['a negative size', [{ type: 0, value: -1 }], 'RangeError', /from 0 to 4294967295, not -1$/],
    ['a boolean for a size', [{ type: 0, value: true }], 'TypeError', /^the value of property 0 must be a number$/],
    ['a number for a switch', [{ type: 2, value: 1 }], 'TypeError', /^the value of property 2 must be a boolean$/],
    ['a receive buffer that is too small', [{ type: 0, value: 255 }], 'E_INVALIDARG', /256 to 2147483647/],
    ['a send buffer that is too small', [{ type: 1, value: 15 }], 'E_INVALIDARG', /16 to 2147483647/],
    ['a limit beyond what numbers hold', [{ type: 0x1000, value: 2 ** 53 }], 'RangeError', /9007199254740991/],
    ['a global property', [{ type: 5, value: 30_000 }], 'E_INVALIDARG', /properties are/],
    ['an unknown property', [{ type: 9, value: 1 }], 'E_INVALIDARG', /properties are/],
    ['ALLOCATED_BUFFER', [{ type: 3, value: 1 }], 'TypeError', /JavaScript cannot set it/],
    ['GATHER', [{ type: 0x1009, value: true }], 'TypeError', /JavaScript cannot set it/],
    ['RECEIVE_POOL', [{ type: 0x100b, value: 1 }], 'TypeError', /JavaScript cannot set it/],
    ['RANDOM_SOURCE', [{ type: 0x100c, value: () => true }], 'TypeError', /JavaScript cannot set it/],
  ];
  test.each(properties)('properties: %s', (_name, value, kind, message) => {
    for (const create of ['createClientHandle', 'createServerHandle']) {
      const error = thrownBy(() => untyped(WebSocketHandle)[create](value));
      expect([error.name, error.code]).toContain(kind);
      expect(error.message).toMatch(message);
    }
  });

  test('a property that is not global', () => {
    for (const type of [0, 3, 7, 0x1000]) {
      const error = thrownBy(() => WebSocketHandle.getGlobalProperty(type as 5));
      expect(error.code).toBe('E_INVALIDARG');
      expect(error.message).toContain('KEEPALIVE_INTERVAL_PROPERTY_TYPE');
    }
    expect(thrownBy(() => untyped(WebSocketHandle).getGlobalProperty()).name).toBe('TypeError');
  });

  test('an exception of a getter among the arguments comes through', () => {
    const handle = openServer();
    const fail = (): never => {
      throw new EvalError('mine');
    };
    const throwing = (name: string): object => Object.defineProperty({ status: 1000 }, name, { get: fail });
    const calls = [
      () => untyped(handle).send(Type.CLOSE_BUFFER_TYPE, throwing('status')),
      () => untyped(handle).send(Type.CLOSE_BUFFER_TYPE, throwing('reason')),
      () => untyped(WebSocketHandle).createServerHandle([throwing('type')]),
      () => untyped(WebSocketHandle).createServerHandle(Object.defineProperty([], 0, { get: fail })),
      () => untyped(handle).beginServerHandshake(Object.defineProperty(['x'], 0, { get: fail })),
    ];
    for (const call of calls) expect(thrownBy(call).message).toBe('mine');
    expect(run(handle)).toEqual([]);
  });
});

describe('objects', () => {
  const methods = Object.getOwnPropertyNames(WebSocketHandle.prototype).filter((name) => name !== 'constructor');

  test('the methods are the functions', () => {
    expect(methods.sort()).toEqual(
      ['abort', 'beginClientHandshake', 'beginServerHandshake', 'completeAction', 'delete', 'endClientHandshake']
        .concat(['endServerHandshake', 'getAction', 'getFault', 'injectReceivedBytes', 'openWithoutHandshake'])
        .concat(['receive', 'send', 'sendControl']),
    );
  });

  test.each(methods)('%s with another object as this', (method) => {
    const others = [undefined, null, 1, {}, [], WebSocketHandle, WebSocketHandle.prototype, new Uint8Array(1)];
    for (const other of [...others, Object.create(WebSocketHandle.prototype)]) {
      expect(thrownBy(() => Reflect.apply(untyped(openServer())[method], other, [])).name).toBe('TypeError');
    }
  });

  test.each(methods)('%s after delete', (method) => {
    const handle = openServer();
    handle.delete();
    const error = thrownBy(() => untyped(handle)[method]());
    expect(error.hresult).toBe(component.HRESULT.E_INVALIDARG);
    expect(error.message).toContain('the handle was deleted; createClientHandle and createServerHandle make another');
  });

  test('only the create functions make a handle', () => {
    const Constructor = WebSocketHandle as unknown as new (...args: unknown[]) => object;
    class Derived extends Constructor {}
    for (const make of [() => new Constructor(), () => new Constructor(true, []), () => new Derived()]) {
      expect(thrownBy(make).message).toContain('createClientHandle or createServerHandle');
    }
    expect(thrownBy(() => Reflect.apply(Constructor as unknown as Call, undefined, [])).name).toBe('TypeError');
  });

  test('a handle that is deleted by a getter of an argument', () => {
    const deleting = (handle: Handle, name: string, value: unknown): object =>
      Object.defineProperty({ status: 1000 }, name, {
        get() {
          handle.delete();
          return value;
        },
      });
    const headers = (handle: Handle): unknown =>
      Object.defineProperty(['a', 'b'], 1, Object.getOwnPropertyDescriptor(deleting(handle, 'x', 'b'), 'x')!);
    const calls: ((handle: Handle) => unknown)[] = [
      (handle) => untyped(handle).send(Type.CLOSE_BUFFER_TYPE, deleting(handle, 'status', 1000)),
      (handle) => untyped(handle).send(Type.CLOSE_BUFFER_TYPE, deleting(handle, 'reason', bytes)),
      (handle) => untyped(handle).beginServerHandshake(headers(handle)),
      (handle) => untyped(handle).beginServerHandshake([], '', headers(handle)),
      (handle) => untyped(handle).endClientHandshake(headers(handle)),
      (handle) => untyped(handle).beginClientHandshake(headers(handle)),
    ];
    for (const call of calls) expect(thrownBy(() => call(openServer())).message).toContain('deleted');
  });

  test('setters on built-in prototypes see nothing and break nothing', () => {
    const [client, server] = openPair();
    const names = ['action', 'buffers', 'context', 'buffer', '0', '1', '2'];
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, { configurable: true, set: () => client.delete() });
    }
    try {
      client.send(Type.BINARY_MESSAGE_BUFFER_TYPE, bytes, 'context');
      client.getAction(Queue.ALL_ACTION_QUEUE);
    } catch {
      // the handle may be gone
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name);
    }
    server.receive();
    expect(server.getAction(Queue.ALL_ACTION_QUEUE).buffers).toHaveLength(1);
  });
});

describe('states', () => {
  const newHandle = () => WebSocketHandle.createServerHandle();
  const closing = () => {
    const handle = openServer();
    handle.send(Type.CLOSE_BUFFER_TYPE);
    return handle;
  };
  const aborted = () => {
    const handle = openServer();
    handle.abort();
    return handle;
  };
  const table: [string, () => Handle, (handle: Handle) => unknown, RegExp][] = [
    [
      'send on a new handle',
      newHandle,
      (handle) => handle.send(Type.BINARY_MESSAGE_BUFFER_TYPE, bytes),
      /must be open/,
    ],
    ['receive on a new handle', newHandle, (handle) => handle.receive(), /must be open/],
    ['getAction on a new handle', newHandle, (handle) => handle.getAction(3), /end its handshake first/],
    ['injectReceivedBytes on a new handle', newHandle, (handle) => handle.injectReceivedBytes(bytes), /must be open/],
    [
      'sendControl on a new handle',
      newHandle,
      (handle) => handle.sendControl(Type.PING_PONG_BUFFER_TYPE),
      /must be open/,
    ],
    [
      'endServerHandshake on a new handle',
      newHandle,
      (handle) => handle.endServerHandshake(),
      /beginServerHandshake comes/,
    ],
    ['a second opening', openServer, (handle) => handle.openWithoutHandshake(), /new handle only/],
    ['a handshake when open', openServer, (handle) => handle.beginServerHandshake([]), /begun once, on a new handle/],
    [
      'data after CLOSE',
      closing,
      (handle) => handle.send(Type.UTF8_MESSAGE_BUFFER_TYPE, bytes),
      /after a CLOSE only pings/,
    ],
    ['a second CLOSE', closing, (handle) => handle.send(Type.CLOSE_BUFFER_TYPE), /after a CLOSE only pings/],
    ['send after abort', aborted, (handle) => handle.send(Type.UTF8_MESSAGE_BUFFER_TYPE, bytes), /not aborted/],
    ['receive after abort', aborted, (handle) => handle.receive(), /not aborted/],
  ];
  test.each(table)('%s', (_name, make, call, message) => {
    const error = thrownBy(() => call(make()));
    expect(error.hresult).toBe(component.HRESULT.E_INVALID_PROTOCOL_OPERATION);
    expect(error.message).toMatch(message);
  });

  test("the other role's functions", () => {
    const client = WebSocketHandle.createClientHandle();
    const server = WebSocketHandle.createServerHandle();
    const calls = [
      () => client.beginServerHandshake(['Host', 'x']),
      () => client.endServerHandshake(),
      () => server.beginClientHandshake(),
      () => server.endClientHandshake([]),
    ];
    for (const call of calls) {
      const error = thrownBy(call);
      expect(error.code).toBe('E_INVALIDARG');
      expect(error.message).toMatch(/(client|server) handle is needed/);
    }
  });
});

describe('completing actions', () => {
  const stale = /actionContext must be that of an action of this handle that was not completed yet/;

  test('twice', () => {
    const handle = openServer();
    handle.send(Type.BINARY_MESSAGE_BUFFER_TYPE, bytes);
    const { actionContext } = handle.getAction(Queue.SEND_ACTION_QUEUE);
    handle.completeAction(actionContext, 5);
    expect(() => handle.completeAction(actionContext, 5)).toThrow(stale);
    expect(run(handle)).toHaveLength(1);
    expect(() => handle.completeAction(actionContext, 5)).toThrow(stale);
  });

  test("another handle's", () => {
    const [one, other] = [openServer(), openServer()];
    one.receive();
    other.receive();
    const first = one.getAction(Queue.RECEIVE_ACTION_QUEUE);
    const second = other.getAction(Queue.RECEIVE_ACTION_QUEUE);
    expect(first.actionContext).not.toBe(second.actionContext);
    expect(() => other.completeAction(first.actionContext, 0)).toThrow(stale);
    one.delete();
    expect(() => other.completeAction(first.actionContext, 0)).toThrow(stale);
    other.completeAction(second.actionContext, 0);
    expect(run(other)).toMatchObject([{ data: undefined }]);
  });

  test('with more bytes than its buffers have', () => {
    const handle = openServer([{ type: Property.DISABLE_MASKING_PROPERTY_TYPE, value: true }]);
    handle.send(Type.BINARY_MESSAGE_BUFFER_TYPE, bytes);
    handle.receive();
    const send = handle.getAction(Queue.SEND_ACTION_QUEUE);
    const receive = handle.getAction(Queue.RECEIVE_ACTION_QUEUE);
    expect(() => handle.completeAction(send.actionContext, 6)).toThrow('from 0 to 5, not 6');
    expect(() => handle.completeAction(receive.actionContext, 4097)).toThrow('from 0 to 4096, not 4097');
    handle.completeAction(send.actionContext, 5); // both are outstanding still
    receive.buffers[0].set(Buffer.from('820161', 'hex'));
    handle.completeAction(receive.actionContext, 3);
    expect(run(handle).map(({ data }) => data?.toString())).toEqual([undefined, 'a']);
  });

  test('of NO_ACTION, and an INDICATE action with a count', () => {
    const handle = openServer();
    const { action, actionContext } = handle.getAction(Queue.ALL_ACTION_QUEUE);
    expect([action, actionContext]).toEqual([0, 0]);
    handle.completeAction(actionContext, 17);
    handle.send(Type.BINARY_MESSAGE_BUFFER_TYPE, bytes);
    const send = handle.getAction(Queue.ALL_ACTION_QUEUE);
    handle.completeAction(send.actionContext, 5);
    handle.completeAction(handle.getAction(Queue.ALL_ACTION_QUEUE).actionContext, 5);
    expect(run(handle)).toEqual([]);
  });
});

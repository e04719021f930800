// Web IDL: every attribute, operation, constant and conversion of the interfaces in idl.ts.
import { definitions, idleSocket, places, tables, type AnyClass, type Table } from './idl';

function descriptor(object: object, name: PropertyKey): PropertyDescriptor {
  const found = Object.getOwnPropertyDescriptor(object, name);
  if (found === undefined) throw new Error(`${String(name)} does not exist`);
  return found;
}

/** Values that are no object of the class. */
function strangers(object: AnyClass): unknown[] {
  const proto = object.prototype as object;
  return [undefined, null, 1, 'text', {}, () => {}, proto, Object.create(proto), new EventTarget(), new DOMException()];
}

describe.each(definitions)('$name', (definition) => {
  const { name, object, inherits, constants, attributes, operations } = definition;
  const proto = object.prototype as Record<string, unknown>;
  const needed = definition.constructorArguments.filter((argument) => !argument.isOptional).length;

  test('interface object', () => {
    expect(typeof object).toBe('function');
    expect(descriptor(object, 'name')).toEqual({ value: name, writable: false, enumerable: false, configurable: true });
    expect(descriptor(object, 'length')).toEqual({
      value: needed,
      writable: false,
      enumerable: false,
      configurable: true,
    });
    expect(descriptor(object, 'prototype')).toEqual({
      value: proto,
      writable: false,
      enumerable: false,
      configurable: false,
    });
    expect(Object.getPrototypeOf(object)).toBe(inherits);
    expect(Object.getOwnPropertyNames(object).sort()).toEqual(
      ['length', 'name', 'prototype', ...Object.keys(constants)].sort(),
    );
    expect(Object.getOwnPropertySymbols(object)).toEqual([]);
  });

  test('prototype object', () => {
    const parent = inherits === Function.prototype ? Object.prototype : (inherits as AnyClass).prototype;
    expect(Object.getPrototypeOf(proto)).toBe(parent);
    expect(descriptor(proto, 'constructor')).toEqual({
      value: object,
      writable: true,
      enumerable: false,
      configurable: true,
    });
    expect(descriptor(proto, Symbol.toStringTag)).toEqual({
      value: name,
      writable: false,
      enumerable: false,
      configurable: true,
    });
    const members = [...attributes, ...operations].map((member) => member.name);
    expect(Object.getOwnPropertyNames(proto).sort()).toEqual(
      ['constructor', ...members, ...Object.keys(constants)].sort(),
    );
    expect(Object.getOwnPropertySymbols(proto)).toEqual([Symbol.toStringTag]);
    expect(Object.prototype.toString.call(definition.make())).toBe(`[object ${name}]`);
  });

  test('the constructor needs new and its arguments', () => {
    expect(() => (object as unknown as () => void)()).toThrow(TypeError);
    for (let count = 0; count < needed; count++) {
      expect(() => new object(...Array<string>(count).fill('x'))).toThrow(TypeError);
    }
    class Sub extends object {}
    const made = Reflect.construct(object, ['ws://127.0.0.1:1/'], Sub) as object;
    expect(Object.getPrototypeOf(made)).toBe(Sub.prototype);
    expect(Object.getOwnPropertyNames(made).filter((key) => key !== 'stack')).toEqual([]);
  });

  test('constants', () => {
    for (const [constant, value] of Object.entries(constants)) {
      const expected = { value, writable: false, enumerable: true, configurable: false };
      expect(descriptor(object, constant)).toEqual(expected);
      expect(descriptor(proto, constant)).toEqual(expected);
    }
  });

  test.each(attributes)('attribute $name', async ({ name: attribute, type, isReadonly }) => {
    const property = descriptor(proto, attribute);
    const get = Reflect.get(property, 'get') as (() => unknown) | undefined;
    const set = Reflect.get(property, 'set') as ((value: unknown) => void) | undefined;
    expect([property.enumerable, property.configurable]).toEqual([true, true]);
    expect([get!.name, get!.length]).toEqual([`get ${attribute}`, 0]);
    if (isReadonly) expect(set).toBe(undefined);
    else expect([set!.name, set!.length]).toEqual([`set ${attribute}`, 1]);
    for (const stranger of strangers(object)) {
      if (type === 'promise') await expect(get!.call(stranger)).rejects.toThrow(TypeError);
      else expect(() => get!.call(stranger)).toThrow(TypeError);
      if (set !== undefined) expect(() => set.call(stranger, null)).toThrow(TypeError);
    }
    const made = definition.make();
    const value = made[attribute];
    switch (type) {
      case 'promise':
        expect(value).toBeInstanceOf(Promise);
        expect(made[attribute]).toBe(value);
        break;
      case 'EventHandler':
        expect(value).toBe(null);
        break;
      case 'enumeration':
        expect(typeof value).toBe('string');
        break;
      case 'number or null':
        expect(value).toBe(null);
        break;
      default:
        expect(typeof value).toBe(type);
    }
    if (isReadonly) {
      expect(() => {
        made[attribute] = value;
      }).toThrow(TypeError);
    }
  });

  if (operations.length > 0) {
    test.each(operations)('operation $name', ({ name: operation, arguments: list }) => {
      const { value, writable, enumerable, configurable } = descriptor(proto, operation);
      expect([writable, enumerable, configurable]).toEqual([true, true, true]);
      const method = value as (...args: unknown[]) => unknown;
      const count = list.filter((argument) => !argument.isOptional).length;
      expect([method.name, method.length]).toEqual([operation, count]);
      expect(Object.hasOwn(method, 'prototype')).toBe(false);
      for (const stranger of strangers(object)) expect(() => method.call(stranger, 'x')).toThrow(TypeError);
      if (count > 0) expect(() => method.call(definition.make())).toThrow(TypeError);
    });
  }
});

describe.each(places)('$place is $type', ({ type, convert }) => {
  test.each(tables[type] as Table)('%p', (value, result) => {
    if (result === Error) expect(() => convert(value)).toThrow(TypeError);
    else expect(convert(value)).toEqual(result);
  });

  test('what a conversion throws comes through', () => {
    if (type === 'boolean' || type === 'object') return;
    const thrown = new RangeError('mine');
    const value = {
      [Symbol.toPrimitive]() {
        throw thrown;
      },
    };
    expect(() => convert(value)).toThrow(thrown);
  });
});

test('binaryType: an enumeration ignores other values, but not the exceptions of a conversion', () => {
  const socket = idleSocket();
  const set = (value: unknown): string => {
    (socket as { binaryType: unknown }).binaryType = value;
    return socket.binaryType;
  };
  expect(socket.binaryType).toBe('blob');
  expect(set('arraybuffer')).toBe('arraybuffer');
  for (const value of ['nodebuffer', 'Blob', '', undefined, null, 3, {}]) expect(set(value)).toBe('arraybuffer');
  expect(set({ toString: () => 'blob' })).toBe('blob');
  expect(() => set(Symbol('s'))).toThrow(TypeError);
});

describe.each(['onopen', 'onmessage', 'onerror', 'onclose'] as const)('event handler %s', (name) => {
  const type = name.slice(2);
  const assign = (socket: object, value: unknown): unknown => {
    (socket as Record<string, unknown>)[name] = value;
    return (socket as Record<string, unknown>)[name];
  };

  test('a value that is no object is null', () => {
    const socket = idleSocket();
    for (const value of [1, 'text', true, Symbol('s'), 1n, undefined, null]) {
      assign(socket, () => {});
      expect(assign(socket, value)).toBe(null);
    }
  });

  test('an object without a call is kept and not called, not even its handleEvent', () => {
    const socket = idleSocket();
    const handler = { handleEvent: jest.fn() };
    expect(assign(socket, handler)).toBe(handler);
    socket.dispatchEvent(new Event(type));
    expect(handler.handleEvent).not.toHaveBeenCalled();
    socket.addEventListener(type, handler);
    socket.dispatchEvent(new Event(type));
    expect(handler.handleEvent).toHaveBeenCalledTimes(1);
  });

  test('is called with the socket as this, at the place where it was first set', () => {
    const socket = idleSocket();
    const calls: unknown[] = [];
    socket.addEventListener(type, () => calls.push('first'));
    assign(socket, () => calls.push('never'));
    socket.addEventListener(type, () => calls.push('third'));
    assign(socket, function (this: unknown, event: Event) {
      calls.push(this === socket, event.target === socket, event.type);
    });
    socket.dispatchEvent(new Event(type));
    expect(calls).toEqual(['first', true, true, type, 'third']);
    assign(socket, null);
    assign(socket, () => calls.push('last'));
    calls.length = 0;
    socket.dispatchEvent(new Event(type));
    expect(calls).toEqual(['first', 'third', 'last']);
  });

  test('false cancels an event that can be', () => {
    const socket = idleSocket();
    assign(socket, () => false);
    expect(socket.dispatchEvent(new Event(type, { cancelable: true }))).toBe(false);
    assign(socket, () => undefined);
    expect(socket.dispatchEvent(new Event(type, { cancelable: true }))).toBe(true);
  });
});

test('events are instances of their interfaces, trusted, and hold nothing of their own but isTrusted', async () => {
  const socket = idleSocket();
  const events: Event[] = [];
  socket.onerror = (event) => events.push(event);
  await new Promise((resolve) => {
    socket.onclose = (event) => resolve(events.push(event));
  });
  expect(events.map((event) => Object.getPrototypeOf(event) as object)).toEqual([
    Event.prototype,
    (definitions[3].object as { prototype: object }).prototype,
  ]);
  for (const event of events) {
    expect(Object.getOwnPropertyNames(event)).toEqual(['isTrusted']);
    expect([event.isTrusted, event.bubbles, event.cancelable, event.target]).toEqual([true, false, false, socket]);
  }
});

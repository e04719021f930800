// The functions of websocket.h and websocket_ext.h from JavaScript: two handles talk over a pipe that is two arrays.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { types } from 'node:util';
import { component } from '../../lib';
import {
  Action,
  openPair,
  openServer,
  Property,
  Queue,
  run,
  Status,
  thrownBy,
  Type,
  WebSocketHandle,
  type Wire,
} from './component-support';
import { root } from './support';

test('a client and a server handle exchange messages', () => {
  const [client, server] = openPair();
  const wire: Wire = [];
  const context = { any: 'object' };
  client.send(Type.UTF8_MESSAGE_BUFFER_TYPE, Buffer.from('hello'), context);
  const [sent] = run(client, { out: wire });
  expect(sent).toMatchObject({ action: Action.INDICATE_SEND_COMPLETE_ACTION, data: undefined });
  expect(sent.context).toBe(context);
  expect(Buffer.concat(wire).length).toBe(2 + 4 + 5);

  server.receive(null, 7);
  const [received] = run(server, { into: wire });
  expect(received).toEqual({
    action: Action.INDICATE_RECEIVE_COMPLETE_ACTION,
    type: Type.UTF8_MESSAGE_BUFFER_TYPE,
    data: Buffer.from('hello'),
    closeStatus: 0,
    context: 7,
  });
  client.delete();
  server.delete();
});

test('the handshake tells what was chosen, as indices into the offers', () => {
  const client = WebSocketHandle.createClientHandle();
  const server = WebSocketHandle.createServerHandle();
  const request = client.beginClientHandshake(['chat', 'json'], ['x-first; a=1', 'x-second'], ['Host', 'localhost']);
  expect(request.filter((_, index) => index % 2 === 0)).toEqual([
    'Connection',
    'Upgrade',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
  ]);
  const response = server.beginServerHandshake([...request, 'Host', 'localhost'], 'json', ['x-second']);
  expect(client.endClientHandshake(response)).toEqual({ extensions: [1], subprotocol: 1 });

  // With an extension, frames may have RSV bits: RSV1 and binary, FIN, shifted left by one.
  server.endServerHandshake();
  const wire: Wire = [];
  server.send(0xc2 << 1, Buffer.from('custom'));
  run(server, { out: wire });
  client.receive();
  expect(run(client, { into: wire })).toMatchObject([{ type: 0xc2 << 1, data: Buffer.from('custom') }]);
});

test('a Close frame arrives with its status and reason', () => {
  const [client, server] = openPair();
  const wire: Wire = [];
  server.send(Type.CLOSE_BUFFER_TYPE, { status: Status.ENDPOINT_UNAVAILABLE_CLOSE_STATUS, reason: Buffer.from('bye') });
  run(server, { out: wire });
  client.receive();
  expect(run(client, { into: wire })).toMatchObject([
    { type: Type.CLOSE_BUFFER_TYPE, data: Buffer.from('bye'), closeStatus: 1001, context: undefined },
  ]);
  client.send(Type.CLOSE_BUFFER_TYPE, { status: Status.EMPTY_CLOSE_STATUS });
  run(client, { out: wire });
  server.receive();
  expect(run(server, { into: wire })).toMatchObject([{ data: Buffer.alloc(0), closeStatus: 1005 }]);
});

test('a message in fragments, received into memory of ours', () => {
  const [client, server] = openPair();
  const wire: Wire = [];
  client.send(Type.BINARY_FRAGMENT_BUFFER_TYPE, Buffer.from('abcde'));
  client.send(Type.BINARY_MESSAGE_BUFFER_TYPE, Buffer.from('fgh'));
  run(client, { out: wire });
  const memory = new Uint8Array(4);
  const pieces: [number, string][] = [];
  for (let count = 0; count < 3; count++) {
    server.receive(memory);
    const [{ type, data }] = run(server, { into: wire });
    expect(data).toEqual(Buffer.from(memory.subarray(0, data?.length)));
    pieces.push([type, String(data)]);
  }
  expect(pieces).toEqual([
    [Type.BINARY_FRAGMENT_BUFFER_TYPE, 'abcd'],
    [Type.BINARY_FRAGMENT_BUFFER_TYPE, 'e'],
    [Type.BINARY_MESSAGE_BUFFER_TYPE, 'fgh'],
  ]);
});

test('pings are answered, pongs with our payload are indicated', () => {
  const [client, server] = openPair([], [{ type: Property.INDICATE_PINGS_PROPERTY_TYPE, value: true }]);
  const up: Wire = [];
  const down: Wire = [];
  client.sendControl(Type.PING_PONG_BUFFER_TYPE, Buffer.from('Hi'), 'ping');
  expect(run(client, { out: up })).toMatchObject([{ context: 'ping' }]);
  server.receive();
  expect(run(server, { into: up, out: down })).toMatchObject([
    { type: Type.PING_BUFFER_TYPE, data: Buffer.from('Hi') },
  ]);
  expect(Buffer.concat(down).toString('hex')).toBe('8a024869');
  client.receive();
  expect(run(client, { into: down })).toMatchObject([{ type: Type.PING_PONG_BUFFER_TYPE, data: Buffer.from('Hi') }]);
});

test('capacity 1 gives a frame in two actions', () => {
  const server = openServer();
  const wire: Wire = [];
  server.send(Type.UTF8_MESSAGE_BUFFER_TYPE, Buffer.from('Hello World'));
  run(server, { out: wire, capacity: 1 });
  expect(wire.map((bytes) => bytes.length)).toEqual([2, 11]);
});

test('abort gives every operation back', () => {
  const [client, server] = openPair();
  client.send(Type.BINARY_MESSAGE_BUFFER_TYPE, Buffer.from('a'), 'a');
  client.send(Type.BINARY_MESSAGE_BUFFER_TYPE, Buffer.from('b'), 'b');
  client.receive(null, 'c');
  const outstanding = client.getAction(Queue.SEND_ACTION_QUEUE);
  client.abort();
  client.completeAction(outstanding.actionContext, 0);
  expect(run(client).map(({ context, data }) => [context, data])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['c', undefined],
  ]);
  expect(thrownBy(() => client.receive()).code).toBe('E_INVALID_PROTOCOL_OPERATION');
  server.delete();
});

test('what the peer did wrong is told, and the send side still works', () => {
  const server = openServer([{ type: Property.MAX_MESSAGE_SIZE_PROPERTY_TYPE, value: 5 }]);
  expect(server.getFault()).toEqual({ hresult: component.HRESULT.S_OK, closeStatus: 0, reason: '' });
  server.receive();
  server.injectReceivedBytes(Buffer.from('828600000000010203040506', 'hex'));
  const error = thrownBy(() => server.getAction(Queue.RECEIVE_ACTION_QUEUE));
  const fault = server.getFault();
  expect(fault).toMatchObject({ hresult: component.HRESULT.E_INVALID_PROTOCOL_FORMAT, closeStatus: 1009 });
  expect(error.hresult).toBe(fault.hresult);
  expect(error.code).toBe('E_INVALID_PROTOCOL_FORMAT');
  expect(error.message).toContain(fault.reason);
  const wire: Wire = [];
  server.send(Type.CLOSE_BUFFER_TYPE, { status: fault.closeStatus });
  run(server, { queue: Queue.SEND_ACTION_QUEUE, out: wire });
  expect(Buffer.concat(wire).toString('hex')).toBe('880203f1');
});

test('injected bytes come before those of the network', () => {
  const server = openServer([{ type: Property.DISABLE_MASKING_PROPERTY_TYPE, value: true }]);
  server.injectReceivedBytes(Buffer.from('8205', 'hex'));
  server.injectReceivedBytes(Buffer.from('ab'));
  server.receive();
  expect(run(server, { into: [Buffer.from('cde')] })).toMatchObject([{ data: Buffer.from('abcde') }]);
});

test('errors carry the HRESULT as an unsigned number and its name', () => {
  const server = WebSocketHandle.createServerHandle();
  const error = thrownBy(() => server.beginServerHandshake(['Host', 'localhost']));
  expect(types.isNativeError(error)).toBe(true);
  expect(error.hresult).toBe(component.HRESULT.E_INVALID_PROTOCOL_FORMAT);
  expect(error.hresult).toBe(0x83760002);
  expect(error.code).toBe('E_INVALID_PROTOCOL_FORMAT');
  expect(error.message).toContain('WebSocketBeginServerHandshake');
});

test('global properties and versions', () => {
  expect(WebSocketHandle.getGlobalProperty(Property.KEEPALIVE_INTERVAL_PROPERTY_TYPE)).toBe(30_000);
  expect(WebSocketHandle.getGlobalProperty(Property.SUPPORTED_VERSIONS_PROPERTY_TYPE)).toEqual([13]);
  expect(component.versions.openssl).toMatch(/\d+\.\d+/);
});

test('the package has the component as a name and as a path of its own', () => {
  const program = `
    import { component } from 'websocket-component';
    import * as own from 'websocket-component/component';
    import { createRequire } from 'node:module';
    const required = createRequire(process.cwd() + '/x.js')('websocket-component/component');
    console.log(own.WebSocketHandle === component.WebSocketHandle, required.WebSocketHandle === component.WebSocketHandle);
  `;
  const args = ['--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 20_000 });
  expect({ stdout, stderr }).toEqual({ stdout: 'true true\n', stderr: '' });
});

test.each([['memory_pipe'], ['message_channel']])('the example %s', (name) => {
  const file = join(root, 'examples/component', `${name}.mjs`);
  const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 20_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.each<[string, component.Property]>([
  ['a receive buffer of 256 bytes', { type: Property.RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, value: 256 }],
  ['a send buffer of 16 bytes', { type: Property.SEND_BUFFER_SIZE_PROPERTY_TYPE, value: 16 }],
  ['a zero mask key', { type: Property.DISABLE_MASKING_PROPERTY_TYPE, value: true }],
  ['unverified text', { type: Property.DISABLE_UTF8_VERIFICATION_PROPERTY_TYPE, value: true }],
  ['a message limit above 32 bits', { type: Property.MAX_MESSAGE_SIZE_PROPERTY_TYPE, value: 2 ** 40 }],
  ['a frame limit', { type: Property.MAX_FRAME_SIZE_PROPERTY_TYPE, value: 2 ** 33 }],
  ['a limit of fragments', { type: Property.MAX_FRAGMENTS_PROPERTY_TYPE, value: 10 }],
  ['automatic close echo', { type: Property.AUTO_CLOSE_ECHO_PROPERTY_TYPE, value: true }],
  ['no automatic pongs', { type: Property.DISABLE_AUTO_PONG_PROPERTY_TYPE, value: true }],
  ['indicated pings', { type: Property.INDICATE_PINGS_PROPERTY_TYPE, value: true }],
  ['indicated pongs', { type: Property.INDICATE_UNSOLICITED_PONGS_PROPERTY_TYPE, value: true }],
  ['strict close codes', { type: Property.STRICT_CLOSE_CODES_PROPERTY_TYPE, value: true }],
  ['control frames first', { type: Property.CONTROL_FIRST_PROPERTY_TYPE, value: true }],
])('a conversation with %s', (_name, property) => {
  const [client, server] = openPair([property], [property]);
  const up: Wire = [];
  const down: Wire = [];
  const text = Buffer.from('x'.repeat(200));
  client.send(Type.UTF8_MESSAGE_BUFFER_TYPE, text);
  client.sendControl(Type.PING_PONG_BUFFER_TYPE, Buffer.from('!'));
  client.send(Type.CLOSE_BUFFER_TYPE, { status: 1000, reason: Buffer.from('done') });
  run(client, { out: up });
  const received: number[] = [];
  for (let round = 0; round < 5 && received.at(-1) !== Type.CLOSE_BUFFER_TYPE; round++) {
    server.receive();
    received.push(...run(server, { into: up, out: down }).map(({ type }) => type));
  }
  expect(received).toContain(Type.UTF8_MESSAGE_BUFFER_TYPE);
  expect(received.at(-1)).toBe(Type.CLOSE_BUFFER_TYPE);
  const pongs = down.filter((bytes) => bytes[0] === 0x8a).length;
  const closes = down.filter((bytes) => bytes[0] === 0x88).length;
  expect(pongs).toBe(property.type === Property.DISABLE_AUTO_PONG_PROPERTY_TYPE ? 0 : 1);
  expect(closes).toBe(property.type === Property.AUTO_CLOSE_ECHO_PROPERTY_TYPE ? 1 : 0);
  expect(received.includes(Type.PING_BUFFER_TYPE)).toBe(property.type === Property.INDICATE_PINGS_PROPERTY_TYPE);
});

test('coalesced sends share an action, and each is indicated', () => {
  const server = openServer([
    { type: Property.COALESCE_SENDS_PROPERTY_TYPE, value: true },
    { type: Property.SEND_BUFFER_SIZE_PROPERTY_TYPE, value: 2000 },
  ]);
  for (let index = 0; index < 10; index++) {
    server.send(Type.UTF8_MESSAGE_BUFFER_TYPE, Buffer.from(`message ${index}`), index);
  }
  const wire: Wire = [];
  expect(run(server, { out: wire }).map(({ context }) => context)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(wire.map((bytes) => bytes.length)).toEqual([10 * (2 + 9)]);
});

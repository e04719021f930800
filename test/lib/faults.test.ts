// What a peer can do wrong, from raw sockets: the Close frame it gets, and the one error on our side.
import { once } from 'node:events';
import type { WebSocketError, WebSocket } from '../../lib';
import {
  acceptText,
  client,
  closed,
  closePayload,
  frame,
  onceWithoutError,
  rawClient,
  rawServer,
  record,
  serve,
  textOf,
} from './support';

const invalidUtf8 = Buffer.from([0x61, 0xc3, 0x28]);
const long = Buffer.alloc(126);
const lengthOf2to63 = Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);

const faults: [string, Buffer[], number, string][] = [
  ['an unknown opcode', [frame(3)], 1002, 'WS_ERR_INVALID_OPCODE'],
  ['an unknown control opcode', [frame(11)], 1002, 'WS_ERR_INVALID_OPCODE'],
  ['RSV1', [frame(1, 'a', { rsv: 4 })], 1002, 'WS_ERR_UNEXPECTED_RSV_1'],
  ['RSV2', [frame(1, 'a', { rsv: 2 })], 1002, 'WS_ERR_UNEXPECTED_RSV_2_3'],
  ['RSV3', [frame(2, 'a', { rsv: 1 })], 1002, 'WS_ERR_UNEXPECTED_RSV_2_3'],
  ['a frame without a mask', [frame(1, 'a', { mask: false })], 1002, 'WS_ERR_EXPECTED_MASK'],
  ['a continuation of nothing', [frame(0, 'a')], 1002, 'WS_ERR_INVALID_OPCODE'],
  ['a message inside a message', [frame(1, 'a', { fin: false }), frame(1, 'b')], 1002, 'WS_ERR_INVALID_OPCODE'],
  ['a ping in parts', [frame(9, 'a', { fin: false })], 1002, 'WS_ERR_EXPECTED_FIN'],
  ['a ping of 126 bytes', [frame(9, long)], 1002, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'],
  ['a Close frame of one byte', [frame(8, 'a')], 1002, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'],
  ['close status 999', [frame(8, closePayload(999))], 1002, 'WS_ERR_INVALID_CLOSE_CODE'],
  ['close status 1005', [frame(8, closePayload(1005))], 1002, 'WS_ERR_INVALID_CLOSE_CODE'],
  ['close status 1006', [frame(8, closePayload(1006))], 1002, 'WS_ERR_INVALID_CLOSE_CODE'],
  ['close status 2999', [frame(8, closePayload(2999))], 1002, 'WS_ERR_INVALID_CLOSE_CODE'],
  ['close status 5000', [frame(8, closePayload(5000))], 1002, 'WS_ERR_INVALID_CLOSE_CODE'],
  ['a close reason that is not UTF-8', [frame(8, closePayload(1000, invalidUtf8))], 1007, 'WS_ERR_INVALID_UTF8'],
  ['text that is not UTF-8', [frame(1, invalidUtf8)], 1007, 'WS_ERR_INVALID_UTF8'],
  ['text that ends inside a character', [frame(1, Buffer.from([0xe2, 0x82]))], 1007, 'WS_ERR_INVALID_UTF8'],
  [
    'text that is not UTF-8 across parts',
    [frame(1, Buffer.from([0xe2, 0x82]), { fin: false }), frame(0, 'a')],
    1007,
    'WS_ERR_INVALID_UTF8',
  ],
  ['a message above maxPayload', [frame(2, Buffer.alloc(1001))], 1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
  [
    'a message above maxPayload in parts',
    [frame(2, Buffer.alloc(600), { fin: false }), frame(0, Buffer.alloc(600))],
    1009,
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  ],
  [
    'more parts than maxFragments',
    [1, 2, 3, 4, 5].map((n) => frame(n === 1 ? 1 : 0, 'a', { fin: false })),
    1008,
    'WS_ERR_TOO_MANY_BUFFERED_PARTS',
  ],
  ['a length of 2^63', [lengthOf2to63], 1002, 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'],
];

describe('a server ends the connection with the right status and one error', () => {
  test.each(faults)('%s', async (_name, frames, status, code) => {
    const { server, port } = await serve({ maxPayload: 1000, maxFragments: 4 });
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const peer = await rawClient(port);
    const [socket] = await connected;
    const seen = record(socket, 'message', 'error', 'close');
    const end = closed(socket);
    const failed = onceWithoutError(socket, 'error') as Promise<[WebSocketError]>;
    peer.write(frame(1, 'before'), ...frames, frame(1, 'behind'));

    const [error] = await failed;
    expect(error.code).toBe(code);
    expect(error.closeStatus).toBe(status);
    expect(socket.readyState).toBe(socket.CLOSING);
    const text = frame(8, closePayload(status), { mask: false });
    expect((await peer.take(text.length)).toString('hex')).toBe(text.toString('hex'));
    await peer.rest();
    peer.socket.end();
    expect(await end).toEqual({ code: 1006, reason: '' });
    expect(seen).toEqual(['message: before', `error: ${error.message}`, 'close: 1006']);
    expect(server.clients.size).toBe(0);
  });
});

test('a client ends the connection when the server masks its frames', async () => {
  let received: Buffer = Buffer.alloc(0);
  const url = await rawServer(async (peer) => {
    peer.write(acceptText(await peer.takeHead()), frame(1, 'masked'));
    received = await peer.rest();
    peer.socket.end();
  });
  const socket = client(url);
  const seen = record(socket, 'message', 'error', 'close');
  await closed(socket);
  expect(seen).toEqual(["error: Invalid WebSocket frame: a server's frame must not be masked", 'close: 1006']);
  expect([received[0], received[1]]).toEqual([0x88, 0x82]); // a masked Close frame with a status
});

test('other connections are not harmed by a fault of one', async () => {
  const { server, port } = await serve();
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data) => socket.send(textOf(data)));
  });
  const good = await rawClient(port);
  const bad = await rawClient(port);
  bad.write(frame(3), Buffer.alloc(100_000, 0xff));
  await bad.rest();
  good.write(frame(1, 'still here'));
  const expected = frame(1, 'still here', { mask: false });
  expect(await good.take(expected.length)).toEqual(expected);
});

test('with skipUTF8Validation, text that is not UTF-8 is delivered', async () => {
  const { server, port } = await serve({ skipUTF8Validation: true });
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  const message = onceWithoutError(socket, 'message');
  peer.write(frame(1, invalidUtf8));
  expect(((await message)[0] as Buffer).equals(invalidUtf8)).toBe(true);
});

test('frames that come byte by byte are understood', async () => {
  const { server, port } = await serve();
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port);
  const [socket] = await connected;
  const seen = record(socket, 'message', 'ping', 'close');
  const end = closed(socket);
  peer.socket.setNoDelay(true);
  const bytes = Buffer.concat([
    frame(1, 'a'.repeat(130), { fin: false }),
    frame(9, 'ping'),
    frame(0, 'end'),
    frame(8, closePayload(1000)),
  ]);
  for (const byte of bytes) {
    peer.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await end;
  expect(seen).toEqual(['ping: ping', `message: ${'a'.repeat(130)}end`, 'close: 1000']);
});

test('messages before a fault in the same packet are answered before the Close frame', async () => {
  const { server, port } = await serve();
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(textOf(data)));
    socket.on('error', () => socket.terminate()); // the Close frame has gone out by then
  });
  const peer = await rawClient(port);
  peer.write(frame(1, 'one'), frame(2, 'two'), frame(9, 'ping'), frame(3, 'broken'), frame(1, 'behind'));
  const unmasked = { mask: false };
  const answers = [frame(10, 'ping', unmasked), frame(1, 'one', unmasked), frame(1, 'two', unmasked)];
  expect(await peer.rest()).toEqual(Buffer.concat([...answers, frame(8, closePayload(1002), unmasked)]));
});

test('frames in the same packet as the request are delivered', async () => {
  const { server, port } = await serve();
  const messages: string[] = [];
  server.on('connection', (socket) => socket.on('message', (data) => messages.push(textOf(data))));
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  const peer = await rawClient(port, frame(1, 'early'), frame(8, closePayload(1000, 'bye')).subarray(0, 3));
  const [socket] = await connected;
  const end = closed(socket);
  peer.write(frame(8, closePayload(1000, 'bye')).subarray(3));
  expect(await end).toEqual({ code: 1000, reason: 'bye' });
  expect(messages).toEqual(['early']);
});

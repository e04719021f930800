// close(code, reason).
import type { RawPeer } from '../lib/support';
import { acceptText, closePayload, frame, rawServer, serve, until, textOf } from '../lib/support';
import { idleSocket } from './idl';
import { ending, failed, make, next, open, record, thrownName } from './support';

/** A server that gathers the payloads of Close frames and answers each with the same. */
async function serveClose(
  answer?: (peer: RawPeer, payload: Buffer) => void,
): Promise<{ url: string; payloads: Buffer[] }> {
  const payloads: Buffer[] = [];
  const url = await rawServer(async (peer) => {
    peer.write(acceptText(await peer.takeHead()));
    const [, second] = await peer.take(2);
    const mask = await peer.take(4);
    const payload = (await peer.take(second & 127)).map((byte, i) => byte ^ mask[i % 4]) as Buffer;
    payloads.push(payload);
    if (answer) answer(peer, payload);
    else {
      peer.write(frame(8, payload, { mask: false }));
      peer.socket.end();
    }
  });
  return { url, payloads };
}

test('another code than 1000 and 3000 to 4999 is an InvalidAccessError, in every state', async () => {
  const { url } = await serve();
  const check = (socket: { close(code?: number): void }): void => {
    for (const code of [0, 999, 1001, 1005, 1006, 1011, 2999, 5000, 65_535, NaN, -1, 1e9]) {
      expect([code, thrownName(() => socket.close(code))]).toEqual([code, 'InvalidAccessError']);
    }
  };
  const socket = make(url);
  check(socket);
  await next(socket, 'open');
  check(socket);
  expect(socket.readyState).toBe(1);
  socket.close(3000);
  check(socket);
  await next(socket, 'close');
  check(socket);
});

test('the code is clamped and rounded before it is checked', async () => {
  const { url, payloads } = await serveClose();
  const socket = await open(url);
  expect(thrownName(() => socket.close(2999.4))).toBe('InvalidAccessError');
  expect(() => socket.close(3000n as never)).toThrow(TypeError);
  socket.close(2999.5);
  expect(await ending(socket)).toEqual([3000, '', true]);
  expect(payloads).toEqual([closePayload(3000)]);
});

test('a reason of more than 123 bytes of UTF-8 is a SyntaxError, but only behind a good code', async () => {
  const socket = idleSocket();
  expect(thrownName(() => socket.close(1000, 'x'.repeat(124)))).toBe('SyntaxError');
  expect(thrownName(() => socket.close(1000, 'ä'.repeat(62)))).toBe('SyntaxError');
  expect(thrownName(() => socket.close(undefined, 'x'.repeat(124)))).toBe('SyntaxError');
  expect(thrownName(() => socket.close(1001, 'x'.repeat(124)))).toBe('InvalidAccessError');
  expect(socket.readyState).toBe(0);
  await next(socket, 'close');
  expect(thrownName(() => socket.close(1000, 'x'.repeat(124)))).toBe('SyntaxError');
});

test('conversions come first: of the code, then of the reason', () => {
  const order: string[] = [];
  const socket = idleSocket();
  const code = { valueOf: () => (order.push('code'), 1) };
  const reason = { toString: () => (order.push('reason'), '') };
  expect(thrownName(() => socket.close(code as never, reason as never))).toBe('InvalidAccessError');
  expect(order).toEqual(['code', 'reason']);
  expect(() => socket.close(1, Symbol('s') as never)).toThrow(TypeError);
});

test('CONNECTING: fails the connection, CLOSING at once and the events in a later task', async () => {
  const url = await rawServer(() => {});
  const socket = make(url);
  const seen = record(socket);
  socket.close(3000, 'ignored');
  expect(socket.readyState).toBe(2);
  await Promise.resolve();
  expect(seen).toEqual([]);
  expect(await ending(socket)).toEqual([1006, '', false]);
  expect(seen).toEqual(failed);
});

test('CONNECTING: in the task in which the answer comes, too', async () => {
  const { server, url } = await serve();
  const socket = make(url);
  const seen = record(socket);
  server.on('connection', () => socket.close());
  expect(await ending(socket)).toEqual([1006, '', false]);
  expect(seen).toEqual(failed);
});

test.each([
  ['neither code nor reason: no body', [], Buffer.alloc(0), [1005, '', true]],
  ['a code', [4999], closePayload(4999), [4999, '', true]],
  ['a code and a reason', [1000, 'grüß'], closePayload(1000, 'grüß'), [1000, 'grüß', true]],
  ['123 bytes', [3000, 'x'.repeat(123)], closePayload(3000, 'x'.repeat(123)), [3000, 'x'.repeat(123), true]],
  ['a reason alone goes with 1000', [undefined, 'why'], closePayload(1000, 'why'), [1000, 'why', true]],
  ['an empty reason alone: no body', [undefined, ''], Buffer.alloc(0), [1005, '', true]],
  ['a reason with a lone surrogate', [3000, '\ud800'], closePayload(3000, '\ufffd'), [3000, '\ufffd', true]],
] as const)('OPEN: %s', async (_name, args, payload, end) => {
  const { url, payloads } = await serveClose();
  const socket = await open(url);
  const seen = record(socket);
  socket.close(...(args as unknown as []));
  expect(socket.readyState).toBe(2);
  expect(await ending(socket)).toEqual(end);
  expect(payloads).toEqual([payload]);
  expect(seen).toEqual(['close in 3', 'microtasks']);
});

test('OPEN: what was sent before goes out before the Close frame', async () => {
  const { server, url } = await serve();
  const received: string[] = [];
  server.on('connection', (peer) => {
    peer.on('message', (data) => received.push(textOf(data)));
    peer.on('close', (code) => received.push(`close ${code}`));
  });
  const socket = await open(url);
  socket.send('first');
  socket.send(new Blob(['second']));
  socket.send('third');
  socket.close(3000);
  socket.send('never');
  await ending(socket);
  await until(() => received.length === 4);
  expect(received).toEqual(['first', 'second', 'third', 'close 3000']);
});

test('CLOSING and CLOSED: does nothing', async () => {
  const { url, payloads } = await serveClose();
  const socket = await open(url);
  const seen = record(socket);
  socket.close(3000);
  socket.close(3001);
  socket.close();
  expect(await ending(socket)).toEqual([3000, '', true]);
  socket.close(3002);
  socket.close();
  await new Promise(setImmediate);
  expect(socket.readyState).toBe(3);
  expect(payloads).toEqual([closePayload(3000)]);
  expect(seen).toEqual(['close in 3', 'microtasks']);
});

test('behind the Close frame of the peer: CLOSING, and its code counts', async () => {
  let close = (): void => {};
  const isClosed = new Promise<void>((resolve) => (close = resolve));
  const url = await rawServer(async (peer) => {
    peer.write(acceptText(await peer.takeHead()));
    peer.write(frame(8, closePayload(4000, 'mine'), { mask: false }));
    await peer.take(6 + 6); // the answer
    await isClosed;
    peer.socket.end();
  });
  const socket = await open(url);
  await until(() => socket.readyState === 2);
  socket.close(3000, 'yours');
  close();
  expect(await ending(socket)).toEqual([4000, 'mine', true]);
});

test('another code in the answer is what the event has', async () => {
  const { url } = await serveClose((peer) => {
    peer.write(frame(8, closePayload(3005, 'other'), { mask: false }));
    peer.socket.end();
  });
  const socket = await open(url);
  socket.close(3000, 'asked');
  expect(await ending(socket)).toEqual([3005, 'other', true]);
});

test('no answer, and the connection lost: 1006, not clean, and no error', async () => {
  const { url } = await serveClose((peer) => peer.socket.destroy());
  const socket = await open(url);
  const seen = record(socket);
  socket.close(3000);
  expect(await ending(socket)).toEqual([1006, '', false]);
  expect(seen).toEqual(['close in 3', 'microtasks']);
});

test('no answer at all: the connection is cut after closeTimeout', async () => {
  const { url } = await serveClose(() => {});
  const socket = await open(url, { closeTimeout: 20 });
  socket.close(3000);
  expect(await ending(socket)).toEqual([1006, '', false]);
});

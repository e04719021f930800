/** What peers can make the library hold: many fragments, and little that inflates to much. */
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { WebSocket } from '../../lib/index.js';
import { acceptText, connect, frame, nextMessage, rawClient, rawServer, serve, until } from './support.js';

const mebibyte = 1024 * 1024;

test('65,536 fragments of a message pass with the defaults', async () => {
  const { server, port } = await serve();
  const message = new Promise<Buffer>((resolve) => {
    server.on('connection', (socket: WebSocket) => socket.on('message', (data) => resolve(data as Buffer)));
  });
  const peer = await rawClient(port);
  const middle = frame(0, 'x', { fin: false });
  peer.write(frame(2, 'x', { fin: false }), Buffer.alloc(65_534 * middle.length, middle), frame(0, 'x'));
  expect((await message).equals(Buffer.alloc(65_536, 'x'))).toBe(true);
});

describe.each([true, false])('allowSynchronousEvents %s', (allowSynchronousEvents) => {
  test('messages that inflate to much arrive one after the other, and those of others between', async () => {
    const count = 12;
    const compressed = deflateRawSync(Buffer.alloc(4 * mebibyte), { finishFlush: constants.Z_SYNC_FLUSH });
    const bytes = frame(2, compressed.subarray(0, -4), { rsv: 4, mask: false });
    const url = await rawServer(async (peer) => {
      peer.write(acceptText(await peer.takeHead(), 'Sec-WebSocket-Extensions: permessage-deflate'));
      for (let i = 0; i < count; i += 1) peer.write(bytes);
    });
    const { server, url: echoUrl } = await serve();
    server.on('connection', (socket: WebSocket) => socket.on('message', (data) => socket.send(data as Buffer)));
    const other = await connect(echoUrl);
    const socket = await connect(url, [], { allowSynchronousEvents });
    let received = 0;
    socket.on('message', (data: Buffer) => {
      expect(data.length).toBe(4 * mebibyte);
      received += 1;
    });
    other.send('x');
    expect((await nextMessage(other)).data.toString()).toBe('x');
    socket.pause();
    socket.resume();
    await until(() => received === count, 'every message');
  });
});
